/**
 * Equality of values of any kinds: numbers by what they amount to, everything else by kind and content.
 * Source: cel-spec doc/langdef.md "Equality"; cel-go common/types
 */
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

/** The numeric value of int, uint and double; undefined for anything else. */
export function numeric(value: Value | undefined): bigint | number | undefined {
  if (typeof value === "bigint" || typeof value === "number") return value;
  return value instanceof Uint ? value.value : undefined;
}

/** -1, 0 or 1; NaN when one of them is not a number. Exact across kinds. */
export function compareNumbers(a: bigint | number, b: bigint | number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : 0;
}

/** Byte by byte: negative, 0 or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Code point by code point: negative, 0 or positive. UTF-16 order differs above the surrogates. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const shorter = Math.min(a.length, b.length);
  let i = 0;
  while (i < shorter && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  if (i === shorter) return a.length - b.length;
  const before = i > 0 && isHighSurrogate(a.charCodeAt(i - 1)) ? i - 1 : i;
  return (a.codePointAt(before) ?? 0) - (b.codePointAt(before) ?? 0);
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;

/** Whether two values are equal. An error among the parts is the outcome, unless a difference comes first. */
export function equals(a: Value, b: Value): boolean | CelError {
  if (typeof a === "string" || typeof a === "boolean" || a === null) return a === b;
  if (a instanceof CelError) return a;
  if (b instanceof CelError) return b;
  if (b === null) return false;
  const number = numeric(a);
  if (number !== undefined) {
    const other = numeric(b);
    return other !== undefined && compareNumbers(number, other) === 0;
  }
  return equalObjects(a, b);
}

function equalObjects(a: Value, b: Value): boolean | CelError {
  if (a instanceof ListValue) return b instanceof ListValue ? a.equals(b) : a.unlike();
  if (a instanceof MapValue) return b instanceof MapValue ? a.equals(b) : a.unlike();
  return a instanceof OpaqueValue ? a.equals(b) : equalScalars(a, b);
}

function equalScalars(a: Value, b: Value): boolean | CelError {
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanos === b.nanos;
  if (a instanceof Duration) return b instanceof Duration && a.nanos === b.nanos;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && compareBytes(a, b) === 0;
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name;
  return a instanceof OptionalValue && b instanceof OptionalValue && equalOptionals(a, b);
}

function equalOptionals(a: OptionalValue, b: OptionalValue): boolean | CelError {
  if (a.value === undefined || b.value === undefined) return a.value === b.value;
  return equals(a.value, b.value);
}

/**
 * A string that equal map keys share and others do not: 1, 1u and 1.0 are one key.
 * undefined for what cannot be a key.
 */
export function keyOf(value: Value | undefined): string | undefined {
  if (typeof value === "string") return `s${value}`;
  if (typeof value === "boolean") return value ? "true" : "false";
  const number = numeric(value);
  if (number === undefined) return undefined;
  return typeof number === "bigint" || Number.isInteger(number) ? `n${BigInt(number)}` : `d${number}`;
}
