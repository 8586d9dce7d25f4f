/** Between the stored shape of an object and the version it is served in. */
import type { Kind } from "@atoll/api/kind";
import type { ApiObject } from "@atoll/machinery/object";
import type { Entry } from "@atoll/storage/store";
import type { Served } from "./catalogue.ts";
import { encodeStored } from "./encoding.ts";
import type { Resource } from "./resource.ts";
import { stringifyJson } from "@atoll/machinery/json/json";

/** The stored form of an object given in `kind`'s version. */
export function toStored(kind: Kind, object: ApiObject): ApiObject | Promise<ApiObject> {
  return kind.storedAs === undefined ? object : kind.storedAs.toStored(clone(object));
}

/** A stored object in `kind`'s version. Stored objects are frozen, so a converter gets a copy. */
export function fromStored(kind: Kind, object: ApiObject): ApiObject | Promise<ApiObject> {
  return kind.storedAs === undefined ? object : kind.storedAs.fromStored(clone(object));
}

/** The served bytes of an entry: the stored ones where version and shape are the same. */
export function servedBytes({ kind, resource }: Served & { resource: object }, entry: Entry): Buffer | Promise<Buffer> {
  if (resource === undefined) throw new TypeError(`${kind.plural} are not stored`);
  if (isServedAsStored(kind, resource, entry)) return resource.splicer.splice(entry);
  const object = fromStored(kind, resource.cache.object(entry));
  return object instanceof Promise ? object.then(encode) : encode(object);
}

/** Whether what is served of an entry are its stored bytes. A kind's reading is tried once for an entry. */
export function isServedAsStored(kind: Kind, resource: Resource, entry: Entry): boolean {
  if (kind.storedAs === undefined) return true;
  if (kind.storedAs.same !== true) return false;
  const known = resource.unread.get(entry);
  if (known !== undefined) return known;
  const object = fromStored(kind, resource.cache.object(entry));
  const unread = !(object instanceof Promise) && encodeStored(object).equals(entry.value);
  resource.unread.set(entry, unread);
  return unread;
}

function encode(object: ApiObject): Buffer {
  return Buffer.from(stringifyJson(object));
}

/** A deep copy of plain data. */
export function clone<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(clone) as T;
  const out: Record<string, unknown> = {};
  const from = value as Record<string, unknown>;
  for (const key of Object.keys(from)) {
    const item = clone(from[key]);
    // A key named __proto__ must become a key, not a prototype.
    if (key === "__proto__")
      Object.defineProperty(out, key, { value: item, enumerable: true, writable: true, configurable: true });
    else out[key] = item;
  }
  return out as T;
}
