/**
 * A store in an etcd cluster, for any number of servers at once. etcd decides: every write is one transaction that
 * compares and puts, and every read asks a majority.
 */
import { randomBytes } from "node:crypto";
import type { Clock } from "@atoll/machinery/clock";
import { type Certainty, EtcdRefused, type EtcdTls } from "./etcd/members.ts";
import { EtcdSession, isCompacted, isFuture, type Outcome, type Step } from "./etcd/session.ts";
import { compactEtcd, startUpkeep } from "./etcd/upkeep.ts";
import { type Epoch, header, isBy, restoredCreate } from "./etcd/value.ts";
import { EtcdWatch, oldestRevision } from "./etcd/watch.ts";
import {
  type KeyValue,
  methods,
  prefixEnd,
  type RangeRequest,
  type RangeResponse,
  type RequestOp,
} from "./etcd/wire.ts";
import { compareKeys } from "./keys.ts";
import { type Log, silent } from "./log.ts";
import {
  Compacted,
  type Entry,
  FutureRevision,
  KeyExists,
  type Page,
  RevisionMismatch,
  type Store,
  StoreRefused,
  StoreUnavailable,
  ValueTooLarge,
  type Watch,
  type WatchSink,
} from "./store.ts";

/** How an etcd store is opened. */
export interface EtcdOptions {
  /** Client URLs of members, http or https. */
  readonly endpoints: readonly string[];
  /** Before every key, so that one etcd can hold several stores. Default "/atoll". */
  readonly prefix?: string;
  readonly tls?: EtcdTls;
  readonly clock: Clock;
  readonly log?: Log;
  /** How long a call is tried, on one member after the other. Default 10 s. */
  readonly timeoutMs?: number;
  /** How long one member has to answer before the next is asked. Default 2.5 s. */
  readonly attemptMs?: number;
  /** History younger than this is kept, that older than twice this is not; etcd compacts for all its users. Default 5 min. */
  readonly historyAgeMs?: number;
}

/**
 * Opens the store in an etcd cluster.
 * @throws {StoreRefused} etcd is too old, a newer program has used it, or a restore was not finished
 * @throws {StoreUnavailable} no majority of the cluster can be reached
 */
export async function openEtcd(options: EtcdOptions): Promise<Store> {
  const store = new EtcdStore(options);
  try {
    await store.open();
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

// Keys read in one answer: some megabytes of usual objects.
const pageKeys = 2000;

class EtcdStore implements Store {
  readonly #options: EtcdOptions;
  readonly #log: Log;
  readonly #session: EtcdSession;
  readonly #watches = new Set<EtcdWatch>();
  readonly #nonce = randomBytes(8);
  #writes = 0;
  #stopUpkeep: () => void = () => {};
  #closed = false;

  constructor(options: EtcdOptions) {
    this.#options = options;
    this.#log = options.log ?? silent;
    this.#session = new EtcdSession({
      ...options,
      prefix: options.prefix ?? "/atoll",
      log: this.#log,
      onReset: (why) => this.#endWatches(why),
    });
  }

  async open(): Promise<void> {
    await this.#session.open();
    const { clock, historyAgeMs = 300_000 } = this.#options;
    this.#stopUpkeep = startUpkeep({ session: this.#session, clock, log: this.#log, historyAgeMs });
  }

  async revision(): Promise<number> {
    this.#mustBeOpen();
    return this.#session.revision();
  }

  async get(key: string): Promise<Entry | undefined> {
    this.#mustBeOpen();
    const { range } = await this.#range({ key: this.#session.keyOf(key) });
    const kv = range.kvs[0];
    return kv === undefined ? undefined : this.#session.entryOf(kv);
  }

  async list(prefix: string, options: { limit?: number; after?: string; revision?: number } = {}): Promise<Page> {
    this.#mustBeOpen();
    const { limit = Number.POSITIVE_INFINITY, after, revision: asked } = options;
    const { floor } = this.#session.epoch;
    if (asked !== undefined && asked < floor) throw new Compacted(asked, floor);
    const rangeEnd = prefixEnd(this.#session.keyOf(prefix));
    const entries: Entry[] = [];
    let revision = asked;
    let total: number | undefined;
    for (let from = firstKey(prefix, after); ; from = firstKey(prefix, entries.at(-1)?.key)) {
      const key = this.#session.keyOf(from);
      const size = Math.min(limit - entries.length, pageKeys);
      const page = await this.#range({ key, rangeEnd, limit: size }, revision);
      for (const kv of page.range.kvs) entries.push(this.#session.entryOf(kv));
      revision = asked ?? revision ?? page.revision;
      if (from === prefix) total = page.range.count;
      if (!page.range.more || entries.length >= limit) return { revision, entries, more: page.range.more, total };
    }
  }

  async create(key: string, value: Buffer): Promise<Entry> {
    const write = this.#begin(key, value);
    const { etcdKey, nonce } = write;
    const { succeeded, ranges, revision } = await this.#write(write, () => ({
      compare: [{ key: etcdKey, target: "VERSION", result: "EQUAL", version: 0 }],
      success: [put(write, undefined)],
      failure: [{ requestRange: { key: etcdKey } }],
    }));
    if (succeeded) return { key, value, createRevision: revision, modRevision: revision };
    const found = ranges[0]?.kvs[0];
    if (found !== undefined && isBy(found, nonce)) return this.#session.entryOf(found);
    if (found === undefined || write.certainty.uncertain) throw unknownOutcome(key);
    throw new KeyExists(this.#session.entryOf(found));
  }

  async update(key: string, expected: number, value: Buffer): Promise<Entry> {
    const write = this.#begin(key, value);
    return { ...(await this.#replace(write, expected, (kept) => put(write, kept))), key, value };
  }

  async delete(key: string, expected: number): Promise<number> {
    const write = this.#begin(key, Buffer.alloc(0));
    const remove = { requestDeleteRange: { key: write.etcdKey } };
    return (await this.#replace(write, expected, () => remove)).modRevision;
  }

  watch(prefix: string, after: number, sink: WatchSink): Watch {
    const { clock } = this.#options;
    const onOver = (over: EtcdWatch): unknown => this.#watches.delete(over);
    const watch = new EtcdWatch({ session: this.#session, clock, prefix, after, sink, onOver });
    this.#watches.add(watch);
    if (this.#closed) watch.end(closed());
    return watch;
  }

  progress(): void {
    if (this.#closed || this.#watches.size === 0) return;
    this.#session.revision().then(
      (revision) => {
        for (const watch of this.#watches) watch.want(revision);
      },
      // What was promised is still owed when etcd is back.
      () => this.#options.clock.after(1000, () => this.progress(), { unref: true }),
    );
  }

  async compact(revision: number): Promise<void> {
    this.#mustBeOpen();
    const { offset, floor } = this.#session.epoch;
    if (revision <= floor) return;
    try {
      await compactEtcd(this.#session, revision - offset);
    } catch (error) {
      if (isFuture(error)) throw new FutureRevision(revision, await this.#session.revision());
      throw asUnavailable(error);
    }
  }

  async oldest(): Promise<number> {
    this.#mustBeOpen();
    return oldestRevision(this.#session, this.#options.clock);
  }

  async healthy(): Promise<void> {
    this.#mustBeOpen();
    await this.#session.revision();
    const { errors } = await this.#session.members.call([methods.status, {}]);
    const full = errors.find((error) => error.includes("NOSPACE"));
    if (full !== undefined) throw new StoreUnavailable(`etcd takes no writes: ${full}`);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopUpkeep();
    this.#endWatches(undefined);
    this.#session.members.close();
  }

  // A range as of a revision of the store, or now.
  async #range(request: RangeRequest, asked?: number): Promise<{ range: RangeResponse; revision: number }> {
    try {
      const { ranges, revision } = await this.#session.step(({ offset }) => ({
        success: [{ requestRange: { ...request, revision: asked === undefined ? 0 : asked - offset } }],
      }));
      const [range] = ranges;
      if (range === undefined) throw new StoreUnavailable("etcd left an answer out");
      return { range, revision };
    } catch (error) {
      if (asked !== undefined && isCompacted(error)) throw new Compacted(asked, await this.oldest());
      if (asked !== undefined && isFuture(error)) throw new FutureRevision(asked, await this.revision());
      throw asUnavailable(error);
    }
  }

  #begin(key: string, value: Buffer): Write {
    this.#mustBeOpen();
    const nonce = Buffer.from(this.#nonce);
    nonce.writeUInt32BE(this.#writes++ >>> 0, 4);
    return { key, etcdKey: this.#session.keyOf(key), value, nonce, certainty: { uncertain: false } };
  }

  // Changes a key whose modRevision is `expected`. A key that a restore brought keeps revisions that etcd does not
  // know: when it was read and it is still the same, it is changed.
  async #replace(write: Write, expected: number, change: Changing): Promise<Revisions> {
    const { key, etcdKey, nonce, certainty } = write;
    const plain = await this.#write(write, ({ offset, restored }) => ({
      compare: [
        { key: etcdKey, target: "MOD", result: "EQUAL", modRevision: expected - offset },
        { key: etcdKey, target: "CREATE", result: "GREATER", createRevision: restored },
      ],
      success: [change(undefined), { requestRange: { key: etcdKey, keysOnly: true } }],
      failure: [{ requestRange: { key: etcdKey } }],
    }));
    const kv = plain.ranges[0]?.kvs[0];
    if (plain.succeeded) {
      return { createRevision: (kv?.createRevision ?? 0) + plain.epoch.offset, modRevision: plain.revision };
    }
    const { heir, found } = await this.#replaceRestored({ write, expected, change, plain });
    if (heir !== undefined) return heir;
    if (found !== undefined && isBy(found, nonce)) return this.#session.entryOf(found);
    if (certainty.uncertain) throw unknownOutcome(key);
    throw new RevisionMismatch(key, expected, found && this.#session.entryOf(found));
  }

  // Gives the revisions of the change if it was made, else what was found instead.
  async #replaceRestored({
    write,
    expected,
    change,
    plain,
  }: Replacing): Promise<{ heir?: Revisions; found: KeyValue | undefined }> {
    const key = write.etcdKey;
    const kv = plain.ranges[0]?.kvs[0];
    const kept = kv && restoredCreate(kv);
    if (kv === undefined || kept === undefined) return { found: kv };
    if (this.#session.entryOf(kv).modRevision !== expected) return { found: kv };
    const { succeeded, revision, ranges } = await this.#write(write, (epoch) => {
      if (epoch !== plain.epoch) throw new StoreUnavailable("etcd went back while it was written to");
      return {
        compare: [{ key, target: "MOD", result: "EQUAL", modRevision: kv.modRevision }],
        success: [change(kept)],
        failure: [{ requestRange: { key } }],
      };
    });
    const found = ranges[0]?.kvs[0];
    return succeeded ? { heir: { createRevision: kept, modRevision: revision }, found } : { found };
  }

  async #write(write: Write, build: (epoch: Epoch) => Step): Promise<Outcome> {
    try {
      return await this.#session.step(build, write.certainty);
    } catch (error) {
      const tooLarge = error instanceof EtcdRefused && /too large|larger than max/.test(error.message);
      if (tooLarge && !write.certainty.uncertain) throw new ValueTooLarge(write.key, write.value.length);
      throw asUnavailable(error, write.certainty);
    }
  }

  #endWatches(why: Error | undefined): void {
    for (const watch of this.#watches) watch.end(why);
  }

  #mustBeOpen(): void {
    if (this.#closed) throw closed();
  }
}

/** One write, over all its attempts. */
interface Write {
  readonly key: string;
  readonly etcdKey: Buffer;
  readonly value: Buffer;
  readonly nonce: Buffer;
  readonly certainty: Certainty;
}

/** What a write does to a key; `restoredCreate` is the createRevision that a restore brought with it. */
type Changing = (restoredCreate: number | undefined) => RequestOp;

type Revisions = Pick<Entry, "createRevision" | "modRevision">;

interface Replacing {
  readonly write: Write;
  readonly expected: number;
  readonly change: Changing;
  /** The attempt that took the key for one that no restore brought. */
  readonly plain: Outcome;
}

function put({ etcdKey, value, nonce }: Write, kept: number | undefined): RequestOp {
  return { requestPut: { key: etcdKey, value: Buffer.concat([header(nonce, kept), value]) } };
}

// The first key to list: the prefix itself may be one.
function firstKey(prefix: string, after: string | undefined): string {
  return after !== undefined && compareKeys(after, prefix) >= 0 ? `${after}\0` : prefix;
}

function closed(): StoreUnavailable {
  return new StoreUnavailable("the store is closed");
}

function unknownOutcome(key: string): StoreUnavailable {
  return new StoreUnavailable(`whether ${key} was written is unknown: etcd did not answer in time`, {
    uncertain: true,
  });
}

function asUnavailable(error: unknown, { uncertain }: Certainty = { uncertain: false }): Error {
  if (error instanceof StoreUnavailable || error instanceof StoreRefused) return error;
  return new StoreUnavailable(`etcd refused: ${String(error)}`, { cause: error, uncertain });
}
