/**
 * The watch cache of one resource: its objects as of the newest change the store has told, and the watchers that
 * follow. Reads never touch the store; a read that must be current first asks the store for its revision and waits
 * until the cache has it.
 *
 *     store ──changes──▶ cache ──▶ objects (get, list)
 *                          └─────▶ watchers (one shared buffer an event)
 *
 * Objects are held as the store's bytes. Parsed forms are made when somebody needs one, frozen, shared, and forgotten
 * again in order of use.
 */
import { deepFreeze } from "@atoll/machinery/equal";
import type { ApiObject } from "@atoll/machinery/object";
import { StatusError } from "@atoll/machinery/status";
import { type Change, Compacted, type Entry, type Store, type Watch } from "@atoll/storage/store";
import { decodeStored } from "./encoding.ts";
import { Ordered } from "./ordered.ts";
import { Recent } from "./recent.ts";

/** A key's place in the cache; its entry is replaced as the object changes. */
interface Slot {
  readonly key: string;
  entry: Entry;
  removed: boolean;
}

/** Follows a resource. Called in revision order, synchronously with the commit; must be quick and must not throw. */
export interface Follower {
  changes(changes: readonly Change[]): void;
  progress(revision: number): void;
  /** No more will come: the store lost history or is closing. The client is to start over. */
  ended(error: Error | undefined): void;
}

export interface CacheOptions {
  readonly store: Store;
  /** Keys of this resource begin with it; ends with a slash. */
  readonly prefix: string;
  /** How many past changes to keep in memory for watches that start a little behind. */
  readonly recent: number;
  readonly parsed: ParsedObjects;
}

/** One resource's objects as of the newest change told. Loads itself at the first read. */
export class Cache {
  readonly #store: Store;
  readonly #prefix: string;
  readonly #parsed: ParsedObjects;
  readonly #slots = new Ordered<Slot>();
  readonly #followers = new Set<Follower>();
  readonly #recent: Recent;
  #closed = false;
  #revision = 0;
  /** Revision of the newest change of this resource; after loading, a bound on it. */
  #lastChange = 0;
  #loading: Promise<void> | undefined;
  #watch: Watch | undefined;
  #waiting: { revision: number; resolve: () => void; reject: (error: Error) => void }[] = [];

  constructor(options: CacheOptions) {
    this.#store = options.store;
    this.#prefix = options.prefix;
    this.#parsed = options.parsed;
    this.#recent = new Recent(options.recent);
  }

  /** The revision the cache reflects. */
  get revision(): number {
    return this.#revision;
  }

  get size(): number {
    return this.#slots.size;
  }

  /** How many follow what changes. */
  get followers(): number {
    return this.#followers.size;
  }

  /** Resolves when the cache reflects all that was acknowledged before the call. */
  async current(): Promise<void> {
    if (this.#watch === undefined) await this.#load();
    const revision = await this.#store.revision();
    if (this.#revision < revision) await this.reached(revision);
  }

  /** Resolves when the cache has been loaded, however old it is. */
  async loaded(): Promise<void> {
    if (this.#watch === undefined) await this.#load();
  }

  /** Resolves when the cache reflects `revision`. */
  async reached(revision: number): Promise<void> {
    if (this.#revision >= revision) return;
    const wait = new Promise<void>((resolve, reject) => this.#waiting.push({ revision, resolve, reject }));
    this.#store.progress();
    await wait;
  }

  /** Whether what the cache holds is also what was there at `revision`. */
  unchangedSince(revision: number): boolean {
    return revision >= this.#lastChange && revision <= this.#revision;
  }

  get(key: string): Entry | undefined {
    return this.#slots.get(key)?.entry;
  }

  /** Entries under `prefix`, ascending, following the key `after` if given. */
  range(prefix: string, after?: string): readonly Entry[] {
    return this.#slots.range(prefix, after).map((slot) => slot.entry);
  }

  /** The first `limit` of such entries, and how many follow them. Takes no longer where more do. */
  page(
    prefix: string,
    part: { readonly limit: number; readonly after?: string | undefined },
  ): { readonly entries: readonly Entry[]; readonly remaining: number } {
    const { values, remaining } = this.#slots.page(prefix, part);
    return { entries: values.map((slot) => slot.entry), remaining };
  }

  /** The parsed, frozen object of an entry. */
  object(entry: Entry): ApiObject {
    return this.#parsed.of(entry);
  }

  /**
   * Follows changes after `revision`: those still in memory first, older ones from the store's history.
   * @returns a function that ends the following
   */
  follow(revision: number, follower: Follower): () => void {
    const past = this.#recent.after(revision, this.#revision);
    if (past === undefined) return this.#followFromStore(revision, follower);
    if (past.length > 0) follower.changes(past);
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  /** Older than memory: the store replays, and goes on telling this follower alone. */
  #followFromStore(revision: number, follower: Follower): () => void {
    const watch = this.#store.watch(this.#prefix, revision, follower);
    return () => watch.close();
  }

  /** Ends everything that follows. Requests under way that still hold this cache are told to try again. */
  close(): void {
    this.#closed = true;
    this.#end(undefined);
  }

  #load(): Promise<void> {
    if (this.#closed) {
      throw new StatusError("ServiceUnavailable", "the kind has just changed or gone; try again", {
        details: { retryAfterSeconds: 1 },
      });
    }
    this.#loading ??= this.#loadOnce().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #loadOnce(): Promise<void> {
    const page = await this.#store.list(this.#prefix);
    for (const slot of this.#slots.ascending().slice()) this.#slots.remove(slot);
    for (const entry of page.entries) this.#slots.add({ key: entry.key, entry, removed: false });
    this.#revision = page.revision;
    this.#lastChange = page.revision;
    this.#recent.reset(page.revision);
    this.#watch = this.#store.watch(this.#prefix, page.revision, {
      changes: (changes) => this.#take(changes),
      progress: (reached) => this.#advance(reached),
      ended: (error) => this.#end(error),
    });
  }

  #take(changes: readonly Change[]): void {
    for (const change of changes) {
      const slot = this.#slots.get(change.key);
      if (change.entry === undefined) {
        if (slot !== undefined) this.#slots.remove(slot);
      } else if (slot === undefined) {
        this.#slots.add({ key: change.key, entry: change.entry, removed: false });
      } else {
        slot.entry = change.entry;
      }
      this.#recent.add(change);
    }
    const last = changes.at(-1);
    for (const follower of this.#followers) follower.changes(changes);
    if (last === undefined) return;
    this.#lastChange = last.revision;
    this.#advance(last.revision, false);
  }

  #advance(revision: number, tell = true): void {
    if (revision > this.#revision) this.#revision = revision;
    if (tell) for (const follower of this.#followers) follower.progress(revision);
    if (this.#waiting.length === 0) return;
    const ready = this.#waiting.filter((waiter) => waiter.revision <= this.#revision);
    this.#waiting = this.#waiting.filter((waiter) => waiter.revision > this.#revision);
    for (const waiter of ready) waiter.resolve();
  }

  /** The store's watch is over: followers start again, and the next read loads afresh. */
  #end(error: Error | undefined): void {
    this.#watch?.close();
    this.#watch = undefined;
    const followers = [...this.#followers];
    this.#followers.clear();
    for (const follower of followers) follower.ended(error);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const waiter of waiting) waiter.reject(error ?? new Compacted(this.#revision, this.#revision));
  }
}

/** Parsed forms of recently used entries, forgotten in order of use. */
export class ParsedObjects {
  readonly #byEntry = new Map<Entry, ApiObject>();
  readonly #limit: number;

  /** @param limit how many to keep */
  constructor(limit: number) {
    this.#limit = limit;
  }

  of(entry: Entry): ApiObject {
    const known = this.#byEntry.get(entry);
    if (known !== undefined) return known;
    const object = deepFreeze(decodeStored(entry));
    if (this.#byEntry.size >= this.#limit) this.#forgetOldest();
    this.#byEntry.set(entry, object);
    return object;
  }

  #forgetOldest(): void {
    for (const oldest of this.#byEntry.keys()) {
      this.#byEntry.delete(oldest);
      return;
    }
  }
}
