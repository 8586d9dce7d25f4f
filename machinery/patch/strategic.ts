/**
 * Strategic merge patch: a merge patch that knows from the schema which lists are merged item by item, and takes
 * directives.
 *
 *     $patch: replace | delete             this object, or this item of a merged list
 *     $retainKeys: [a, b]                  all other keys go
 *     $setElementOrder/list: [...]         order of a merged list's items
 *     $deleteFromPrimitiveList/list: [...] values to take out of a list
 *
 * Source: k8s.io/apimachinery/pkg/util/strategicpatch (patch.go), mergepatch (errors.go), and for error codes
 * k8s.io/apiserver/pkg/endpoints/handlers/patch.go (interpretStrategicMergePatchError). What upstream reports as a plain
 * error is a 500 without a reason there, and here.
 */
import type { Schema } from "../schema/schema.ts";
import { type Plain, isPlain, read, refuseDeep, without, write } from "./plain.ts";
import { type MergedList, badPatch, failed, mergeLists, orderLists, removeValues } from "./strategic-list.ts";

const marker = "$patch";
const retainKeys = "$retainKeys";
const deletePrefix = "$deleteFromPrimitiveList";
const orderPrefix = "$setElementOrder";

/**
 * Applies a strategic merge patch.
 * @param schema of the object's kind; apiVersion and kind stay what they are
 * @param original not changed; parts of it are shared with the result
 * @param patch decoded, an object or null
 * @throws {StatusError} BadRequest for a patch or a directive of the wrong form, Invalid for lists of lists, Unknown
 *   (500) for what upstream calls an internal error: a merged item without its key, an unknown `$patch`, a field of the
 *   stored object that the schema does not know
 */
export function applyStrategicMerge(schema: Schema, original: Readonly<Plain>, patch: unknown): Plain {
  // A null body is a patch without fields.
  const given = patch ?? {};
  if (!isPlain(given)) throw badPatch("invalid JSON document");
  refuseDeep(given);
  const merged = mergeObjects(schema, original, given);
  // Upstream patches a Go object, which stays of its type whatever the patch calls it.
  for (const name of ["apiVersion", "kind"]) if (original[name] !== undefined) merged[name] = original[name];
  return merged;
}

function mergeObjects(schema: Schema | undefined, original: Plain, patch: Plain): Plain {
  if (Object.hasOwn(patch, marker)) return obeyMarker(patch);
  const base = retain(original, patch);
  const merged = { ...base };
  const left = reorder({ schema, merged, patch });
  for (const key of Object.keys(patch)) {
    if (left.has(key)) mergeKey({ schema, merged, patch }, key);
  }
  return merged;
}

/** `$patch` of an object that is no list item. */
function obeyMarker(patch: Plain): Plain {
  const directive = patch[marker];
  if (directive === "replace") return without(patch, marker);
  if (directive === "delete") return {};
  throw failed(`unknown patch type: ${String(directive)} in map`);
}

/** The original without the keys that `$retainKeys` does not name. */
function retain(original: Plain, patch: Plain): Plain {
  if (!Object.hasOwn(patch, retainKeys)) return original;
  const kept = patch[retainKeys];
  if (!Array.isArray(kept)) throw badPatch("invalid patch format of retainKeys");
  const names = new Set<unknown>(kept);
  for (const key of Object.keys(patch)) {
    if (key === retainKeys || patch[key] === null || key.startsWith(deletePrefix) || key.startsWith(orderPrefix))
      continue;
    if (!names.has(key)) throw badPatch("invalid patch format of retainKeys");
  }
  const base: Plain = {};
  for (const key of Object.keys(original)) if (names.has(key)) write(base, key, original[key]);
  return base;
}

/** An object being merged. `merged` is changed, `patch` is not. */
interface Merge {
  readonly schema: Schema | undefined;
  readonly merged: Plain;
  readonly patch: Plain;
}

/**
 * Merges and orders the lists that `$setElementOrder/…` names.
 * @returns the keys of the patch that are still to be merged
 */
function reorder({ schema, merged, patch }: Merge): Set<string> {
  const left = new Set(Object.keys(patch));
  left.delete(retainKeys);
  for (const directive of Object.keys(patch)) {
    if (!directive.startsWith(orderPrefix)) continue;
    left.delete(directive);
    const key = nameAfter(directive, orderPrefix, "setElementOrder list");
    const order = listOf(patch[directive]);
    const original = Object.hasOwn(merged, key) ? listOf(merged[key]) : undefined;
    const wanted = left.has(key) ? listOf(patch[key]) : undefined;
    const list = lookUpList(schema, key);
    const all = { original: original ?? [], patch: wanted ?? [], order };
    if (original === undefined && wanted === undefined) {
      orderLists({ list, all, merged: undefined });
      continue;
    }
    const both = original !== undefined && wanted !== undefined;
    const joined = both
      ? mergedList(list, original, wanted)
      : (original ?? (cleanse(wanted, false).value as unknown[]));
    write(merged, key, orderLists({ list, all, merged: joined }));
    left.delete(key);
  }
  return left;
}

function nameAfter(directive: string, prefix: string, what: string): string {
  const slash = directive.indexOf("/");
  if (slash !== prefix.length) throw badPatch(`invalid patch format of ${what}`);
  return directive.slice(slash + 1);
}

function listOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw failed(`expected a list, but received ${value === null ? "null" : typeof value}`);
}

function mergeKey(merge: Merge, patchKey: string): void {
  const { schema, merged, patch } = merge;
  const wanted = patch[patchKey];
  const deleting = patchKey.startsWith(deletePrefix);
  const key = deleting ? nameAfter(patchKey, deletePrefix, "primitive list") : patchKey;
  if (wanted === null) {
    delete merged[key];
    return;
  }
  const current = read(merged, key);
  if (!sameKind(current, wanted)) {
    if (!deleting) put(merged, key, cleanse(wanted, true));
    return;
  }
  if (isPlain(wanted)) write(merged, key, mergeField(lookUp(schema, key), current as Plain, wanted));
  else if (!Array.isArray(wanted)) write(merged, key, wanted);
  else if (deleting) {
    lookUpList(schema, key);
    write(merged, key, removeValues(current as unknown[], wanted));
  } else write(merged, key, mergedList(lookUpList(schema, key), current as unknown[], wanted));
}

function sameKind(a: unknown, b: unknown): boolean {
  return typeof a === typeof b && a !== null && b !== null && Array.isArray(a) === Array.isArray(b);
}

function mergeField(schema: Schema, current: Plain, wanted: Plain): Plain {
  return strategyOf(schema) === "replace" ? wanted : mergeObjects(schema, current, wanted);
}

function mergedList(list: MergedList, current: readonly unknown[], wanted: readonly unknown[]): unknown[] {
  if (!list.merge) return [...wanted];
  return mergeLists({ ...list, mergeItems: mergeObjects }, current, wanted);
}

function put(merged: Plain, key: string, { keep, value }: { keep: boolean; value: unknown }): void {
  if (keep) write(merged, key, value);
  else delete merged[key];
}

/**
 * A value that is new to the object: objects with a `$patch` go, and with `dropNulls` keys that hold null.
 * @returns keep: whether anything is left to be set
 */
function cleanse(value: unknown, dropNulls: boolean): { keep: boolean; value: unknown } {
  if (Array.isArray(value)) {
    const items = value.map((item) => cleanse(item, dropNulls)).filter((item) => item.keep);
    return { keep: true, value: items.map((item) => item.value) };
  }
  if (!isPlain(value)) return { keep: true, value };
  if (Object.hasOwn(value, marker)) return { keep: false, value: undefined };
  const clean: Plain = {};
  for (const key of Object.keys(value)) {
    if (dropNulls && value[key] === null) continue;
    const field = cleanse(value[key], dropNulls);
    if (field.keep) write(clean, key, field.value);
  }
  return { keep: true, value: clean };
}

/** The schema of a field. Only structs have fields that strategic merge patch can look up. */
function lookUp(schema: Schema | undefined, key: string): Schema {
  const fields = schema?.properties;
  if (fields === undefined) throw failed("merging an object in json but data type is not struct");
  const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
  if (field === undefined) {
    throw failed(`unable to find api field in struct for the json field ${JSON.stringify(key)}`);
  }
  return field;
}

function lookUpList(schema: Schema | undefined, key: string): MergedList {
  const field = lookUp(schema, key);
  if (field.type !== "array") throw failed(`expected slice or array type, but got: ${field.type ?? "any"}`);
  return {
    key: field["x-kubernetes-patch-merge-key"] ?? "",
    merge: strategyOf(field) === "merge",
    items: field.items,
  };
}

/** `merge`, `replace` or "": `retainKeys` says only how patches are made. */
function strategyOf(schema: Schema): string {
  const strategies = (schema["x-kubernetes-patch-strategy"] ?? "").split(",");
  return strategies.find((strategy) => strategy !== "retainKeys") ?? "";
}
