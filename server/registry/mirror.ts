/**
 * A resource told object by object, for those who keep an index of it: what changes is put in or taken out in the same
 * turn as the commit, so that an answer made from the index is never older than an acknowledged write of this server.
 */
import type { Clock } from "@atoll/machinery/clock";
import type { Change, Entry } from "@atoll/storage/store";
import type { Resource } from "./resource.ts";

/** An index that is fed. Calls must be quick and must not throw. */
export interface Fed {
  /** The object at `key` is this one now. `read` parses it; it need not be called. */
  put(key: string, entry: Entry, read: () => unknown): void;
  /** There is none at `key` any more. */
  drop(key: string): void;
}

/** How a resource is followed. */
export interface MirrorOptions {
  readonly resource: Resource;
  readonly clock: Clock;
  readonly into: Fed;
  /** Told of what failed and is tried again. */
  readonly onError: (error: unknown) => void;
}

const retryMs = 1_000;

/** Feeds an index from a resource. */
export class Mirror {
  readonly #options: MirrorOptions;
  /** What the index holds, to find what is gone when history was lost. */
  readonly #keys = new Set<string>();
  #unfollow: (() => void) | undefined;
  #closed = false;

  constructor(options: MirrorOptions) {
    this.#options = options;
  }

  /** Resolves when the index holds every object. */
  async start(): Promise<void> {
    const { cache, prefix } = this.#source();
    await cache.current();
    if (this.#closed) return;
    const entries = cache.range(prefix);
    const present = new Set(entries.map(({ key }) => key));
    for (const key of this.#keys) if (!present.has(key)) this.#drop(key);
    for (const entry of entries) this.#put(entry);
    this.#unfollow = cache.follow(cache.revision, {
      changes: (changes) => this.#take(changes),
      progress: () => {},
      ended: () => this.#again(),
    });
  }

  close(): void {
    this.#closed = true;
    this.#unfollow?.();
  }

  #source() {
    const { resource } = this.#options;
    return { cache: resource.cache, prefix: resource.prefix("") };
  }

  #take(changes: readonly Change[]): void {
    for (const { key, entry } of changes) {
      if (entry === undefined) this.#drop(key);
      else this.#put(entry);
    }
  }

  #put(entry: Entry): void {
    const { resource, into } = this.#options;
    this.#keys.add(entry.key);
    into.put(entry.key, entry, () => resource.cache.object(entry));
  }

  #drop(key: string): void {
    this.#keys.delete(key);
    this.#options.into.drop(key);
  }

  /** The store lost history: start over. What was known until now stays in force meanwhile. */
  #again(): void {
    if (this.#closed) return;
    this.start().catch((error: unknown) => {
      if (this.#closed) return;
      const { clock, onError } = this.#options;
      onError(error);
      clock.after(retryMs, () => this.#again(), { unref: true });
    });
  }
}
