/**
 * `"%s is %d".format([a, b])`.
 * Source: cel-go ext/formatting.go
 */
import { spellDouble } from "../numbers.ts";
import { typeNameOf } from "../runtime-type.ts";
import { spellDuration, spellTimestamp } from "../time.ts";
import { CelError, Duration, ListValue, MapValue, Timestamp, TypeValue, Uint, type Value } from "../values.ts";

const fault = (message: string): CelError => new CelError(message);

/** What a clause takes, for the error when it is given something else. */
const takes: Readonly<Record<string, string>> = {
  s: "strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps",
  d: "integers",
  f: "doubles",
  e: "doubles",
  b: "integers and bools",
  x: "integers, bytes, and strings",
  X: "integers, bytes, and strings",
  o: "integers",
};

const names: Readonly<Record<string, string>> = {
  s: "string",
  d: "decimal",
  f: "fixed-point",
  e: "scientific",
  b: "binary",
  x: "hex",
  X: "hex",
  o: "octal",
};

const wrongType = (verb: string, value: Value): CelError =>
  fault(
    `error during formatting: ${names[verb]} clause can only be used on ${takes[verb]}, was given ${typeNameOf(value)}`,
  );

const quoteGo = (text: string): string => JSON.stringify(text);

/** A value inside a list or map: strings are quoted there. */
function nested(value: Value): string | CelError {
  if (typeof value === "string") return quoteGo(value);
  if (typeof value === "number") return Number.isFinite(value) ? value.toFixed(6) : quoteGo(special(value));
  const spelled = spell(value);
  return value instanceof Uint8Array && typeof spelled === "string" ? `b${quoteGo(spelled)}` : spelled;
}

/** A value as %s shows it, errors included. */
export function spellValue(value: Value): string {
  const spelled = spell(value);
  return spelled instanceof CelError ? spelled.message : spelled;
}

function spellList(list: ListValue): string | CelError {
  const parts: string[] = [];
  for (let i = 0; i < list.size; i++) {
    const part = nested(list.at(i));
    if (part instanceof CelError) return part;
    parts.push(part);
  }
  return `[${parts.join(", ")}]`;
}

function spellMap(map: MapValue): string | CelError {
  const parts: string[] = [];
  for (const key of map.keys()) {
    const value = map.get(key);
    const name = nested(key);
    const spelled = value === undefined ? "" : nested(value);
    if (name instanceof CelError) return name;
    if (spelled instanceof CelError) return spelled;
    parts.push(`${name}:${spelled}`);
  }
  return `{${parts.sort().join(", ")}}`;
}

/** %s */
function spell(value: Value): string | CelError {
  if (value === null) return "null";
  if (typeof value === "number") return spellDouble(value);
  if (typeof value !== "object") return String(value);
  if (value instanceof ListValue) return spellList(value);
  if (value instanceof MapValue) return spellMap(value);
  return spellObject(value);
}

function spellObject(value: Value): string | CelError {
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Timestamp) return spellTimestamp(value);
  if (value instanceof Duration) return spellDuration(value);
  if (value instanceof TypeValue) return value.name;
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : wrongType("s", value);
}

const wholeOf = (value: Value): bigint | undefined => {
  if (typeof value === "bigint") return value;
  return value instanceof Uint ? value.value : undefined;
};

/** A double, or the spelling of one that is no number. */
function doubleOf(value: Value): number | undefined {
  if (typeof value === "number") return value;
  const special: Readonly<Record<string, number>> = {
    NaN: Number.NaN,
    Infinity: Number.POSITIVE_INFINITY,
    "-Infinity": Number.NEGATIVE_INFINITY,
  };
  return typeof value === "string" ? special[value] : undefined;
}

function special(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "∞" : "-∞";
}

function fixed(verb: string, value: Value, precision: number): string | CelError {
  const number = doubleOf(value);
  if (number === undefined) return wrongType(verb, value);
  if (!Number.isFinite(number)) return special(number);
  if (verb === "e") {
    const [digits = "", exponent = "0"] = number.toExponential(precision).split("e");
    const size = Math.abs(Number(exponent)).toString().padStart(2, "0");
    return `${digits}×10${superscript(Number(exponent) < 0 ? `-${size}` : size)}`;
  }
  const [whole = "", fraction] = number.toFixed(precision).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

const superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const superscript = (digits: string): string =>
  Array.from(digits, (digit) => (digit === "-" ? "⁻" : (superscripts[Number(digit)] ?? ""))).join("");

function hex(verb: string, value: Value): string | CelError {
  const whole = wholeOf(value);
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  let digits: string;
  if (whole !== undefined) digits = whole.toString(16);
  else if (bytes instanceof Uint8Array) digits = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  else return wrongType(verb, value);
  return verb === "X" ? digits.toUpperCase() : digits;
}

function whole(verb: string, value: Value): string | CelError {
  if (verb === "b" && typeof value === "boolean") return value ? "1" : "0";
  const number = wholeOf(value);
  if (number === undefined) return wrongType(verb, value);
  return number.toString({ b: 2, o: 8 }[verb] ?? 10);
}

function clause(verb: string, value: Value, precision: number): string | CelError {
  switch (verb) {
    case "s":
      return spell(value);
    case "f":
    case "e":
      return fixed(verb, value, precision);
    case "x":
    case "X":
      return hex(verb, value);
    default:
      return whole(verb, value);
  }
}

// Digits beyond these are noise, and Number.toFixed has no more.
const largestPrecision = 100;

/** One clause of a pattern, or what is wrong with it. */
interface Clause {
  readonly verb: string;
  readonly precision: number;
}

/** Splits a pattern into plain text and clauses, alternating; an error when a clause is none. */
function parsePattern(pattern: string): readonly (string | Clause)[] | CelError {
  const parts: (string | Clause)[] = [];
  let from = 0;
  for (const found of pattern.matchAll(/%(?:%|(?:\.(\d*))?([^]?))/g)) {
    const [all, digits, verb = ""] = found;
    parts.push(pattern.slice(from, found.index));
    from = found.index + all.length;
    if (all === "%%") parts.push("%");
    else if (verb === "") return fault("unexpected end of string");
    else if (takes[verb] === undefined) {
      return fault(`could not parse formatting clause: unrecognized formatting clause "${verb}"`);
    } else parts.push({ verb, precision: Math.min(digits === undefined ? 6 : Number(digits), largestPrecision) });
  }
  parts.push(pattern.slice(from));
  return parts;
}

/** Puts arguments into the clauses of a pattern. */
export function formatString(pattern: string, args: ListValue): Value {
  const parts = parsePattern(pattern);
  if (parts instanceof CelError) return parts;
  let used = 0;
  let text = "";
  for (const part of parts) {
    if (typeof part === "string") {
      text += part;
      continue;
    }
    if (used >= args.size) return fault(`index ${used} out of range`);
    const value = args.at(used++);
    const spelled = value instanceof CelError ? value : clause(part.verb, value, part.precision);
    if (spelled instanceof CelError) return spelled;
    text += spelled;
  }
  return text;
}

const numbers: readonly string[] = ["int", "uint"];
const accepted: Readonly<Record<string, readonly string[]>> = {
  d: numbers,
  o: numbers,
  b: [...numbers, "bool"],
  x: [...numbers, "string", "bytes"],
  X: [...numbers, "string", "bytes"],
  f: ["double", "string"],
  e: ["double", "string"],
};

/** What is wrong with a literal pattern for arguments of the given types; `argument` is the one at fault, if one is. */
export function checkFormat(
  pattern: string,
  kinds: readonly string[],
): { readonly message: string; readonly argument?: number } | undefined {
  const parts = parsePattern(pattern);
  if (parts instanceof CelError) return parts;
  const clauses = parts.filter((part) => typeof part !== "string");
  for (const [argument, { verb }] of clauses.entries()) {
    const kind = kinds[argument];
    if (kind === undefined) return { message: `index ${argument} out of range` };
    if (kind === "dyn" || accepted[verb]?.includes(kind) !== false) continue;
    const message = `error during formatting: ${names[verb]} clause can only be used on ${takes[verb]}, was given ${kind}`;
    return { message, argument };
  }
  if (kinds.length <= clauses.length) return undefined;
  return { message: `too many arguments supplied to string.format (expected ${clauses.length}, got ${kinds.length})` };
}
