/**
 * Lists in a strategic merge patch: merging items, and the order they end up in.
 *
 * Order of a merged list: the items the patch speaks of come in the patch's order (or that of `$setElementOrder`), the
 * others in the order they had; the two are interleaved by the order they had.
 *
 * Source: k8s.io/apimachinery/pkg/util/strategicpatch/patch.go (mergeSlice, normalizeElementOrder, mergeSortedSlice)
 */
import type { Schema } from "../schema/schema.ts";
import { StatusError } from "../status.ts";
import { type Plain, isPlain, read } from "./plain.ts";

/** How the schema says a list is patched. */
export interface MergedList {
  /** The field that tells items apart, "" for lists of scalars. */
  readonly key: string;
  /** Whether items are merged; the list is replaced otherwise. */
  readonly merge: boolean;
  readonly items: Schema | undefined;
}

/** A merged list and the function that merges two of its objects. */
export interface ListMerge extends MergedList {
  mergeItems(schema: Schema | undefined, original: Plain, patch: Plain): Plain;
}

/** A patch of a form that no server could understand: 400. */
export function badPatch(message: string): StatusError {
  return new StatusError("BadRequest", message);
}

/** What upstream reports as a plain error: 500 without a reason. */
export function failed(message: string): StatusError {
  return new StatusError("Unknown", message, { code: 500 });
}

/** A list without some values. */
export function removeValues(list: readonly unknown[], removed: readonly unknown[]): unknown[] {
  if (list.length === 0 && removed.length === 0) return [];
  elementKind([list, removed]);
  const gone = new Set(removed);
  return list.filter((item) => !gone.has(item));
}

/** Merges a patch's items into a list and puts them in order. */
export function mergeLists(list: ListMerge, original: readonly unknown[], patch: readonly unknown[]): unknown[] {
  if (original.length === 0 && patch.length === 0) return [];
  if (elementKind([original, patch]) === "scalar") {
    const { inside, outside } = partition([...new Set([...original, ...patch])], identify(patch, ""), "");
    return interleave(inOrder(inside, patch, ""), inOrder(outside, original, ""), { order: original, key: "" });
  }
  if (list.key === "") throw failed("cannot merge lists without merge key");
  const { kept, wanted } = obeyItemMarkers(list.key, original as Plain[], patch as Plain[]);
  const merged = mergeKeyed(list, kept, wanted);
  const { inside, outside } = partition(merged, identify(wanted, list.key), list.key);
  return interleave(inOrder(inside, wanted, list.key), inOrder(outside, kept, list.key), {
    order: kept,
    key: list.key,
  });
}

/**
 * Puts a list in the order that `$setElementOrder` gives.
 * @param merged the list with the patch merged in; undefined only checks the patch's order
 * @throws {StatusError} Unknown (500) when the patch's own items stand in another order, or are not in the order list
 */
export function orderLists({
  list,
  all,
  merged,
}: {
  readonly list: MergedList;
  readonly all: {
    readonly original: readonly unknown[];
    readonly patch: readonly unknown[];
    readonly order: readonly unknown[];
  };
  readonly merged: readonly unknown[] | undefined;
}): unknown[] {
  checkOrder(all.patch, all.order, list.key);
  if (merged === undefined) return [];
  if (list.key !== "") refuseKeyless(list.key, merged, all.order);
  const { inside, outside } = partition(merged, identify(all.order, list.key), list.key);
  const key = elementKind([all.original, all.patch]) === "scalar" ? "" : list.key;
  return interleave(inOrder(inside, all.order, key), inOrder(outside, all.original, key), { order: all.original, key });
}

/** The patch's items must come in the order list, in the same order; deletions do not count. */
function checkOrder(patch: readonly unknown[], order: readonly unknown[], key: string): void {
  if (patch.length === 0 || order.length === 0) return;
  let next = 0;
  for (const item of patch) {
    if (isPlain(item) && Object.hasOwn(item, "$patch")) continue;
    while (next < order.length && !sameItem(item, order[next], key)) next++;
    if (next++ >= order.length) throw failed("The order in patch list doesn't match $setElementOrder list");
  }
}

function sameItem(a: unknown, b: unknown, key: string): boolean {
  if (key === "") return a === b;
  if (!isPlain(a) || !isPlain(b)) throw failed("expected a map");
  refuseKeyless(key, [a], [b]);
  return a[key] === b[key];
}

/** Applies the `$patch` of items: `delete` takes items of that key out, `replace` the whole list. */
function obeyItemMarkers(key: string, original: Plain[], patch: Plain[]): { kept: Plain[]; wanted: Plain[] } {
  const wanted: Plain[] = [];
  const gone = new Set<unknown>();
  let replace = false;
  for (const item of patch) {
    const directive = read(item, "$patch");
    if (!Object.hasOwn(item, "$patch")) wanted.push(item);
    else if (directive === "replace") replace = true;
    else if (directive === "delete") gone.add(keyOf(item, key));
    else if (directive === "merge") throw failed("merging lists cannot yet be specified in the patch");
    else throw failed(`unknown patch type: ${String(directive)} in map`);
  }
  if (replace) return { kept: wanted, wanted: [] };
  return { kept: original.filter((item) => !Object.hasOwn(item, key) || !gone.has(item[key])), wanted };
}

function mergeKeyed(list: ListMerge, original: readonly Plain[], patch: readonly Plain[]): Plain[] {
  const merged = [...original];
  const places = new Map<unknown, number>();
  merged.forEach((item, i) => {
    const value = read(item, list.key);
    if (value !== undefined && !places.has(value)) places.set(value, i);
  });
  for (const item of patch) {
    const value = keyOf(item, list.key);
    const place = places.get(value);
    if (place === undefined) places.set(value, merged.push(item) - 1);
    else merged[place] = list.mergeItems(list.items, merged[place] ?? {}, item);
  }
  return merged;
}

function keyOf(item: unknown, key: string): unknown {
  if (!isPlain(item)) throw failed("expected a map");
  if (!Object.hasOwn(item, key)) throw failed(`map does not contain declared merge key: ${key}`);
  const value = item[key];
  if (typeof value === "object" && value !== null) throw failed(`merge key ${key} is no scalar`);
  return value;
}

function refuseKeyless(key: string, ...lists: readonly (readonly unknown[])[]): void {
  for (const list of lists) for (const item of list) keyOf(item, key);
}

/** What tells an item from others: itself, or its merge key. */
function identityOf(item: unknown, key: string): unknown {
  if (key === "") return item;
  return isPlain(item) ? read(item, key) : undefined;
}

function identify(items: readonly unknown[], key: string): ReadonlySet<unknown> {
  return new Set(items.map((item) => identityOf(item, key)));
}

function partition(
  items: readonly unknown[],
  by: ReadonlySet<unknown>,
  key: string,
): { inside: unknown[]; outside: unknown[] } {
  if (key !== "") refuseKeyless(key, items);
  const inside: unknown[] = [];
  const outside: unknown[] = [];
  for (const item of items) (by.has(identityOf(item, key)) ? inside : outside).push(item);
  return { inside, outside };
}

function placesOf(order: readonly unknown[], key: string): Map<unknown, number> {
  const places = new Map<unknown, number>();
  order.forEach((item, i) => {
    const identity = identityOf(item, key);
    if (!places.has(identity)) places.set(identity, i);
  });
  return places;
}

/** Items sorted by their places in `order`; items to be deleted come last. */
function inOrder(items: readonly unknown[], order: readonly unknown[], key: string): unknown[] {
  if (key !== "") refuseKeyless(key, items, order);
  const places = placesOf(order, key);
  const deleted = (item: unknown): boolean => isPlain(item) && read(item, "$patch") === "delete";
  const kept = key === "" ? [...items] : items.filter((item) => !deleted(item));
  const place = (item: unknown): number => places.get(identityOf(item, key)) ?? order.length;
  kept.sort((a, b) => place(a) - place(b));
  return key === "" ? kept : [...kept, ...items.filter(deleted)];
}

/** Puts the server's own items between those of the patch where the order they had says so. */
function interleave(
  patched: readonly unknown[],
  own: readonly unknown[],
  { order, key }: { order: readonly unknown[]; key: string },
): unknown[] {
  const places = placesOf(order, key);
  const result: unknown[] = [];
  let next = 0;
  for (const item of patched) {
    const place = places.get(identityOf(item, key));
    while (place !== undefined && next < own.length) {
      const ownPlace = places.get(identityOf(own[next], key));
      if (ownPlace === undefined || ownPlace > place) break;
      result.push(own[next++]);
    }
    result.push(item);
  }
  return [...result, ...own.slice(next)];
}

/**
 * The one kind all elements have.
 * @throws {StatusError} Invalid for lists of lists, Unknown (500) for mixed lists
 */
function elementKind(lists: readonly (readonly unknown[])[]): "object" | "scalar" {
  let kind: string | undefined;
  for (const item of lists.flat()) {
    const own = Array.isArray(item) ? "list" : typeof item;
    if (own === "list" && kind === undefined) throw listOfLists();
    if (item === null || (kind !== undefined && kind !== own)) throw failed("list element types are not identical");
    kind = own;
  }
  if (kind === undefined) throw failed("no elements in any of the given slices");
  return kind === "object" ? "object" : "scalar";
}

function listOfLists(): StatusError {
  return new StatusError("Invalid", "the server rejected our request due to an error in our request", {
    cause: new Error("lists of lists are not supported"),
    details: {},
  });
}
