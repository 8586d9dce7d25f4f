/**
 * A stored resource: every version of it that is served, its objects, and the three ways to change them.
 * What an object may be is decided before (verbs, admission, Strategy); here it is only kept.
 * Source: k8s.io/apiserver/pkg/registry/generic/registry/store.go
 */
import type { Kind } from "@atoll/api/kind";
import { type ApiObject, formatApiVersion } from "@atoll/machinery/object";
import { StatusError } from "@atoll/machinery/status";
import {
  type Entry,
  KeyExists,
  type Page,
  RevisionMismatch,
  type Store,
  StoreUnavailable,
  ValueTooLarge,
} from "@atoll/storage/store";
import { Cache, type ParsedObjects } from "./cache.ts";
import { SharedEvents } from "../watch/events.ts";
import { encodeStored, Splicer } from "./encoding.ts";

export interface ResourceOptions {
  readonly store: Store;
  readonly parsed: ParsedObjects;
  /** The version whose shape is stored. */
  readonly stored: Kind;
  /** Past changes kept in memory for late watchers. */
  readonly recent: number;
}

/** What an update makes of the current object: another object, or nothing to change. */
export type Change = { readonly object: ApiObject } | { readonly remove: true } | "unchanged";

/** A state of an object that update() works from. */
export interface Current {
  readonly object: ApiObject;
  readonly entry: Entry;
}

const maxAttempts = 100;

/** One stored resource. Its cache is the only way to read, its three writes the only ways to change. */
export class Resource {
  readonly stored: Kind;
  readonly cache: Cache;
  readonly splicer: Splicer;
  readonly events: SharedEvents;
  /** Of entries that are read before they are served (storedAs.same): whether reading leaves them as they are. */
  readonly unread = new WeakMap<Entry, boolean>();
  readonly #store: Store;
  readonly #prefix: string;

  constructor({ store, parsed, stored, recent }: ResourceOptions) {
    this.stored = stored;
    this.#store = store;
    this.#prefix = `/registry/${stored.group === "" ? "core" : stored.group}/${stored.plural}/`;
    this.cache = new Cache({ store, prefix: this.#prefix, recent, parsed });
    this.splicer = new Splicer(stored.kind, formatApiVersion(stored.group, stored.version));
    this.events = new SharedEvents(this.splicer);
  }

  /** Where an object lives. */
  key(namespace: string, name: string): string {
    return `${this.prefix(namespace)}${name}`;
  }

  /** The keys of a namespace's objects begin with it; all objects' for "". */
  prefix(namespace: string): string {
    return this.stored.namespaced && namespace !== "" ? `${this.#prefix}${namespace}/` : this.#prefix;
  }

  /** The name and namespace a key stands for. */
  place(key: string): { namespace: string; name: string } {
    const rest = key.slice(this.#prefix.length);
    const slash = this.stored.namespaced ? rest.indexOf("/") : -1;
    return { namespace: slash < 0 ? "" : rest.slice(0, slash), name: rest.slice(slash + 1) };
  }

  /**
   * The current entry, linearizable.
   * @throws {StatusError} NotFound
   */
  async get(namespace: string, name: string): Promise<Entry> {
    await this.cache.current();
    return this.cached(namespace, name);
  }

  /**
   * The entry as the cache has it.
   * @throws {StatusError} NotFound
   */
  cached(namespace: string, name: string): Entry {
    const entry = this.cache.get(this.key(namespace, name));
    if (entry === undefined) throw this.notFound(name);
    return entry;
  }

  /**
   * Entries as of a past revision, from the store's history.
   * @throws {Compacted} {@link FutureRevision}
   */
  async history(prefix: string, options: { revision: number; after?: string }): Promise<Page> {
    return await this.#store.list(prefix, options);
  }

  /** @throws {StatusError} AlreadyExists */
  async create(object: ApiObject): Promise<Entry> {
    const { namespace = "", name = "" } = object.metadata;
    try {
      return await this.#store.create(this.key(namespace, name), encodeStored(object));
    } catch (error) {
      if (error instanceof KeyExists) throw this.alreadyExists(name, error);
      throw unavailable(error);
    }
  }

  /**
   * Reads, changes and writes an object until no other write comes between.
   * @param change pure; may run several times, each time on a newer state. A failure on a state that may be stale is
   *   tried once more on the current one.
   * @returns the entry written, or the one found when nothing was to change
   * @throws {StatusError} NotFound, or what change throws
   */
  async update(
    place: { namespace: string; name: string },
    change: (current: Current) => Change | Promise<Change>,
  ): Promise<{ entry: Entry; changed: boolean }> {
    const key = this.key(place.namespace, place.name);
    await this.cache.loaded();
    let entry = this.cache.get(key);
    let fresh = entry === undefined;
    if (entry === undefined) entry = await this.#fetch(key);
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      if (entry === undefined) throw this.notFound(place.name);
      const outcome = await this.#attempt(entry, change, fresh);
      if (outcome.done) return { entry: outcome.entry, changed: outcome.changed };
      entry = outcome.found ?? (await this.#fetch(key));
      fresh = true;
    }
    throw new StatusError("ServerTimeout", `${this.#named(place.name)} changes too fast; try again`, {
      details: { retryAfterSeconds: 1 },
    });
  }

  async #attempt(
    entry: Entry,
    change: (current: Current) => Change | Promise<Change>,
    fresh: boolean,
  ): Promise<{ done: true; entry: Entry; changed: boolean } | { done: false; found: Entry | undefined }> {
    try {
      const wanted = await change({ object: this.cache.object(entry), entry });
      if (wanted === "unchanged") return { done: true, entry, changed: false };
      if ("remove" in wanted) {
        await this.#store.delete(entry.key, entry.modRevision);
        return { done: true, entry, changed: true };
      }
      const bytes = encodeStored(wanted.object);
      const same = bytes.equals(entry.value) && !((await this.#store.outdated?.(entry.key)) ?? false);
      if (same) return { done: true, entry, changed: false };
      return { done: true, entry: await this.#store.update(entry.key, entry.modRevision, bytes), changed: true };
    } catch (error) {
      if (error instanceof RevisionMismatch) return { done: false, found: error.found };
      if (error instanceof StatusError && !fresh && (await this.#isStale(entry)))
        return { done: false, found: undefined };
      throw unavailable(error);
    }
  }

  /** Whether the state a change was refused on is not the current one. */
  async #isStale(entry: Entry): Promise<boolean> {
    await this.cache.current();
    return this.cache.get(entry.key)?.modRevision !== entry.modRevision;
  }

  async #fetch(key: string): Promise<Entry | undefined> {
    try {
      return await this.#store.get(key);
    } catch (error) {
      throw unavailable(error);
    }
  }

  notFound(name: string): StatusError {
    return new StatusError("NotFound", `${this.#named(name)} not found`, { details: this.#details(name) });
  }

  alreadyExists(name: string, cause?: unknown): StatusError {
    return new StatusError("AlreadyExists", `${this.#named(name)} already exists`, {
      details: this.#details(name),
      cause,
    });
  }

  conflict(name: string, why: string): StatusError {
    const message = `Operation cannot be fulfilled on ${this.#named(name)}: ${why}`;
    return new StatusError("Conflict", message, { details: this.#details(name) });
  }

  /** A delete's precondition that does not hold; upstream names the kind here where it names the resource elsewhere. */
  preconditionFailed(name: string, why: string): StatusError {
    const { group, kind } = this.stored;
    const qualified = group === "" ? kind : `${kind}.${group}`;
    const message = `Operation cannot be fulfilled on ${qualified} ${JSON.stringify(name)}: ${why}`;
    const details = { name, ...(group === "" ? {} : { group }), kind };
    return new StatusError("Conflict", message, { details });
  }

  /** `deployments.apps "web"` */
  #named(name: string): string {
    const { plural, group } = this.stored;
    return `${group === "" ? plural : `${plural}.${group}`} ${JSON.stringify(name)}`;
  }

  /** Source: apierrors.NewNotFound puts the resource in `kind`. */
  #details(name: string): { name: string; group?: string; kind: string } {
    const { group, plural } = this.stored;
    return group === "" ? { name, kind: plural } : { name, group, kind: plural };
  }
}

/** The store's refusal to serve as the client is told it. */
export function unavailable(error: unknown): unknown {
  if (error instanceof ValueTooLarge) {
    return new StatusError("RequestEntityTooLarge", `the object is larger than the store takes: ${error.message}`, {
      cause: error,
    });
  }
  if (!(error instanceof StoreUnavailable)) return error;
  return new StatusError("ServiceUnavailable", `the store is not available: ${error.message}`, {
    cause: error,
    details: { retryAfterSeconds: 1 },
  });
}
