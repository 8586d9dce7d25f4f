/**
 * JSON as values, at the surface only: a list or object is wrapped, its parts are read when asked for.
 * Source: k8s.io/apiserver/pkg/cel/common/valuesunstructured.go (UnstructuredToVal and its kinds of lists and maps)
 */
import type { Schema } from "../schema/schema.ts";
import { ArrayList, elementsOf, equalLists, joinLists } from "./containers.ts";
import { equals, keyOf } from "./equality.ts";
import { escapeName } from "./escape.ts";
import { parseDate, parseDateTime, parseFormatDuration } from "./time.ts";
import { type CelType, dynType } from "./types.ts";
import {
  CelError,
  Duration,
  ListValue,
  MapValue,
  OpaqueValue,
  OptionalValue,
  Timestamp,
  TypeValue,
  Uint,
  type Value,
} from "./values.ts";

/** Makes a value of JSON; CelError when it does not fit. */
export type Adapter = (json: unknown) => Value;

const minInt = -(2n ** 63n);
const maxInt = 2n ** 63n - 1n;

/** A whole number that fits 64 bits as int, any other as double. */
function adaptNumber(json: number): Value {
  if (!Number.isInteger(json)) return json;
  if (Number.isSafeInteger(json)) return BigInt(json);
  const whole = BigInt(json);
  return whole >= minInt && whole <= maxInt ? whole : json;
}

/** Whether something is a value already, and no JSON. */
export function isValue(given: object): given is Exclude<Value, null | boolean | bigint | number | string> {
  return (
    given instanceof ListValue ||
    given instanceof MapValue ||
    given instanceof OpaqueValue ||
    given instanceof Timestamp ||
    given instanceof Duration ||
    given instanceof OptionalValue ||
    given instanceof Uint8Array ||
    given instanceof Uint ||
    given instanceof TypeValue ||
    given instanceof CelError
  );
}

/** Any JSON, typed by what it is. Values pass through. */
export const adaptDynamic: Adapter = (json) => {
  switch (typeof json) {
    case "string":
    case "boolean":
      return json;
    case "number":
      return adaptNumber(json);
    case "bigint":
      return json >= minInt && json <= maxInt ? json : Number(json);
    case "object":
      if (json === null) return null;
      if (Array.isArray(json)) return new JsonList(json, dynamicList);
      return isValue(json) ? json : new JsonMap(json as Readonly<Record<string, unknown>>, dynamicShape);
    default:
      return new CelError(`unsupported conversion to ref.Val: (${typeof json})`);
  }
};

/** How a list of JSON is read and compared. */
export interface ListShape {
  readonly adapt: Adapter;
  /** `set` and `map` lists are equal in any order, and merge when they are added. */
  readonly kind: "atomic" | "set" | "map";
  /** Key fields of a map list, as identifiers. */
  readonly keys: readonly string[];
  readonly typed: boolean;
}

const dynamicList: ListShape = { adapt: adaptDynamic, kind: "atomic", keys: [], typed: false };

const noOverload = (): CelError => new CelError("no such overload");

/** A list of JSON. */
export class JsonList extends ListValue {
  readonly #items: readonly unknown[];
  readonly #shape: ListShape;

  constructor(items: readonly unknown[], shape: ListShape) {
    super();
    this.#items = items;
    this.#shape = shape;
  }

  override get size(): number {
    return this.#items.length;
  }

  override at(index: number): Value {
    return this.#shape.adapt(this.#items[index]);
  }

  override unlike(): boolean | CelError {
    return this.#shape.typed ? noOverload() : false;
  }

  override equals(other: ListValue): boolean | CelError {
    if (this.#shape.kind === "atomic") return equalLists(this, other);
    return equalUnordered(this, other, this.#shape);
  }

  override concat(other: ListValue): ListValue {
    if (this.#shape.kind === "atomic") return joinLists(this, other);
    return mergeLists(this, other, this.#shape);
  }
}

/** What makes an element of a set or map list the same element elsewhere. */
function identityOf(value: Value, shape: ListShape): string {
  if (shape.kind === "set") return keyOf(value) ?? "";
  if (!(value instanceof MapValue)) return "";
  return shape.keys.map((key) => keyOf(value.field(key)) ?? "").join("\u0000");
}

function byIdentity(list: ListValue, shape: ListShape): ReadonlyMap<string, Value> {
  const found = new Map<string, Value>();
  for (let i = 0; i < list.size; i++) found.set(identityOf(list.at(i), shape), list.at(i));
  return found;
}

function equalUnordered(a: ListValue, b: ListValue, shape: ListShape): boolean | CelError {
  if (a.size !== b.size) return false;
  const mine = byIdentity(a, shape);
  for (let i = 0; i < b.size; i++) {
    const theirs = b.at(i);
    const found = mine.get(identityOf(theirs, shape));
    if (found === undefined) return false;
    const same = shape.kind === "set" ? true : equals(found, theirs);
    if (same !== true) return same;
  }
  return true;
}

/** A set or map list with the elements of another merged in. */
class MergedList extends ArrayList {
  readonly #shape: ListShape;

  constructor(items: readonly Value[], shape: ListShape) {
    super(items);
    this.#shape = shape;
  }

  override equals(other: ListValue): boolean | CelError {
    return equalUnordered(this, other, this.#shape);
  }

  override concat(other: ListValue): ListValue {
    return mergeLists(this, other, this.#shape);
  }

  override unlike(): boolean | CelError {
    return noOverload();
  }
}

/** Positions of `a` stay; elements of `b` replace those of the same identity or come after. */
function mergeLists(a: ListValue, b: ListValue, shape: ListShape): ListValue {
  const items = elementsOf(a);
  if (items instanceof CelError) return a;
  const positions = new Map(items.map((item, index) => [identityOf(item, shape), index]));
  for (let i = 0; i < b.size; i++) {
    const item = b.at(i);
    const identity = identityOf(item, shape);
    const at = positions.get(identity);
    if (at === undefined) positions.set(identity, items.push(item) - 1);
    else if (shape.kind === "map") items[at] = item;
  }
  return new MergedList(items, shape);
}

/** One property of an object. */
export interface Property {
  readonly name: string;
  readonly adapt: Adapter;
}

/** How an object of JSON is read. */
export interface MapShape {
  /** Properties by identifier; undefined for maps, where any key is its own name. */
  readonly properties: ReadonlyMap<string, Property> | undefined;
  /** Reads the values of a map. */
  readonly adapt: Adapter | undefined;
  readonly typed: boolean;
}

const dynamicShape: MapShape = { properties: undefined, adapt: adaptDynamic, typed: false };

/** A map or object of JSON. */
export class JsonMap extends MapValue {
  readonly json: Readonly<Record<string, unknown>>;
  readonly shape: MapShape;

  constructor(json: Readonly<Record<string, unknown>>, shape: MapShape) {
    super();
    this.json = json;
    this.shape = shape;
  }

  override get size(): number {
    return Object.keys(this.json).length;
  }

  override get(key: Value): Value | undefined {
    if (typeof key === "string") return this.field(key);
    return this.shape.typed ? noOverload() : undefined;
  }

  override field(name: string): Value | undefined {
    const { properties, adapt } = this.shape;
    if (properties === undefined) {
      const value = this.json[name];
      return value === undefined || adapt === undefined || !Object.hasOwn(this.json, name) ? undefined : adapt(value);
    }
    const property = properties.get(name);
    return property === undefined ? undefined : this.read(property);
  }

  /** A property of an object. A null property is an absent one. */
  read(property: Property): Value | undefined {
    const value = this.json[property.name];
    if (value === undefined || value === null || !Object.hasOwn(this.json, property.name)) return undefined;
    return property.adapt(value);
  }

  override keys(): readonly Value[] {
    const { properties } = this.shape;
    if (properties === undefined) return this.shape.adapt === undefined ? [] : Object.keys(this.json);
    return [...properties].filter(([, { name }]) => Object.hasOwn(this.json, name)).map(([identifier]) => identifier);
  }

  override unlike(): boolean | CelError {
    return this.shape.typed ? noOverload() : false;
  }

  override equals(other: MapValue): boolean | CelError {
    if (this.size !== other.size) return false;
    for (const key of this.keys()) {
      const mine = this.get(key);
      const theirs = other.get(key);
      if (mine === undefined && theirs === undefined) continue;
      if (mine === undefined || theirs === undefined) return false;
      const same = equals(mine, theirs);
      if (same !== true) return same;
    }
    return this.#equalHidden(other);
  }

  /** Properties that expressions cannot see count all the same, when both sides have them. */
  #equalHidden(other: MapValue): boolean | CelError {
    const { properties, adapt } = this.shape;
    if (adapt !== undefined) return true;
    const visible = new Set([...(properties?.values() ?? [])].map((property) => property.name));
    for (const [name, value] of Object.entries(this.json)) {
      if (visible.has(name)) continue;
      if (!(other instanceof JsonMap)) return noOverload();
      if (!Object.hasOwn(other.json, name)) continue;
      if (equals(adaptDynamic(value), adaptDynamic(other.json[name])) !== true) return false;
    }
    return true;
  }
}

/** Data that a schema preserves without describing it: it can be compared and nothing else. */
class Preserved extends OpaqueValue {
  override readonly type: CelType = dynType;
  override readonly typeName = "unknown";
  readonly json: unknown;

  constructor(json: unknown) {
    super();
    this.json = json;
  }

  override equals(other: Value): boolean | CelError {
    return other instanceof Preserved && equals(adaptDynamic(this.json), adaptDynamic(other.json));
  }
}

// ---- schemas

const objectMeta: Schema = {
  type: "object",
  properties: { name: { type: "string" }, generateName: { type: "string" } },
};

/**
 * The schema of a resource's root: apiVersion, kind and metadata's names are there, declared or not.
 * Source: WithTypeAndObjectMeta
 */
export function withObjectMeta(schema: Schema): Schema {
  const { kind, apiVersion, metadata } = schema.properties ?? {};
  const declared =
    kind?.type === "string" &&
    apiVersion?.type === "string" &&
    metadata?.type === "object" &&
    metadata.properties?.["name"]?.type === "string" &&
    metadata.properties["generateName"]?.type === "string";
  if (declared) return schema;
  const text: Schema = { type: "string" };
  return { ...schema, properties: { ...schema.properties, kind: text, apiVersion: text, metadata: objectMeta } };
}

const wrongType = (expected: string, json: unknown): CelError =>
  new CelError(`invalid data, expected ${expected}, got ${goType(json)}`);

function goType(json: unknown): string {
  if (Array.isArray(json)) return "[]interface {}";
  switch (typeof json) {
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "number":
      return Number.isInteger(json) ? "int64" : "float64";
    case "bigint":
      return "int64";
    default:
      return "map[string]interface {}";
  }
}

const adaptInteger: Adapter = (json) => {
  if (typeof json === "number" && Number.isSafeInteger(json)) return BigInt(json);
  const whole = typeof json === "number" && Number.isInteger(json) ? BigInt(json) : json;
  return typeof whole === "bigint" && whole >= minInt && whole <= maxInt ? whole : wrongType("int", json);
};

const adaptDouble: Adapter = (json) => {
  if (typeof json === "number") return json;
  return typeof json === "bigint" ? Number(json) : wrongType("float", json);
};

const adaptBoolean: Adapter = (json) => (typeof json === "boolean" ? json : wrongType("bool", json));

const adaptIntOrString: Adapter = (json) => {
  if (typeof json === "string") return json;
  const number = adaptInteger(json);
  if (!(number instanceof CelError)) return number;
  return new CelError("invalid data, expected XIntOrString value to be either a string or integer");
};

const textAdapters: Readonly<Record<string, (text: string) => Value | undefined>> = {
  duration: parseFormatDuration,
  date: parseDate,
  "date-time": parseDateTime,
  byte: parseBase64,
};

function parseBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function stringAdapter(format: string | undefined): Adapter {
  const parse = format === undefined ? undefined : textAdapters[format];
  return (json) => {
    if (typeof json !== "string") return wrongType("string", json);
    if (parse === undefined) return json;
    return parse(json) ?? new CelError(`Invalid ${format} formatted string ${json}`);
  };
}

/** Adapters of schemas; a schema that contains itself refers back to its own. */
class AdapterReader {
  readonly #made = new Map<Schema, Adapter>();

  read(schema: Schema): Adapter {
    const known = this.#made.get(schema);
    if (known !== undefined) return known;
    let made: Adapter = adaptDynamic;
    this.#made.set(schema, (json) => made(json));
    const adapt = this.#make(schema);
    made = (json) => {
      if (json !== null && json !== undefined) return adapt(json);
      return schema.nullable === true ? null : new CelError("invalid data, got null for schema with nullable=false");
    };
    this.#made.set(schema, made);
    return made;
  }

  #make(schema: Schema): Adapter {
    if (schema["x-kubernetes-int-or-string"] === true) return adaptIntOrString;
    switch (schema.type) {
      case "object":
        return this.#object(schema["x-kubernetes-embedded-resource"] === true ? withObjectMeta(schema) : schema);
      case "array":
        return this.#array(schema);
      case "string":
        return stringAdapter(schema.format);
      case "number":
        return adaptDouble;
      case "integer":
        return adaptInteger;
      case "boolean":
        return adaptBoolean;
      default:
        return (json) => new Preserved(json);
    }
  }

  #object(schema: Schema): Adapter {
    const shape = this.#shape(schema);
    return (json) => {
      if (typeof json === "object" && json !== null && !Array.isArray(json)) {
        return isValue(json) ? json : new JsonMap(json as Readonly<Record<string, unknown>>, shape);
      }
      return new CelError("invalid data, expected a map for the provided schema with type=object");
    };
  }

  #shape(schema: Schema): MapShape {
    if (schema.properties !== undefined) {
      const properties = new Map<string, Property>();
      for (const [name, property] of Object.entries(schema.properties)) {
        // A name without an identifier keeps itself as key: no expression can spell it, equality still sees it.
        properties.set(escapeName(name) ?? name, { name, adapt: this.read(property) });
      }
      return { properties, adapt: undefined, typed: true };
    }
    const values = schema.additionalProperties;
    const adapt = typeof values === "object" ? this.read(values) : undefined;
    return { properties: undefined, adapt, typed: true };
  }

  #array(schema: Schema): Adapter {
    if (schema.items === undefined) {
      return () => new CelError("invalid array type, expected Items with a non-empty Schema");
    }
    const shape: ListShape = {
      adapt: this.read(schema.items),
      kind: schema["x-kubernetes-list-type"] ?? "atomic",
      keys: (schema["x-kubernetes-list-map-keys"] ?? []).map((key) => escapeName(key) ?? key),
      typed: true,
    };
    return (json) => {
      if (Array.isArray(json)) return new JsonList(json, shape);
      if (json instanceof ListValue) return json;
      return new CelError("invalid data, expected an array for the provided schema with type=array");
    };
  }
}

/** Makes adapters for a set of schemas that refer to each other. */
export function adapterReader(): (schema: Schema) => Adapter {
  const reader = new AdapterReader();
  return (schema) => reader.read(schema);
}
