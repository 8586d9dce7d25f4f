/** An object at a glance: how it is, what it is, and what belongs to it. */
import { Label, LabelGroup } from "@patternfly/react-core";
import { Table, Td } from "../../parts/table.tsx";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useState } from "react";
import { useTable } from "../../live/use.ts";
import type { AnyObject, Condition } from "../../model/object.ts";
import { type Resource, resourceOf } from "../../model/resources.ts";
import { spellBytes } from "../../model/amount.ts";
import { type Container, containersOf, toneOfCondition } from "../../model/workload.ts";
import { shortImages, spoken } from "../../model/words.ts";
import { Age } from "../../parts/age.tsx";
import { useConsole } from "../../parts/context.ts";
import { Rows } from "../../parts/rows.tsx";
import { Status } from "../../parts/status.tsx";
import { paths } from "../../paths.ts";
import { podSelector } from "./actions.ts";

const pods = resourceOf("pods");

/** The first tab of every object. */
export function Summary({ resource, object }: { resource: Resource; object: AnyObject }) {
  const { metadata, status } = object;
  const selector = resource.kind === "Pod" ? undefined : podSelector(object);
  return (
    <div className="stack">
      <dl className="facts">
        {factsOf(object).map(([name, value]) => (
          <Fact key={name} name={name}>
            {value}
          </Fact>
        ))}
        <Fact name="Created">
          <Age since={metadata.creationTimestamp} /> ago
        </Fact>
        {metadata.ownerReferences?.map(({ apiVersion, kind, name, uid }) => (
          <Fact key={uid} name="Belongs to">
            <Owner apiVersion={apiVersion} kind={kind} name={name} namespace={metadata.namespace} />
          </Fact>
        ))}
        {metadata.labels !== undefined && (
          <Fact name="Labels">
            <LabelGroup numLabels={8} aria-label="Labels">
              {Object.entries(metadata.labels).map(([name, value]) => (
                <Label key={name} isCompact variant="outline">
                  {value === "" ? name : `${name}=${value}`}
                </Label>
              ))}
            </LabelGroup>
          </Fact>
        )}
      </dl>
      <Containers containers={containersOf(object)} />
      <Conditions conditions={status?.conditions ?? []} />
      {selector !== undefined && pods !== undefined && (
        <Pods resource={pods} namespace={metadata.namespace ?? ""} selector={selector} />
      )}
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

interface OwnerProps {
  readonly apiVersion: string | undefined;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string | undefined;
}

function Owner({ apiVersion, kind, name, namespace }: OwnerProps) {
  const resource = useConsole().ofObject(kind, apiVersion);
  const text = `${kind} ${name}`;
  if (resource === undefined) return text;
  return <Link to={paths.object(resource, resource.namespaced ? namespace : undefined, name)}>{text}</Link>;
}

/** For controllers, not for people. */
const bookkeeping = new Set(["observedGeneration", "collisionCount", "uid"]);

/** What of spec and status a person can read at a glance; anything deeper is for the YAML. */
function factsOf({ spec = {}, status = {} }: AnyObject): readonly (readonly [string, ReactNode])[] {
  return Object.entries({ ...status, ...spec }).flatMap(([name, value]) => {
    if (bookkeeping.has(name)) return [];
    const shown = shownOf(value);
    return shown === undefined ? [] : [[spoken(name), shown] as const];
  });
}

type Plain = string | number | boolean;
const isPlain = (value: unknown): value is Plain => ["string", "number", "boolean"].includes(typeof value);

/** A value, a list of values, or values by name. */
function shownOf(value: unknown): ReactNode {
  if (isPlain(value)) return value === "" ? undefined : String(value);
  if (typeof value !== "object" || value === null) return undefined;
  if (Array.isArray(value)) return value.length > 0 && value.every(isPlain) ? value.join(", ") : undefined;
  const pairs = Object.entries(value).filter(([, each]) => each !== "");
  if (pairs.length === 0 || !pairs.every(([, each]) => isPlain(each))) return undefined;
  return (
    <span className="pairs">
      {pairs.map(([name, each]) => (
        <span key={name}>
          <span className="count">{name.includes("-") ? name : spoken(name)}</span> {spelled(name, each as Plain)}
        </span>
      ))}
    </span>
  );
}

const spelled = (name: string, value: Plain): string =>
  /memory|storage/.test(name) && typeof value === "string" ? spellBytes(value) : String(value);

function Containers({ containers }: { containers: readonly Container[] }) {
  const [first] = containers;
  if (first === undefined) return null;
  const isRun = containers.some(({ state }) => state !== "");
  const heads = ["Container", "Image", "Ports", "Requests", "Limits"];
  return (
    <section>
      <h2 className="small-head">Containers</h2>
      <Table label="Containers" heads={isRun ? heads.toSpliced(2, 0, "State", "Restarts") : heads}>
        {containers.map(({ name, image, state, restarts, ports, requests, limits }) => (
          <tr key={name}>
            <Td of="Container">{name}</Td>
            <Td of="Image">
              <span title={image}>{shortImages(image)}</span>
            </Td>
            {isRun && (
              <>
                <Td of="State">
                  <Status word={state} />
                </Td>
                <Td of="Restarts">{restarts}</Td>
              </>
            )}
            <Td of="Ports">{ports}</Td>
            <Td of="Requests">{requests}</Td>
            <Td of="Limits">{limits}</Td>
          </tr>
        ))}
      </Table>
    </section>
  );
}

function Conditions({ conditions }: { conditions: readonly Condition[] }) {
  if (conditions.length === 0) return null;
  return (
    <section>
      <h2 className="small-head">Conditions</h2>
      <Table label="Conditions" heads={["Condition", "Since", "Why"]}>
        {conditions.map(({ type, status, reason, message, lastTransitionTime }) => (
          <tr key={type}>
            <Td of="Condition">
              <Status word={`${type}: ${status}`} tone={toneOfCondition(type, status)} />
            </Td>
            <Td of="Since">
              <Age since={lastTransitionTime} />
            </Td>
            <Td of="Why">{[reason, message].filter(Boolean).join(": ")}</Td>
          </tr>
        ))}
      </Table>
    </section>
  );
}

function Pods({ resource, namespace, selector }: { resource: Resource; namespace: string; selector: string }) {
  const [sort, setSort] = useState("");
  const [part, setPart] = useState<{ from: number; to: number }>();
  const seen = useTable(resource, { namespace, labelSelector: selector }, { sort, ...part });
  return (
    <section>
      <h2 className="small-head">
        Pods <span className="count">{seen.all}</span>
      </h2>
      {seen.rows.length > 0 && (
        <Rows resource={resource} seen={seen} hasNamespaces={false} sort={sort} onSort={setSort} onLook={setPart} />
      )}
    </section>
  );
}
