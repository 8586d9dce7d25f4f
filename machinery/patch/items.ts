/**
 * Items of lists that are owned item by item.
 * Source: sigs.k8s.io/structured-merge-diff/v6/typed/helpers.go (listItemToPathElement)
 */
import { type Step, keyStep, valueStep } from "./element.ts";
import { isPlain, read } from "./plain.ts";
import type { ListType } from "./types.ts";

/** A value does not have the form that its type asks for. */
export class BadValue extends Error {
  override readonly name = "BadValue";
}

/**
 * The step of an item.
 * @throws {BadValue} when nothing tells the item apart
 */
export function stepOfItem(list: ListType, item: unknown): Step {
  return list.keys.length > 0 ? stepOfKeyed(list, item) : stepOfScalar(item);
}

function stepOfKeyed(list: ListType, item: unknown): Step {
  if (item === null) throw new BadValue("associative list with keys may not have a null element");
  if (!isPlain(item)) throw new BadValue("associative list with keys may not have non-map elements");
  const fields: [string, unknown][] = [];
  for (const key of list.keys) {
    const value = read(item, key) ?? (Object.hasOwn(item, key) ? null : list.keyDefault(key));
    if (value !== undefined) fields.push([key, value]);
  }
  if (fields.length > 0) return keyStep(fields);
  const names = list.keys.map((key) => JSON.stringify(key)).join(" ");
  throw new BadValue(
    `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`,
  );
}

function stepOfScalar(item: unknown): Step {
  if (item === null) throw new BadValue("associative list without keys has an element that's an explicit null");
  if (Array.isArray(item)) throw new BadValue("not supported: associative list with lists as elements");
  if (typeof item === "object") {
    throw new BadValue("associative list without keys has an element that's a map type");
  }
  return valueStep(item);
}

/**
 * A list's items by their steps, in the order the steps first come. Most steps have one item.
 * @throws {BadValue}
 */
export function itemsByStep(list: ListType, items: readonly unknown[]): Map<Step, unknown[]> {
  const found = new Map<Step, unknown[]>();
  for (const item of items) {
    const step = stepOfItem(list, item);
    const twins = found.get(step);
    if (twins === undefined) found.set(step, [item]);
    else twins.push(item);
  }
  return found;
}
