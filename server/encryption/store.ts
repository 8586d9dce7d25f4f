/**
 * A store whose values are encrypted on their way in and decrypted on their way out. It is the only place that knows:
 * above it everything reads plain objects, below it backups and files hold what was sealed.
 */
import {
  type Change,
  type Entry,
  KeyExists,
  type Page,
  RevisionMismatch,
  type Store,
  type Watch,
  type WatchSink,
} from "@atoll/storage/store";
import type { Followed } from "../configuration/followed.ts";
import type { Encryption } from "./configuration.ts";
import { identity, isOf, type Transform, Undecryptable } from "./transform.ts";

const plain: readonly Transform[] = [identity];

/** Wraps a store. It closes the store, and not the file. */
export class EncryptedStore implements Store {
  readonly #inner: Store;
  #encryption: Encryption;
  /** By `GROUP/RESOURCE`, as keys have it. */
  readonly #transforms = new Map<string, readonly Transform[]>();

  constructor(inner: Store, file: Followed<Encryption>) {
    this.#inner = inner;
    this.#encryption = file.current;
    file.onChange((changed) => {
      this.#encryption = changed;
      this.#transforms.clear();
    });
  }

  revision(): Promise<number> {
    return this.#inner.revision();
  }

  async get(key: string): Promise<Entry | undefined> {
    const entry = await this.#inner.get(key);
    return entry === undefined ? undefined : this.#open(entry);
  }

  async list(prefix: string, options?: { limit?: number; after?: string; revision?: number }): Promise<Page> {
    const page = await this.#inner.list(prefix, options);
    return { ...page, entries: page.entries.map((entry) => this.#open(entry)) };
  }

  async create(key: string, value: Buffer): Promise<Entry> {
    return await this.#written(value, this.#inner.create(key, this.#seal(key, value)));
  }

  async update(key: string, expected: number, value: Buffer): Promise<Entry> {
    return await this.#written(value, this.#inner.update(key, expected, this.#seal(key, value)), expected);
  }

  async delete(key: string, expected: number): Promise<number> {
    try {
      return await this.#inner.delete(key, expected);
    } catch (error) {
      throw this.#opened(error, expected);
    }
  }

  /** The value is not in the form that would be written now: another key, or none. */
  async outdated(key: string): Promise<boolean> {
    const entry = await this.#inner.get(key);
    const [writes = identity] = this.#transformsOf(key);
    return entry !== undefined && !isOf(writes, entry.value);
  }

  watch(prefix: string, after: number, sink: WatchSink): Watch {
    return this.#inner.watch(prefix, after, {
      changes: (changes) => sink.changes(changes.map((change) => this.#openChange(change))),
      progress: (revision) => sink.progress(revision),
      ended: (error) => sink.ended(error),
    });
  }

  progress(): void {
    this.#inner.progress();
  }

  compact(revision: number): Promise<void> {
    return this.#inner.compact(revision);
  }

  oldest(): Promise<number> {
    return this.#inner.oldest();
  }

  healthy(): Promise<void> {
    return this.#inner.healthy();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  /** A write answers with what was given, which need not be decrypted again. */
  async #written(value: Buffer, writing: Promise<Entry>, expected = 0): Promise<Entry> {
    try {
      const { key, createRevision, modRevision } = await writing;
      return { key, value, createRevision, modRevision };
    } catch (error) {
      throw this.#opened(error, expected);
    }
  }

  /** Refusals carry what was found. */
  #opened(error: unknown, expected: number): unknown {
    if (error instanceof KeyExists) return new KeyExists(this.#open(error.found));
    if (!(error instanceof RevisionMismatch) || error.found === undefined) return error;
    return new RevisionMismatch(error.found.key, expected, this.#open(error.found));
  }

  #openChange(change: Change): Change {
    const { entry, previous } = change;
    const opened = entry === undefined ? undefined : this.#open(entry);
    const before = previous === undefined ? undefined : this.#open(previous);
    return opened === entry && before === previous ? change : { ...change, entry: opened, previous: before };
  }

  #seal(key: string, value: Buffer): Buffer {
    const [writes = identity] = this.#transformsOf(key);
    return writes.seal(value, key);
  }

  #open(entry: Entry): Entry {
    const { key, value, createRevision, modRevision } = entry;
    const reads = this.#transformsOf(key).find((transform) => isOf(transform, value));
    if (reads === undefined) throw new Undecryptable(`no way to read ${key} is configured`);
    const opened = reads.open(value, key);
    return opened === value ? entry : { key, value: opened, createRevision, modRevision };
  }

  #transformsOf(key: string): readonly Transform[] {
    const [, , group = "", resource = ""] = key.split("/", 4);
    const name = `${group}/${resource}`;
    let found = this.#transforms.get(name);
    if (found === undefined) this.#transforms.set(name, (found = this.#find(group === "core" ? "" : group, resource)));
    return found;
  }

  /** The first rule that speaks of a resource. */
  #find(group: string, resource: string): readonly Transform[] {
    const names = ["*.*", `*.${group}`, group === "" ? resource : `${resource}.${group}`, `${resource}.${group}`];
    const rule = this.#encryption.rules.find(({ resources }) => resources.some((each) => names.includes(each)));
    return rule?.transforms ?? plain;
  }
}
