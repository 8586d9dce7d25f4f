/** An object at a glance: how it is, what it is, and what belongs to it. */
import {
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
  Label,
  LabelGroup,
} from "@patternfly/react-core";
import { Table, Tbody, Td, Th, Thead, Tr } from "@patternfly/react-table";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useState } from "react";
import { useTable } from "../../live/use.ts";
import type { AnyObject, Condition } from "../../model/object.ts";
import { type Resource, resourceOf, resourceOfKind } from "../../model/resources.ts";
import { spoken } from "../../model/words.ts";
import { Age } from "../../parts/age.tsx";
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
      <DescriptionList isCompact columnModifier={{ default: "1Col", lg: "2Col" }}>
        {Object.entries(factsOf(object)).map(([name, value]) => (
          <Fact key={name} name={name}>
            {value}
          </Fact>
        ))}
        <Fact name="Created">
          <Age since={metadata.creationTimestamp} /> ago
        </Fact>
        {metadata.ownerReferences?.map(({ kind, name, uid }) => (
          <Fact key={uid} name="Belongs to">
            <Owner kind={kind} name={name} namespace={metadata.namespace} />
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
      </DescriptionList>
      <Conditions conditions={status?.conditions ?? []} />
      {selector !== undefined && pods !== undefined && (
        <Pods resource={pods} namespace={metadata.namespace ?? ""} selector={selector} />
      )}
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <DescriptionListGroup>
      <DescriptionListTerm>{name}</DescriptionListTerm>
      <DescriptionListDescription>{children}</DescriptionListDescription>
    </DescriptionListGroup>
  );
}

function Owner({ kind, name, namespace }: { kind: string; name: string; namespace: string | undefined }) {
  const resource = resourceOfKind(kind);
  const text = `${kind} ${name}`;
  if (resource === undefined) return text;
  return <Link to={paths.object(resource, resource.namespaced ? namespace : undefined, name)}>{text}</Link>;
}

/** What of spec and status a person can read in a line. */
function factsOf({ spec = {}, status = {} }: AnyObject): Readonly<Record<string, string>> {
  const facts: Record<string, string> = {};
  for (const [name, value] of [...Object.entries(status), ...Object.entries(spec)]) {
    const line = lineOf(value);
    if (line !== "") facts[spoken(name)] = line;
  }
  return facts;
}

type Plain = string | number | boolean;
const isPlain = (value: unknown): value is Plain => ["string", "number", "boolean"].includes(typeof value);

/** A value, a list of values, or values by name; anything deeper is for the YAML. */
function lineOf(value: unknown): string {
  if (isPlain(value)) return String(value);
  if (typeof value !== "object" || value === null) return "";
  if (Array.isArray(value)) return value.every(isPlain) ? value.join(", ") : "";
  const pairs = Object.entries(value);
  return pairs.every(([, each]) => isPlain(each))
    ? pairs.map(([name, each]) => `${name} ${String(each as Plain)}`).join(", ")
    : "";
}

function Conditions({ conditions }: { conditions: readonly Condition[] }) {
  if (conditions.length === 0) return null;
  return (
    <section>
      <h2 className="small-head">Conditions</h2>
      <Table aria-label="Conditions" variant="compact" className="plain-table">
        <Thead>
          <Tr>
            <Th>Condition</Th>
            <Th>Since</Th>
            <Th>Why</Th>
          </Tr>
        </Thead>
        <Tbody>
          {conditions.map(({ type, status, reason, message, lastTransitionTime }) => (
            <Tr key={type}>
              <Td dataLabel="Condition">
                <Status word={`${type}: ${status}`} tone={status === "True" ? "good" : "plain"} />
              </Td>
              <Td dataLabel="Since">
                <Age since={lastTransitionTime} />
              </Td>
              <Td dataLabel="Why">{[reason, message].filter(Boolean).join(": ")}</Td>
            </Tr>
          ))}
        </Tbody>
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
