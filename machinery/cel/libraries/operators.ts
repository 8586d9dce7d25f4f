/**
 * Operators of the language.
 * Source: cel-spec doc/langdef.md "List of Standard Definitions"; cel-go common/stdlib/standard.go
 */
import {
  type CallEstimate,
  characterCost,
  comparisonCost,
  concatenationCost,
  joinCost,
  membershipCost,
  type CallCost,
  type CallSite,
  ranges,
  unbounded,
} from "../cost.ts";
import { global, listOfA, mapOfAB, paramA, paramB } from "../define.ts";
import { compareBytes, compareNumbers, compareStrings, equals, numeric } from "../equality.ts";
import { indexValue } from "../access.ts";
import type { Functions, Overload } from "../library.ts";
import { doubleOperations, toInt, toUint, wholeOperation } from "../numbers.ts";
import { durationOf, timestampOf } from "../time.ts";
import {
  boolType,
  bytesType,
  type CelType,
  doubleType,
  durationType,
  intType,
  stringType,
  timestampType,
  uintType,
} from "../types.ts";
import {
  CelError,
  type Duration,
  type ListValue,
  type MapValue,
  OpaqueValue,
  type Timestamp,
  type Uint,
  type Value,
} from "../values.ts";

const bool = boolType;

// ---- equality

/** Comparing a library's own values costs 1; everything else by the smaller of the two. */
const equalityCost: CallCost = {
  run: (args, result, sizes) => (args[0] instanceof OpaqueValue ? 1 : comparisonCost.run(args, result, sizes)),
  estimate: (site) => opaqueEstimate(site) ?? comparisonCost.estimate(site),
};

// A format's name is at most this long.
const longestFormat = 64;

/** Estimates for comparing a library's own values; undefined for all others. */
function opaqueEstimate(site: CallSite): CallEstimate | undefined {
  const [a, b] = [site.type(0), site.type(1)];
  if (a.kind !== "opaque" || b.kind !== "opaque" || a.name !== b.name || a.name === "optional_type") return undefined;
  if (a.name === "kubernetes.NamedFormat") return { cost: ranges.scale({ min: 1, max: longestFormat }, characterCost) };
  if (a.name !== "kubernetes.URL") return { cost: ranges.exactly(1) };
  // Upstream takes the right side's size for both.
  const { max } = site.size(1);
  return { cost: ranges.scale({ min: 1, max: max === unbounded ? 1 : max }, characterCost) };
}

const equality: Functions = {
  "_==_": [
    global("equals", { of: [paramA, paramA], to: bool, cost: equalityCost }, ([a, b]) =>
      equals(a as Value, b as Value),
    ),
  ],
  "_!=_": [
    global("not_equals", { of: [paramA, paramA], to: bool, cost: comparisonCost }, ([a, b]) => {
      const same = equals(a as Value, b as Value);
      return same instanceof CelError ? same : !same;
    }),
  ],
};

// ---- order

/** Compares two values of types that can be ordered against each other; NaN when neither order holds. */
function compare(a: Value, b: Value): number {
  const number = numeric(a);
  const other = numeric(b);
  if (number !== undefined && other !== undefined) return compareNumbers(number, other);
  if (typeof a === "string") return compareStrings(a, b as string);
  if (typeof a === "boolean") return Number(a) - Number(b as boolean);
  if (a instanceof Uint8Array) return compareBytes(a, b as Uint8Array);
  return compareNumbers((a as Timestamp | Duration).nanos, (b as Timestamp | Duration).nanos);
}

const orderNames = { "<": "less", "<=": "less_equals", ">": "greater", ">=": "greater_equals" } as const;

const orderTests: Readonly<Record<string, (order: number) => boolean>> = {
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

const numbers: readonly (readonly [string, CelType, readonly (readonly [string, CelType])[]])[] = [
  [
    "int64",
    intType,
    [
      ["double", doubleType],
      ["uint64", uintType],
    ],
  ],
  [
    "uint64",
    uintType,
    [
      ["double", doubleType],
      ["int64", intType],
    ],
  ],
  [
    "double",
    doubleType,
    [
      ["int64", intType],
      ["uint64", uintType],
    ],
  ],
];

/** What else can be ordered, after bool and the numbers. */
const sized: readonly (readonly [string, CelType])[] = [
  ["string", stringType],
  ["bytes", bytesType],
];
const times: readonly (readonly [string, CelType])[] = [
  ["timestamp", timestampType],
  ["duration", durationType],
];

// Here and below overloads stand in upstream's order: of those that fit alike, the first decides on unknown types.
function ordering(operator: keyof typeof orderNames): Overload[] {
  const name = orderNames[operator];
  const test = orderTests[operator] as (order: number) => boolean;
  const evaluate = ([a, b]: readonly Value[]): Value => test(compare(a as Value, b as Value));
  const alike = ([suffix, type]: readonly [string, CelType]): Overload =>
    global(`${name}_${suffix}`, { of: [type, type], to: bool }, evaluate);
  return [
    alike(["bool", boolType]),
    ...numbers.flatMap(([left, a, others]) => [
      alike([left, a]),
      ...others.map(([right, b]) => global(`${name}_${left}_${right}`, { of: [a, b], to: bool }, evaluate)),
    ]),
    ...sized.map((kind) => ({ ...alike(kind), cost: comparisonCost })),
    ...times.map(alike),
  ];
}

const orders: Functions = Object.fromEntries(
  (["<", "<=", ">", ">="] as const).map((operator) => [`_${operator}_`, ordering(operator)]),
);

// ---- arithmetic

const operationNames = { "+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "modulo" } as const;

function arithmetic(operator: keyof typeof operationNames): Readonly<Record<"int" | "uint" | "double", Overload>> {
  const name = operationNames[operator];
  const onInts = wholeOperation(operator, toInt);
  const onUints = wholeOperation(operator, toUint);
  const onDoubles = doubleOperations[operator] ?? ((): number => Number.NaN);
  return {
    int: global(`${name}_int64`, { of: [intType, intType], to: intType }, ([a, b]) => onInts(a as bigint, b as bigint)),
    uint: global(`${name}_uint64`, { of: [uintType, uintType], to: uintType }, ([a, b]) =>
      onUints((a as Uint).value, (b as Uint).value),
    ),
    double: global(`${name}_double`, { of: [doubleType, doubleType], to: doubleType }, ([a, b]) =>
      onDoubles(a as number, b as number),
    ),
  };
}

const nanosOf = (value: Value | undefined): bigint => (value as Timestamp | Duration).nanos;
const zoneOf = (value: Value | undefined): number => (value as Timestamp).offsetMinutes;
const time = (nanos: bigint, zone: number): Value => timestampOf(nanos, zone) ?? new CelError("timestamp overflow");
const span = (nanos: bigint): Value => durationOf(nanos) ?? new CelError("duration overflow");

const addTimes = {
  durations: global("add_duration_duration", { of: [durationType, durationType], to: durationType }, ([a, b]) =>
    span(nanosOf(a) + nanosOf(b)),
  ),
  toDuration: global("add_duration_timestamp", { of: [durationType, timestampType], to: timestampType }, ([a, b]) =>
    time(nanosOf(a) + nanosOf(b), zoneOf(b)),
  ),
  toTimestamp: global("add_timestamp_duration", { of: [timestampType, durationType], to: timestampType }, ([a, b]) =>
    time(nanosOf(a) + nanosOf(b), zoneOf(a)),
  ),
} as const;

const subtractTimes = {
  durations: global("subtract_duration_duration", { of: [durationType, durationType], to: durationType }, ([a, b]) =>
    span(nanosOf(a) - nanosOf(b)),
  ),
  duration: global("subtract_timestamp_duration", { of: [timestampType, durationType], to: timestampType }, ([a, b]) =>
    time(nanosOf(a) - nanosOf(b), zoneOf(a)),
  ),
  timestamps: global(
    "subtract_timestamp_timestamp",
    { of: [timestampType, timestampType], to: durationType },
    ([a, b]) => span(nanosOf(a) - nanosOf(b)),
  ),
} as const;

function joinBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

const join = {
  strings: global(
    "add_string",
    { of: [stringType, stringType], to: stringType, cost: joinCost },
    ([a, b]) => (a as string) + (b as string),
  ),
  bytes: global("add_bytes", { of: [bytesType, bytesType], to: bytesType, cost: joinCost }, ([a, b]) =>
    joinBytes(a as Uint8Array, b as Uint8Array),
  ),
  lists: global("add_list", { of: [listOfA, listOfA], to: listOfA, cost: concatenationCost }, ([a, b]) =>
    (a as ListValue).concat(b as ListValue),
  ),
} as const;

function additions(): Overload[] {
  const { int, uint, double } = arithmetic("+");
  const times = [addTimes.durations, addTimes.toDuration, addTimes.toTimestamp];
  return [join.bytes, double, ...times, int, join.lists, join.strings, uint];
}

function subtractions(): Overload[] {
  const { int, uint, double } = arithmetic("-");
  return [double, subtractTimes.durations, int, subtractTimes.duration, subtractTimes.timestamps, uint];
}

function scalings(operator: "*" | "/"): Overload[] {
  const { int, uint, double } = arithmetic(operator);
  return [double, int, uint];
}

// ---- membership

/** `element in list`: an error among comparisons counts only when nothing is equal. */
function isElement(element: Value, list: ListValue): Value {
  let fault: CelError | undefined;
  for (let i = 0; i < list.size; i++) {
    const same = equals(list.at(i), element);
    if (same === true) return true;
    if (same instanceof CelError) fault ??= same;
  }
  return fault ?? false;
}

function isKey(key: Value, map: MapValue): Value {
  const found = map.get(key);
  return found instanceof CelError ? found : found !== undefined;
}

const containment: readonly Overload[] = [
  global("in_list", { of: [paramA, listOfA], to: bool, cost: membershipCost }, ([a, list]) =>
    isElement(a as Value, list as ListValue),
  ),
  global("in_map", { of: [paramA, mapOfAB], to: bool }, ([key, map]) => isKey(key as Value, map as MapValue)),
];

// ---- the rest; && || ?: and indexing are evaluated by the planner, what stands here is their types

const unreachable = (): Value => new CelError("evaluated by the planner");

const control: Functions = {
  "_&&_": [global("logical_and", { of: [bool, bool], to: bool }, unreachable)],
  "_||_": [global("logical_or", { of: [bool, bool], to: bool }, unreachable)],
  "_?_:_": [global("conditional", { of: [bool, paramA, paramA], to: paramA }, unreachable)],
  "@not_strictly_false": [global("not_strictly_false", { of: [bool], to: bool }, unreachable)],
  "!_": [global("logical_not", { of: [bool], to: bool }, ([a]) => !(a as boolean))],
  "-_": [
    global("negate_double", { of: [doubleType], to: doubleType }, ([a]) => -(a as number)),
    global("negate_int64", { of: [intType], to: intType }, ([a]) => toInt(-(a as bigint))),
  ],
  "_[_]": [
    global("index_list", { of: [listOfA, intType], to: paramA }, ([a, b]) => indexValue(a as Value, b as Value)),
    global("index_map", { of: [mapOfAB, paramA], to: paramB }, ([a, b]) => indexValue(a as Value, b as Value)),
  ],
  "@in": containment,
};

/** All operators. */
export const operatorFunctions: Functions = {
  ...equality,
  ...orders,
  ...control,
  "_+_": additions(),
  "_-_": subtractions(),
  "_*_": scalings("*"),
  "_/_": scalings("/"),
  "_%_": [arithmetic("%").int, arithmetic("%").uint],
};
