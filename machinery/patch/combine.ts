/**
 * Making objects from objects and field sets: an applied configuration merged into the live object, fields taken out,
 * sets brought in line with a schema.
 * Source: sigs.k8s.io/structured-merge-diff/v6/typed (merge.go, remove.go, reconcile_schema.go), fieldpath/set.go
 */
import type { Step } from "./element.ts";
import { type FieldSet, isMember, leaf, self } from "./fieldset.ts";
import { stepOfItem } from "./items.ts";
import { type Plain, isEmpty, read, write } from "./plain.ts";
import { type FieldType, type ListType, type MapType, deduced, fieldsOf, itemsOf, shapeOf } from "./types.ts";

/**
 * Merges a configuration into an object; the configuration wins. Items of lists are merged by what tells them apart; the
 * configuration's come in its order, the object's own stay near their neighbours.
 * @returns shares structure with both
 * @throws {BadValue}
 */
export function mergeConfiguration(type: FieldType, live: unknown, applied: unknown): unknown {
  if (applied === undefined || live === applied) return live;
  if (live === undefined) return applied;
  const shape = shapeOf(type, applied);
  if (shape !== shapeOf(type, live)) return applied;
  if (shape === "map" && type.map !== undefined && !type.map.atomic) return mergeMaps(type.map, live, applied);
  if (shape === "list" && type.list !== undefined && !type.list.atomic) return mergeLists(type.list, live, applied);
  return applied;
}

function mergeMaps(map: MapType, live: unknown, applied: unknown): unknown {
  const left = fieldsOf(live);
  const right = fieldsOf(applied);
  if (left === undefined || isEmpty(left)) return applied;
  // Nothing applied over something leaves it as it is, even when the nothing is null.
  if (right === undefined) return live;
  let merged = left;
  for (const name of Object.keys(right)) {
    const before = read(left, name);
    const after = mergeConfiguration(map.field(name).type ?? deduced, before, right[name]);
    if (after === before) continue;
    if (merged === left) merged = { ...left };
    write(merged, name, after);
  }
  return merged;
}

function mergeLists(list: ListType, live: unknown, applied: unknown): unknown {
  const left = itemsOf(live) ?? [];
  const right = itemsOf(applied) ?? [];
  if (left.length === 0) return applied;
  if (right.length === 0) return live;
  return new ListMerge(list, left, right).run();
}

/** One list merged into another, going through both at once. */
class ListMerge {
  readonly #list: ListType;
  readonly #left: readonly unknown[];
  readonly #right: readonly unknown[];
  readonly #leftSteps: readonly Step[];
  readonly #rightSteps: readonly Step[];
  /** The live item of a step; undefined when several have it: those are not merged. */
  readonly #live = new Map<Step, unknown>();
  readonly #applied: ReadonlySet<Step>;
  readonly #done = new Set<Step>();
  /** Steps of both lists, in the configuration's order, that are still to come. */
  readonly #shared: Step[];
  readonly #out: unknown[] = [];

  constructor(list: ListType, left: readonly unknown[], right: readonly unknown[]) {
    this.#list = list;
    this.#left = left;
    this.#right = right;
    this.#leftSteps = left.map((item) => stepOfItem(list, item));
    this.#rightSteps = right.map((item) => stepOfItem(list, item));
    this.#applied = new Set(this.#rightSteps);
    this.#leftSteps.forEach((step, i) => this.#live.set(step, this.#live.has(step) ? undefined : left[i]));
    this.#shared = this.#rightSteps.filter((step) => this.#live.has(step)).toReversed();
  }

  run(): unknown[] {
    let l = 0;
    let r = 0;
    while (l < this.#left.length || r < this.#right.length) {
      const mine = this.#leftSteps[l];
      const theirs = this.#rightSteps[r];
      if (mine !== undefined && mine === theirs) {
        this.#take(r++);
        this.#shared.pop();
        l++;
      } else if (mine !== undefined && theirs !== undefined && this.#comesLater(mine)) l++;
      else if (mine !== undefined && !this.#applied.has(mine)) this.#out.push(this.#left[l++]);
      else {
        if (mine !== undefined && this.#done.has(mine)) l++;
        if (theirs !== undefined) this.#takeShared(r++, theirs);
      }
    }
    return this.#out;
  }

  /** A live item that the configuration has too, but elsewhere than here. */
  #comesLater(step: Step): boolean {
    const next = this.#shared.at(-1);
    return this.#applied.has(step) && next !== undefined && next !== step;
  }

  #takeShared(r: number, step: Step): void {
    this.#take(r);
    if (this.#shared.at(-1) === step) this.#shared.pop();
  }

  #take(r: number): void {
    const step = this.#rightSteps[r] ?? "";
    this.#done.add(step);
    this.#out.push(mergeConfiguration(this.#list.item, this.#live.get(step), this.#right[r]));
  }
}

/**
 * An object without some fields. An object of which nothing is left stays, empty; a list owned by items becomes null.
 * @returns shares structure with the object
 */
export function removeFields(type: FieldType, value: unknown, fields: FieldSet): unknown {
  const shape = shapeOf(type, value);
  if (shape === "map") return type.map?.atomic === false ? removeFromMap(type.map, value, fields) : null;
  if (shape === "list") return type.list?.atomic === false ? removeFromList(type.list, value, fields) : null;
  return value;
}

function removeFromMap(map: MapType, value: unknown, fields: FieldSet): unknown {
  const object = fieldsOf(value);
  if (object === undefined || isEmpty(object)) return null;
  const rest: Plain = {};
  for (const name of Object.keys(object)) {
    const { step, type } = map.field(name);
    const node = fields[step];
    if (node === undefined) write(rest, name, object[name]);
    else if (!isMember(node)) write(rest, name, removeFields(type ?? deduced, object[name], node));
  }
  return rest;
}

function removeFromList(list: ListType, value: unknown, fields: FieldSet): unknown {
  const rest: unknown[] = [];
  for (const item of itemsOf(value) ?? []) {
    const node = fields[stepOfItem(list, item)];
    if (node === undefined) rest.push(item);
    else if (!isMember(node)) rest.push(removeFields(list.item, item, node));
  }
  return rest.length > 0 ? rest : null;
}

/**
 * A set to which declared fields that have something below them belong themselves.
 * @returns the same set when all of them do
 */
export function withNamedFields(set: FieldSet, type: FieldType | undefined): FieldSet {
  return namedBelow(set, type) ?? set;
}

/** A node's or set's steps with named fields; undefined when nothing changes. */
function namedBelow(set: FieldSet, type: FieldType | undefined): Record<Step, FieldSet> | undefined {
  let changed: Record<Step, FieldSet> | undefined;
  for (const step in set) {
    const node = set[step] ?? leaf;
    if (node === leaf || step === self) continue;
    const inner = namedBelow(node, typeBelow(type, step)) ?? node;
    const named = !(self in inner) && step.startsWith("f:") && type?.map?.field(step.slice(2)).declared === true;
    const next = named && !isEmpty(inner) ? { [self]: leaf, ...inner } : inner;
    if (next === node) continue;
    changed ??= { ...set };
    changed[step] = next;
  }
  return changed;
}

function typeBelow(type: FieldType | undefined, step: Step): FieldType | undefined {
  if (step.startsWith("f:")) return type?.map?.field(step.slice(2)).type;
  return step.startsWith("k:") ? type?.list?.item : undefined;
}

/**
 * A set brought in line with a schema: where a field is now owned as one, who owned something below it owns it.
 * @returns the same set when nothing is out of line
 */
export function reconcileWithSchema(set: FieldSet, type: FieldType): FieldSet {
  return reconcileBelow(set, type);
}

function reconcileNode(node: FieldSet, type: FieldType): FieldSet {
  if (type.map !== undefined) {
    if (type.map.open) return node;
    return type.map.atomic ? leaf : reconcileBelow(node, type);
  }
  if (type.scalar !== undefined || type.list === undefined) return node;
  return type.list.atomic ? leaf : reconcileBelow(node, type);
}

function reconcileBelow(set: FieldSet, type: FieldType): FieldSet {
  let changed: Record<Step, FieldSet> | undefined;
  for (const step in set) {
    const node = set[step];
    // Fields with nothing below them are in line with any schema; they are most of a set.
    if (node === undefined || isEmpty(node)) continue;
    const inner = typeAt(type, step);
    if (inner === undefined) continue;
    const reconciled = reconcileNode(node, inner);
    if (reconciled === node) continue;
    changed ??= { ...set };
    changed[step] = reconciled;
  }
  return changed ?? set;
}

function typeAt(type: FieldType, step: Step): FieldType | undefined {
  if (type.map === undefined) return type.scalar === undefined ? type.list?.item : undefined;
  return type.map.field(step.startsWith("f:") ? step.slice(2) : "").type;
}
