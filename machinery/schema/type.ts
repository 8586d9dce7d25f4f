/**
 * How schemas of our own kinds are written, so that a value is at once the schema and the TypeScript type.
 * The types are TypeBox's, with the few forms that CustomResourceDefinitions have and JSON Schema spells otherwise. The
 * values are made here: TypeBox's own code is 370 modules, which every process would load for these few lines.
 * Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
import type { Static as StaticOf, TSchema, TUnsafe, Type as TypeBox } from "typebox";

/** A schema that carries its type. */
export type Typed = TSchema;

/** The type of the values that a schema describes. */
export type Static<S extends Typed> = StaticOf<S>;

/** Facts beside the type: description, default, bounds, `x-kubernetes-` extensions. */
export interface Facts {
  readonly description: string;
  readonly [fact: PropertyKey]: unknown;
}

const isOptional = Symbol("optional");

/** What TypeBox's types say of a value's making is not there at run time, and nobody asks for it. */
function unsafe<T>(schema: TSchema): TUnsafe<T> {
  return schema as TUnsafe<T>;
}

function oneOf<const Value extends string>(values: readonly Value[], facts: Facts) {
  return unsafe<Value>({ ...facts, type: "string", enum: values });
}

function map<S extends Typed>(values: S, facts: Facts) {
  return unsafe<Readonly<Record<string, StaticOf<S>>>>({ ...facts, type: "object", additionalProperties: values });
}

function any<T = Readonly<Record<string, unknown>>>(facts: Facts) {
  return unsafe<T>({ ...facts, type: "object", "x-kubernetes-preserve-unknown-fields": true });
}

function quantity(facts: Facts) {
  return unsafe<string | number>({ ...facts, "x-kubernetes-int-or-string": true });
}

function objectOf(properties: Readonly<Record<string, object>>, facts: object = {}) {
  const required = Object.keys(properties).filter((name) => !Object.hasOwn(properties[name] ?? {}, isOptional));
  return { type: "object", ...(required.length > 0 ? { required } : {}), properties, ...facts };
}

function listOf(items: object, facts: object = {}) {
  return { type: "array", items, ...facts };
}

function optionalOf(schema: object) {
  return Object.defineProperty({ ...schema }, isOptional, { value: true });
}

/** The forms a field can have. */
export const Type = {
  string: (facts: Facts) => unsafe<string>({ type: "string", ...facts }),
  integer: (facts: Facts) => unsafe<number>({ type: "integer", ...facts }),
  boolean: (facts: Facts) => unsafe<boolean>({ type: "boolean", ...facts }),
  /** RFC 3339. */
  time: (facts: Facts) => unsafe<string>({ type: "string", ...facts, format: "date-time" }),
  /** Fields are required unless optional(). */
  object: objectOf as unknown as typeof TypeBox.Object,
  list: listOf as unknown as typeof TypeBox.Array,
  optional: optionalOf as unknown as typeof TypeBox.Optional,
  oneOf,
  /** Keys are any text. */
  map,
  /** A number, or a text as 500m or 2Gi. */
  quantity,
  /** An object whose fields the kind does not judge. */
  any,
};
