/**
 * Writing YAML, then seeing what the server would make of it, then saving: the API server judges twice, the first time
 * without storing anything.
 */
import { Alert, Button, Spinner } from "@patternfly/react-core";
import { lazy, type ReactNode, Suspense, useMemo, useState } from "react";
import { ask, CallFailed } from "../model/call.ts";
import type { AnyObject } from "../model/object.ts";
import { collectionPath, objectPath, type Resource } from "../model/resources.ts";
import { type Fault, faultsOf, fromYaml, toYaml } from "../model/yaml.ts";
import { Comparison, Editor } from "./editor.tsx";

const Plan = lazy(async () => ({ default: (await import("./plan.tsx")).Plan }));

/** What one object would become. */
interface Outcome {
  readonly name: string;
  readonly object: AnyObject;
  readonly before: string;
  readonly after: string;
}

interface ReviewProps {
  readonly text: string;
  /** Where an object's kind is served. @throws {CallFailed} nowhere */
  locate(object: AnyObject): Promise<Resource>;
  /** Namespace of objects that name none. */
  readonly namespace: string;
  /** Stands beside the editor; what it writes, the editor has. */
  beside?(text: string, onChange: (text: string) => void): ReactNode;
  onSaved(objects: readonly AnyObject[]): void;
}

/** Thrown within, when the text or the server finds faults. */
class Faulty extends Error {
  readonly faults: readonly Fault[];
  constructor(message: string, faults: readonly Fault[]) {
    super(message);
    this.faults = faults;
  }
}

const fleetGroup = "fleet.atoll.dev/";
const query = "fieldManager=atoll-console&fieldValidation=Strict";

/** The editor, the comparison, and the way from one to the other. */
export function Review({ text: given, locate, namespace, beside, onSaved }: ReviewProps) {
  const [text, setText] = useState(given);
  const [faults, setFaults] = useState<readonly Fault[]>([]);
  const [failure, setFailure] = useState("");
  const [outcomes, setOutcomes] = useState<readonly Outcome[]>();
  const [isBusy, setBusy] = useState(false);

  async function attempt(work: () => Promise<void>) {
    setBusy(true);
    setFailure("");
    setFaults([]);
    try {
      await work();
    } catch (error) {
      setOutcomes(undefined);
      if (error instanceof Faulty) setFaults(error.faults);
      setFailure(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  }

  const review = () =>
    attempt(async () => {
      const results = await judged({ text, namespace, locate, dryRun: true });
      setOutcomes(await Promise.all(results.map((after) => compared(after, locate))));
    });
  const save = () => attempt(async () => onSaved(await judged({ text, namespace, locate, dryRun: false })));

  return (
    <div className="review">
      {failure !== "" && (
        <Alert variant="danger" isInline title="The server refuses this">
          {failure}
        </Alert>
      )}
      {outcomes === undefined ? (
        <div className={beside === undefined ? "" : "beside"}>
          {beside?.(text, setText)}
          <Editor text={text} faults={faults} onChange={setText} onSubmit={() => void review()} />
        </div>
      ) : (
        <Outcomes outcomes={outcomes} />
      )}
      <div className="review-actions">
        {outcomes === undefined ? (
          <Button onClick={() => void review()} isDisabled={isBusy}>
            Review
          </Button>
        ) : (
          <>
            <Button onClick={() => void save()} isDisabled={isBusy}>
              Save
            </Button>
            <Button variant="link" onClick={() => setOutcomes(undefined)}>
              Back to editing
            </Button>
          </>
        )}
      </div>
    </div>
  );
}

interface Judging extends Pick<ReviewProps, "text" | "namespace" | "locate"> {
  readonly dryRun: boolean;
}

/** @throws {Faulty} the text, or what the server says of it */
async function judged({ text, namespace, locate, dryRun }: Judging): Promise<readonly AnyObject[]> {
  const { objects, documents, faults: found } = fromYaml(text);
  if (found.length > 0) throw new Faulty(found[0]?.message ?? "", found);
  if (objects.length === 0) throw new Faulty("There is nothing to save.", []);
  const results: AnyObject[] = [];
  for (const [index, object] of objects.entries()) {
    try {
      results.push(await write(object, await locate(object), { namespace, dryRun }));
    } catch (error) {
      const document = documents[index];
      if (!(error instanceof CallFailed) || document === undefined) throw error;
      throw new Faulty(error.message, faultsOf(document, error.message, error.causes));
    }
  }
  return results;
}

function Outcomes({ outcomes }: { outcomes: readonly Outcome[] }) {
  const ofFleet = useMemo(
    () => outcomes.map(({ object }) => object).filter(({ apiVersion = "" }) => apiVersion.startsWith(fleetGroup)),
    [outcomes],
  );
  return (
    <>
      {outcomes.map(({ name, before, after }) => (
        <section key={name}>
          <h2 className="small-head">{outcomeTitle(name, before, after)}</h2>
          <Comparison before={before} after={after} />
        </section>
      ))}
      {ofFleet.length > 0 && (
        <Suspense fallback={<Spinner aria-label="Planning" />}>
          <Plan objects={ofFleet} />
        </Suspense>
      )}
    </>
  );
}

function outcomeTitle(name: string, before: string, after: string): string {
  if (before === "") return `${name} will be created`;
  return before === after ? `${name} stays as it is` : `${name} will change`;
}

/** With a resourceVersion it replaces what was read; without, it applies. */
async function write(
  object: AnyObject,
  resource: Resource,
  { namespace, dryRun }: { namespace: string; dryRun: boolean },
): Promise<AnyObject> {
  const within = resource.namespaced ? object.metadata?.namespace || namespace || "default" : "";
  const name = object.metadata?.name ?? "";
  const suffix = `?${query}${dryRun ? "&dryRun=All" : ""}`;
  if (name === "") {
    return await ask(collectionPath(resource, within) + suffix, { method: "POST", body: object });
  }
  const path = objectPath(resource, within, name) + suffix;
  if (object.metadata.resourceVersion !== undefined) return await ask(path, { method: "PUT", body: object });
  return await ask(path, { method: "PATCH", body: object, contentType: "application/apply-patch+yaml" });
}

async function compared(after: AnyObject, locate: ReviewProps["locate"]): Promise<Outcome> {
  const resource = await locate(after);
  const { name, namespace = "" } = after.metadata;
  const now = await ask<AnyObject>(objectPath(resource, namespace, name)).catch((error: unknown) => {
    if (error instanceof CallFailed && error.code === 404) return undefined;
    throw error;
  });
  const label = `${after.kind ?? resource.kind} ${name}`;
  // Of a dry run, so that what differs is the wish alone.
  const { resourceVersion } = now?.metadata ?? {};
  const same = {
    ...after,
    metadata: { ...after.metadata, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
  };
  return { name: label, object: after, before: now === undefined ? "" : toYaml(now), after: toYaml(same) };
}
