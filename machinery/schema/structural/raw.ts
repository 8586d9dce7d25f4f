/**
 * Schemas as users write them: with everything JSONSchemaProps can hold, also what no custom kind may use.
 * Source: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1 (JSONSchemaProps)
 */
import type { Schema, ValidationRule } from "../schema.ts";

/** A schema that nobody has looked at yet. The names that Schema has mean what they mean there. */
export interface RawSchema {
  readonly id?: string;
  readonly $schema?: string;
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string;
  readonly format?: string;
  readonly title?: string;
  readonly default?: unknown;
  readonly maximum?: number;
  readonly exclusiveMaximum?: boolean;
  readonly minimum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly maxLength?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly maxItems?: number;
  readonly minItems?: number;
  readonly uniqueItems?: boolean;
  readonly multipleOf?: number;
  readonly enum?: readonly unknown[];
  readonly maxProperties?: number;
  readonly minProperties?: number;
  readonly required?: readonly string[];
  readonly items?: RawSchema | readonly RawSchema[];
  readonly allOf?: readonly RawSchema[];
  readonly oneOf?: readonly RawSchema[];
  readonly anyOf?: readonly RawSchema[];
  readonly not?: RawSchema;
  readonly properties?: Readonly<Record<string, RawSchema>>;
  readonly additionalProperties?: RawSchema | boolean;
  readonly patternProperties?: Readonly<Record<string, RawSchema>>;
  readonly dependencies?: Readonly<Record<string, RawSchema | readonly string[]>>;
  readonly additionalItems?: RawSchema | boolean;
  readonly definitions?: Readonly<Record<string, RawSchema>>;
  readonly externalDocs?: { readonly description?: string; readonly url?: string };
  readonly example?: unknown;
  readonly nullable?: boolean;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly "x-kubernetes-embedded-resource"?: boolean;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-list-type"?: string;
  readonly "x-kubernetes-map-type"?: string;
  readonly "x-kubernetes-validations"?: readonly ValidationRule[];
}

/** Where a part of a schema stands in it. */
export type SchemaStep =
  | { readonly keyword: "items" | "not" | "additionalProperties" | "additionalItems" }
  | { readonly keyword: "items" | "allOf" | "anyOf" | "oneOf"; readonly index: number }
  | { readonly keyword: "properties" | "patternProperties" | "definitions" | "dependencies"; readonly key: string };

function isSchema(value: unknown): value is RawSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The schemas right inside a schema. */
export function* partsOf(schema: RawSchema): Generator<{ readonly step: SchemaStep; readonly part: RawSchema }> {
  for (const keyword of ["items", "not", "additionalProperties", "additionalItems"] as const) {
    const part = schema[keyword];
    if (isSchema(part)) yield { step: { keyword }, part };
  }
  for (const keyword of ["items", "allOf", "anyOf", "oneOf"] as const) {
    const list: unknown = schema[keyword];
    for (const [index, part] of (Array.isArray(list) ? (list as RawSchema[]) : []).entries()) {
      yield { step: { keyword, index }, part };
    }
  }
  for (const keyword of ["properties", "patternProperties", "definitions", "dependencies"] as const) {
    for (const [key, part] of Object.entries(schema[keyword] ?? {})) {
      if (isSchema(part)) yield { step: { keyword, key }, part };
    }
  }
}

/** Whether a schema, or one anywhere inside it, has a property. */
export function someSchema(schema: RawSchema, is: (schema: RawSchema) => boolean): boolean {
  if (is(schema)) return true;
  for (const { part } of partsOf(schema)) if (someSchema(part, is)) return true;
  return false;
}

function isFilled(value: object | undefined): boolean {
  return value !== undefined && Object.keys(value).length > 0;
}

/** What structural schemas never hold, as upstream's conversion refuses it. */
const unsupported: readonly (readonly [string, (schema: RawSchema) => boolean])[] = [
  ["OpenAPIV3Schema 'id' is not supported", ({ id = "" }) => id !== ""],
  ["OpenAPIV3Schema 'schema' is not supported", ({ $schema = "" }) => $schema !== ""],
  ["OpenAPIV3Schema '$ref' is not supported", ({ $ref = "" }) => $ref !== ""],
  ["OpenAPIV3Schema 'patternProperties' is not supported", ({ patternProperties }) => isFilled(patternProperties)],
  ["OpenAPIV3Schema 'dependencies' is not supported", ({ dependencies }) => isFilled(dependencies)],
  ["OpenAPIV3Schema 'additionalItems' is not supported", ({ additionalItems }) => additionalItems !== undefined],
  ["OpenAPIV3Schema 'definitions' is not supported", ({ definitions }) => isFilled(definitions)],
  [
    "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined",
    (schema) => schema["x-kubernetes-preserve-unknown-fields"] === false,
  ],
  [
    "OpenAPIV3Schema 'items' must be a schema, but is an array",
    ({ items }) => Array.isArray(items) && items.length > 0,
  ],
];

/** Why a schema cannot be a structural one whatever its shape; undefined when it can. */
export function unsupportedReason(schema: RawSchema): string | undefined {
  for (const [reason, applies] of unsupported) if (applies(schema)) return reason;
  for (const { part } of partsOf(schema)) {
    const reason = unsupportedReason(part);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** The schema as the rest of the system knows schemas. Only for one with no unsupportedReason(). */
export function asSchema(schema: RawSchema): Schema {
  return schema as Schema;
}
