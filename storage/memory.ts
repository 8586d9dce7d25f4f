/** A store in this process's memory: for tests, and for trying things. Everything is gone with the process. */
import { Feed, type Past } from "./feed.ts";
import { State } from "./state.ts";
import {
  type Change,
  Compacted,
  type Entry,
  FutureRevision,
  KeyExists,
  type Page,
  RevisionMismatch,
  type Store,
  StoreUnavailable,
  type Watch,
  type WatchSink,
} from "./store.ts";

/** How much a memory store remembers. */
export interface MemoryOptions {
  /** Changes kept for watches and lists of the past. Default 100,000. */
  readonly historyCount?: number;
}

/** Opens an empty store. Its first write gets revision 2, as on etcd. */
export function openMemory(options: MemoryOptions = {}): Store {
  return new MemoryStore(options.historyCount ?? 100_000);
}

class MemoryStore implements Store {
  readonly #historyCount: number;
  readonly #state = new State();
  readonly #feed = new Feed(1, (prefix, after) => this.#readPast(prefix, after));
  // Ascending; those at or below #oldest wait to be cut off.
  #history: Change[] = [];
  #revision = 1;
  #oldest = 0;
  #closed = false;

  constructor(historyCount: number) {
    this.#historyCount = historyCount;
  }

  async revision(): Promise<number> {
    this.#mustBeOpen();
    return this.#revision;
  }

  async get(key: string): Promise<Entry | undefined> {
    this.#mustBeOpen();
    return this.#state.get(key);
  }

  async list(prefix: string, options: { limit?: number; after?: string; revision?: number } = {}): Promise<Page> {
    this.#mustBeOpen();
    const { revision = this.#revision, ...rest } = options;
    const span = { prefix, ...rest };
    if (revision > this.#revision) throw new FutureRevision(revision, this.#revision);
    if (revision === this.#revision) return this.#state.page(span, revision);
    return this.#feed.since(prefix, revision, (changes) => this.#state.pageAt(span, revision, changes));
  }

  async create(key: string, value: Buffer): Promise<Entry> {
    this.#mustBeOpen();
    const found = this.#state.get(key);
    if (found !== undefined) throw new KeyExists(found);
    const revision = this.#revision + 1;
    const entry = { key, value, createRevision: revision, modRevision: revision };
    this.#commit({ key, revision, entry, previous: undefined });
    return entry;
  }

  async update(key: string, expected: number, value: Buffer): Promise<Entry> {
    const previous = this.#expect(key, expected);
    const revision = this.#revision + 1;
    const entry = { key, value, createRevision: previous.createRevision, modRevision: revision };
    this.#commit({ key, revision, entry, previous });
    return entry;
  }

  async delete(key: string, expected: number): Promise<number> {
    const previous = this.#expect(key, expected);
    const revision = this.#revision + 1;
    this.#commit({ key, revision, entry: undefined, previous });
    return revision;
  }

  watch(prefix: string, after: number, sink: WatchSink): Watch {
    return this.#feed.watch(prefix, after, sink);
  }

  progress(): void {
    this.#feed.progress();
  }

  async compact(revision: number): Promise<void> {
    this.#mustBeOpen();
    if (revision > this.#revision) throw new FutureRevision(revision, this.#revision);
    this.#oldest = Math.max(this.#oldest, revision);
    this.#history = this.#history.slice(this.#firstAfter(this.#oldest));
  }

  async oldest(): Promise<number> {
    this.#mustBeOpen();
    return this.#oldest;
  }

  async healthy(): Promise<void> {
    this.#mustBeOpen();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#feed.close();
  }

  #commit(change: Change): void {
    this.#revision = change.revision;
    this.#state.apply(change.key, change.entry);
    this.#history.push(change);
    this.#trim();
    this.#feed.publish([change]);
  }

  // Cuts in big steps: moving the array costs its length.
  #trim(): void {
    const excess = this.#history.length - this.#historyCount;
    this.#oldest = Math.max(this.#oldest, this.#history[excess - 1]?.revision ?? 0);
    if (excess > this.#historyCount) this.#history = this.#history.slice(excess);
  }

  async #readPast(prefix: string, after: number): Promise<Past> {
    if (after < this.#oldest) throw new Compacted(after, this.#oldest);
    const past = this.#history.slice(this.#firstAfter(after));
    return { changes: past.filter(({ key }) => key.startsWith(prefix)), reached: this.#revision };
  }

  #firstAfter(revision: number): number {
    let low = 0;
    let high = this.#history.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#history[middle]?.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #expect(key: string, expected: number): Entry {
    this.#mustBeOpen();
    const found = this.#state.get(key);
    if (found?.modRevision !== expected) throw new RevisionMismatch(key, expected, found);
    return found;
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new StoreUnavailable("the store is closed");
  }
}
