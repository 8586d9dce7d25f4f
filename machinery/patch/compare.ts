/**
 * What changed between two objects, as sets of fields.
 *
 * A field with something below it counts as added or removed itself, too, when it was not there before or is not there
 * any more; that makes the `"."` of an owner's fields. A change of a list or object that is owned as one is a change of
 * that one field.
 *
 * Source: sigs.k8s.io/structured-merge-diff/v6/typed/compare.go
 */
import { deepEqual } from "../equal.ts";
import type { Step } from "./element.ts";
import { type Field, type FieldFilter, type FieldSet, leaf, memberWith, noFields, setOf, union } from "./fieldset.ts";
import { itemsByStep } from "./items.ts";
import { type Plain, isEmpty, read } from "./plain.ts";
import {
  type FieldOf,
  type FieldType,
  type ListType,
  type MapType,
  type Shape,
  deduced,
  fieldsOf,
  itemsOf,
  shapeOf,
} from "./types.ts";

/** Fields that changed. A field that changed its shape may be in several sets. */
export interface Changes {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

/** Nodes of one field in each set; undefined where nothing changed. */
type Change = { readonly [Kind in keyof Changes]: FieldSet | undefined };

/**
 * Compares two objects of a type.
 * @throws {BadValue} for an item that cannot be told apart from others
 */
export function compareObjects(type: FieldType, before: object, after: object): Changes {
  const change = compare(type, before, after);
  return {
    added: change?.added ?? noFields,
    modified: change?.modified ?? noFields,
    removed: change?.removed ?? noFields,
  };
}

/** The changes of the fields that a filter keeps. */
export function filterChanges(changes: Changes, filter: FieldFilter | undefined): Changes {
  if (filter === undefined) return changes;
  return { added: filter(changes.added), modified: filter(changes.modified), removed: filter(changes.removed) };
}

const modified: Change = { added: undefined, modified: leaf, removed: undefined };

/** Compares two values of a field; undefined stands for one that is not there. */
function compare(type: FieldType, before: unknown, after: unknown): Change | undefined {
  if (before === after) return undefined;
  if (before === undefined) return { added: wholeNode(type, after), modified: undefined, removed: undefined };
  if (after === undefined) return { added: undefined, modified: undefined, removed: wholeNode(type, before) };
  // Most of an object is as before: it is not looked at field by field.
  if (deepEqual(before, after)) return undefined;
  const was = shapeOf(type, before);
  const is = shapeOf(type, after);
  const change = compareAs(type, is, { before, after });
  return was === is ? change : both(compareAs(type, was, { before, after }), change);
}

interface Pair {
  readonly before: unknown;
  readonly after: unknown;
}

/** Compares two values that are not the same. */
function compareAs(type: FieldType, shape: Shape, pair: Pair): Change | undefined {
  if (shape === "map" && type.map !== undefined && !type.map.atomic) return compareMaps(type.map, pair);
  if (shape === "list" && type.list !== undefined && !type.list.atomic) return compareLists(type.list, pair);
  return modified;
}

function compareMaps(map: MapType, pair: Pair): Change | undefined {
  const before = fieldsOf(pair.before) ?? none;
  const after = fieldsOf(pair.after) ?? none;
  // An empty object, null and nothing are told apart as one value.
  if (isEmpty(before) && isEmpty(after)) return modified;
  const found = new Found();
  for (const name of Object.keys(before)) {
    const now = read(after, name);
    if (before[name] !== now) compareField(found, map.field(name), { before: before[name], after: now });
  }
  for (const name of Object.keys(after)) {
    if (!Object.hasOwn(before, name)) compareField(found, map.field(name), { before: undefined, after: after[name] });
  }
  return found.change();
}

function compareField(found: Found, { step, type = deduced }: FieldOf, { before, after }: Pair): void {
  found.add(step, compare(type, before, after));
}

const none: Plain = Object.freeze({});
const noItems: readonly unknown[] = [];

function compareLists(list: ListType, pair: Pair): Change | undefined {
  const before = itemsOf(pair.before) ?? noItems;
  const after = itemsOf(pair.after) ?? noItems;
  if (before.length === 0 && after.length === 0) return modified;
  const found = new Found();
  const old = itemsByStep(list, before);
  const now = itemsByStep(list, after);
  for (const [step, was] of old) found.add(step, compareItems(list, was, now.get(step) ?? noItems));
  for (const [step, is] of now) if (!old.has(step)) found.add(step, compareItems(list, noItems, is));
  return found.change();
}

/** Compares the items of one step. Several of one step are owned as one. */
function compareItems(list: ListType, before: readonly unknown[], after: readonly unknown[]): Change | undefined {
  if (before.length < 2 && after.length < 2) return compare(list.item, before[0], after[0]);
  if (before.length > 1 && after.length > 1) return deepEqual(before, after) ? undefined : modified;
  const repeated = before.length > 1 ? "removed" : "added";
  const single = before.length > 1 ? compare(list.item, undefined, after[0]) : compare(list.item, before[0], undefined);
  return both(single, { added: undefined, modified: undefined, removed: undefined, [repeated]: leaf });
}

/** The node of a value that was not there before, or is not there after: it and all below it. */
function wholeNode(type: FieldType, value: unknown): FieldSet {
  const shape = shapeOf(type, value);
  if (shape === "map" && type.map !== undefined && !type.map.atomic) return memberWith(wholeFields(type.map, value));
  if (shape === "list" && type.list !== undefined && !type.list.atomic) return memberWith(wholeItems(type.list, value));
  return leaf;
}

function wholeFields(map: MapType, value: unknown): Field[] {
  const fields = fieldsOf(value) ?? none;
  const nodes: Field[] = [];
  for (const name of Object.keys(fields)) {
    const { step, type = deduced } = map.field(name);
    if (fields[name] !== undefined) nodes.push([step, wholeNode(type, fields[name])]);
  }
  return nodes;
}

function wholeItems(list: ListType, value: unknown): Field[] {
  return [...itemsByStep(list, itemsOf(value) ?? noItems)].map(([step, items]) => [
    step,
    items.length === 1 ? wholeNode(list.item, items[0]) : leaf,
  ]);
}

function both(a: Change | undefined, b: Change | undefined): Change | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return {
    added: bothNodes(a.added, b.added),
    modified: bothNodes(a.modified, b.modified),
    removed: bothNodes(a.removed, b.removed),
  };
}

function bothNodes(a: FieldSet | undefined, b: FieldSet | undefined): FieldSet | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  // Below one step, so that nodes are united as nodes: an empty one is a field, not nothing.
  return union({ "f:": a }, { "f:": b })["f:"];
}

/** Changes below one field, gathered by kind. */
class Found {
  readonly #fields: { readonly [Kind in keyof Changes]: Field[] } = { added: [], modified: [], removed: [] };

  add(step: Step, change: Change | undefined): void {
    if (change === undefined) return;
    if (change.added !== undefined) this.#fields.added.push([step, change.added]);
    if (change.modified !== undefined) this.#fields.modified.push([step, change.modified]);
    if (change.removed !== undefined) this.#fields.removed.push([step, change.removed]);
  }

  change(): Change | undefined {
    const { added, modified: altered, removed } = this.#fields;
    if (added.length + altered.length + removed.length === 0) return undefined;
    return { added: nodeOf(added), modified: nodeOf(altered), removed: nodeOf(removed) };
  }
}

function nodeOf(fields: readonly Field[]): FieldSet | undefined {
  return fields.length === 0 ? undefined : setOf(fields);
}
