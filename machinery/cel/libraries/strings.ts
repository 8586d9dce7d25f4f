/**
 * Strings, by code points: charAt, indexOf, substring, replace, split, join, format and the like.
 * Source: cel-go ext/strings.go (version 2); costs of k8s.io/apiserver/pkg/cel/library/cost.go
 */
import { ArrayList } from "../containers.ts";
import {
  type CallCost,
  type CallSite,
  characterCost,
  encodingCost,
  type Range,
  ranges,
  sizeOf,
  traversalCost,
  unbounded,
} from "../cost.ts";
import { global, method } from "../define.ts";
import type { Functions, Library } from "../library.ts";
import { dynType, intType, listOf, stringType } from "../types.ts";
import { CelError, type ListValue, type Value } from "../values.ts";
import { countCodePoints } from "../source.ts";
import { formatString, spellValue } from "./format-string.ts";
import { traversal } from "./lists.ts";

const text = stringType;

// Far more than any request; what would be longer is a bomb.
const longestResult = 16 * 1024 * 1024;
const tooLong = (): CelError => new CelError("result of string operation is too long");

const outOfRange = (index: bigint): CelError => new CelError(`index out of range: ${index}`);

/** Whether code points and UTF-16 units are the same in a string. */
const isPlain = (value: string): boolean => !/[\ud800-\udfff]/.test(value);

/** A string that is read by code points. */
interface Characters {
  readonly length: number;
  /** From `start`, up to and without `end`. */
  slice(start: number, end?: number): string;
  /** The first place of `part` at or after `from`, -1 when there is none. */
  indexOf(part: string, from: number): number;
  /** The last place of `part` at or before `from`, -1 when there is none. */
  lastIndexOf(part: string, from: number): number;
}

function charactersOf(value: string): Characters {
  if (isPlain(value)) {
    return {
      length: value.length,
      slice: (start, end) => value.slice(start, end),
      indexOf: (part, from) => value.indexOf(part, from),
      lastIndexOf: (part, from) => value.lastIndexOf(part, from),
    };
  }
  const chars = Array.from(value);
  const offsetOf = (index: number): number => chars.slice(0, index).join("").length;
  const indexAt = (offset: number): number => (offset < 0 ? -1 : countCodePoints(value.slice(0, offset)));
  return {
    length: chars.length,
    slice: (start, end) => chars.slice(start, end).join(""),
    indexOf: (part, from) => indexAt(value.indexOf(part, offsetOf(from))),
    lastIndexOf: (part, from) => indexAt(value.lastIndexOf(part, offsetOf(from))),
  };
}

function charAt([value, index]: readonly Value[]): Value {
  const chars = charactersOf(value as string);
  const at = index as bigint;
  if (at < 0n || at > BigInt(chars.length)) return outOfRange(at);
  return chars.slice(Number(at), Number(at) + 1);
}

function indexOf([value, part, offset = 0n]: readonly Value[]): Value {
  const from = offset as bigint;
  if (from < 0n) return outOfRange(from);
  const chars = charactersOf(value as string);
  if (part === "") return from > BigInt(chars.length) ? BigInt(chars.length) : from;
  return from >= BigInt(chars.length) ? -1n : BigInt(chars.indexOf(part as string, Number(from)));
}

function lastIndexOf([value, part, offset]: readonly Value[]): Value {
  const chars = charactersOf(value as string);
  const length = BigInt(chars.length);
  const from = (offset as bigint | undefined) ?? (part === "" ? length : length - 1n);
  if (from < 0n) return offset === undefined ? -1n : outOfRange(from);
  if (part === "") return from > length ? length : from;
  return from >= length ? -1n : BigInt(chars.lastIndexOf(part as string, Number(from)));
}

function substring([value, first, last]: readonly Value[]): Value {
  const chars = charactersOf(value as string);
  const length = BigInt(chars.length);
  const start = first as bigint;
  const end = (last as bigint | undefined) ?? length;
  if (last !== undefined && start > end) return new CelError(`invalid substring range. start: ${start}, end: ${end}`);
  if (start < 0n || start > length) return outOfRange(start);
  return end < 0n || end > length ? outOfRange(end) : chars.slice(Number(start), Number(end));
}

/** A count argument: negative means all. */
const limitOf = (value: Value | undefined): number =>
  typeof value === "bigint" && value >= 0n ? Number(value) : Number.POSITIVE_INFINITY;

function replace([value, old, by, count]: readonly Value[]): Value {
  const limit = limitOf(count);
  // An empty string is found before each character and at the end.
  const parts = old === "" ? ["", ...Array.from(value as string)] : (value as string).split(old as string);
  if (old === "") parts.push("");
  const places = Math.min(parts.length - 1, limit);
  if ((value as string).length + places * (by as string).length > longestResult) return tooLong();
  const glue = old as string;
  return parts.map((part, index) => (index === 0 ? part : (index <= places ? (by as string) : glue) + part)).join("");
}

function split([value, separator, count]: readonly Value[]): Value {
  const limit = limitOf(count);
  if (limit === 0) return new ArrayList([]);
  const parts = separator === "" ? Array.from(value as string) : (value as string).split(separator as string);
  if (parts.length <= limit) return new ArrayList(parts);
  const rest = parts.slice(limit - 1).join(separator as string);
  return new ArrayList([...parts.slice(0, limit - 1), rest]);
}

function join([list, separator = ""]: readonly Value[]): Value {
  const parts: string[] = [];
  let length = 0;
  const given = list as ListValue;
  for (let i = 0; i < given.size; i++) {
    const part = given.at(i);
    if (part instanceof CelError) return part;
    if (typeof part !== "string") return new CelError(`join: invalid input: ${spellValue(part)}`);
    length += part.length + (separator as string).length;
    if (length > longestResult) return tooLong();
    parts.push(part);
  }
  return parts.join(separator as string);
}

const quoted: Readonly<Record<string, string>> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

const quote = ([value]: readonly Value[]): Value =>
  `"${Array.from((value as string).toWellFormed(), (char) => quoted[char] ?? char).join("")}"`;

const trim = ([value]: readonly Value[]): Value =>
  (value as string).replace(/^[\s\u0085]+|[\s\u0085]+$/gu, (space) => space.replace(/[^\ufeff]/g, ""));

// ---- costs

const searched: CallCost = {
  run: (args) => traversal(args[0] as Value),
  estimate: (site) => ({ cost: ranges.scale(site.size(0), characterCost) }),
};

/** How often something can be replaced, and how much of the text stays, at one end of the ranges. */
function replacement(size: number, old: number, grows: boolean): { count: number; kept: number } {
  if (old === 0) return { count: size < unbounded ? size + 1 : size, kept: size };
  return grows ? { count: Math.ceil(size / old), kept: 0 } : { count: 0, kept: size };
}

function replacedSize(site: CallSite): Range {
  const [size, old, by] = [site.size(0), site.size(1), site.size(2)];
  const most = replacement(size.max, old.min, by.max > old.min);
  const least = replacement(size.min, old.max, old.max > by.min);
  return ranges.add(ranges.multiply({ min: least.count, max: most.count }, by), { min: least.kept, max: most.kept });
}

const replaceCost: CallCost = {
  run: traversalCost(0, { passes: 2 }).run,
  estimate: (site) => ({ cost: ranges.scale(site.size(0), 2 * characterCost), size: replacedSize(site) }),
};

const splitCost: CallCost = {
  run: traversalCost(0, { passes: 2 }).run,
  estimate(site) {
    const limit = site.literal(2);
    const max = typeof limit === "bigint" ? Number(BigInt.asUintN(64, limit)) : site.size(0).max;
    return { cost: ranges.scale(site.size(0), 2 * characterCost), size: { min: 0, max } };
  },
};

const joinedCost: CallCost = {
  byResult: true,
  run: (_args, result, sizes) => Math.ceil(sizeOf(result, sizes) * 2 * characterCost),
  estimate(site) {
    const list = site.size(0);
    const known = site.type(0).kind === "list";
    let size = known ? ranges.multiply(list, site.elementSize(0)) : ranges.exactly(0);
    if (site.count > 1) {
      const separators = { min: Math.max(list.min - 1, 0), max: Math.max(list.max - 1, 0) };
      size = ranges.add(size, ranges.multiply(site.size(1), separators));
    }
    return { cost: ranges.scale(size, characterCost), size };
  },
};

const formatCost: CallCost = {
  settledOnly: true,
  run: traversalCost(0).run,
  estimate: (site) => ({ cost: ranges.scale(site.size(0), characterCost) }),
};

const same = { of: [text], to: text, cost: traversalCost(0, { sized: true }) };
const sized = traversalCost(0, { sized: true });

const functions: Functions = {
  charAt: [method("string_char_at_int", { of: [text, intType], to: text }, charAt)],
  indexOf: [
    method("string_index_of_string", { of: [text, text], to: intType, cost: searched }, indexOf),
    method("string_index_of_string_int", { of: [text, text, intType], to: intType, cost: searched }, indexOf),
  ],
  lastIndexOf: [
    method("string_last_index_of_string", { of: [text, text], to: intType, cost: searched }, lastIndexOf),
    method("string_last_index_of_string_int", { of: [text, text, intType], to: intType, cost: searched }, lastIndexOf),
  ],
  lowerAscii: [
    method("string_lower_ascii", same, ([value]) => (value as string).replace(/[A-Z]+/g, (part) => part.toLowerCase())),
  ],
  upperAscii: [
    method("string_upper_ascii", same, ([value]) => (value as string).replace(/[a-z]+/g, (part) => part.toUpperCase())),
  ],
  trim: [method("string_trim", same, trim)],
  substring: [
    method("string_substring_int", { of: [text, intType], to: text, cost: sized }, substring),
    method("string_substring_int_int", { of: [text, intType, intType], to: text, cost: sized }, substring),
  ],
  replace: [
    method("string_replace_string_string", { of: [text, text, text], to: text, cost: replaceCost }, replace),
    method(
      "string_replace_string_string_int",
      { of: [text, text, text, intType], to: text, cost: replaceCost },
      replace,
    ),
  ],
  split: [
    method("string_split_string", { of: [text, text], to: listOf(text), cost: splitCost }, split),
    method("string_split_string_int", { of: [text, text, intType], to: listOf(text), cost: splitCost }, split),
  ],
  join: [
    method("list_join", { of: [listOf(text)], to: text, cost: joinedCost }, join),
    method("list_join_string", { of: [listOf(text), text], to: text, cost: joinedCost }, join),
  ],
  format: [
    method("string_format", { of: [text, listOf(dynType)], to: text, cost: formatCost }, ([pattern, args]) =>
      formatString(pattern as string, args as ListValue),
    ),
  ],
  "strings.quote": [global("strings_quote", { of: [text], to: text, cost: quoteCost() }, quote)],
};

function quoteCost(): CallCost {
  const { run } = encodingCost(1, 2);
  return {
    settledOnly: true,
    run,
    estimate(site) {
      const { min, max } = site.size(0);
      return {
        cost: ranges.scale({ min, max }, characterCost),
        size: { min: min + 2, max: Math.min(max * 2 + 2, unbounded) },
      };
    },
  };
}

/** Strings, version 2. */
export const strings: Library = { name: "strings", functions };
