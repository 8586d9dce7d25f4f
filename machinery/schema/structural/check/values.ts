/**
 * Checks of strings and numbers.
 * Source: k8s.io/kube-openapi/pkg/validation/validate/{validator,values}.go
 */
import type { Path } from "../../../field.ts";
import type { RegexCache } from "../../../regex/regex.ts";
import type { Schema } from "../../schema.ts";
import { formatCheck } from "../formats/formats.ts";
import type { Findings } from "./findings.ts";
import { isInt64, isWhole, kindOf, spellFloat } from "./kinds.ts";

/** Checks a value of the kind it was made for. */
export type ValueCheck<T> = (value: T, at: Path, out: Findings) => void;

/** Unicode code points; a pair of surrogates is one. */
function runesIn(text: string): number {
  let count = text.length;
  for (let i = 0; i + 1 < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xd800 || unit > 0xdbff) continue;
    const next = text.charCodeAt(i + 1);
    if (next >= 0xdc00 && next <= 0xdfff) {
      count--;
      i++;
    }
  }
  return count;
}

/** Length and pattern; the first that fails is told. Undefined when the schema says nothing about strings. */
export function stringCheck(schema: Schema, patterns: RegexCache): ValueCheck<string> | undefined {
  const { maxLength, minLength, pattern = "" } = schema;
  if (maxLength === undefined && minLength === undefined && pattern === "") return undefined;
  const matches = pattern === "" ? undefined : patternCheck(pattern, patterns);
  return (text, at, out) => {
    if (maxLength !== undefined && text.length > maxLength && runesIn(text) > maxLength) {
      const detail =
        maxLength < 0 ? "value is too long" : `may not be more than ${maxLength} ${maxLength === 1 ? "byte" : "bytes"}`;
      const found = `${at.toString()} in body should be at most ${maxLength} chars long`;
      out.add({ reason: "FieldValueTooLong", at, value: undefined, detail, text: found });
    } else if (minLength !== undefined && text.length < 2 * minLength && runesIn(text) < minLength) {
      out.invalid(at, text, `${at.toString()} in body should be at least ${minLength} chars long`);
    } else matches?.(text, at, out);
  };
}

function patternCheck(pattern: string, patterns: RegexCache): ValueCheck<string> {
  let tried: ReturnType<RegexCache["compile"]> | undefined;
  return (text, at, out) => {
    tried ??= patterns.compile(pattern);
    if (tried instanceof Error) {
      out.invalid(
        at,
        text,
        `${at.toString()} in body should match '${pattern}, but pattern is invalid: ${tried.message}'`,
      );
    } else if (!tried.test(text)) out.invalid(at, text, `${at.toString()} in body should match '${pattern}'`);
  };
}

/** The format of strings; undefined when there is none that means something. */
export function formatOf(format: string): ValueCheck<string> | undefined {
  const check = formatCheck(format);
  if (check === undefined) return undefined;
  return (text, at, out) => {
    if (!check(text)) out.wrongType(at, format, text);
  };
}

/** What a number must be for its schema's type and format. */
interface Range {
  readonly type: "integer" | "number";
  /** int32, int64, float, double, or "" where none counts. */
  readonly format: string;
}

function fits(value: number | bigint, { type, format }: Range): boolean {
  if (type === "number") return format !== "float" || Number.isFinite(Math.fround(Number(value)));
  if (!isInt64(value)) return false;
  return format !== "int32" || (value >= -(2 ** 31) && value < 2 ** 31);
}

/** A number that is out of its format's range. Kubernetes reports it without a field. */
function outOfRange(what: string, { type, format }: Range, at: Path): string {
  if (format === "") return `${what} value must be of type ${type} (default format) in ${at.toString()}`;
  return `${what} value must be of type ${type} with format ${format} in ${at.toString()}`;
}

/** Range of type and format, multiples, limits. All that fails is told. */
export function numberCheck(schema: Schema, range: Range): ValueCheck<number | bigint> {
  const { multipleOf, minimum, maximum, exclusiveMinimum = false, exclusiveMaximum = false } = schema;
  const checks: ValueCheck<number | bigint>[] = [
    (value, at, out) => {
      if (!fits(value, range)) out.nowhere(outOfRange("Checked", range, at));
    },
  ];
  if (multipleOf !== undefined) checks.push(withLimit("MultipleOf", multipleOf, range, checkMultiple));
  if (minimum !== undefined) checks.push(withLimit("Minimum boundary", minimum, range, checkMinimum(exclusiveMinimum)));
  if (maximum !== undefined) checks.push(withLimit("Maximum boundary", maximum, range, checkMaximum(exclusiveMaximum)));
  return (value, at, out) => {
    for (const check of checks) check(value, at, out);
  };
}

/** A limit that does not fit the type itself is told for every value, which is then compared as a float. */
function withLimit(what: string, limit: number, range: Range, make: LimitCheck): ValueCheck<number | bigint> {
  if (fits(limit, range)) {
    return (value, at, out) => {
      const whole = isInt64(value);
      make(value, { limit: whole ? Math.trunc(limit) : limit, whole }, at, out);
    };
  }
  return (value, at, out) => {
    out.nowhere(outOfRange(what, range, at));
    make(value, { limit, whole: false }, at, out);
  };
}

/** A limit as it counts for a value: cut to an integer for integers. */
interface Limit {
  readonly limit: number;
  readonly whole: boolean;
}

type LimitCheck = (value: number | bigint, limit: Limit, at: Path, out: Findings) => void;

function spell({ limit, whole }: Limit): string {
  return whole ? String(limit) : spellFloat(limit);
}

const checkMultiple: LimitCheck = (value, limit, at, out) => {
  const { limit: factor, whole } = limit;
  if (factor <= 0) {
    out.invalid(at, factor, `factor MultipleOf declared for ${at.toString()} must be positive: ${spell(limit)}`);
  } else if (!isMultiple(value, factor, whole)) {
    out.invalid(at, value, `${at.toString()} in body should be a multiple of ${spell(limit)}`);
  }
};

function isMultiple(value: number | bigint, factor: number, whole: boolean): boolean {
  if (whole) return BigInt(value) % BigInt(factor) === 0n;
  return isWhole(factor < 1 ? (1 / factor) * Number(value) : Number(value) / factor);
}

function checkMinimum(exclusive: boolean): LimitCheck {
  return (value, limit, at, out) => {
    if (exclusive ? value > limit.limit : value >= limit.limit) return;
    const words = exclusive ? "greater than" : "greater than or equal to";
    out.invalid(at, value, `${at.toString()} in body should be ${words} ${spell(limit)}`);
  };
}

function checkMaximum(exclusive: boolean): LimitCheck {
  return (value, limit, at, out) => {
    if (exclusive ? value < limit.limit : value <= limit.limit) return;
    const words = exclusive ? "less than" : "less than or equal to";
    out.invalid(at, value, `${at.toString()} in body should be ${words} ${spell(limit)}`);
  };
}

/** The type and format that count for numbers: with several types, none does. */
export function rangeOf(types: readonly string[], format: string): Range {
  const [type] = types.length === 1 ? types : [];
  if (type === "integer") return { type, format: format === "int32" || format === "int64" ? format : "" };
  if (type === "number") return { type, format: format === "float" || format === "double" ? format : "" };
  return { type: "number", format: "" };
}

/** Whether a value is one of an enumeration's. Null never is; numbers are compared as numbers of the choice's kind. */
export function isOneOf(
  value: unknown,
  choices: readonly unknown[],
  equal: (a: unknown, b: unknown) => boolean,
): boolean {
  if (value === null) return false;
  return choices.some((choice) => choice !== null && (equal(value, choice) || convertsTo(value, choice)));
}

/** Go converts a number before it compares: cut to an integer, or taken for a code point. */
function convertsTo(value: unknown, choice: unknown): boolean {
  const kind = kindOf(value);
  if (kind === "number" && isInt64(choice)) return Math.trunc(Number(value)) === Number(choice);
  if (kind !== "integer") return false;
  if (typeof choice === "string") return choice === runeOf(Number(value));
  return typeof choice === "number" && choice === Number(value);
}

function runeOf(code: number): string {
  const valid = code >= 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return valid ? String.fromCodePoint(code) : "\ufffd";
}
