/**
 * The revisioned key-value contract that the API server stands on, with three implementations:
 * memory, SQLite, etcd. They all pass conformance.ts.
 *
 * - A key is a path of segments: `/registry/GROUP/RESOURCE/NAMESPACE/NAME`, well-formed Unicode without NUL. Keys sort
 *   by their UTF-8 bytes.
 * - A value is opaque bytes; the store never looks inside. Callers must not change a buffer they gave or got.
 * - A revision is one increasing counter for the whole store, above 0 and below 2^53. Each write takes one of its
 *   own, and no revision is ever given to two writes, not even across crashes. Some may be left out. An empty store
 *   is at a revision too.
 * - A write is acknowledged, and seen by any get, list or watch, only after it is durable.
 */

/** A key's current value. */
export interface Entry {
  readonly key: string;
  readonly value: Buffer;
  /** Revision of the write that made this key exist. */
  readonly createRevision: number;
  /** Revision of the write that made this value. */
  readonly modRevision: number;
}

/** One committed write. `entry` is absent for a delete; `previous` is what the key held before, if it held anything. */
export interface Change {
  readonly key: string;
  readonly revision: number;
  readonly entry: Entry | undefined;
  readonly previous: Entry | undefined;
}

/** Entries of one consistent moment. */
export interface Page {
  readonly revision: number;
  readonly entries: readonly Entry[];
  /** More keys with the prefix follow the last entry. */
  readonly more: boolean;
  /** Keys with the prefix at that moment, `after` and `limit` aside, where the store can tell cheaply. */
  readonly total: number | undefined;
}

/**
 * What a watch tells. Calls come in revision order, never overlap, and never come before Store.watch has returned.
 * A throw ends the watch: the error comes back through ended().
 */
export interface WatchSink {
  /** Changes of one commit or several, ascending by revision, each exactly once. */
  changes(changes: readonly Change[]): void;
  /** Every change up to this revision has been told. Sent at least when the store is asked to (see Store.progress). */
  progress(revision: number): void;
  /**
   * The watch is over, and this is the last call: `Compacted`, `StoreUnavailable`, `RevisionWentBack`, what the sink
   * threw, or undefined after close() of the watch or the store.
   */
  ended(error: Error | undefined): void;
}

/** A running watch. */
export interface Watch {
  close(): void;
}

/** One write of a transaction-free store: create, compare-and-set, compare-and-delete. */
export interface Store {
  /**
   * The newest revision, current: a linearizable read. Many callers waiting at once share one round trip.
   * @throws {StoreUnavailable}
   */
  revision(): Promise<number>;

  /**
   * A key's value, linearizable.
   * @throws {StoreUnavailable}
   */
  get(key: string): Promise<Entry | undefined>;

  /**
   * Entries whose key starts with prefix, ascending, after the key `after` if given, at most `limit`, as of
   * `revision` (default: now, linearizable).
   * @throws {Compacted} history no longer reaches `revision`
   * @throws {FutureRevision} `revision` is not there yet
   * @throws {StoreUnavailable}
   */
  list(prefix: string, options?: { limit?: number; after?: string; revision?: number }): Promise<Page>;

  /**
   * Makes a key that does not exist.
   * @throws {KeyExists} with the entry found
   * @throws {ValueTooLarge} nothing was written
   * @throws {StoreUnavailable} nothing was written, or (`uncertain`) it is unknown whether it was
   */
  create(key: string, value: Buffer): Promise<Entry>;

  /**
   * Replaces the value of a key whose modRevision is `expected`.
   * @throws {RevisionMismatch} with the entry found, if any
   * @throws {ValueTooLarge} nothing was written
   * @throws {StoreUnavailable} as for create
   */
  update(key: string, expected: number, value: Buffer): Promise<Entry>;

  /**
   * Removes a key whose modRevision is `expected`.
   * @returns the revision of the delete
   * @throws {RevisionMismatch} with the entry found, if any
   * @throws {StoreUnavailable} as for create
   */
  delete(key: string, expected: number): Promise<number>;

  /**
   * Tells every change under prefix with a revision above `after`, past ones first.
   * History is replayed before new changes, with no gap and no repeat. Changes that commit while the process that
   * made them waits are told before their write's promise resolves (memory, SQLite), or soon after (etcd).
   * A start above the current revision waits for it. A `Compacted` start is reported through sink.ended, and so is a
   * closed store.
   */
  watch(prefix: string, after: number, sink: WatchSink): Watch;

  /**
   * Of a store that encrypts: whether a key's value is in another form than a write would give it now, so that writing
   * the same again is worth while. Absent: never.
   * @throws {StoreUnavailable}
   */
  outdated?(key: string): Promise<boolean>;

  /** Asks every watch for a progress() that reaches at least the current revision. */
  progress(): void;

  /**
   * Forgets history up to `revision`: values that were overwritten or deleted at or below it. Current values stay, and
   * `revision` itself can still be listed and watched from. Below oldest() it does nothing.
   * @throws {FutureRevision}
   * @throws {StoreUnavailable}
   */
  compact(revision: number): Promise<void>;

  /** The oldest revision from which history is whole: a watch may start after it. */
  oldest(): Promise<number>;

  /** Health for /readyz: resolves when a write could be tried, rejects with the reason when not. */
  healthy(): Promise<void>;

  /** Ends watches, waits for writes under way, lets the file or connection go. */
  close(): Promise<void>;
}

/** create() found the key. */
export class KeyExists extends Error {
  override readonly name = "KeyExists";
  readonly found: Entry;
  constructor(found: Entry) {
    super(`key ${found.key} exists at revision ${found.modRevision}`);
    this.found = found;
  }
}

/** update() or delete() found another revision, or no key. */
export class RevisionMismatch extends Error {
  override readonly name = "RevisionMismatch";
  readonly found: Entry | undefined;
  constructor(key: string, expected: number, found: Entry | undefined) {
    super(`key ${key} is at revision ${found?.modRevision ?? "none"}, not ${expected}`);
    this.found = found;
  }
}

/** History before `oldest` is gone. */
export class Compacted extends Error {
  override readonly name = "Compacted";
  readonly oldest: number;
  constructor(revision: number, oldest: number) {
    super(`revision ${revision} has been compacted; history starts at ${oldest}`);
    this.oldest = oldest;
  }
}

/** A revision that no write has reached. */
export class FutureRevision extends Error {
  override readonly name = "FutureRevision";
  readonly current: number;
  constructor(revision: number, current: number) {
    super(`revision ${revision} is in the future; the store is at ${current}`);
    this.current = current;
  }
}

/** The store cannot serve: disk full, etcd out of reach, closing. */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
  /** The write may have happened. */
  readonly uncertain: boolean;
  constructor(message: string, options: { cause?: unknown; uncertain?: boolean } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.uncertain = options.uncertain ?? false;
  }
}

/** The store answered with a revision below one already seen (an etcd member restored from an old copy). */
export class RevisionWentBack extends Error {
  override readonly name = "RevisionWentBack";
  constructor(seen: number, got: number) {
    super(`the store went back from revision ${seen} to ${got}`);
  }
}

/** Why a store is not opened. */
export type Refusal = "locked" | "too old" | "newer format" | "not a store" | "half restored" | "not empty";

/** The store must not be opened as it is, and trying again will not help. */
export class StoreRefused extends Error {
  override readonly name = "StoreRefused";
  readonly reason: Refusal;
  constructor(reason: Refusal, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** The value is larger than the store takes (etcd: 1.5 MiB unless its --max-request-bytes says otherwise). */
export class ValueTooLarge extends Error {
  override readonly name = "ValueTooLarge";
  constructor(key: string, bytes: number) {
    super(`the value of ${key} is larger than the store takes: ${bytes} bytes`);
  }
}
