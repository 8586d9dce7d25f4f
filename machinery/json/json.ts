/**
 * JSON that keeps 64-bit integers, finds keys given twice, and stops at a depth.
 *
 * The native parser does the work. Before it, one pass over the text counts keys and depth and looks for what it would
 * get wrong; only a text that has such things, or more keys than arrived, pays for more.
 */
import { duplicateFields } from "./duplicates.ts";
import { JsonError, parseExactly } from "./exact.ts";
import { scanJson } from "./scan.ts";

export { JsonError } from "./exact.ts";

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
/** JSON.rawJSON of ECMAScript 2026, which TypeScript's library does not know yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/** V8 quotes the text in its messages; what comes after is left out. */
function syntaxError(cause: unknown): JsonError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new JsonError(message.replace(/, (\.\.\.)?".*$/s, "").replace(/ \(line.*$/s, ""));
}

function parseNatively(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
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
  const value = seen.unusual ? parseExactly(source) : parseNatively(source);
  const twice = typeof value === "object" && seen.keys !== countKeys(value);
  return { value, duplicates: twice ? duplicateFields(source) : [] };
}

/** A number that may not fit a double, or an escape. Strings match, too: then the scan tells. */
const mayBeUnusual = /\d{16}|\d[eE][-+]?\d|\\/;

/**
 * Parses JSON that this system wrote: integers exact, duplicates and depth not looked at.
 * @throws {JsonError}
 */
export function parseStoredJson(text: string | Buffer): unknown {
  const source = typeof text === "string" ? text : text.toString("utf8");
  return mayBeUnusual.test(source) && scanJson(source).unusual ? parseExactly(source) : parseNatively(source);
}

function spellBigInt(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? rawJSON(value.toString()) : value;
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
