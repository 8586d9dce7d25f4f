/** Kinds that can be filled in as a form: those of Atoll's own, by their schemas. */
import { fleetKinds } from "@atoll/api/fleet/kinds";
import type { OwnKind } from "@atoll/api/own/kind";
import { supervisorKinds } from "@atoll/api/supervisor/kinds";
import type { AnyObject } from "./object.ts";

/** A structural schema, as far as a form reads it. */
export interface Schema {
  readonly type?: "string" | "integer" | "boolean" | "object" | "array";
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly string[];
  readonly default?: unknown;
  /** Of a map: what its values are. */
  readonly additionalProperties?: Schema;
}

/** A kind, and the schema of what people say of it. */
export interface Form {
  readonly kind: OwnKind;
  readonly spec: Schema;
}

/** The form of a kind; undefined when it has none. */
export function formOf(kind: string): Form | undefined {
  const found = [...fleetKinds, ...supervisorKinds].find((each) => each.kind === kind);
  return found === undefined ? undefined : { kind: found, spec: found.schema.spec as Schema };
}

/** An object of a kind with what it must have. */
export function startOf({ kind: { group, version, kind, namespaced }, spec }: Form, namespace: string): AnyObject {
  const metadata = { name: "", ...(namespaced ? { namespace: namespace || "default" } : {}) };
  return {
    apiVersion: `${group}/${version}`,
    kind,
    metadata: metadata as AnyObject["metadata"],
    spec: draftOf(spec) as object as Record<string, unknown>,
  };
}

/** The least value that fits a schema; what people have to say is left empty. */
export function draftOf(schema: Schema): unknown {
  if (schema.default !== undefined) return schema.default;
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.type === "boolean") return false;
  if (schema.type === "integer") return 0;
  if (schema.type === "array") return schema.items === undefined ? [] : [draftOf(schema.items)];
  if (schema.type !== "object") return "";
  const { properties = {}, required = [] } = schema;
  return Object.fromEntries(
    required.flatMap((name) => (properties[name] === undefined ? [] : [[name, draftOf(properties[name])]])),
  );
}

/** A record with a field set, or without it. */
export function withField(
  record: Readonly<Record<string, unknown>>,
  name: string,
  value: unknown,
): Readonly<Record<string, unknown>> {
  const { [name]: _, ...rest } = record;
  if (value === undefined) return rest;
  // A field that is there stays in its place.
  return name in record ? { ...record, [name]: value } : { ...rest, [name]: value };
}
