/**
 * What calls cost, before and while they run. Costs are whole numbers; one is about 50 ns of upstream's time.
 * The figures decide which rules a CRD may have, so they must equal upstream's.
 * Source: cel-go common/cost.go, checker/cost.go, interpreter/runtimecost.go; k8s.io/apiserver/pkg/cel/library/cost.go
 */
import type { LiteralValue } from "./ast.ts";
import type { CelType } from "./types.ts";
import { ListValue, MapValue, OpaqueValue, OptionalValue, type Value } from "./values.ts";

/** Stands for a size or cost without bound; sums and products stop here. */
export const unbounded = 2 ** 64;

/** Least and most of a size or a cost. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Cost of reading an identifier or a field. */
export const readCost = 1;
export const listCost = 10;
export const mapCost = 30;
export const structCost = 40;
/** Cost of passing over one character. */
export const characterCost = 0.1;
/** Cost of one character of a regular expression, for each character cost of the text. */
export const patternCost = 0.25;

const saturate = (value: number): number => (value >= unbounded ? unbounded : value);

/** Arithmetic on ranges that never goes beyond `unbounded`. */
export const ranges = {
  exactly: (value: number): Range => ({ min: value, max: value }),
  unknown: { min: 0, max: unbounded },
  add: (a: Range, b: Range): Range => ({ min: saturate(a.min + b.min), max: saturate(a.max + b.max) }),
  multiply: (a: Range, b: Range): Range => ({ min: saturate(a.min * b.min), max: saturate(a.max * b.max) }),
  /** Rounded up. */
  scale: (a: Range, factor: number): Range => ({ min: scaled(a.min, factor), max: scaled(a.max, factor) }),
  union: (a: Range, b: Range): Range => ({ min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) }),
} as const;

/** `value` times `factor`, rounded up. */
export const scaled = (value: number, factor: number): number => saturate(Math.ceil(value * factor));

/** Sizes of values at run time: code points, bytes, elements, entries; 1 for what has no size. */
export interface Sizes {
  length(text: string): number;
}

/** What an estimate may ask about a call; arguments count from the receiver, if there is one. */
export interface CallSite {
  /** How many arguments, the receiver included. */
  readonly count: number;
  readonly member: boolean;
  size(index: number): Range;
  /** Size of the elements of a list argument. */
  elementSize(index: number): Range;
  type(index: number): CelType;
  literal(index: number): LiteralValue | undefined;
}

/** Estimate of one call: what it adds to the cost of its arguments, and how big its result gets, when it says. */
export interface CallEstimate {
  readonly cost: Range;
  readonly size?: Range;
}

/** Both sides of a function's cost. */
export interface CallCost {
  /** While it runs, the cost holds only where checking settled the overload; a call left to run time costs 1. */
  readonly settledOnly?: boolean;
  /** The cost depends on the result, so it is known only afterwards. Any other call pays before it runs. */
  readonly byResult?: boolean;
  run(args: readonly Value[], result: Value, sizes: Sizes): number;
  estimate(site: CallSite): CallEstimate;
}

/** Size of a value at run time. */
export function sizeOf(value: Value | undefined, sizes: Sizes): number {
  if (typeof value === "string") return sizes.length(value);
  if (value instanceof ListValue || value instanceof MapValue) return value.size;
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof OpaqueValue) return value.size;
  return value instanceof OptionalValue && value.value !== undefined ? sizeOf(value.value, sizes) : 1;
}

/** The lesser of two sizes. Of two strings it counts only what it must. */
function lesserSize(a: Value | undefined, b: Value | undefined, sizes: Sizes): number {
  if (typeof a === "string" && typeof b === "string") {
    // A string has at least half as many code points as UTF-16 units.
    if (a.length * 2 <= b.length) return sizes.length(a);
    if (b.length * 2 <= a.length) return sizes.length(b);
  }
  return Math.min(sizeOf(a, sizes), sizeOf(b, sizes));
}

/** The same, whatever the arguments. */
export const fixedCost = (cost: number): CallCost => ({
  run: () => cost,
  estimate: () => ({ cost: ranges.exactly(cost) }),
});

/** One or two passes over an argument; `sized` when the result is about as big. */
export const traversalCost = (index: number, options: { passes?: number; sized?: boolean } = {}): CallCost => {
  const passes = options.passes ?? 1;
  return {
    run: (args, _result, sizes) => Math.ceil(sizeOf(args[index], sizes) * passes * characterCost),
    estimate(site) {
      const size = site.size(index);
      const cost = ranges.scale(size, passes * characterCost);
      return options.sized === true ? { cost, size } : { cost };
    },
  };
};

/** Text of argument `text` against the pattern of argument `pattern`. */
export const matchCost = (text: number, pattern: number, sized = false): CallCost => ({
  run(args, _result, sizes) {
    const textCost = Math.ceil((1 + sizeOf(args[text], sizes)) * characterCost);
    return saturate(textCost * Math.ceil(sizeOf(args[pattern], sizes) * patternCost));
  },
  estimate(site) {
    const size = site.size(text);
    const textCost = ranges.scale(ranges.add(size, ranges.exactly(1)), characterCost);
    const cost = ranges.multiply(textCost, ranges.scale(site.size(pattern), patternCost));
    return sized ? { cost, size: { min: 0, max: size.max } } : { cost };
  },
});

/** One argument searched for another. */
export const searchCost: CallCost = {
  settledOnly: true,
  run: (args, _result, sizes) =>
    saturate(Math.ceil(sizeOf(args[0], sizes) * characterCost) * Math.ceil(sizeOf(args[1], sizes) * characterCost)),
  estimate: (site) => ({
    cost: ranges.multiply(ranges.scale(site.size(0), characterCost), ranges.scale(site.size(1), characterCost)),
  }),
};

/** Two values side by side, up to the end of the shorter. */
export const comparisonCost: CallCost = {
  settledOnly: true,
  run: (args, _result, sizes) => Math.ceil(lesserSize(args[0], args[1], sizes) * characterCost),
  estimate(site) {
    const most = Math.min(site.size(0).max, site.size(1).max);
    return { cost: ranges.scale({ min: most > 0 ? 1 : 0, max: most }, characterCost) };
  },
};

/** Both strings, copied into one. */
export const joinCost: CallCost = {
  settledOnly: true,
  run: (args, _result, sizes) => Math.ceil((sizeOf(args[0], sizes) + sizeOf(args[1], sizes)) * characterCost),
  estimate(site) {
    const size = ranges.add(site.size(0), site.size(1));
    return { cost: ranges.scale(size, characterCost), size };
  },
};

/** Two lists seen as one. */
export const concatenationCost: CallCost = {
  settledOnly: true,
  run: () => 1,
  estimate: (site) => ({ cost: ranges.exactly(1), size: ranges.add(site.size(0), site.size(1)) }),
};

/** A list searched element by element. */
export const membershipCost: CallCost = {
  settledOnly: true,
  run: (args, _result, sizes) => sizeOf(args[1], sizes),
  estimate: (site) => ({ cost: site.size(1) }),
};

/** A string turned into bytes or back; `grows` is how far the size can change. */
export const encodingCost = (shrink: number, grow: number): CallCost => ({
  settledOnly: true,
  run: (args, _result, sizes) => Math.ceil(sizeOf(args[0], sizes) * characterCost),
  estimate(site) {
    const size = site.size(0);
    return {
      cost: ranges.scale(size, characterCost),
      size: { min: Math.floor(size.min / shrink), max: saturate(size.max * grow) },
    };
  },
});
