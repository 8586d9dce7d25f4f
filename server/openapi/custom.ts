/**
 * Schemas of custom kinds as OpenAPI knows them: what version 2 has no word for is left out, so that kubectl does not
 * refuse what the server would take, and embedded objects get the fields that every object has.
 * Source: k8s.io/apiextensions-apiserver/pkg/controller/openapi/v2/conversion.go, …/openapi/builder/builder.go
 */
import type { Schema } from "@atoll/machinery/schema/schema";
import type { Dialect, Document } from "./dialect.ts";

const conventions = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md";

/** What upstream says of the fields that all custom objects and lists have. */
export const customTexts = {
  metadata: `Standard object's metadata. More info: ${conventions}#metadata`,
  listMetadata: `Standard list metadata. More info: ${conventions}#types-kinds`,
  items: (plural: string) => `List of ${plural}. More info: ${conventions}`,
} as const;

/** Whether version 2 says nothing of such an object's fields: not even metadata's, or kubectl would refuse all others. */
export function isOpaque({ version }: Dialect, schema: Schema): boolean {
  return version === 2 && schema["x-kubernetes-preserve-unknown-fields"] === true;
}

/** The schema without what OpenAPI 2 does not know, all the way down. */
export function inVersion2(schema: Schema): Schema {
  const { allOf: _, anyOf: __, oneOf: ___, not: ____, nullable, ...rest } = schema;
  const { type, properties, items, additionalProperties, required, ...kept } = rest;
  const open = schema["x-kubernetes-preserve-unknown-fields"] === true;
  const hidden = nullable === true || open;
  const fields = hidden ? undefined : properties;
  // Nothing but strings, numbers and booleans keeps its type without what is within.
  const untyped = nullable === true || (open && (type === "object" || type === "array"));
  const wanted = stillRequired(required, fields, additionalProperties);
  return {
    ...kept,
    ...(untyped || type === undefined ? {} : { type }),
    ...(wanted === undefined ? {} : { required: wanted }),
    ...(fields === undefined ? {} : { properties: mapped(fields) }),
    ...(hidden || items === undefined ? {} : { items: inVersion2(items) }),
    ...(additionalProperties === undefined ? {} : { additionalProperties: values(additionalProperties) }),
  };
}

type Values = NonNullable<Schema["additionalProperties"]>;

function values(schema: Values): Values {
  return typeof schema === "boolean" ? schema : inVersion2(schema);
}

function mapped(properties: Readonly<Record<string, Schema>>): Record<string, Schema> {
  // fromEntries() makes a key of every name, of __proto__, too.
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, inVersion2(schema)]));
}

/** Fields that may be null cannot be required in a version that knows no null. */
function stillRequired(
  required: readonly string[] | undefined,
  properties: Readonly<Record<string, Schema>> | undefined,
  within: Values | undefined,
): readonly string[] | undefined {
  if (typeof within === "object" && within.nullable === true) return undefined;
  const left = required?.filter((name) => properties?.[name]?.nullable !== true);
  return left?.length === 0 ? undefined : left;
}

/** A written schema in which every embedded object has the fields of an object. */
export function withEmbedded(document: Document, dialect: Dialect, metadata: Document): Document {
  const within = (value: unknown): Document => withEmbedded(value as Document, dialect, metadata);
  const made: Record<string, unknown> = { ...document };
  const properties = made["properties"];
  if (properties !== undefined) {
    made["properties"] = Object.fromEntries(
      Object.entries(properties as Document).map(([name, value]) => [name, within(value)]),
    );
  }
  for (const part of ["items", "additionalProperties"]) {
    if (typeof made[part] === "object") made[part] = within(made[part]);
  }
  const open = dialect.version === 2 && made["x-kubernetes-preserve-unknown-fields"] === true;
  if (made["x-kubernetes-embedded-resource"] !== true || open) return made;
  const required = (made["required"] ?? []) as readonly string[];
  return {
    ...made,
    required: [...required, ...["kind", "apiVersion"].filter((name) => !required.includes(name))],
    properties: { ...(made["properties"] as Document | undefined), ...embeddedFields, metadata },
  };
}

const embeddedFields = {
  apiVersion: {
    description: `apiVersion defines the versioned schema of this representation of an object. More info: ${conventions}#resources`,
    type: "string",
  },
  kind: {
    description: `kind is a string value representing the type of this object. In CamelCase. More info: ${conventions}#types-kinds`,
    type: "string",
  },
} as const;
