/**
 * The arithmetic of ownership: who loses a field when an object changes, who is in the way of an applied configuration,
 * and what goes when an applier no longer sets it.
 * Source: sigs.k8s.io/structured-merge-diff/v6/merge/update.go
 */
import { deepEqual } from "../equal.ts";
import { mergeConfiguration, reconcileWithSchema, removeFields, withNamedFields } from "./combine.ts";
import { type Changes, compareObjects, filterChanges } from "./compare.ts";
import { type FieldFilter, type FieldSet, difference, intersection, noFields, union } from "./fieldset.ts";
import { type Manager, type Managers, setFields } from "./managers.ts";
import { ownedFields } from "./owned.ts";
import { type Plain, isEmpty, isPlain } from "./plain.ts";
import type { FieldType } from "./types.ts";

/** An object as one version shows it. */
export interface Versioned {
  readonly object: Plain;
  readonly type: FieldType;
  readonly apiVersion: string;
}

/** Shows an object in another version; undefined when the version is not known (any more). */
export type Convert = (object: Versioned, apiVersion: string) => Versioned | undefined;

/** What a change of ownership goes by. */
export interface Rules {
  readonly convert: Convert;
  /** Takes out the fields that a write through this path resets anyway. */
  readonly filter: FieldFilter | undefined;
}

/** Fields that others own and the applied configuration would change, by the owner's id. */
export class Conflicts extends Error {
  override readonly name = "Conflicts";
  readonly byManager: ReadonlyMap<string, { readonly manager: Manager; readonly fields: FieldSet }>;

  constructor(byManager: Conflicts["byManager"]) {
    super("apply conflicts");
    this.byManager = byManager;
  }
}

function at(object: Versioned, apiVersion: string, convert: Convert): Versioned | undefined {
  return object.apiVersion === apiVersion ? object : convert(object, apiVersion);
}

/** Owners' fields brought in line with today's schemas. Owners of unknown versions are left out. */
export function reconcile(managers: Managers, live: Versioned, { convert }: Rules): Managers {
  const reconciled: Managers = new Map();
  for (const [id, manager] of managers) {
    const shown = at(live, manager.apiVersion, convert);
    if (shown === undefined) continue;
    const fields = reconcileWithSchema(manager.fields, shown.type);
    reconciled.set(id, fields === manager.fields ? manager : { ...manager, fields });
  }
  return reconciled;
}

/** A change of an object by one of its owners. */
interface Step extends Change {
  readonly force: boolean;
}

/** What changed, by the version it is seen in; undefined for versions that are not known. */
type Seen = (apiVersion: string) => Changes | undefined;

/** Compares the objects once for each version that is asked for. */
function changesOf(step: Step, rules: Rules): Seen {
  const seen = new Map<string, Changes | undefined>();
  return (apiVersion) => {
    if (!seen.has(apiVersion)) seen.set(apiVersion, changesIn(apiVersion, step, rules));
    return seen.get(apiVersion);
  };
}

/**
 * Takes from all other owners what changed. Owners in unknown versions are forgotten.
 * @param managers changed
 * @returns what changed, in the version of the change
 * @throws {Conflicts} when not forced and others own what changed
 */
function takeOver(managers: Managers, step: Step, rules: Rules): Changes {
  const changes = changesOf(step, rules);
  for (const [id, { apiVersion }] of managers) {
    if (id !== step.by && changes(apiVersion) === undefined) managers.delete(id);
  }
  const conflicts = conflictsOf(managers, step, changes);
  if (!step.force && conflicts.size > 0) throw new Conflicts(conflicts);
  for (const [id, manager] of managers) {
    const { removed } = (id === step.by ? undefined : changes(manager.apiVersion)) ?? unchanged;
    const left = difference(difference(manager.fields, conflicts.get(id)?.fields ?? noFields), removed);
    if (left !== manager.fields || isEmpty(left)) setFields(managers, id, { ...manager, fields: left });
  }
  return changes(step.before.apiVersion) ?? unchanged;
}

const unchanged: Changes = { added: noFields, modified: noFields, removed: noFields };

/** What others own of what was added or modified. */
function conflictsOf(
  managers: Managers,
  step: Step,
  changes: Seen,
): Map<string, { manager: Manager; fields: FieldSet }> {
  const conflicts = new Map<string, { manager: Manager; fields: FieldSet }>();
  for (const [id, manager] of managers) {
    const changed = id === step.by ? undefined : changes(manager.apiVersion);
    if (changed === undefined) continue;
    const fields = intersection(manager.fields, union(changed.modified, changed.added));
    if (!isEmpty(fields)) conflicts.set(id, { manager, fields });
  }
  return conflicts;
}

function changesIn(apiVersion: string, { before, after }: Step, { convert, filter }: Rules): Changes | undefined {
  const old = at(before, apiVersion, convert);
  const now = at(after, apiVersion, convert);
  if (old === undefined || now === undefined) return undefined;
  return filterChanges(compareObjects(old.type, old.object, now.object), filter);
}

/** A change by someone who does not apply, and their id. */
export interface Change {
  readonly before: Versioned;
  readonly after: Versioned;
  readonly by: string;
}

/**
 * Ownership after an update: who makes it owns what it added and modified.
 * @param managers before, changed to those after; who makes the update is there only with what it owned before
 * @returns the fields the update takes
 */
export function update(managers: Managers, change: Change, rules: Rules): FieldSet {
  const { added, modified, removed } = takeOver(managers, { ...change, force: true }, rules);
  const own = managers.get(change.by);
  if (own !== undefined) setFields(managers, change.by, { ...own, fields: difference(own.fields, removed) });
  return union(modified, added);
}

/** A configuration to be applied. */
export interface Application {
  readonly live: Versioned;
  readonly applied: Versioned;
  readonly id: string;
  /** Who applies, without its fields. */
  readonly manager: Manager;
  readonly force: boolean;
}

/**
 * Applies a configuration.
 * @param managers before, changed to those after
 * @returns the new object, or undefined when it is the live one
 * @throws {Conflicts}
 */
export function applyTo(managers: Managers, application: Application, rules: Rules): Plain | undefined {
  const { live, applied, id, manager, force } = application;
  const last = managers.get(id);
  const merged = mergeConfiguration(live.type, live.object, applied.object);
  const owned = ownedFields(applied.type, applied.object);
  managers.set(id, { ...manager, fields: rules.filter === undefined ? owned : rules.filter(owned) });
  const whole = { ...live, object: isPlain(merged) ? merged : {} };
  const after = last === undefined ? whole : prune({ merged: whole, managers, last, id }, rules.convert);
  takeOver(managers, { before: live, after, by: id, force }, rules);
  return deepEqual(live.object, after.object) ? undefined : after.object;
}

interface Pruning {
  readonly merged: Versioned;
  readonly managers: Managers;
  /** What the applier owned before, and in which version. */
  readonly last: Manager;
  readonly id: string;
}

/** The merged object without what the applier owned, no longer sets, and nobody else owns. */
function prune({ merged, managers, last, id }: Pruning, convert: Convert): Versioned {
  const now = managers.get(id);
  if (now === undefined || isEmpty(last.fields)) return merged;
  // All that was set is set still: nothing goes.
  if (now.apiVersion === last.apiVersion && isEmpty(difference(last.fields, now.fields))) return merged;
  const then = at(merged, last.apiVersion, convert);
  if (then === undefined) return merged;
  const whole = { shown: then, fields: namedFields(then) };
  const pruned = without(then, withNamedFields(last.fields, then.type));
  const kept = addBackOwned({ whole, pruned }, managers, convert);
  const back = addBackDangling(whole, kept, { last, convert });
  return at(back, now.apiVersion, convert) ?? merged;
}

/** An object and all its fields. */
interface Whole {
  readonly shown: Versioned;
  readonly fields: FieldSet;
}

function namedFields({ type, object }: Versioned): FieldSet {
  return withNamedFields(ownedFields(type, object), type);
}

function without(from: Versioned, fields: FieldSet): Versioned {
  if (isEmpty(fields)) return from;
  const object = removeFields(from.type, from.object, fields);
  return { ...from, object: isPlain(object) ? object : {} };
}

/** Puts back what any owner owns, version by version, that of the pruned object first. */
function addBackOwned(both: { whole: Whole; pruned: Versioned }, managers: Managers, convert: Convert): Versioned {
  const owned = new Map<string, FieldSet>([[both.pruned.apiVersion, noFields]]);
  for (const { apiVersion, fields } of managers.values()) {
    owned.set(apiVersion, union(owned.get(apiVersion) ?? noFields, fields));
  }
  let { whole, pruned } = both;
  for (const [apiVersion, fields] of owned) {
    const here = at(whole.shown, apiVersion, convert);
    const rest = at(pruned, apiVersion, convert);
    if (here === undefined || rest === undefined) continue;
    if (here !== whole.shown) whole = { shown: here, fields: namedFields(here) };
    const kept = union(namedFields({ ...here, object: rest.object }), withNamedFields(fields, here.type));
    pruned = without(here, difference(whole.fields, kept));
  }
  return pruned;
}

/** Puts back what stood below a pruned field and was not the applier's either. */
function addBackDangling(whole: Whole, pruned: Versioned, by: { last: Manager; convert: Convert }): Versioned {
  const { shown, fields } = whole;
  const rest = at(pruned, by.last.apiVersion, by.convert);
  if (rest === undefined) return shown;
  const gone = difference(fields, namedFields({ ...shown, object: rest.object }));
  return without(shown, intersection(gone, withNamedFields(by.last.fields, shown.type)));
}
