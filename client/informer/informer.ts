/**
 * A collection of the API, held in memory and kept up to date. Objects are frozen and shared: whoever wants to change
 * one makes a copy. The copy in memory lags behind the API, but never goes back.
 */
import type { Clock } from "@atoll/machinery/clock";
import { deepFreeze } from "@atoll/machinery/equal";
import type { ApiObject } from "@atoll/machinery/object";
import type { Client, Selection } from "../client.ts";
import type { Key, Resource } from "../resource.ts";
import { keyOf } from "../resource.ts";
import { hasReached } from "../revision.ts";
import type { IndexBy } from "./indexed.ts";
import { IndexedObjects } from "./indexed.ts";
import { Reflector } from "./reflector.ts";

/**
 * Field managers' bookkeeping can outweigh the object, and no controller reads it. An update without it leaves it as it
 * is. Source: k8s.io/apimachinery/pkg/util/managedfields (an absent list means no change)
 */
function withoutManagedFields<T extends ApiObject>(object: T): T {
  if (object.metadata.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** What became of one object: new without `before`, gone without `after`. An object remade under its name is both. */
export interface ObjectChange<T> {
  readonly before: T | undefined;
  readonly after: T | undefined;
}

/** What an informer holds, and how it gets it. */
export interface InformerOptions<T> {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: () => number;
  readonly resource: Resource<T>;
  readonly selection?: Selection;
  /** What to keep of an object, when that is not all: memory is what an informer costs. */
  readonly trim?: ((object: T) => T) | undefined;
  /** Between tries that fail, at most, ms. Default 30,000. */
  readonly longestDelayMs?: number | undefined;
  /** A try to list or watch failed, or a listener threw. */
  readonly onError: (error: unknown) => void;
}

/** One collection in memory. */
export class Informer<T extends ApiObject = ApiObject> {
  readonly resource: Resource<T>;
  readonly #options: InformerOptions<T>;
  readonly #objects = new IndexedObjects<T>();
  readonly #listeners = new Set<(change: ObjectChange<T>) => void>();
  readonly #progress = new Set<() => void>();
  readonly #synced = Promise.withResolvers<void>();
  readonly #stop = new AbortController();
  #revision = "";

  constructor(options: InformerOptions<T>) {
    this.resource = options.resource;
    this.#options = options;
  }

  /** Begins to follow the collection. @returns a promise that resolves when stop() has taken effect */
  start(): Promise<void> {
    const { client, clock, random, resource, selection = {}, longestDelayMs } = this.#options;
    const sink = {
      replaced: (objects: readonly T[], revision: string) => this.#replace(objects, revision),
      changed: (type: string, object: T) => this.#change(type, object),
      progressed: (revision: string) => this.#advance(revision),
      failed: (error: unknown) => this.#options.onError(error),
    };
    const following = { client, clock, random, resource, selection, sink, longestDelayMs };
    return new Reflector(following).run(this.#stop.signal);
  }

  /** Ends it. What is held stays readable. */
  stop(): void {
    this.#stop.abort(new Error("the informer is stopped"));
  }

  /** Up to which revision everything is known; "" before the first list. */
  get revision(): string {
    return this.#revision;
  }

  /** Whether the first list has been taken in. */
  get synced(): boolean {
    return this.#revision !== "";
  }

  /** Resolves once synced. */
  whenSynced(): Promise<void> {
    return this.#synced.promise;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: Key): T | undefined {
    return this.#objects.get(key);
  }

  values(): IterableIterator<T> {
    return this.#objects.values();
  }

  /** Objects under a value of an index: `namespace`, `owner` (uid), or one added. */
  by(index: string, value: string): IterableIterator<T> {
    return this.#objects.by(index, value);
  }

  addIndex(name: string, by: IndexBy<T>): void {
    this.#objects.addIndex(name, by);
  }

  /**
   * Tells every change from now on, after the copy in memory shows it; what is held already is told first, as new.
   * @returns ends it
   */
  onChange(listener: (change: ObjectChange<T>) => void): () => void {
    for (const after of this.#objects.values()) this.#tell(listener, { before: undefined, after });
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells each time `revision` rose. @returns ends it */
  onProgress(listener: () => void): () => void {
    this.#progress.add(listener);
    return () => this.#progress.delete(listener);
  }

  #replace(objects: readonly T[], revision: string): void {
    const gone = new Set(this.#objects.keys());
    for (const object of objects) {
      gone.delete(keyOf(object));
      this.#put(object);
    }
    for (const key of gone) this.#remove(key);
    this.#advance(revision);
    this.#synced.resolve();
  }

  #change(type: string, object: T): void {
    if (type === "DELETED") this.#remove(keyOf(object), object);
    else this.#put(object);
    this.#advance(object.metadata.resourceVersion ?? "");
  }

  #put(given: T): void {
    const object = this.#keep(given);
    const before = this.#objects.get(keyOf(object));
    if (before?.metadata.resourceVersion === object.metadata.resourceVersion && before !== undefined) return;
    if (before !== undefined && before.metadata.uid !== object.metadata.uid) this.#remove(keyOf(object));
    const replaced = this.#objects.set(object);
    this.#announce({ before: replaced, after: object });
  }

  #keep(given: T): T {
    const { trim } = this.#options;
    const whole = withoutManagedFields(given);
    return deepFreeze(trim === undefined ? whole : trim(whole));
  }

  #remove(key: Key, last?: T): void {
    const before = this.#objects.delete(key);
    if (before === undefined) return;
    this.#announce({ before: last === undefined ? before : this.#keep(last), after: undefined });
  }

  #advance(revision: string): void {
    if (revision === "" || (this.#revision !== "" && hasReached(this.#revision, revision))) return;
    this.#revision = revision;
    for (const listener of this.#progress) listener();
  }

  #announce(change: ObjectChange<T>): void {
    for (const listener of this.#listeners) this.#tell(listener, change);
  }

  #tell(listener: (change: ObjectChange<T>) => void, change: ObjectChange<T>): void {
    try {
      listener(change);
    } catch (error) {
      this.#options.onError(error);
    }
  }
}
