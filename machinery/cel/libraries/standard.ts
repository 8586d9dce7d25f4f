/**
 * Functions that every environment has: sizes, strings, parts of times.
 * Source: cel-spec doc/langdef.md "List of Standard Definitions"; cel-go common/stdlib/standard.go
 */
import { type CallCost, matchCost, ranges, scaled, searchCost, sizeOf, characterCost } from "../cost.ts";
import { global, listOfA, mapOfAB, method } from "../define.ts";
import type { CallContext, Functions, Library, Overload } from "../library.ts";
import { standardMacros } from "../macros.ts";
import { partsOf, type TimeParts, zoneOffsetMs } from "../time.ts";
import {
  boolType,
  bytesType,
  type CelType,
  doubleType,
  durationType,
  dynType,
  intType,
  listOf,
  mapOf,
  nullType,
  stringType,
  timestampType,
  typeOf,
  uintType,
} from "../types.ts";
import { CelError, type Duration, type ListValue, type MapValue, type Timestamp, type Value } from "../values.ts";
import { conversionFunctions } from "./conversions.ts";
import { operatorFunctions } from "./operators.ts";

function size([value]: readonly Value[], context: CallContext): Value {
  if (typeof value === "string") return BigInt(context.length(value));
  return BigInt(
    (value as ListValue | MapValue | Uint8Array) instanceof Uint8Array
      ? (value as Uint8Array).length
      : (value as ListValue | MapValue).size,
  );
}

const sized: readonly (readonly [string, CelType])[] = [
  ["bytes", bytesType],
  ["list", listOfA],
  ["map", mapOfAB],
  ["string", stringType],
];

const sizes: readonly Overload[] = sized.flatMap(([name, type]) => [
  global(`size_${name}`, { of: [type], to: intType }, size),
  method(`${name}_size`, { of: [type], to: intType }, size),
]);

/** Only as far as the affix reaches. */
const affixCost: CallCost = {
  settledOnly: true,
  run: (args, _result, sizesOf) => scaled(sizeOf(args[1], sizesOf), characterCost),
  estimate: (site) => ({ cost: ranges.scale(site.size(1), characterCost) }),
};

const twoStrings = { of: [stringType, stringType], to: boolType };

/** `text.matches(pattern)`; the error of a bad pattern in Go's words. */
function matches([text, pattern]: readonly Value[], context: CallContext): Value {
  const matcher = context.matcher(pattern as string);
  return matcher instanceof Error ? new CelError(matcher.message) : matcher.test(text as string);
}

const strings: Functions = {
  contains: [
    method("contains_string", { ...twoStrings, cost: searchCost }, ([a, b]) => (a as string).includes(b as string)),
  ],
  endsWith: [
    method("ends_with_string", { ...twoStrings, cost: affixCost }, ([a, b]) => (a as string).endsWith(b as string)),
  ],
  startsWith: [
    method("starts_with_string", { ...twoStrings, cost: affixCost }, ([a, b]) => (a as string).startsWith(b as string)),
  ],
  matches: [
    global("matches", { ...twoStrings, cost: matchCost(0, 1) }, matches),
    method("matches_string", { ...twoStrings, cost: matchCost(0, 1) }, matches),
  ],
};

/** A part of a time in UTC, or in a zone that is given. */
function timePart(name: string, part: (parts: TimeParts) => number): Overload[] {
  return [
    method(`timestamp_to_${name}`, { of: [timestampType], to: intType }, ([time]) =>
      BigInt(part(partsOf(time as Timestamp))),
    ),
    method(
      `timestamp_to_${name}_with_tz`,
      { of: [timestampType, stringType], to: intType },
      ([time, zone], context) => {
        const offset = zoneOffsetMs(zone as string, time as Timestamp, context.zones);
        if (offset === undefined) return new CelError(`unknown time zone ${zone as string}`);
        return BigInt(part(partsOf(time as Timestamp, offset)));
      },
    ),
  ];
}

/** All of a duration in a unit, towards zero. */
const durationPart = (name: string, nanos: bigint): Overload =>
  method(
    `duration_to_${name}`,
    { of: [durationType], to: intType },
    ([duration]) => (duration as Duration).nanos / nanos,
  );

const times: Functions = {
  getFullYear: timePart("year", (parts) => parts.year),
  getMonth: timePart("month", (parts) => parts.month),
  getDayOfYear: timePart("day_of_year", (parts) => parts.dayOfYear),
  getDayOfMonth: timePart("day_of_month", (parts) => parts.day - 1),
  getDate: timePart("day_of_month_1_based", (parts) => parts.day),
  getDayOfWeek: timePart("day_of_week", (parts) => parts.weekday),
  getHours: [...timePart("hours", (parts) => parts.hours), durationPart("hours", 3_600_000_000_000n)],
  getMinutes: [...timePart("minutes", (parts) => parts.minutes), durationPart("minutes", 60_000_000_000n)],
  getSeconds: [...timePart("seconds", (parts) => parts.seconds), durationPart("seconds", 1_000_000_000n)],
  getMilliseconds: [
    ...timePart("milliseconds", (parts) => parts.milliseconds),
    durationPart("milliseconds", 1_000_000n),
  ],
};

/** The language itself. */
export const standard: Library = {
  name: "standard",
  macros: standardMacros,
  functions: { ...operatorFunctions, ...conversionFunctions, ...strings, ...times, size: sizes },
  types: {
    bool: boolType,
    bytes: bytesType,
    double: doubleType,
    int: intType,
    list: listOf(dynType),
    map: mapOf(dynType, dynType),
    null_type: nullType,
    string: stringType,
    type: typeOf(),
    uint: uintType,
    "google.protobuf.Timestamp": timestampType,
    "google.protobuf.Duration": durationType,
  },
};
