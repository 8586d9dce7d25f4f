/**
 * JSON values as patches see them: keys such as `__proto__` are plain keys, objects are copied and never changed.
 */
import { StatusError } from "../status.ts";

/** A JSON object. */
export type Plain = Record<string, unknown>;

/** Deepest nesting a patch may make. Objects of real use stay below 100; the walkers here recurse. */
export const maxDepth = 1_000;

/** Whether a value is a JSON object: neither list nor null. */
export function isPlain(value: unknown): value is Plain {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value of a key, or undefined; never what is inherited. */
export function read(object: Plain, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Sets a key of an object the caller made. */
export function write(object: Plain, key: string, value: unknown): void {
  if (key !== "__proto__") object[key] = value;
  else Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

/** An object without one of its keys: itself when the key is not there. */
export function without(object: Plain, key: string): Plain {
  if (!Object.hasOwn(object, key)) return object;
  const copy = { ...object };
  delete copy[key];
  return copy;
}

/** Whether an object has no keys. */
export function isEmpty(object: object): boolean {
  for (const _ in object) return false;
  return true;
}

/** Whether no list or object in `value` is nested deeper than `levels`. */
export function fitsDepth(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (levels <= 0) return false;
  if (Array.isArray(value)) return value.every((item) => fitsDepth(item, levels - 1));
  for (const key in value) if (!fitsDepth((value as Plain)[key], levels - 1)) return false;
  return true;
}

/** @throws {StatusError} BadRequest when a patch is nested too deeply to be walked */
export function refuseDeep(patch: unknown): void {
  if (fitsDepth(patch, maxDepth)) return;
  throw new StatusError("BadRequest", `the patch is nested deeper than ${maxDepth} levels`);
}
