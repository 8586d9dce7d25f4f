/**
 * Objects by key, and by whatever else they are looked up by. Plain data structure: no I/O, no time.
 */
import type { ObjectMeta } from "@atoll/machinery/object";
import type { Key } from "../resource.ts";
import { keyOf } from "../resource.ts";

/** Anything with metadata. */
export interface WithMetadata {
  readonly metadata: ObjectMeta;
}

/** The values under which an index holds an object; may be none. Must depend on the object alone. */
export type IndexBy<T> = (object: T) => readonly string[];

const noValues: readonly string[] = [];

function byNamespace(object: WithMetadata): readonly string[] {
  return [object.metadata.namespace ?? ""];
}

function byOwner(object: WithMetadata): readonly string[] {
  return object.metadata.ownerReferences?.map((owner) => owner.uid) ?? noValues;
}

/** A set of objects with indexes. `namespace` and `owner` (uid of each owner reference) are always there. */
export class IndexedObjects<T extends WithMetadata> {
  readonly #objects = new Map<Key, T>();
  readonly #indexes = new Map<string, { by: IndexBy<T>; held: Map<string, Map<Key, T>> }>();

  constructor() {
    this.addIndex("namespace", byNamespace);
    this.addIndex("owner", byOwner);
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: Key): T | undefined {
    return this.#objects.get(key);
  }

  keys(): IterableIterator<Key> {
    return this.#objects.keys();
  }

  values(): IterableIterator<T> {
    return this.#objects.values();
  }

  /** Objects that the index holds under a value. @throws {Error} no such index */
  by(index: string, value: string): IterableIterator<T> {
    const found = this.#indexes.get(index);
    if (found === undefined) throw new Error(`no index ${index}`);
    return (found.held.get(value) ?? new Map<Key, T>()).values();
  }

  /** Adds an index over all objects, present and future; one of the same name stays as it is. */
  addIndex(name: string, by: IndexBy<T>): void {
    if (this.#indexes.has(name)) return;
    const index = { by, held: new Map<string, Map<Key, T>>() };
    this.#indexes.set(name, index);
    for (const [key, object] of this.#objects) enter(index, key, object);
  }

  /** Puts an object in the place of any of its key. @returns the one replaced */
  set(object: T): T | undefined {
    const key = keyOf(object);
    const before = this.#objects.get(key);
    this.#objects.set(key, object);
    for (const index of this.#indexes.values()) {
      if (before !== undefined) leave(index, key, before);
      enter(index, key, object);
    }
    return before;
  }

  /** Takes an object out. @returns it, if it was there */
  delete(key: Key): T | undefined {
    const before = this.#objects.get(key);
    if (before === undefined) return undefined;
    this.#objects.delete(key);
    for (const index of this.#indexes.values()) leave(index, key, before);
    return before;
  }
}

interface Index<T> {
  readonly by: IndexBy<T>;
  readonly held: Map<string, Map<Key, T>>;
}

function enter<T>({ by, held }: Index<T>, key: Key, object: T): void {
  for (const value of by(object)) {
    const there = held.get(value);
    if (there === undefined) held.set(value, new Map([[key, object]]));
    else there.set(key, object);
  }
}

function leave<T>({ by, held }: Index<T>, key: Key, object: T): void {
  for (const value of by(object)) {
    const there = held.get(value);
    if (there === undefined) continue;
    there.delete(key);
    if (there.size === 0) held.delete(value);
  }
}
