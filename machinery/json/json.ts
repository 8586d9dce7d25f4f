/**
 * JSON that keeps 64-bit integers, finds keys given twice, and stops at a depth.
 *
 * The native parser does the work. Before it, one pass over the text counts keys and depth and looks for numbers that
 * a double might not hold; only a text with such numbers, or with more keys than arrived, pays for a second look.
 */
import { duplicateFields } from "./duplicates.ts";
import { scanJson } from "./scan.ts";

/** Text that is no JSON. The message holds none of it: it may be a Secret. */
export class JsonError extends Error {
  override readonly name = "JsonError";
}

/** JSON nested too deeply. */
export class DepthExceeded extends Error {
  override readonly name = "DepthExceeded";
  constructor(maxDepth: number) {
    super(`nested deeper than ${maxDepth} levels`);
  }
}

/** What a text holds. */
export interface ParsedJson {
  /** Integers beyond 2^53 that fit 64 bits are BigInt; everything else is as JSON.parse makes it. */
  readonly value: unknown;
  /** `duplicate field "spec.replicas"`, as upstream's strict decoding says it; the last value counts. */
  readonly duplicates: readonly string[];
}

const defaultMaxDepth = 1_000;
const minInt64 = -(2n ** 63n);
const maxInt64 = 2n ** 63n - 1n;

/** JSON.rawJSON and the reviver's source text, of ECMAScript 2026, which TypeScript's library does not know yet. */
const json = JSON as unknown as {
  rawJSON(text: string): unknown;
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
};

function reviveNumber(_key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value === "string") return value.isWellFormed() ? value : value.toWellFormed();
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  if (!Number.isFinite(value)) throw new JsonError("a number is out of range");
  if (!/^-?\d+$/.test(context.source ?? "")) return value;
  const exact = BigInt(context.source ?? "");
  return exact >= minInt64 && exact <= maxInt64 ? exact : value;
}

/** V8 quotes the text in its messages; what comes after is left out. */
function syntaxError(cause: unknown): JsonError {
  if (cause instanceof JsonError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new JsonError(message.replace(/, (\.\.\.)?".*$/s, "").replace(/ \(line.*$/s, ""));
}

function parseText(text: string, exact: boolean): unknown {
  try {
    return exact ? json.parse(text, reviveNumber) : JSON.parse(text);
  } catch (cause) {
    throw syntaxError(cause);
  }
}

function countKeys(value: unknown): number {
  let keys = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === "object") keys += countKeys(item);
    return keys;
  }
  for (const key in value as object) {
    keys++;
    const inner = (value as Record<string, unknown>)[key];
    if (typeof inner === "object" && inner !== null) keys += countKeys(inner);
  }
  return keys;
}

/**
 * Parses JSON from a client.
 * @param text UTF-8 when bytes; what is not UTF-8 becomes U+FFFD
 * @param limits maxDepth: levels of objects and lists, 1,000 unless told
 * @throws {JsonError} it is no JSON, or a number is too large for a double
 * @throws {DepthExceeded}
 * Source: sigs.k8s.io/json (UnmarshalStrict)
 */
export function parseJson(text: string | Buffer, limits: { readonly maxDepth?: number } = {}): ParsedJson {
  const source = typeof text === "string" ? text : text.toString("utf8");
  const seen = scanJson(source);
  const maxDepth = limits.maxDepth ?? defaultMaxDepth;
  if (seen.depth > maxDepth) throw new DepthExceeded(maxDepth);
  const value = parseText(source, seen.unusual);
  const twice = typeof value === "object" && seen.keys !== countKeys(value);
  return { value, duplicates: twice ? duplicateFields(source) : [] };
}

/** Sixteen digits in a row, or an exponent: a number that may not fit a double. Strings match, too; no harm. */
const mayNotFit = /\d{16}|\d[eE][-+]?\d/;

/**
 * Parses JSON that this system wrote: integers exact, duplicates and depth not looked at.
 * @throws {JsonError}
 */
export function parseStoredJson(text: string | Buffer): unknown {
  const source = typeof text === "string" ? text : text.toString("utf8");
  return parseText(source, mayNotFit.test(source));
}

function spellBigInt(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? json.rawJSON(value.toString()) : value;
}

/**
 * JSON.stringify that writes BigInt as a number.
 * @param indent spaces a level; none: on one line
 */
export function stringifyJson(value: unknown, indent?: number): string {
  try {
    return JSON.stringify(value, undefined, indent);
  } catch (error) {
    // A BigInt is rare: looking for one first would cost every object.
    if (error instanceof TypeError) return JSON.stringify(value, spellBigInt, indent);
    throw error;
  }
}
