/**
 * Decoders of single values: what Go's decoder takes for each type, and what its encoder writes of it.
 * Source: encoding/json, and the UnmarshalJSON of k8s.io/apimachinery's Time, MicroTime, Quantity, IntOrString
 */
import { normalizeQuantity } from "../quantity.ts";
import type { Schema } from "./schema.ts";
import { normalizeMicroTime, normalizeTime } from "./times.ts";

/** A value of the wrong JSON type or out of range: what was found, and the Go type it was meant for. */
export class Mismatch extends Error {
  override readonly name = "Mismatch";
  readonly found: string;
  readonly wanted: string;
  constructor(found: string, wanted: string) {
    super(`cannot unmarshal ${found} into ${wanted}`);
    this.found = found;
    this.wanted = wanted;
  }
}

/** Text that is no base64. The message is Go's. */
export class Base64Error extends Error {
  override readonly name = "Base64Error";
}

/** Decodes a value that is not null. */
export type ScalarDecoder = (value: unknown) => unknown;

/** The JSON type of a value, in Go's words. */
export function found(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  return typeof value === "bigint" ? "number" : typeof value;
}

function decodeString(value: unknown): string {
  if (typeof value !== "string") throw new Mismatch(found(value), "string");
  return value;
}

function decodeBoolean(value: unknown): boolean {
  if (typeof value !== "boolean") throw new Mismatch(found(value), "bool");
  return value;
}

function mismatchedNumber(value: unknown, wanted: string): Mismatch {
  const number = typeof value === "number" || typeof value === "bigint";
  return new Mismatch(number ? `number ${String(value)}` : found(value), wanted);
}

function decodeInt32(value: unknown): number {
  // Of integers only those within 32 bits are equal to their own bits.
  if (typeof value !== "number" || (value | 0) !== value) throw mismatchedNumber(value, "int32");
  return value | 0;
}

const minInt64 = -(2n ** 63n);
const maxInt64 = 2n ** 63n - 1n;

function decodeInt64(value: unknown): number | bigint {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value + 0;
  if (typeof value !== "bigint" || value < minInt64 || value > maxInt64) throw mismatchedNumber(value, "int64");
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

function decodeDouble(value: unknown): number {
  const double = typeof value === "bigint" ? Number(value) : value;
  if (typeof double !== "number" || !Number.isFinite(double)) throw mismatchedNumber(value, "float64");
  return double;
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Clears the bits of the last letter that belong to no byte. */
function trimBase64(text: string): string {
  const padding = text.endsWith("==") ? 2 : 1;
  const at = text.length - padding - 1;
  const spare = padding === 2 ? 0b110000 : 0b111100;
  const letter = alphabet[alphabet.indexOf(text[at] ?? "A") & spare] ?? "A";
  return text.slice(0, at) + letter + text.slice(at + 1);
}

function decodeBytes(value: unknown): string {
  if (typeof value !== "string") throw new Mismatch(found(value), "[]uint8");
  const text = /[\r\n]/.test(value) ? value.replaceAll(/[\r\n]/g, "") : value;
  if (!base64.test(text)) throw new Base64Error(`illegal base64 data at input byte ${firstBadByte(text)}`);
  return text.endsWith("=") ? trimBase64(text) : text;
}

function firstBadByte(text: string): number {
  const at = text.search(/[^A-Za-z0-9+/]/);
  return at < 0 ? text.length - (text.length % 4) : at;
}

function decodeTime(value: unknown): string | null {
  return normalizeTime(decodeString(value));
}

function decodeMicroTime(value: unknown): string | null {
  return normalizeMicroTime(decodeString(value));
}

/** Numbers are read by their spelling; whatever else is no quantity. */
function decodeQuantity(value: unknown): string {
  if (typeof value === "string") return normalizeQuantity(value.trim());
  return normalizeQuantity(typeof value === "number" || typeof value === "bigint" ? String(value) : found(value));
}

function decodeIntOrString(value: unknown): number | string {
  return typeof value === "string" ? value : decodeInt32(value);
}

/** A type of single values. */
export interface Scalar {
  readonly decode: ScalarDecoder;
  /** What its zero value is written as. */
  readonly zero: unknown;
  /** The decoded value that omitempty leaves out. */
  readonly empty: unknown;
}

const byFormat: Readonly<Record<string, Scalar>> = {
  int32: { decode: decodeInt32, zero: 0, empty: 0 },
  int64: { decode: decodeInt64, zero: 0, empty: 0 },
  double: { decode: decodeDouble, zero: 0, empty: 0 },
  byte: { decode: decodeBytes, zero: null, empty: "" },
  "date-time": { decode: decodeTime, zero: null, empty: null },
  "micro-time": { decode: decodeMicroTime, zero: null, empty: null },
  quantity: { decode: decodeQuantity, zero: "0", empty: undefined },
  "int-or-string": { decode: decodeIntOrString, zero: 0, empty: undefined },
};

const byType: Readonly<Record<string, Scalar>> = {
  string: { decode: decodeString, zero: "", empty: "" },
  boolean: { decode: decodeBoolean, zero: false, empty: false },
  integer: { decode: decodeInt64, zero: 0, empty: 0 },
  number: { decode: decodeDouble, zero: 0, empty: 0 },
};

/** The scalar that a schema stands for; undefined when it is an object, a list or anything. */
export function scalarOf(schema: Schema): Scalar | undefined {
  return byFormat[schema.format ?? ""] ?? byType[schema.type ?? ""];
}
