/** Sums of amounts by resource. Source: k8s.io/apiserver/pkg/quota/v1/resources.go */
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  subtractQuantities,
} from "@atoll/machinery/quantity";

/** Amounts by resource. */
export type Amounts = ReadonlyMap<string, Quantity>;

const none: Quantity = { value: 0n, scale: 0, format: "DecimalSI" };

/** Amounts as objects have them, read. @throws {QuantityError} */
export function parseAmounts(amounts: Readonly<Record<string, string>> | undefined): Map<string, Quantity> {
  return new Map(Object.entries(amounts ?? {}).map(([name, amount]) => [name, parseQuantity(amount)]));
}

/** As objects have them, in the order of their names. */
export function formatAmounts(amounts: Amounts): Record<string, string> {
  return Object.fromEntries(sorted(amounts).map(([name, amount]) => [name, formatQuantity(amount)]));
}

/** `cpu=1,memory=1Gi` */
export function tellAmounts(amounts: Amounts): string {
  return sorted(amounts)
    .map(([name, amount]) => `${name}=${formatQuantity(amount)}`)
    .join(",");
}

function sorted(amounts: Amounts): readonly (readonly [name: string, amount: Quantity])[] {
  return [...amounts].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Both together. */
export function add(a: Amounts, b: Amounts): Map<string, Quantity> {
  const sum = new Map(a);
  for (const [name, amount] of b) sum.set(name, addQuantities(sum.get(name) ?? none, amount));
  return sum;
}

/** What of `a` is more than in `b`, and nothing else. */
export function excess(a: Amounts, b: Amounts): Map<string, Quantity> {
  const more = new Map<string, Quantity>();
  for (const [name, amount] of a) {
    const rest = subtractQuantities(amount, b.get(name) ?? none);
    if (rest.value > 0n) more.set(name, rest);
  }
  return more;
}

/** `a` without `b`, of what `a` has; never below nothing. */
export function less(a: Amounts, b: Amounts): Map<string, Quantity> {
  const rest = new Map(a);
  for (const [name, amount] of b) {
    const before = rest.get(name);
    if (before === undefined) continue;
    const left = subtractQuantities(before, amount);
    rest.set(name, left.value > 0n ? left : { ...none, format: before.format });
  }
  return rest;
}

/** Of each the smaller, of what both have. */
export function smaller(a: Amounts, b: Amounts): Map<string, Quantity> {
  const both = new Map<string, Quantity>();
  for (const [name, amount] of a) {
    const other = b.get(name);
    if (other !== undefined) both.set(name, compareQuantities(amount, other) > 0 ? other : amount);
  }
  return both;
}

/** Only what is named. */
export function only(amounts: Amounts, names: Iterable<string>): Map<string, Quantity> {
  const wanted = new Set(names);
  return new Map([...amounts].filter(([name]) => wanted.has(name)));
}

/** Names of what is above what there may be. */
export function above(amounts: Amounts, most: Amounts): readonly string[] {
  return [...amounts]
    .filter(([name, amount]) => {
      const limit = most.get(name);
      return limit !== undefined && compareQuantities(amount, limit) > 0;
    })
    .map(([name]) => name);
}
