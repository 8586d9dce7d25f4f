/**
 * Lists: Kubernetes' own functions (isSorted, sum, min, max, indexOf, lastIndexOf), and slice, flatten, sort,
 * sortBy, range, reverse, distinct; and sets.
 * Source: k8s.io/apiserver/pkg/cel/library/lists.go; cel-go ext/lists.go (version 3), ext/sets.go
 */
import { type Expr, identOf, memberCall } from "../ast.ts";
import { ArrayList, elementsOf } from "../containers.ts";
import {
  type CallCost,
  type CallSite,
  characterCost,
  listCost,
  type Range,
  ranges,
  sizeOf,
  unbounded,
} from "../cost.ts";
import { global, listOfA, method, paramA } from "../define.ts";
import { compareBytes, compareNumbers, compareStrings, equals, keyOf, numeric } from "../equality.ts";
import type { Functions, Library, Macro, Overload } from "../library.ts";
import { MacroError } from "../library.ts";
import { bind, loop, loops } from "../macros.ts";
import { typeNameOf } from "../runtime-type.ts";
import { toInt, toUint } from "../numbers.ts";
import { durationOf } from "../time.ts";
import {
  boolType,
  bytesType,
  type CelType,
  doubleType,
  durationType,
  dynType,
  intType,
  listOf,
  stringType,
  timestampType,
  uintType,
} from "../types.ts";
import { CelError, Duration, ListValue, MapValue, type Timestamp, Uint, type Value } from "../values.ts";

const comparable: readonly (readonly [string, CelType])[] = [
  ["int", intType],
  ["uint", uintType],
  ["double", doubleType],
  ["bool", boolType],
  ["duration", durationType],
  ["timestamp", timestampType],
  ["string", stringType],
  ["bytes", bytesType],
];

/** Order of two values of one comparable type. */
function compare(a: Value, b: Value): number {
  if (typeof a === "string") return compareStrings(a, b as string);
  if (typeof a === "boolean") return Number(a) - Number(b as boolean);
  if (a instanceof Uint8Array) return compareBytes(a, b as Uint8Array);
  const number = numeric(a);
  if (number !== undefined) return compareNumbers(number, numeric(b) ?? 0);
  return compareNumbers((a as Timestamp | Duration).nanos, (b as Timestamp | Duration).nanos);
}

/** Runs on the elements, or yields the first error among them. */
const onElements =
  (work: (items: Value[]) => Value) =>
  ([list]: readonly Value[]): Value => {
    const items = elementsOf(list as ListValue);
    return items instanceof CelError ? items : work(items);
  };

/** The same for elements that can be compared with each other or added: all of one kind, or all numbers. */
const onAlike = (work: (items: Value[]) => Value) =>
  onElements((items) => {
    const kinds = new Set(items.map((item) => (numeric(item) === undefined ? typeNameOf(item) : "number")));
    return kinds.size > 1 ? new CelError("no such overload") : work(items);
  });

const isSorted = onAlike((items) =>
  items.every((item, index) => index === 0 || !(compare(items[index - 1] as Value, item) > 0)),
);

const extreme = (name: string, wanted: -1 | 1) =>
  onAlike((items) => {
    if (items.length === 0) return new CelError(`${name} called on empty list`);
    return items.reduce((best, item) => (Math.sign(compare(item, best)) === wanted ? item : best));
  });

function add(a: Value, b: Value): Value {
  if (a instanceof CelError) return a;
  if (typeNameOf(a) !== typeNameOf(b)) return new CelError("no such overload");
  if (typeof a === "bigint") return toInt(a + (b as bigint));
  if (typeof a === "number") return a + (b as number);
  if (a instanceof Uint) return toUint(a.value + (b as Uint).value);
  return durationOf((a as Duration).nanos + (b as Duration).nanos) ?? new CelError("duration overflow");
}

const zeros: Readonly<Record<string, Value>> = { int: 0n, uint: new Uint(0n), double: 0, duration: new Duration(0n) };

function position(list: ListValue, item: Value, indices: Iterable<number>): Value {
  for (const index of indices) {
    if (equals(list.at(index), item) === true) return BigInt(index);
  }
  return -1n;
}

function* upTo(size: number): Iterable<number> {
  for (let i = 0; i < size; i++) yield i;
}

function* downFrom(size: number): Iterable<number> {
  for (let i = size - 1; i >= 0; i--) yield i;
}

// ---- costs of Kubernetes' functions: one pass over everything in the list

/** Cost of passing over a value and all it holds. */
export function traversal(value: Value): number {
  if (typeof value === "string") return Math.floor(new TextEncoder().encode(value).length * characterCost);
  if (value instanceof Uint8Array) return Math.floor(value.length * characterCost);
  if (value instanceof ListValue) {
    let cost = 0;
    for (let i = 0; i < value.size; i++) cost += traversal(value.at(i));
    return cost;
  }
  if (!(value instanceof MapValue)) return 1;
  return value.keys().reduce<number>((cost, key) => cost + traversal(key) + traversal(value.get(key) as Value), 0);
}

/** Of strings and bytes, the characters count as well. */
function elementCost(site: CallSite): Range {
  const list = site.type(0);
  const kind = list.kind === "list" ? list.element.kind : "";
  const one = ranges.exactly(1);
  if (kind !== "string" && kind !== "bytes") return one;
  return ranges.add(one, ranges.scale(site.elementSize(0), characterCost));
}

const scanCost: CallCost = {
  run: (args) => traversal(args[0] as Value),
  estimate: (site) => ({
    cost:
      site.type(0).kind === "list"
        ? ranges.multiply(site.size(0), elementCost(site))
        : ranges.scale(site.size(0), characterCost),
  }),
};

const forEach = (
  types: readonly (readonly [string, CelType])[],
  make: (name: string, type: CelType) => Overload,
): Overload[] => types.map(([name, type]) => make(name, type));

const summable = comparable.filter(([name]) => name in zeros);

const kubernetesFunctions: Functions = {
  isSorted: forEach(comparable, (name, type) =>
    method(`list_${name}_is_sorted_bool`, { of: [listOf(type)], to: boolType, cost: scanCost }, isSorted),
  ),
  sum: forEach(summable, (name, type) =>
    method(
      `list_${name}_sum_${name}`,
      { of: [listOf(type)], to: type, cost: scanCost },
      onAlike((items) => items.reduce(add, zeros[name] as Value)),
    ),
  ),
  max: forEach(comparable, (name, type) =>
    method(`list_${name}_max_${name}`, { of: [listOf(type)], to: type, cost: scanCost }, extreme("max", 1)),
  ),
  min: forEach(comparable, (name, type) =>
    method(`list_${name}_min_${name}`, { of: [listOf(type)], to: type, cost: scanCost }, extreme("min", -1)),
  ),
  indexOf: [
    method("list_a_index_of_int", { of: [listOfA, paramA], to: intType, cost: scanCost }, ([list, item]) =>
      position(list as ListValue, item as Value, upTo((list as ListValue).size)),
    ),
  ],
  lastIndexOf: [
    method("list_a_last_index_of_int", { of: [listOfA, paramA], to: intType, cost: scanCost }, ([list, item]) =>
      position(list as ListValue, item as Value, downFrom((list as ListValue).size)),
    ),
  ],
};

/** Kubernetes' list functions. */
export const kubernetesLists: Library = { name: "kubernetes.lists", functions: kubernetesFunctions };

// ---- the language's list functions, version 3

function slice([list, first, last]: readonly Value[]): Value {
  const given = list as ListValue;
  const [start, end] = [first as bigint, last as bigint];
  if (start < 0n || end < 0n) {
    return new CelError(`cannot slice(${start}, ${end}), negative indexes not supported`);
  }
  if (start > end)
    return new CelError(`cannot slice(${start}, ${end}), start index must be less than or equal to end index`);
  if (end > BigInt(given.size)) return new CelError(`cannot slice(${start}, ${end}), list is length ${given.size}`);
  const items: Value[] = [];
  for (let i = Number(start); i < Number(end); i++) items.push(given.at(i));
  return new ArrayList(items);
}

function flattenInto(items: Value[], list: ListValue, depth: bigint): CelError | undefined {
  for (let i = 0; i < list.size; i++) {
    const item = list.at(i);
    if (item instanceof CelError) return item;
    if (depth > 0n && item instanceof ListValue) {
      const failure = flattenInto(items, item, depth - 1n);
      if (failure !== undefined) return failure;
    } else items.push(item);
  }
  return undefined;
}

function flatten([list, depth = 1n]: readonly Value[]): Value {
  if ((depth as bigint) < 0n) return new CelError("level must be non-negative");
  const items: Value[] = [];
  return flattenInto(items, list as ListValue, depth as bigint) ?? new ArrayList(items);
}

function sortByKeys([list, by]: readonly Value[]): Value {
  const items = elementsOf(list as ListValue);
  const keys = elementsOf(by as ListValue);
  if (items instanceof CelError) return items;
  if (keys instanceof CelError) return keys;
  const order = keys.map((key, index) => ({ key, item: items[index] as Value }));
  const kinds = new Set(keys.map((key) => (typeof key === "object" ? key?.constructor : typeof key)));
  if (kinds.size > 1) return new CelError("list elements must have the same type");
  return new ArrayList(order.sort((a, b) => compare(a.key, b.key)).map(({ item }) => item));
}

/** Elements that equal no earlier one. */
const distinct = onElements((items) => {
  const seen = new Set<string>();
  const others: Value[] = [];
  const unique = items.filter((item) => {
    const key = keyOf(item);
    if (key === undefined) {
      if (others.some((other) => equals(item, other) === true)) return false;
      others.push(item);
      return true;
    }
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
  return new ArrayList(unique);
});

const longestRange = 1_000_000n;

function range([count]: readonly Value[]): Value {
  const length = count as bigint;
  if (length > longestRange) return new CelError(`lists.range size ${length} exceeds the limit of ${longestRange}`);
  return new ArrayList(Array.from({ length: Math.max(Number(length), 0) }, (_none, index) => BigInt(index)));
}

/** A call, a new list, and so much for each of `count` elements. */
const allocated = (count: Range, factor: number): Range =>
  ranges.add(ranges.scale(count, factor), ranges.exactly(listCost + 1));

const allocatedRun = (count: number, factor: number): number =>
  Math.min(Math.floor(count * factor) + listCost + 1, unbounded);

const literalSize = (site: CallSite, index: number, otherwise: number): number => {
  const value = site.literal(index);
  return typeof value === "bigint" ? Math.max(Number(value), 0) : otherwise;
};

const sliceCost: CallCost = {
  settledOnly: true,
  byResult: true,
  run: (_args, result, sizes) => allocatedRun(sizeOf(result, sizes), 1),
  estimate(site) {
    const count = literalSize(site, 2, site.size(0).max) - literalSize(site, 1, 0);
    const size = ranges.exactly(count < 0 ? unbounded : count);
    return { cost: allocated(size, 1), size };
  },
};

const rangeCost: CallCost = {
  settledOnly: true,
  run: (args) => allocatedRun(Math.max(Number(args[0] as bigint), 0), 1),
  estimate(site) {
    const size = ranges.exactly(literalSize(site, 0, unbounded));
    return { cost: allocated(size, 1), size };
  },
};

const reverseCost: CallCost = {
  settledOnly: true,
  run: (args, _result, sizes) => allocatedRun(sizeOf(args[0], sizes), 1),
  estimate: (site) => ({ cost: allocated(site.size(0), 1), size: site.size(0) }),
};

const flattenCost: CallCost = {
  settledOnly: true,
  run: (args, _result, sizes) =>
    allocatedRun(sizeOf(args[0], sizes), args.length === 2 ? Number(args[1] as bigint) : 1),
  estimate(site) {
    const depth = site.count === 2 ? literalSize(site, 1, unbounded) : 1;
    return { cost: allocated(site.size(0), depth), size: site.size(0) };
  },
};

/** Each element against each, twice; strings cost a little more. `keys` is the list that is compared. */
const compareAllCost = (keys: number, element?: CelType): CallCost => ({
  settledOnly: true,
  run(args, _result, sizes) {
    const list = args[keys] as ListValue;
    const first = list.size === 0 ? null : list.at(0);
    const factor = typeof first === "string" || first instanceof Uint8Array ? 2 + characterCost : 2;
    return allocatedRun(sizeOf(list, sizes) ** 2, factor);
  },
  estimate(site) {
    const type = site.type(keys);
    const kind = (element ?? (type.kind === "list" ? type.element : dynType)).kind;
    const size = ranges.multiply(site.size(keys), site.size(keys));
    const factor = kind === "string" || kind === "bytes" ? 2 + characterCost : 2;
    return { cost: allocated(size, factor), size };
  },
});

const sortInput = "@__sortBy_input__";

/** `list.sortBy(x, key)`: sorted by what the key expression yields for each element. */
const sortBy: Macro = {
  name: "sortBy",
  receiver: true,
  arity: 2,
  expand(call) {
    const [variable, key] = call.args as readonly [Expr, Expr];
    const { offset } = call;
    const target = call.target as Expr;
    if (target.kind === "literal" || target.kind === "map" || target.kind === "struct") {
      return new MacroError(
        target,
        "sortBy can only be applied to a list, identifier, comprehension, call or select expression",
      );
    }
    if (variable.kind !== "ident") return new MacroError(variable, "argument is not an identifier");
    const input = (): Expr => identOf(offset, sortInput);
    const variables = { first: variable.name, second: undefined };
    const keys = loop({ ...call, target: input() }, variables, loops.list(offset, key));
    return bind(offset, { name: sortInput, value: target }, memberCall(input(), "@sortByAssociatedKeys", keys));
  },
};

const listFunctions: Functions = {
  slice: [method("list_slice", { of: [listOfA, intType, intType], to: listOfA, cost: sliceCost }, slice)],
  flatten: [
    { ...method("list_flatten", { of: [listOf(listOfA)], to: listOfA, cost: flattenCost }, flatten), unguarded: true },
    method("list_flatten_int", { of: [listOf(dynType), intType], to: listOf(dynType), cost: flattenCost }, flatten),
  ],
  sort: forEach(comparable, (name, type) =>
    method(`list_${name}_sort`, { of: [listOf(type)], to: listOf(type), cost: compareAllCost(0, type) }, ([list]) =>
      sortByKeys([list as Value, list as Value]),
    ),
  ),
  "@sortByAssociatedKeys": forEach(comparable, (name, type) =>
    method(
      `list_${name}_sortByAssociatedKeys`,
      { of: [listOfA, listOf(type)], to: listOfA, cost: compareAllCost(1, type) },
      sortByKeys,
    ),
  ),
  "lists.range": [global("lists_range", { of: [intType], to: listOf(intType), cost: rangeCost }, range)],
  reverse: [
    method(
      "list_reverse",
      { of: [listOfA], to: listOfA, cost: reverseCost },
      onElements((items) => new ArrayList(items.reverse())),
    ),
  ],
  distinct: [method("list_distinct", { of: [listOfA], to: listOfA, cost: compareAllCost(0) }, distinct)],
};

/** List functions, version 3. */
export const lists: Library = { name: "lists", functions: listFunctions, macros: [sortBy] };

// ---- sets

function holds(list: ListValue, item: Value): boolean {
  for (let i = 0; i < list.size; i++) if (equals(list.at(i), item) === true) return true;
  return false;
}

function containsAll(list: ListValue, part: ListValue): boolean {
  for (let i = 0; i < part.size; i++) if (!holds(list, part.at(i))) return false;
  return true;
}

function intersects(a: ListValue, b: ListValue): boolean {
  for (let i = 0; i < a.size; i++) if (holds(b, a.at(i))) return true;
  return false;
}

const pairsCost = (passes: number): CallCost => ({
  settledOnly: true,
  run: (args, _result, sizes) => Math.min(1 + sizeOf(args[0], sizes) * sizeOf(args[1], sizes) * passes, unbounded),
  estimate: (site) => ({
    cost: ranges.add(ranges.scale(ranges.multiply(site.size(0), site.size(1)), passes), ranges.exactly(1)),
  }),
});

const setFunction = (id: string, passes: number, test: (a: ListValue, b: ListValue) => boolean): Overload =>
  global(id, { of: [listOfA, listOfA], to: boolType, cost: pairsCost(passes) }, ([a, b]) =>
    test(a as ListValue, b as ListValue),
  );

/** Lists as sets. */
export const sets: Library = {
  name: "sets",
  functions: {
    "sets.contains": [setFunction("list_sets_contains_list", 1, containsAll)],
    "sets.intersects": [setFunction("list_sets_intersects_list", 1, intersects)],
    "sets.equivalent": [setFunction("list_sets_equivalent_list", 2, (a, b) => containsAll(a, b) && containsAll(b, a))],
  },
};
