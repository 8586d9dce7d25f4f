/**
 * What a schema says about ownership: which values are owned as one, which item by item, and by what items are told
 * apart.
 * Source: k8s.io/kube-openapi/pkg/schemaconv (smd.go, openapi.go); sigs.k8s.io/structured-merge-diff/v6/schema
 */
import type { Schema } from "../schema/schema.ts";
import { type Step, compareText, fieldStep } from "./element.ts";
import { isPlain } from "./plain.ts";
import { zeroValue } from "./zero.ts";

/** Scalars a field takes. */
export type Scalar = "numeric" | "string" | "boolean" | "untyped";

/**
 * A list: owned as one (atomic), or by items that are told apart by keys, or by their value when there are no keys.
 * Keys are sorted.
 */
export interface ListType {
  readonly atomic: boolean;
  readonly keys: readonly string[];
  readonly item: FieldType;
  /** The value an item has at a key it does not give; undefined when it has none. */
  keyDefault(key: string): unknown;
}

/** A field of an object. */
export interface FieldOf {
  readonly step: Step;
  /** Whether the schema names it. */
  readonly declared: boolean;
  /** Undefined when it may not be there. */
  readonly type: FieldType | undefined;
}

/** An object: owned as one (atomic), or field by field. */
export interface MapType {
  readonly atomic: boolean;
  /** Whether no field of it is declared and any is taken. */
  readonly open: boolean;
  field(name: string): FieldOf;
}

/** A type. Most have one shape; those of unknown fields have all three, and the value decides. */
export interface FieldType {
  readonly scalar: Scalar | undefined;
  readonly list: ListType | undefined;
  readonly map: MapType | undefined;
}

/** The shape of a type that a value has. */
export type Shape = "map" | "scalar" | "list";

/** @returns the value's shape where the type allows it, or else the type's first */
export function shapeOf(type: FieldType, value: unknown): Shape {
  if (Array.isArray(value)) {
    if (type.list !== undefined) return "list";
  } else if (typeof value !== "object") {
    if (type.scalar !== undefined) return "scalar";
  } else if (value !== null && type.map !== undefined) return "map";
  if (type.map !== undefined) return "map";
  return type.scalar === undefined ? "list" : "scalar";
}

function undeclared(name: string, type: FieldType | undefined): FieldOf {
  return { step: fieldStep(name), declared: false, type };
}

const whole: FieldType = {
  scalar: "untyped",
  list: {
    atomic: true,
    keys: [],
    get item() {
      return whole;
    },
    keyDefault: () => undefined,
  },
  map: { atomic: true, open: false, field: (name) => undeclared(name, whole) },
};

/** The type of what no schema describes: objects by field, lists as one. */
export const deduced: FieldType = {
  scalar: "untyped",
  list: { atomic: true, keys: [], item: whole, keyDefault: () => undefined },
  map: { atomic: false, open: true, field: (name) => undeclared(name, deduced) },
};

/** Metadata as apply sees it, for kinds whose schema does not say. Source: metav1.ObjectMeta */
const objectMeta: Schema = {
  type: "object",
  properties: {
    name: { type: "string" },
    generateName: { type: "string" },
    namespace: { type: "string" },
    selfLink: { type: "string" },
    uid: { type: "string" },
    resourceVersion: { type: "string" },
    generation: { type: "integer" },
    creationTimestamp: { type: "string", format: "date-time" },
    deletionTimestamp: { type: "string", format: "date-time" },
    deletionGracePeriodSeconds: { type: "integer" },
    labels: { type: "object", additionalProperties: { type: "string" } },
    annotations: { type: "object", additionalProperties: { type: "string" } },
    ownerReferences: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["uid"],
      items: {
        type: "object",
        "x-kubernetes-map-type": "atomic",
        properties: {
          apiVersion: { type: "string" },
          kind: { type: "string" },
          name: { type: "string" },
          uid: { type: "string" },
          controller: { type: "boolean" },
          blockOwnerDeletion: { type: "boolean" },
        },
      },
    },
    finalizers: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
    managedFields: { type: "array", "x-kubernetes-list-type": "atomic", items: { type: "object" } },
  },
};

const resourceFields: Readonly<Record<string, Schema>> = {
  apiVersion: { type: "string" },
  kind: { type: "string" },
  metadata: objectMeta,
};

/**
 * The type of a kind's objects.
 * @param schema of the whole object; apiVersion, kind and metadata need not be described
 */
export function typeOfKind(schema: Schema): FieldType {
  return new Compiler().compile(withResourceFields(schema), false);
}

function withResourceFields(schema: Schema): Schema {
  const given = schema.properties ?? {};
  const own = { ...resourceFields };
  for (const name of Object.keys(own)) {
    const described = Object.hasOwn(given, name) ? given[name] : undefined;
    const enough = name === "metadata" ? described?.properties?.["labels"] !== undefined : described !== undefined;
    if (enough && described !== undefined) own[name] = described;
  }
  const open = schema.properties === undefined && schema.additionalProperties === undefined;
  return {
    ...schema,
    ...(schema.type === undefined ? { type: "object" as const } : {}),
    ...(open ? { additionalProperties: true } : {}),
    properties: { ...given, ...own },
  };
}

/** Makes types of schemas, each once, and a field's type not before it is asked for: schemas may be recursive. */
class Compiler {
  readonly #types = new Map<Schema, FieldType>();
  readonly #open = new Map<Schema, FieldType>();

  /** @param inherited whether a schema above preserves unknown fields */
  compile(schema: Schema, inherited: boolean): FieldType {
    const preserve = inherited || schema["x-kubernetes-preserve-unknown-fields"] === true;
    const known = preserve ? this.#open : this.#types;
    const found = known.get(schema);
    if (found !== undefined) return found;
    const type = this.#make(schema, preserve);
    known.set(schema, type);
    return type;
  }

  #make(schema: Schema, preserve: boolean): FieldType {
    if (schema["x-atoll-name"]?.endsWith(".runtime.RawExtension") === true) return whole;
    const scalar = scalarOf(schema);
    if (scalar !== undefined) return { scalar, list: undefined, map: undefined };
    const any = schema.type === undefined;
    return {
      scalar: any ? "untyped" : undefined,
      list: any || schema.type === "array" ? this.#list(schema, preserve) : undefined,
      map: any || schema.type === "object" ? this.#map(schema, preserve) : undefined,
    };
  }

  #list(schema: Schema, preserve: boolean): ListType {
    const { items } = schema;
    const item = (): FieldType => (items === undefined ? whole : this.compile(items, preserve));
    return {
      ...relationship(schema),
      get item() {
        return item();
      },
      keyDefault(key) {
        const fields = items?.properties;
        return fields !== undefined && Object.hasOwn(fields, key) ? defaultOf(fields[key]) : undefined;
      },
    };
  }

  #map(schema: Schema, preserve: boolean): MapType {
    const fields = withEmbeddedFields(schema);
    const other = schema.additionalProperties ?? (preserve || Object.keys(fields).length === 0);
    const others = (): FieldType | undefined => {
      if (typeof other === "boolean") return other ? deduced : undefined;
      return this.compile(other, preserve);
    };
    const known = new Map<string, FieldOf>();
    return {
      atomic: schema["x-kubernetes-map-type"] === "atomic",
      open: other === true && Object.keys(fields).length === 0,
      field: (name) => {
        const found = known.get(name);
        if (found !== undefined) return found;
        const own = Object.hasOwn(fields, name) ? fields[name] : undefined;
        if (own === undefined) return undeclared(name, others());
        const field = { step: fieldStep(name), declared: true, type: this.compile(own, preserve) };
        known.set(name, field);
        return field;
      },
    };
  }
}

/** A field that is always written has its zero value as a default. Source: kube-openapi's generator */
function defaultOf(field: Schema | undefined): unknown {
  if (field === undefined || field.default !== undefined || field["x-atoll-zero"] !== "keep") return field?.default;
  const zero = zeroValue(field);
  return typeof zero === "object" ? undefined : zero;
}

function withEmbeddedFields(schema: Schema): Readonly<Record<string, Schema>> {
  const fields = schema.properties ?? {};
  return schema["x-kubernetes-embedded-resource"] === true ? { ...resourceFields, ...fields } : fields;
}

/** Formats of built-in kinds whose JSON may be a text or a number. */
const looseFormats: ReadonlySet<string> = new Set(["int-or-string", "quantity"]);

function scalarOf(schema: Schema): Scalar | undefined {
  if (schema.format !== undefined && looseFormats.has(schema.format)) return "untyped";
  switch (schema.type) {
    case "integer":
    case "number":
      return "numeric";
    case "boolean":
      return "boolean";
    case "string":
      return schema.format === undefined || schema.format === "byte" ? "string" : "untyped";
    default:
      return undefined;
  }
}

function relationship(schema: Schema): { atomic: boolean; keys: readonly string[] } {
  const listType = schema["x-kubernetes-list-type"];
  if (listType !== undefined) {
    const keys = listType === "map" ? (schema["x-kubernetes-list-map-keys"] ?? []) : [];
    return { atomic: listType === "atomic", keys: keys.toSorted(compareText) };
  }
  const strategies = (schema["x-kubernetes-patch-strategy"] ?? "").split(",");
  const key = schema["x-kubernetes-patch-merge-key"];
  return { atomic: !strategies.includes("merge"), keys: key === undefined ? [] : [key] };
}

/** The fields of an object, undefined for anything else. */
export function fieldsOf(value: unknown): Record<string, unknown> | undefined {
  return isPlain(value) ? value : undefined;
}

/** The items of a list, undefined for anything else. */
export function itemsOf(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}
