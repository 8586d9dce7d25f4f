/**
 * Declarations from schemas: what `self` is in a validation rule.
 * Source: k8s.io/apiserver/pkg/cel/common/schemas.go (SchemaDeclType), pkg/cel/types.go, pkg/cel/limits.go
 */
import type { Schema } from "../schema/schema.ts";
import { adapterOfType } from "./adapt-type.ts";
import { type Adapter, adaptDynamic, adapterReader, withObjectMeta } from "./adapt.ts";
import { equalMaps } from "./containers.ts";
import type { Declaration } from "./declaration.ts";
import { escapeName } from "./escape.ts";
import { maxRequestSizeBytes } from "./program.ts";
import {
  boolType,
  bytesType,
  type CelType,
  doubleType,
  durationType,
  dynType,
  intType,
  listOf,
  mapOf,
  type ObjectField,
  objectType,
  optionalOf,
  stringType,
  timestampType,
} from "./types.ts";
import { type CelError, MapValue, noneOptional, OptionalValue, type Value } from "./values.ts";

/** Where a schema stands. */
export interface SchemaPlace {
  /** Name of the object type, as messages show it; parts are named after it (`selfType.spec`). */
  readonly name: string;
  /** The root of a resource: apiVersion, kind, metadata.name and metadata.generateName are visible, declared or not. */
  readonly root?: boolean;
}

/**
 * The declaration for values of a schema; undefined when CEL cannot see them: no type, preserved unknown fields,
 * a list or map of such.
 */
export function declareSchema(schema: Schema, place: SchemaPlace): Declaration | undefined {
  return new SchemaReader().read(schema, place);
}

/** A declaration of a bare type; JSON that does not fit it is an error where it is used. Nothing is known of its size. */
export function declare(type: CelType): Declaration {
  return { type, maxElements: 0, unsized: true, minSerializedSize: 1, adapt: adapterOfType(type) };
}

/** The untyped declaration: what an expression does with it shows at run time only. */
export const declareDynamic = (): Declaration => declare(dynType);

/** A declaration whose value may be absent: null and undefined are `optional.none()`. */
export function declareOptional(declaration: Declaration): Declaration {
  const adapt = (json: unknown): Value =>
    json === undefined || json === null ? noneOptional : new OptionalValue(declaration.adapt(json));
  return { type: optionalOf(declaration.type), maxElements: 0, unsized: true, minSerializedSize: 1, adapt };
}

/** An object whose fields are values: they are read when an expression mentions them. */
class FieldsObject extends MapValue {
  readonly #values: Readonly<Record<string, Value>>;

  constructor(values: Readonly<Record<string, Value>>) {
    super();
    this.#values = values;
  }

  override get size(): number {
    return Object.keys(this.#values).length;
  }

  override get(key: Value): Value | undefined {
    return typeof key === "string" ? this.field(key) : undefined;
  }

  override field(name: string): Value | undefined {
    return Object.hasOwn(this.#values, name) ? this.#values[name] : undefined;
  }

  override keys(): readonly Value[] {
    return Object.keys(this.#values);
  }

  override equals(other: MapValue): boolean | CelError {
    return equalMaps(this, other);
  }
}

/**
 * An object with fields of the given types, as a policy's `variables`. It is bound to an object of values, not JSON;
 * a getter makes a field lazy, and is asked again for each mention. A MapValue is taken as it is.
 */
export function declareObject(name: string, fields: Readonly<Record<string, CelType>>): Declaration {
  const type = objectType(name, fields);
  const adapt = (values: unknown): Value =>
    values instanceof MapValue ? values : new FieldsObject(values as Readonly<Record<string, Value>>);
  return { type, maxElements: 0, unsized: true, minSerializedSize: 2, adapt };
}

/** The most items a list can have by the size of requests alone. */
const itemsByRequest = (minSize: number): number => Math.floor((maxRequestSizeBytes - 2) / (minSize + 1));
/** The most entries a map can have by the size of requests alone: a key, quotes, colon and comma come on top. */
const entriesByRequest = (minSize: number): number => Math.floor((maxRequestSizeBytes - 2) / (minSize + 6));
const charactersByRequest = maxRequestSizeBytes - 2;

/**
 * How often data of this declaration can occur in one request, in lists or maps without bound.
 * Source: k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/compilation.go (maxCardinality)
 */
export const maxCardinality = (declaration: Declaration): number =>
  Math.floor(maxRequestSizeBytes / (declaration.minSerializedSize + 1));

interface Sizes {
  readonly maxElements: number;
  readonly minSerializedSize: number;
}

/** Formats of strings that are types of their own. */
const textFormats: Readonly<Record<string, { type: CelType } & Sizes>> = {
  duration: { type: durationType, maxElements: 32, minSerializedSize: 3 },
  date: { type: timestampType, maxElements: 12, minSerializedSize: 12 },
  "date-time": { type: timestampType, maxElements: 32, minSerializedSize: 21 },
};

const notNegative = (value: number): number => Math.max(value, 0);

function stringSizes(schema: Schema): Sizes {
  if (schema.maxLength !== undefined) {
    // A character has up to four bytes.
    return { maxElements: notNegative(schema.maxLength) * 4, minSerializedSize: 2 };
  }
  const choices = schema.enum ?? [];
  if (choices.length === 0) return { maxElements: charactersByRequest, minSerializedSize: 2 };
  const lengths = choices.map((choice) => (typeof choice === "string" ? new TextEncoder().encode(choice).length : 0));
  return { maxElements: Math.max(...lengths), minSerializedSize: 2 };
}

class SchemaReader {
  readonly #adapters = adapterReader();
  /** Schemas being read: one that contains itself is untyped inside itself. */
  readonly #open = new Set<Schema>();

  read(given: Schema, place: SchemaPlace): Declaration | undefined {
    if (this.#open.has(given)) return declareDynamic();
    this.#open.add(given);
    const declaration = this.#declare(given, place);
    this.#open.delete(given);
    return declaration;
  }

  #declare(given: Schema, place: SchemaPlace): Declaration | undefined {
    if (given["x-kubernetes-int-or-string"] === true) return this.#intOrString(given);
    const schema = place.root === true ? withObjectMeta(given) : given;
    const adapt = this.#adapters(schema);
    switch (schema.type) {
      case "array":
        return this.#array(schema, place, adapt);
      case "object":
        return typeof schema.additionalProperties === "object"
          ? this.#map(schema, schema.additionalProperties, { ...place, adapt })
          : this.#object(schema, place, adapt);
      case "string":
        return { ...this.#string(schema), adapt };
      case "boolean":
        return { type: boolType, maxElements: 0, minSerializedSize: 4, adapt };
      case "number":
        return { type: doubleType, maxElements: 0, minSerializedSize: 1, adapt };
      case "integer":
        return { type: intType, maxElements: 0, minSerializedSize: 1, adapt };
      default:
        return undefined;
    }
  }

  #intOrString(schema: Schema): Declaration {
    const maxElements = schema.maxLength === undefined ? charactersByRequest : notNegative(schema.maxLength) * 4;
    return { type: dynType, maxElements, minSerializedSize: 1, adapt: this.#adapters(schema) };
  }

  #string(schema: Schema): Omit<Declaration, "adapt"> {
    if (schema.format === "byte") {
      const maxElements = schema.maxLength === undefined ? charactersByRequest : notNegative(schema.maxLength);
      return { type: bytesType, maxElements, minSerializedSize: 2 };
    }
    return textFormats[schema.format ?? ""] ?? { type: stringType, ...stringSizes(schema) };
  }

  #part(schema: Schema, name: string): Declaration | undefined {
    return this.read(schema, { name, root: schema["x-kubernetes-embedded-resource"] === true });
  }

  #array(schema: Schema, place: SchemaPlace, adapt: Adapter): Declaration | undefined {
    if (schema.items === undefined) return undefined;
    const element = this.#part(schema.items, `${place.name}.@idx`);
    if (element === undefined) return undefined;
    const maxElements =
      schema.maxItems === undefined ? itemsByRequest(element.minSerializedSize) : notNegative(schema.maxItems);
    return { type: listOf(element.type), maxElements, minSerializedSize: 2, element, adapt };
  }

  #map(schema: Schema, values: Schema, place: { name: string; adapt: Adapter }): Declaration | undefined {
    const element = this.#part(values, `${place.name}.@elem`);
    if (element === undefined) return undefined;
    const maxElements =
      schema.maxProperties === undefined
        ? entriesByRequest(element.minSerializedSize)
        : notNegative(schema.maxProperties);
    // Upstream declares keys without a size.
    const key: Declaration = { type: stringType, maxElements: 0, minSerializedSize: 2, adapt: adaptDynamic };
    return {
      type: mapOf(stringType, element.type),
      maxElements,
      minSerializedSize: 2,
      key,
      element,
      adapt: place.adapt,
    };
  }

  #object(schema: Schema, place: SchemaPlace, adapt: Adapter): Declaration {
    const fields = new Map<string, Declaration>();
    const types = new Map<string, ObjectField>();
    const required = new Set(schema.required);
    let minSerializedSize = 2;
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      const identifier = escapeName(name);
      const declaration = this.#part(property, `${place.name}.${identifier ?? name}`);
      if (declaration === undefined) continue;
      if (identifier !== undefined) {
        fields.set(identifier, declaration);
        types.set(identifier, { type: declaration.type });
      }
      // A property with a default is filled in by the server, so the request need not have it.
      if (required.has(name) && (property.default === undefined || property.default === null)) {
        minSerializedSize += new TextEncoder().encode(name).length + declaration.minSerializedSize + 4;
      }
    }
    const type: CelType = { kind: "object", name: place.name, fields: types };
    return { type, maxElements: 0, minSerializedSize, fields, adapt };
  }
}
