/**
 * The codec of built-in kinds: does to parsed JSON, in one pass, what decoding into upstream's Go type and encoding
 * again does. Types are checked, unknown fields dropped and listed, zero values left out or written, times,
 * quantities and base64 brought into one spelling.
 *
 * A schema is made into closures when it is first met, one for each of its nodes; no code is generated.
 *
 * Lists and maps that are kept (ZeroRule) are written as null when empty: upstream stores built-in kinds as protobuf,
 * which does not tell an empty list from none.
 * Source: encoding/json, sigs.k8s.io/json, k8s.io/apiserver/pkg/endpoints/handlers/create.go
 */
import { QuantityError } from "../quantity.ts";
import { Base64Error, found, Mismatch, type Scalar, scalarOf } from "./scalars.ts";
import type { Schema } from "./schema.ts";
import { TimeError } from "./times.ts";

/** A body that is not of its kind. The message is what upstream's decoder says. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
}

/** A decoded object. It shares nothing with the input. */
export interface Decoded {
  readonly value: Record<string, unknown>;
  /** `unknown field "spec.foo"`, in the order found, at most 100. */
  readonly unknown: readonly string[];
}

type Step = string | number;

/** Where a decode is, and what it found on its way. */
interface Walk {
  readonly path: Step[];
  readonly unknown: Set<string>;
  readonly maxDepth: number;
}

/** Decodes a value that is not null. Undefined: the field is left out. */
type Decoder = (value: unknown, walk: Walk) => unknown;

interface Node {
  readonly decode: Decoder;
  /** The value of a field never given. A function: objects must not be shared. */
  zero(): unknown;
  /** Whether a decoded value is the zero value of its type. */
  isZero(value: unknown): boolean;
}

interface Field {
  readonly name: string;
  readonly decode: Decoder;
  /** What is written when it is not given, of a kept field. */
  zero(): unknown;
}

type Plain = Record<string, unknown>;

const mostUnknown = 100;
const defaultMaxDepth = 1_000;

function isPlain(value: unknown): value is Plain {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Sets a key as JSON.parse does: `__proto__` is a key like others. */
function put(target: Plain, key: string, value: unknown): void {
  if (key === "__proto__") {
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  } else target[key] = value;
}

function spellPath(path: readonly Step[]): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else text += text === "" ? step : `.${step}`;
  }
  return text;
}

function reportUnknown(walk: Walk, key: string): void {
  if (walk.unknown.size >= mostUnknown) return;
  walk.unknown.add(`unknown field ${JSON.stringify(spellPath([...walk.path, key]))}`);
}

function enter(walk: Walk, step: Step): void {
  if (walk.path.push(step) > walk.maxDepth) throw new DecodeError("json: exceeded max depth");
}

/** The name Go shows for a type. */
function typeName(schema: Schema): string {
  if (schema.items !== undefined) return `[]${typeName(schema.items)}`;
  if (typeof schema.additionalProperties === "object") return `map[string]${typeName(schema.additionalProperties)}`;
  const name = schema["x-atoll-name"];
  if (name !== undefined) return name.split(".").slice(-2).join(".");
  if (schema.format === "byte") return "[]uint8";
  if (schema.format !== undefined) return schema.format === "double" ? "float64" : schema.format;
  return schema.type === "boolean" ? "bool" : (schema.type ?? "interface {}");
}

/** A copy of plain data of any shape. */
function copy(value: unknown, walk: Walk): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    return value.map((item, index) => {
      enter(walk, index);
      const made = copy(item, walk);
      walk.path.pop();
      return made;
    });
  }
  const target: Plain = {};
  for (const key of Object.keys(value)) {
    enter(walk, key);
    put(target, key, copy((value as Plain)[key], walk));
    walk.path.pop();
  }
  return target;
}

/** Any JSON. Its zero value is null, as RawExtension's is. */
const anything: Node = { decode: copy, zero: () => null, isZero: (value) => value === null };

function scalarNode({ decode, zero, empty }: Scalar): Node {
  return { decode, zero: () => zero, isZero: (value) => value === empty };
}

function listNode(schema: Schema, items: Schema): Node {
  let item: Node | undefined;
  const wanted = typeName(schema);
  return {
    decode(value, walk) {
      if (!Array.isArray(value)) throw new Mismatch(found(value), wanted);
      item ??= nodeOf(items);
      const list: unknown[] = [];
      for (let index = 0; index < value.length; index++) {
        enter(walk, index);
        const given: unknown = value[index];
        list.push(given === null ? item.zero() : item.decode(given, walk));
        walk.path.pop();
      }
      return list;
    },
    zero: () => null,
    isZero: (value) => value === null || (value as unknown[]).length === 0,
  };
}

function hasKeys(value: object): boolean {
  for (const _ in value) return true;
  return false;
}

function mapNode(schema: Schema, values: Schema): Node {
  let each: Node | undefined;
  const wanted = typeName(schema);
  return {
    decode(value, walk) {
      if (!isPlain(value)) throw new Mismatch(found(value), wanted);
      each ??= nodeOf(values);
      // In a map, no bytes and none are one: protobuf again.
      const nothing = (): unknown => (values.format === "byte" ? "" : each?.zero());
      const map: Plain = {};
      for (const key in value) {
        enter(walk, key);
        const given = value[key];
        put(map, key, given === null ? nothing() : each.decode(given, walk));
        walk.path.pop();
      }
      return map;
    },
    zero: () => null,
    isZero: (value) => value === null || !hasKeys(value as object),
  };
}

/** One of several, told apart by their JSON type. Unknown fields below are not reported, as upstream does not. */
function unionNode(choices: readonly Schema[], wanted: string): Node {
  return {
    decode(value, walk) {
      const chosen = choices.find((choice) => choice.type === (Array.isArray(value) ? "array" : typeof value));
      if (chosen === undefined) throw new Mismatch(found(value), wanted);
      return nodeOf(chosen).decode(value, { ...walk, unknown: new Set() });
    },
    zero: () => null,
    isZero: (value) => value === null,
  };
}

/** What becomes of a field's value, by its zero rule. */
function fieldOf(name: string, schema: Schema): Field {
  let made: Node | undefined;
  const node = (): Node => (made ??= nodeOf(schema));
  const rule = schema["x-atoll-zero"] ?? "set";
  if (rule === "omit") {
    const decode: Decoder = (value, walk) => {
      const decoded = node().decode(value, walk);
      return node().isZero(decoded) ? undefined : decoded;
    };
    return { name, decode, zero: () => undefined };
  }
  if (rule === "keep" && (schema.type === "array" || schema.additionalProperties !== undefined)) {
    const decode: Decoder = (value, walk) => {
      const decoded = node().decode(value, walk);
      return node().isZero(decoded) ? null : decoded;
    };
    return { name, decode, zero: () => null };
  }
  const zero = (): unknown => (schema.nullable === true ? null : node().zero());
  return { name, decode: (value, walk) => node().decode(value, walk), zero };
}

class StructNode implements Node {
  readonly #fields = new Map<string, Field>();
  readonly #kept: Field[] = [];
  readonly #wanted: string;

  constructor(schema: Schema, properties: Readonly<Record<string, Schema>>) {
    this.#wanted = typeName(schema);
    for (const [name, property] of Object.entries(properties)) {
      const field = fieldOf(name, property);
      this.#fields.set(name, field);
      if (property["x-atoll-zero"] === "keep") this.#kept.push(field);
    }
  }

  readonly decode: Decoder = (value, walk) => {
    if (!isPlain(value)) throw new Mismatch(found(value), this.#wanted);
    const object: Plain = {};
    for (const key in value) {
      const field = this.#fields.get(key);
      if (field === undefined) {
        reportUnknown(walk, key);
        continue;
      }
      const given = value[key];
      if (given === null) continue;
      enter(walk, key);
      const made = field.decode(given, walk);
      walk.path.pop();
      if (made !== undefined) object[key] = made;
    }
    return this.#keep(object);
  };

  zero(): unknown {
    return this.#keep({});
  }

  /** Structs by value are always written: none is ever zero. */
  isZero(): boolean {
    return false;
  }

  #keep(object: Plain): Plain {
    for (const field of this.#kept) {
      if (object[field.name] === undefined) object[field.name] = field.zero();
    }
    return object;
  }
}

function makeNode(schema: Schema): Node {
  if (schema.properties !== undefined) return new StructNode(schema, schema.properties);
  if (schema.anyOf !== undefined) return unionNode(schema.anyOf, typeName(schema));
  if (schema.items !== undefined) return listNode(schema, schema.items);
  if (typeof schema.additionalProperties === "object") return mapNode(schema, schema.additionalProperties);
  const scalar = scalarOf(schema);
  return scalar === undefined ? anything : scalarNode(scalar);
}

/** What was made of each schema. A memo: schemas never change. Structs are known by their properties. */
const nodes = new WeakMap<object, Node>();

function nodeOf(schema: Schema): Node {
  const key = schema.properties ?? schema;
  const known = nodes.get(key);
  if (known !== undefined) return known;
  const made = makeNode(schema);
  nodes.set(key, made);
  return made;
}

/** `Go struct field PodSpec.spec.containers`: the innermost struct, and the names of the fields on the way. */
function spellTarget(root: Schema, path: readonly Step[]): string | undefined {
  const names: string[] = [];
  let schema: Schema | undefined = root;
  let struct = "";
  for (const step of path) {
    if (typeof step === "number") schema = schema?.items;
    else if (schema?.properties === undefined) schema = schema?.additionalProperties as Schema | undefined;
    else {
      struct = typeName(schema).replace(/^.*\./, "");
      names.push(step);
      schema = schema.properties[step];
    }
  }
  return names.length === 0 ? undefined : `${struct}.${names.join(".")}`;
}

function decodeErrorOf(cause: unknown, root: Schema, path: readonly Step[]): unknown {
  if (cause instanceof Mismatch) {
    const target = spellTarget(root, path);
    const where =
      target === undefined ? `Go value of type ${cause.wanted}` : `Go struct field ${target} of type ${cause.wanted}`;
    return new DecodeError(`json: cannot unmarshal ${cause.found} into ${where}`, { cause });
  }
  if (cause instanceof QuantityError || cause instanceof TimeError || cause instanceof Base64Error) {
    return new DecodeError(cause.message, { cause });
  }
  return cause;
}

/**
 * Decodes an object of a built-in kind.
 * @param schema of the kind, with the facts of built-in types (x-atoll-zero)
 * @param value parsed JSON; never changed, and nothing of it is shared
 * @param options maxDepth: levels of nesting, 1,000 unless told
 * @throws {DecodeError} a value of the wrong type, out of range, or nested too deeply
 */
export function decode(schema: Schema, value: unknown, options: { readonly maxDepth?: number } = {}): Decoded {
  const walk: Walk = { path: [], unknown: new Set(), maxDepth: options.maxDepth ?? defaultMaxDepth };
  try {
    if (!isPlain(value)) throw new Mismatch(found(value), typeName(schema));
    const decoded = nodeOf(schema).decode(value, walk) as Plain;
    return { value: decoded, unknown: [...walk.unknown] };
  } catch (cause) {
    throw decodeErrorOf(cause, schema, walk.path);
  }
}
