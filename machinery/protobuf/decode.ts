/**
 * Built-in kinds in protobuf, as kubectl and other Go clients send them, turned into the plain data that JSON would be.
 * Field numbers are facts of the schema (`x-atoll-tags`).
 *
 *     "k8s\0" Unknown{typeMeta, raw} ──▶ {apiVersion, kind, …}
 *
 * Source: k8s.io/apimachinery/pkg/runtime/serializer/protobuf, and the generated.proto of each API package
 */
import { formatMicroTime, formatTime } from "../clock.ts";
import { parseJson } from "../json/json.ts";
import type { Schema } from "../schema/schema.ts";
import { readFields, WireError, type WireField } from "./wire.ts";

type Plain = Record<string, unknown>;

const magic = [0x6b, 0x38, 0x73, 0x00];
const maxDepth = 100;
const text = new TextDecoder("utf-8", { fatal: true });

/**
 * An enveloped object.
 * @throws {WireError} when it is none, or not of the schema's form
 */
export function decodeProtobuf(schema: Schema, bytes: Uint8Array): Plain {
  if (!magic.every((byte, i) => bytes[i] === byte)) throw new WireError("the protobuf envelope is missing");
  let typeMeta: Plain = {};
  let raw: Uint8Array = new Uint8Array();
  for (const { number, value } of readFields(bytes.subarray(magic.length))) {
    if (number === 1) typeMeta = readTypeMeta(bytesOf(value));
    if (number === 2) raw = bytesOf(value);
  }
  return { ...typeMeta, ...(message(schema, raw, 0) as Plain) };
}

function readTypeMeta(bytes: Uint8Array): Plain {
  const names: Readonly<Record<number, string>> = { 1: "apiVersion", 2: "kind" };
  const out: Plain = {};
  for (const { number, value } of readFields(bytes)) {
    const name = names[number];
    if (name !== undefined) out[name] = stringOf(value);
  }
  return out;
}

/** What a message's field numbers mean: a property, or an inlined message of more properties. */
interface Layout {
  readonly properties: Map<number, string>;
  readonly inlined: Map<number, Layout>;
}

const layouts = new WeakMap<Schema, Layout>();

function layoutOf(schema: Schema): Layout {
  let layout = layouts.get(schema);
  if (layout !== undefined) return layout;
  layout = { properties: new Map(), inlined: new Map() };
  for (const [name, tag] of Object.entries(schema["x-atoll-tags"] ?? {})) {
    const path = tag.split(".").map(Number);
    const last = path.pop() ?? 0;
    let at = layout;
    for (const number of path) {
      const inner = at.inlined.get(number) ?? { properties: new Map(), inlined: new Map() };
      at.inlined.set(number, inner);
      at = inner;
    }
    at.properties.set(last, name);
  }
  layouts.set(schema, layout);
  return layout;
}

function message(schema: Schema, bytes: Uint8Array, depth: number): unknown {
  if (depth > maxDepth) throw new WireError(`nested deeper than ${maxDepth} levels`);
  const union = unions[schema["x-atoll-name"]?.split(".").at(-1) ?? ""];
  if (union !== undefined) return unionValue(union, schema, { bytes, depth });
  const out: Plain = {};
  fill(out, schema, { layout: layoutOf(schema), bytes, depth });
  return out;
}

interface Filling {
  readonly layout: Layout;
  readonly bytes: Uint8Array;
  readonly depth: number;
}

function fill(out: Plain, schema: Schema, { layout, bytes, depth }: Filling): void {
  for (const field of readFields(bytes)) {
    const inner = layout.inlined.get(field.number);
    if (inner !== undefined) {
      fill(out, schema, { layout: inner, bytes: bytesOf(field.value), depth });
      continue;
    }
    const name = layout.properties.get(field.number);
    const property = name === undefined ? undefined : schema.properties?.[name];
    if (name === undefined || property === undefined) continue;
    set(out, name, { schema: property, field, depth });
  }
}

interface Given {
  readonly schema: Schema;
  readonly field: WireField;
  readonly depth: number;
}

function set(out: Plain, name: string, { schema, field, depth }: Given): void {
  if (schema.type === "array") {
    const list = (out[name] ??= []) as unknown[];
    list.push(...elements(schema.items ?? {}, field, depth));
  } else if (schema.type === "object" && typeof schema.additionalProperties === "object") {
    const map = (out[name] ??= Object.create(null)) as Plain;
    const [key, value] = mapEntry(schema.additionalProperties, bytesOf(field.value), depth);
    map[key] = value;
  } else out[name] = valueOf(schema, field, depth + 1);
}

/** Repeated numbers may come packed into one field. */
function elements(items: Schema, field: WireField, depth: number): unknown[] {
  const packed = (items.type === "integer" || items.type === "boolean") && typeof field.value !== "bigint";
  if (!packed) return [valueOf(items, field, depth + 1)];
  const out: unknown[] = [];
  // A packed run is a run of varints: each reads as the value of a field that is not there.
  const bytes = bytesOf(field.value);
  for (let at = 0; at < bytes.length; ) {
    let end = at;
    while ((bytes[end] ?? 0) >= 0x80) end++;
    const one = readFields(Uint8Array.of(8, ...bytes.subarray(at, end + 1))).next().value as WireField;
    out.push(valueOf(items, one, depth + 1));
    at = end + 1;
  }
  return out;
}

function mapEntry(values: Schema, bytes: Uint8Array, depth: number): [string, unknown] {
  let key = "";
  let value: WireField = { number: 2, value: new Uint8Array(), fixed64: false };
  for (const field of readFields(bytes)) {
    if (field.number === 1) key = stringOf(field.value);
    if (field.number === 2) value = field;
  }
  return [key, valueOf(values, value, depth + 1)];
}

/** Types whose message is not what their JSON is. */
const scalarMessages: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  "date-time": (bytes) => time(bytes, formatTime),
  "micro-time": (bytes) => time(bytes, formatMicroTime),
  quantity: (bytes) => stringOf(first(bytes, 1) ?? new Uint8Array()),
  "int-or-string": intOrString,
};

function valueOf(schema: Schema, { value, fixed64 }: WireField, depth: number): unknown {
  if (typeof value === "bigint") return numberOf(schema, value, fixed64);
  const special = scalarMessages[schema.format ?? ""];
  if (special !== undefined) return special(value);
  if (schema["x-kubernetes-int-or-string"] === true) return intOrString(value);
  if (schema.format === "byte") return base64(value);
  if (schema.type === "string") return stringOf(value);
  if (schema["x-kubernetes-preserve-unknown-fields"] === true) return embeddedJson(value);
  if (schema.type === "array")
    return [...readFields(value)].flatMap((field) => elements(schema.items ?? {}, field, depth));
  return message(schema, value, depth);
}

function numberOf(schema: Schema, value: bigint, fixed64: boolean): unknown {
  if (schema.type === "boolean") return value !== 0n;
  if (schema.type === "number" && fixed64) {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, value);
    return view.getFloat64(0);
  }
  const signed = BigInt.asIntN(64, value);
  return signed >= BigInt(Number.MIN_SAFE_INTEGER) && signed <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(signed)
    : signed;
}

/** An empty message is the zero time: none. */
function time(bytes: Uint8Array, format: (ms: number) => string): string | null {
  if (bytes.length === 0) return null;
  const seconds = BigInt.asIntN(64, (first(bytes, 1) as bigint | undefined) ?? 0n);
  const nanos = Number((first(bytes, 2) as bigint | undefined) ?? 0n);
  const micros = Math.floor(nanos / 1000) % 1000;
  const shown = format(Number(seconds) * 1000 + Math.floor(nanos / 1_000_000));
  return micros === 0 ? shown : shown.replace("000Z", `${String(micros).padStart(3, "0")}Z`);
}

function intOrString(bytes: Uint8Array): unknown {
  const isString = first(bytes, 1) === 1n;
  if (isString) return stringOf(first(bytes, 3) ?? new Uint8Array());
  return Number(BigInt.asIntN(64, (first(bytes, 2) as bigint | undefined) ?? 0n));
}

/** RawExtension, FieldsV1 and JSON hold the bytes of JSON. */
function embeddedJson(bytes: Uint8Array): unknown {
  const raw = first(bytes, 1);
  if (raw === undefined) return null;
  return parseJson(stringOf(raw)).value;
}

/** Types that are one of several in JSON: which field holds what. */
const unions: Readonly<Record<string, { readonly one: number; readonly other: number }>> = {
  JSONSchemaPropsOrArray: { one: 1, other: 2 },
  JSONSchemaPropsOrBool: { one: 2, other: 1 },
  JSONSchemaPropsOrStringArray: { one: 1, other: 2 },
};

function unionValue(
  union: { one: number; other: number },
  schema: Schema,
  { bytes, depth }: { bytes: Uint8Array; depth: number },
): unknown {
  const [one = {}, other = {}] = schema.anyOf ?? [];
  const fields = [...readFields(bytes)];
  const whole = fields.find(({ number }) => number === union.one);
  if (whole !== undefined) return valueOf(one, whole, depth + 1);
  const rest = fields.filter(({ number }) => number === union.other);
  if (other.type === "array") return rest.flatMap((field) => elements(other.items ?? {}, field, depth));
  return rest[0] === undefined ? false : valueOf(other, rest[0], depth + 1);
}

function first(bytes: Uint8Array, number: number): bigint | Uint8Array | undefined {
  for (const field of readFields(bytes)) if (field.number === number) return field.value;
  return undefined;
}

function bytesOf(value: bigint | Uint8Array): Uint8Array {
  if (typeof value === "bigint") throw new WireError("a number where bytes should be");
  return value;
}

function stringOf(value: bigint | Uint8Array): string {
  try {
    return text.decode(bytesOf(value));
  } catch (cause) {
    if (cause instanceof WireError) throw cause;
    throw new WireError("a string is not UTF-8");
  }
}

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
