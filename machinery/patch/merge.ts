/**
 * JSON Merge Patch.
 * Source: RFC 7386; github.com/evanphx/json-patch v4 (merge.go), which also takes nulls out of lists that replace lists
 */
import { StatusError } from "../status.ts";
import { type Plain, isPlain, read, refuseDeep, without, write } from "./plain.ts";

/**
 * Merges a patch into a document: nulls delete, objects are merged, all else replaces.
 * @param document not changed; parts of it are shared with the result, all of it when nothing changes
 * @param patch decoded, must be an object
 * @throws {StatusError} BadRequest when the patch is no object
 */
export function applyMergePatch(document: Readonly<Plain>, patch: unknown): Plain {
  if (!isPlain(patch)) throw new StatusError("BadRequest", "Invalid JSON Patch");
  refuseDeep(patch);
  return mergeObjects(document, patch);
}

function mergeObjects(document: Plain, patch: Plain): Plain {
  let merged = document;
  for (const key of Object.keys(patch)) {
    const wanted = patch[key];
    if (wanted === null) {
      if (merged === document) merged = without(document, key);
      else delete merged[key];
      continue;
    }
    const current = read(document, key);
    const next = merge(current, wanted);
    if (next === current && Object.hasOwn(document, key)) continue;
    if (merged === document) merged = { ...document };
    write(merged, key, next);
  }
  return merged;
}

function merge(current: unknown, wanted: unknown): unknown {
  if (!isPlain(current)) return pruneNulls(wanted);
  return isPlain(wanted) ? mergeObjects(current, wanted) : wanted;
}

/** A value without the keys that hold null; nulls in lists stay. */
function pruneNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pruneNulls);
  if (!isPlain(value)) return value;
  const pruned: Plain = {};
  for (const key of Object.keys(value)) {
    if (value[key] !== null) write(pruned, key, pruneNulls(value[key]));
  }
  return pruned;
}
