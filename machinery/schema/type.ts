/**
 * How schemas of our own kinds are written, so that a value is at once the schema and the TypeScript type.
 * TypeBox, with the few forms that CustomResourceDefinitions have and JSON Schema spells otherwise.
 * Source: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
 */
import { type Static as StaticOf, type TSchema, Type as TypeBox } from "typebox";

/** A schema that carries its type. */
export type Typed = TSchema;

/** The type of the values that a schema describes. */
export type Static<S extends Typed> = StaticOf<S>;

/** Facts beside the type: description, default, bounds, `x-kubernetes-` extensions. */
export interface Facts {
  readonly description: string;
  readonly [fact: PropertyKey]: unknown;
}

function oneOf<const Value extends string>(values: readonly Value[], facts: Facts) {
  return TypeBox.Unsafe<Value>({ ...facts, type: "string", enum: values });
}

function map<S extends Typed>(values: S, facts: Facts) {
  return TypeBox.Unsafe<Readonly<Record<string, StaticOf<S>>>>({
    ...facts,
    type: "object",
    additionalProperties: values,
  });
}

function any<T = Readonly<Record<string, unknown>>>(facts: Facts) {
  return TypeBox.Unsafe<T>({ ...facts, type: "object", "x-kubernetes-preserve-unknown-fields": true });
}

function quantity(facts: Facts) {
  return TypeBox.Unsafe<string | number>({ ...facts, "x-kubernetes-int-or-string": true });
}

/** The forms a field can have. */
export const Type = {
  string: (facts: Facts) => TypeBox.String(facts),
  integer: (facts: Facts) => TypeBox.Integer(facts),
  boolean: (facts: Facts) => TypeBox.Boolean(facts),
  /** RFC 3339. */
  time: (facts: Facts) => TypeBox.String({ ...facts, format: "date-time" }),
  /** Fields are required unless optional(). */
  object: TypeBox.Object,
  list: TypeBox.Array,
  optional: TypeBox.Optional,
  oneOf,
  /** Keys are any text. */
  map,
  /** A number, or a text as 500m or 2Gi. */
  quantity,
  /** An object whose fields the kind does not judge. */
  any,
};
