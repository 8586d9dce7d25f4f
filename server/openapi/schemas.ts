/**
 * Our schemas as OpenAPI schemas. Types with a name become references, and the names are collected so that their
 * definitions can be written, too.
 * Source: k8s.io/kube-openapi/pkg/generators, k8s.io/apiextensions-apiserver/pkg/controller/openapi
 */
import { builtinSchemaByName } from "@atoll/api/schemas";
import type { Schema } from "@atoll/machinery/schema/schema";
import type { Descriptions } from "./descriptions.ts";
import type { Dialect, Document } from "./dialect.ts";

/** Upstream's types whose JSON is not what a struct would give. */
const specialTypes: ReadonlyMap<string, (version: 2 | 3) => Document> = new Map<string, (version: 2 | 3) => Document>([
  ["io.k8s.apimachinery.pkg.apis.meta.v1.Time", () => ({ type: "string", format: "date-time" })],
  ["io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime", () => ({ type: "string", format: "date-time" })],
  ["io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1", () => ({ type: "object" })],
  ["io.k8s.apimachinery.pkg.runtime.RawExtension", () => ({ type: "object" })],
  [
    "io.k8s.apimachinery.pkg.api.resource.Quantity",
    (version) => (version === 2 ? { type: "string" } : { oneOf: [{ type: "string" }, { type: "number" }] }),
  ],
  [
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
    (version) => ({
      format: "int-or-string",
      ...(version === 2 ? { type: "string" } : { oneOf: [{ type: "integer" }, { type: "string" }] }),
    }),
  ],
]);

/** Keywords copied as they are; `default` only where the dialect tells defaults. */
const copied: readonly (keyof Schema)[] = [
  "type",
  "format",
  "title",
  "description",
  "default",
  "enum",
  "example",
  "required",
  "minProperties",
  "maxProperties",
  "minItems",
  "maxItems",
  "uniqueItems",
  "minLength",
  "maxLength",
  "pattern",
  "minimum",
  "maximum",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "multipleOf",
  "externalDocs",
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-embedded-resource",
  "x-kubernetes-int-or-string",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-map-type",
  "x-kubernetes-validations",
  "x-kubernetes-patch-strategy",
  "x-kubernetes-patch-merge-key",
];

/** What a field that holds a named type may say besides. */
const besideReference: readonly (keyof Schema)[] = [
  "description",
  "x-kubernetes-map-type",
  "x-kubernetes-patch-strategy",
  "x-kubernetes-patch-merge-key",
];

const logical: readonly (keyof Schema)[] = ["allOf", "anyOf", "oneOf"];

function pick(schema: Schema, keywords: readonly (keyof Schema)[]): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const keyword of keywords) if (schema[keyword] !== undefined) picked[keyword] = schema[keyword];
  return picked;
}

/** The zero value of a type that is always written; upstream tells it as the default. */
function zeroOf(schema: Schema): unknown {
  if (schema.properties !== undefined) return {};
  if (schema["x-atoll-name"] !== undefined || schema.format === "byte") return undefined;
  return { string: "", boolean: false, integer: 0, number: 0 }[schema.type as string];
}

/** Writes schemas of one document. */
export class SchemaWriter {
  readonly #dialect: Dialect;
  readonly #descriptions: Descriptions;
  /** Types that were referred to, by name, without the facts of the fields that hold them. */
  readonly referred = new Map<string, Schema>();

  constructor(dialect: Dialect, descriptions: Descriptions) {
    this.#dialect = dialect;
    this.#descriptions = descriptions;
  }

  /** A reference to a named type, whose definition will be needed. */
  refer(schema: Schema): Document {
    return this.#dialect.ref(this.#named(schema));
  }

  /** The definition of a type of upstream's. */
  definition(name: string, schema: Schema): Document {
    const description = this.#descriptions[name]?.description;
    const told = description === undefined ? {} : { description };
    const special = specialTypes.get(name);
    if (special !== undefined) return { ...told, ...special(this.#dialect.version) };
    // One of several types, or any: OpenAPI knows nothing of it.
    if (schema.properties === undefined) return told;
    return { ...told, ...this.#inline(schema, name) };
  }

  /** A schema where it is used: a reference, or written out. */
  write(schema: Schema): Document {
    return this.#value(schema, undefined, undefined);
  }

  #named(schema: Schema): string {
    const name = schema["x-atoll-name"] ?? "";
    if (!this.referred.has(name)) this.referred.set(name, builtinSchemaByName(name) ?? schema);
    return name;
  }

  /** @param fallback the value when absent, if it is not the schema's own */
  #value(schema: Schema, description: string | undefined, fallback: unknown): Document {
    const told = {
      ...(description === undefined ? {} : { description }),
      ...(fallback === undefined || this.#dialect.version === 2 ? {} : { default: fallback }),
    };
    if (schema["x-atoll-name"] === undefined) return { ...told, ...this.#inline(schema, undefined) };
    const name = this.#named(schema);
    const { "x-kubernetes-map-type": mapType, ...beside } = pick(schema, besideReference);
    const own = this.referred.get(name)?.["x-kubernetes-map-type"];
    return this.#dialect.refWith(name, {
      ...told,
      ...beside,
      ...(mapType === undefined || mapType === own ? {} : { "x-kubernetes-map-type": mapType }),
    });
  }

  #inline(schema: Schema, name: string | undefined): Document {
    if (this.#dialect.version === 2 && schema.nullable === true) return pick(schema, ["description"]);
    const { default: fallback, ...made } = pick(schema, copied);
    if (fallback !== undefined && this.#dialect.version === 3) made["default"] = fallback;
    if (this.#dialect.version === 2 && schema["x-kubernetes-int-or-string"] === true) delete made["type"];
    Object.assign(made, this.#parts(schema, name));
    if (this.#dialect.version === 3) Object.assign(made, this.#logic(schema));
    return made;
  }

  /** What is within: fields, items, values. */
  #parts(schema: Schema, name: string | undefined): Record<string, unknown> {
    const made: Record<string, unknown> = {};
    if (schema.properties !== undefined) made["properties"] = this.#properties(schema.properties, name);
    // Elements of built-in types' lists and maps are never absent: they have their zero value.
    const within = (element: Schema): unknown => (schema["x-atoll-zero"] === undefined ? undefined : zeroOf(element));
    if (schema.items !== undefined) made["items"] = this.#value(schema.items, undefined, within(schema.items));
    const values = schema.additionalProperties;
    if (typeof values === "boolean") made["additionalProperties"] = values;
    else if (values !== undefined) {
      made["additionalProperties"] = this.#value(values, undefined, within(values));
    }
    return made;
  }

  #properties(properties: Readonly<Record<string, Schema>>, name: string | undefined): Document {
    const described = this.#descriptions[name ?? ""]?.fields ?? {};
    const made: Record<string, unknown> = {};
    for (const [field, schema] of Object.entries(properties)) {
      const kept = schema["x-atoll-zero"] === "keep" && schema.nullable !== true && schema.default === undefined;
      const description = described[field] ?? this.#descriptions[schema["x-atoll-name"] ?? ""]?.description;
      const value = this.#value(schema, description, kept ? zeroOf(schema) : undefined);
      Object.defineProperty(made, field, { value, enumerable: true, writable: true, configurable: true });
    }
    return made;
  }

  #logic(schema: Schema): Document {
    const made: Record<string, unknown> = {};
    for (const keyword of logical) {
      const choices = schema[keyword] as readonly Schema[] | undefined;
      if (choices !== undefined) made[keyword] = choices.map((choice) => this.write(choice));
    }
    if (schema.not !== undefined) made["not"] = this.write(schema.not);
    // In version 2 it is no keyword; for built-in kinds it is a fact of the codec's.
    if (schema.nullable === true && schema["x-atoll-zero"] === undefined) made["nullable"] = true;
    return made;
  }
}
