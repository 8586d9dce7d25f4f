/**
 * A store in one SQLite file, for one process.
 *
 * The file holds a log: one row for each write, in order of revision. Current entries are also in memory here, where
 * every write is compared; so the thread that writes the file only appends. History is read back from the file.
 *
 *   create/update/delete -> compared with committed entries -> forming -> (next turn) a frame to the writer thread
 *   -> on disk -> entries, watches, promise, in this order
 *
 * A key with a write under way makes the next write to it wait: nothing ever builds on what may still fail.
 */
import fs from "node:fs";
import type { Clock, Timer } from "@atoll/machinery/clock";
import { Feed, type Past } from "./feed.ts";
import { pack, type Row, unpack } from "./frame.ts";
import { type Log, silent } from "./log.ts";
import { type Prepared, prepareFile } from "./sqlite/file.ts";
import { ReaderThread, WriterThread } from "./sqlite/threads.ts";
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

/** How a SQLite store is opened. */
export interface SqliteOptions {
  /** Made if it is not there, with its folder. Files beside it carry its name and more. */
  readonly file: string;
  readonly clock: Clock;
  readonly log?: Log;
  /** Changes kept for watches and lists of the past. Default 100,000. */
  readonly historyCount?: number;
  /** How long changes are kept. Default five minutes, after which kube-apiserver has etcd compacted. */
  readonly historyAgeMs?: number;
  /** After so many bytes written the write-ahead log is moved into the file. Default 16 MiB. */
  readonly checkpointBytes?: number;
  /** "OFF" acknowledges what is not on disk: only for the test that proves that it would be noticed. */
  readonly synchronous?: "FULL" | "OFF";
  /** Ends the process: the disk did not keep what it said it had. Default: says why on stderr and exits with 1. */
  readonly exit?: (why: Error) => void;
}

/**
 * Opens the store in a file and loads its current entries.
 * @throws {StoreRefused} another process has it, or it is not for this program
 * @throws {StoreUnavailable} it cannot be read
 */
export async function openSqlite(options: SqliteOptions): Promise<Store> {
  const prepared = prepareFile(options.file);
  const store = new SqliteStore(options, prepared);
  try {
    await store.load(prepared);
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

// What a commit costs in the WAL beyond its rows: pages are written whole.
const commitOverheadBytes = 16 * 2 ** 10;
// So little left that the writer thread may move it itself.
const shortCheckpointPages = 256;
const forgetEveryMs = 60_000;

/** A write that was asked for and is not settled. */
interface Write {
  readonly key: string;
  /** Absent for a delete. */
  readonly value: Buffer | undefined;
  /** modRevision that the key must have; absent for a create. */
  readonly expected: number | undefined;
  resolve(entry: Entry | number): void;
  reject(error: Error): void;
  /** Given when the write gets under way. */
  change: Change | undefined;
  /** Writes to the same key that wait for this one. */
  waiting: Write[] | undefined;
}

class SqliteStore implements Store {
  readonly #options: SqliteOptions;
  readonly #log: Log;
  readonly #historyCount: number;
  readonly #writer: WriterThread;
  readonly #reader: ReaderThread;
  readonly #state = new State();
  readonly #feed: Feed;
  readonly #release: () => void;
  readonly #underway = new Map<string, Write>();
  #forming: Write[] = [];
  #committing: Promise<void> = Promise.resolve();
  // Given to a write; those of failed writes are left out.
  #given: number;
  #oldest: number;
  #walBytes = 0;
  #checkpointing: Promise<void> | undefined;
  #failed = false;
  #forgetting: Timer | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: SqliteOptions, { revision, compacted, swept, release }: Prepared) {
    const { file, synchronous = "FULL" } = options;
    const exit = options.exit ?? exitProcess;
    this.#options = options;
    this.#log = options.log ?? silent;
    this.#historyCount = options.historyCount ?? 100_000;
    this.#given = revision;
    this.#oldest = compacted;
    this.#release = release;
    this.#feed = new Feed(revision, (prefix, after, upTo) => this.#readPast(prefix, after, upTo));
    this.#writer = new WriterThread({ file, synchronous, compacted, swept }, exit);
    this.#reader = new ReaderThread(file, exit);
  }

  /** Reads the current entries. Nothing else is called before. */
  async load({ swept }: Prepared): Promise<void> {
    const entries: Entry[] = [];
    const take = (frame: Parameters<typeof unpack>[0]): void => {
      for (const row of unpack(frame)) entries.push(entryOf(row));
    };
    const last = await this.#reader.ask({ do: "load", swept }, take);
    if (last.frame !== undefined) take(last.frame);
    this.#state.fill(entries);
    this.#forgetLater();
  }

  async revision(): Promise<number> {
    this.#mustBeOpen();
    return this.#feed.revision;
  }

  async get(key: string): Promise<Entry | undefined> {
    this.#mustBeOpen();
    return this.#state.get(key);
  }

  async list(prefix: string, options: { limit?: number; after?: string; revision?: number } = {}): Promise<Page> {
    this.#mustBeOpen();
    const current = this.#feed.revision;
    const { revision = current, ...rest } = options;
    const span = { prefix, ...rest };
    if (revision > current) throw new FutureRevision(revision, current);
    if (revision === current) return this.#state.page(span, revision);
    return this.#feed.since(prefix, revision, (changes) => this.#state.pageAt(span, revision, changes));
  }

  create(key: string, value: Buffer): Promise<Entry> {
    return this.#write(key, value, undefined) as Promise<Entry>;
  }

  update(key: string, expected: number, value: Buffer): Promise<Entry> {
    return this.#write(key, value, expected) as Promise<Entry>;
  }

  delete(key: string, expected: number): Promise<number> {
    return this.#write(key, undefined, expected) as Promise<number>;
  }

  watch(prefix: string, after: number, sink: WatchSink): Watch {
    return this.#feed.watch(prefix, after, sink);
  }

  progress(): void {
    this.#feed.progress();
  }

  async compact(revision: number): Promise<void> {
    this.#mustBeOpen();
    const current = this.#feed.revision;
    if (revision > current) throw new FutureRevision(revision, current);
    if (revision <= this.#oldest) return;
    // At once: from here on the writer thread may remove what a reader would need.
    this.#oldest = revision;
    await this.#writer.order({ do: "compact", revision });
  }

  async oldest(): Promise<number> {
    this.#mustBeOpen();
    return this.#oldest;
  }

  async healthy(): Promise<void> {
    this.#mustBeOpen();
    if (!this.#failed) return;
    await this.#writer.order({ do: "compact", revision: this.#oldest });
    this.#failed = false;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#forgetting?.cancel();
    this.#feed.close();
    this.#flush();
    await this.#committing;
    await this.#checkpointing;
    // The last connection to close moves the WAL into the file: the writer's.
    await this.#reader.ask({ do: "close" });
    await this.#writer.order({ do: "close" });
    this.#release();
  }

  #write(key: string, value: Buffer | undefined, expected: number | undefined): Promise<Entry | number> {
    return new Promise((resolve, reject) => {
      this.#admit({ key, value, expected, resolve, reject, change: undefined, waiting: undefined });
    });
  }

  // Compares a write with what is committed and gets it under way, or has it wait for the one that is.
  #admit(write: Write): void {
    if (this.#closed !== undefined) return write.reject(closed());
    const { key, value, expected } = write;
    const before = this.#underway.get(key);
    if (before !== undefined) {
      before.waiting ??= [];
      before.waiting.push(write);
      return;
    }
    const previous = this.#state.get(key);
    if (previous?.modRevision !== expected) return write.reject(refusal(write, previous));
    const revision = ++this.#given;
    const createRevision = previous?.createRevision ?? revision;
    const entry = value === undefined ? undefined : { key, value, createRevision, modRevision: revision };
    write.change = { key, revision, entry, previous };
    this.#underway.set(key, write);
    // What else comes in this turn of the event loop travels in the same frame.
    if (this.#forming.length === 0) setImmediate(() => this.#flush());
    this.#forming.push(write);
  }

  #flush(): void {
    const writes = this.#forming;
    if (writes.length === 0) return;
    this.#forming = [];
    this.#committing = this.#commit(writes);
  }

  async #commit(writes: readonly Write[]): Promise<void> {
    const frame = pack(writes.map(rowOf));
    this.#walBytes += frame.bytes.length + commitOverheadBytes;
    try {
      await this.#writer.order({ do: "write", frame, timeMs: this.#options.clock.nowMs() });
      this.#committed(writes);
    } catch (error) {
      this.#failed = true;
      for (const write of writes) write.reject(asUnavailable(error));
    }
    for (const write of writes) {
      this.#underway.delete(write.key);
      for (const next of write.waiting ?? []) this.#admit(next);
    }
  }

  #committed(writes: readonly Write[]): void {
    this.#failed = false;
    const changes: Change[] = [];
    for (const { change } of writes) {
      if (change === undefined) continue;
      this.#state.apply(change.key, change.entry);
      changes.push(change);
    }
    this.#feed.publish(changes);
    for (const { change, resolve } of writes) if (change !== undefined) resolve(change.entry ?? change.revision);
    if (this.#walBytes > (this.#options.checkpointBytes ?? 16 * 2 ** 20)) this.#checkpointing ??= this.#checkpoint();
    this.#forgetByCount();
  }

  // The reader thread moves the bulk while commits go on; the writer thread only what came in meanwhile, and then the
  // WAL starts over.
  async #checkpoint(): Promise<void> {
    try {
      for (let round = 0; round < 5; round++) {
        const { number: left = 0 } = await this.#reader.ask({ do: "checkpoint" });
        if (left < shortCheckpointPages) break;
      }
      await this.#writer.order({ do: "checkpoint" });
    } catch (error) {
      this.#log.warn({ err: error }, "the write-ahead log could not be moved into the file; it grows until it can");
    }
    this.#walBytes = 0;
    this.#checkpointing = undefined;
  }

  async #readPast(prefix: string, after: number, upTo: number): Promise<Past> {
    const { frame, number: reached = upTo } = await this.#reader.ask({ do: "past", prefix, after, upTo });
    // What was forgotten meanwhile may be missing.
    if (after < this.#oldest) throw new Compacted(after, this.#oldest);
    return { changes: frame === undefined ? [] : changesOf(unpack(frame)), reached };
  }

  #forgetByCount(): void {
    const excess = this.#feed.revision - this.#oldest - this.#historyCount;
    // In steps, since each costs a commit.
    if (excess > Math.min(1000, this.#historyCount)) this.#forget(this.#oldest + excess);
  }

  #forgetLater(): void {
    const { clock, historyAgeMs = 300_000 } = this.#options;
    this.#forgetting = clock.after(
      Math.min(forgetEveryMs, historyAgeMs),
      () => {
        const range = { after: this.#oldest, upTo: this.#feed.revision };
        this.#reader
          .ask({ do: "before", timeMs: clock.nowMs() - historyAgeMs, ...range })
          .then(({ number = 0 }) => this.#forget(number))
          .catch((error: unknown) => this.#log.warn({ err: error }, "old history could not be looked for"));
        this.#forgetLater();
      },
      { unref: true },
    );
  }

  #forget(revision: number): void {
    if (this.#closed !== undefined) return;
    this.compact(revision).catch((error: unknown) => this.#log.warn({ err: error }, "history could not be forgotten"));
  }

  #mustBeOpen(): void {
    if (this.#closed !== undefined) throw closed();
  }
}

function closed(): StoreUnavailable {
  return new StoreUnavailable("the store is closed");
}

function refusal({ key, expected }: Write, found: Entry | undefined): Error {
  if (expected !== undefined || found === undefined) return new RevisionMismatch(key, expected ?? 0, found);
  return new KeyExists(found);
}

function asUnavailable(error: unknown): StoreUnavailable {
  return error instanceof StoreUnavailable ? error : new StoreUnavailable("the store broke", { cause: error });
}

function rowOf({ key, value, change }: Write): Row {
  return {
    revision: change?.revision ?? 0,
    key,
    created: change?.entry?.createRevision ?? 0,
    previous: change?.previous?.modRevision ?? 0,
    value: value ?? Buffer.alloc(0),
  };
}

function entryOf({ key, value, created, revision }: Row & { readonly value: Buffer }): Entry {
  return { key, value, createRevision: created, modRevision: revision };
}

// Each row that replaced something is followed by what it replaced.
function changesOf(rows: readonly (Row & { readonly value: Buffer })[]): Change[] {
  const changes: Change[] = [];
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    if (row === undefined) break;
    const old = row.previous > 0 ? rows[++i] : undefined;
    changes.push({
      key: row.key,
      revision: row.revision,
      entry: row.created === 0 ? undefined : entryOf(row),
      previous: old === undefined ? undefined : entryOf({ ...old, revision: row.previous }),
    });
  }
  return changes;
}

function exitProcess(why: Error): void {
  const cause = why.cause instanceof Error ? ` (${why.cause.message})` : "";
  fs.writeSync(2, `atoll: ${why.message}${cause}; stopping, since what is on the disk is unknown\n`);
  process.exit(1);
}
