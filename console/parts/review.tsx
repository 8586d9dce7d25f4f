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

interface Reviewed {
  readonly outcomes: readonly Outcome[];
  /** What the server says beside; of policies, which objects of the clusters would newly break them. */
  readonly warnings: readonly string[];
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
  const [reviewed, setReviewed] = useState<Reviewed>();
  const [isBusy, setBusy] = useState(false);

  async function attempt(work: () => Promise<void>) {
    setBusy(true);
    setFailure("");
    setFaults([]);
    try {
      await work();
    } catch (error) {
      setReviewed(undefined);
      if (error instanceof Faulty) setFaults(error.faults);
      setFailure(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  }

  const review = () => attempt(async () => setReviewed(await reviewedOf({ text, namespace, locate })));
  const save = () => attempt(async () => onSaved(await judged({ text, namespace, locate, dryRun: false })));

  return (
    <div className="review">
      {failure !== "" && (
        <Alert variant="danger" isInline title="The server refuses this">
          {failure}
        </Alert>
      )}
      {reviewed === undefined ? (
        <div className={beside === undefined ? "" : "beside"}>
          {beside?.(text, setText)}
          <Editor text={text} faults={faults} onChange={setText} onSubmit={() => void review()} />
        </div>
      ) : (
        <Outcomes {...reviewed} />
      )}
      <div className="review-actions">
        {reviewed === undefined ? (
          <Button onClick={() => void review()} isDisabled={isBusy}>
            Review
          </Button>
        ) : (
          <>
            <Button onClick={() => void save()} isDisabled={isBusy}>
              Save
            </Button>
            <Button variant="link" onClick={() => setReviewed(undefined)}>
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
  /** Told what the server says beside. */
  readonly onWarning?: (text: string) => void;
}

/** What the server would make of it, and says of it. @throws {Faulty} */
async function reviewedOf(judging: Omit<Judging, "dryRun">): Promise<Reviewed> {
  const told = new Set<string>();
  const results = await judged({ ...judging, dryRun: true, onWarning: (text) => told.add(text) });
  const outcomes = await Promise.all(results.map((after) => compared(after, judging.locate)));
  return { outcomes, warnings: [...told] };
}

/** @throws {Faulty} the text, or what the server says of it */
async function judged({ text, namespace, locate, ...way }: Judging): Promise<readonly AnyObject[]> {
  const { objects, documents, faults: found } = fromYaml(text);
  if (found.length > 0) throw new Faulty(found[0]?.message ?? "", found);
  if (objects.length === 0) throw new Faulty("There is nothing to save.", []);
  const results: AnyObject[] = [];
  for (const [index, object] of objects.entries()) {
    try {
      results.push(await write(object, await locate(object), { namespace, ...way }));
    } catch (error) {
      const document = documents[index];
      if (!(error instanceof CallFailed) || document === undefined) throw error;
      throw new Faulty(error.message, faultsOf(document, error.message, error.causes));
    }
  }
  return results;
}

function Outcomes({ outcomes, warnings }: Reviewed) {
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
      {warnings.length > 0 && (
        <Alert variant="info" isInline title="The server says">
          <ul aria-label="What the server says">
            {warnings.map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        </Alert>
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
  { namespace, dryRun, onWarning = () => undefined }: Pick<Judging, "namespace" | "dryRun" | "onWarning">,
): Promise<AnyObject> {
  const within = resource.namespaced ? object.metadata?.namespace || namespace || "default" : "";
  const name = object.metadata?.name ?? "";
  const suffix = `?${query}${dryRun ? "&dryRun=All" : ""}`;
  if (name === "") {
    return await ask(collectionPath(resource, within) + suffix, { method: "POST", body: object, onWarning });
  }
  const path = objectPath(resource, within, name) + suffix;
  if (object.metadata.resourceVersion !== undefined) return await ask(path, { method: "PUT", body: object, onWarning });
  return await ask(path, { method: "PATCH", body: object, contentType: "application/apply-patch+yaml", onWarning });
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
