/**
 * One server's dealings with an etcd cluster that other servers use too: each transaction holds only in the epoch that
 * this server knows, and no revision seen is ever below one seen before.
 */
import type { Log } from "../log.ts";
import { type Certainty, EtcdRefused, type Member, Members, type Reach } from "./members.ts";
import { decodeEntry, decodeEpoch, encodeEpoch, type Epoch } from "./value.ts";
import { type Compare, type KeyValue, methods, type RangeResponse, type RequestOp } from "./wire.ts";
import { type Entry, RevisionWentBack, StoreRefused, StoreUnavailable } from "../store.ts";

/** A transaction, epoch aside. */
export interface Step {
  readonly compare?: readonly Compare[];
  readonly success: readonly RequestOp[];
  readonly failure?: readonly RequestOp[];
}

/** What came of it. */
export interface Outcome {
  readonly succeeded: boolean;
  /** Ranges of the branch taken, in order. */
  readonly ranges: readonly RangeResponse[];
  /** The store's revision after it. */
  readonly revision: number;
  /** The epoch in which it happened. */
  readonly epoch: Epoch;
}

/** How a session is set up. */
export interface SessionOptions extends Reach {
  /** Before every key, so that one etcd holds several stores. */
  readonly prefix: string;
  readonly log: Log;
  /** Called when what was read from this etcd so far no longer holds: watches must end. */
  readonly onReset: (why: RevisionWentBack) => void;
}

// Before it, progress could overtake events: https://github.com/etcd-io/etcd/issues/15220
const oldestEtcd = [3, 5, 8];

/** See the module. */
export class EtcdSession {
  readonly members: Members;
  readonly dataPrefix: Buffer;
  /** Who compacts next; see upkeep.ts. */
  readonly compactionKey: Buffer;
  /** Holds the epoch: written first of all. */
  readonly epochKey: Buffer;
  readonly #log: Log;
  readonly #onReset: (why: RevisionWentBack) => void;
  #epoch: Epoch = { modRevision: 0, offset: 0, floor: 0, restored: 0 };
  #seen = 0;
  #recovering: Promise<void> | undefined;
  #reading: Promise<unknown> = Promise.resolve();
  #nextReading: Promise<number> | undefined;

  constructor({ prefix, log, onReset, ...reach }: SessionOptions) {
    this.members = new Members(reach);
    this.dataPrefix = Buffer.from(`${prefix}/data`);
    this.compactionKey = Buffer.from(`${prefix}/meta/compaction`);
    this.epochKey = Buffer.from(`${prefix}/meta/epoch`);
    this.#log = log;
    this.#onReset = onReset;
  }

  /** What this server knows of the store as a whole. */
  get epoch(): Epoch {
    return this.#epoch;
  }

  /**
   * Joins the store, or begins one.
   * @param options.halfRestored also one that an interrupted restore left
   * @throws {StoreRefused}
   * @throws {StoreUnavailable}
   */
  async open({ halfRestored = false } = {}): Promise<void> {
    const { version } = await this.members.call([methods.status, {}]);
    if (compareVersions(version, oldestEtcd) < 0) {
      throw new StoreRefused(
        "too old",
        `etcd ${version} tells watches wrongly; ${oldestEtcd.join(".")} or newer is needed`,
      );
    }
    const found = await this.#writeEpoch(undefined, this.#epoch);
    this.#epoch = knownEpoch(found);
    if (this.#epoch.restoring !== undefined && !halfRestored) {
      throw new StoreRefused("half restored", "a restore into this etcd was not finished: run it again");
    }
  }

  /** Where a key is in etcd. */
  keyOf(key: string): Buffer {
    return Buffer.concat([this.dataPrefix, Buffer.from(key)]);
  }

  /** What an etcd key holds. */
  entryOf(kv: KeyValue): Entry {
    return decodeEntry(kv, this.#epoch.offset, this.dataPrefix.length);
  }

  /**
   * The store's revision, linearizable. Those who ask while a read is under way share the next one.
   * @throws {StoreUnavailable}
   */
  revision(): Promise<number> {
    if (this.#nextReading === undefined) {
      const read = async (): Promise<number> => {
        this.#nextReading = undefined;
        return this.#readRevision();
      };
      this.#nextReading = this.#reading.then(read, read);
      this.#reading = this.#nextReading;
    }
    return this.#nextReading;
  }

  /** Asks one member for the current revision; learns of a new epoch by the way. */
  async beat(member: Member): Promise<void> {
    const seen = this.#seen;
    const { header, kvs } = await this.members.ask(member, [methods.range, { key: this.epochKey }]);
    await this.#judge(kvs[0], header.revision, seen);
  }

  /**
   * Carries out a transaction in the current epoch.
   * @param build may be called again with a newer epoch
   * @param certainty for a write: whether it may have happened though there is no answer
   * @throws {StoreUnavailable}
   * @throws {EtcdRefused}
   */
  async step(build: (epoch: Epoch) => Step, certainty?: Certainty): Promise<Outcome> {
    for (;;) {
      const epoch = this.#epoch;
      const seen = this.#seen;
      const { compare = [], success, failure = [] } = build(epoch);
      const key = this.epochKey;
      const { header, succeeded, responses } = await this.members.call(
        [
          methods.txn,
          {
            compare: [{ key, target: "MOD", result: "EQUAL", modRevision: epoch.modRevision }, ...compare],
            success,
            failure: [{ requestRange: { key } }, ...failure],
          },
        ],
        certainty,
      );
      const ranges = responses.flatMap(({ responseRange }) => (responseRange ? [responseRange] : []));
      const kv = succeeded ? undefined : ranges.shift()?.kvs[0];
      const holds = succeeded ? true : kv?.modRevision === epoch.modRevision;
      const revision = header.revision + epoch.offset;
      if (holds && revision >= seen) {
        this.saw(revision);
        return { succeeded, ranges, revision, epoch };
      }
      if (!holds) await this.#adopt(kv, header.revision);
      else await this.#recover();
      if (holds && succeeded && certainty !== undefined) {
        throw new StoreUnavailable("etcd went back while it was written to", { uncertain: true });
      }
    }
  }

  /** Notes a revision of the store that something has happened at. */
  saw(revision: number): void {
    this.#seen = Math.max(this.#seen, revision);
  }

  /**
   * Changes the epoch: for a restore.
   * @throws {StoreUnavailable} another server changed it first
   */
  async change(epoch: Omit<Epoch, "modRevision">): Promise<void> {
    const found = await this.#writeEpoch(this.#epoch, { ...epoch, modRevision: 0 });
    this.#epoch = knownEpoch(found);
    if (!encodeEpoch(this.#epoch).equals(encodeEpoch({ ...epoch, modRevision: 0 }))) {
      throw new StoreUnavailable("another server changed the store");
    }
  }

  async #readRevision(): Promise<number> {
    for (;;) {
      const seen = this.#seen;
      const { header, kvs } = await this.members.call([methods.range, { key: this.epochKey }]);
      const revision = await this.#judge(kvs[0], header.revision, seen);
      if (revision !== undefined) return revision;
    }
  }

  // Gives the store's revision if what was read fits what is known; else sees to it that the next reading does.
  async #judge(kv: KeyValue | undefined, etcdRevision: number, seen: number): Promise<number | undefined> {
    const revision = etcdRevision + this.#epoch.offset;
    if (kv?.modRevision !== this.#epoch.modRevision) await this.#adopt(kv, etcdRevision);
    else if (revision < seen) await this.#recover();
    else {
      this.saw(revision);
      return revision;
    }
    return undefined;
  }

  // Another server has changed the epoch, or etcd went back to before it.
  async #adopt(kv: KeyValue | undefined, etcdRevision: number): Promise<void> {
    const epoch = kv === undefined ? undefined : knownEpoch(kv);
    if (epoch === undefined || etcdRevision + epoch.offset < this.#seen) return this.#recover();
    if (epoch.restoring !== undefined) throw new StoreUnavailable("a backup is being restored into this etcd");
    this.#reset(epoch, etcdRevision);
  }

  #recover(): Promise<void> {
    this.#recovering ??= this.#climb().finally(() => {
      this.#recovering = undefined;
    });
    return this.#recovering;
  }

  // etcd is at a lower revision than before: restored from an old snapshot, most likely. If another member is not, this
  // one is left. Else a new epoch lifts everything above whatever any server has seen.
  async #climb(): Promise<void> {
    const seen = this.#seen;
    let heard: Heard | undefined;
    for (const member of this.members.all) {
      heard = (await this.#hear(member)) ?? heard;
      if (heard?.epoch === undefined || heard.etcdRevision + heard.epoch.offset < seen) continue;
      this.members.prefer(member);
      if (heard.epoch.modRevision !== this.#epoch.modRevision) this.#reset(heard.epoch, heard.etcdRevision);
      return;
    }
    if (heard === undefined) throw new StoreUnavailable("etcd does not answer");
    const { restored } = heard.epoch ?? this.#epoch;
    const written = await this.#writeEpoch(heard.epoch, { offset: seen, floor: seen + 1, restored, modRevision: 0 });
    const { etcdRevision } = heard;
    this.#log.warn({ seen, etcdRevision }, "etcd went back to an older state; revisions go on above those seen before");
    this.#reset(knownEpoch(written), etcdRevision);
  }

  async #hear(member: Member): Promise<Heard | undefined> {
    try {
      const { header, kvs } = await this.members.ask(member, [methods.range, { key: this.epochKey }]);
      return { etcdRevision: header.revision, epoch: kvs[0] && knownEpoch(kvs[0]) };
    } catch (error) {
      if (error instanceof StoreRefused) throw error;
      return undefined;
    }
  }

  #reset(epoch: Epoch, etcdRevision: number): void {
    const why = new RevisionWentBack(this.#seen, etcdRevision + this.#epoch.offset);
    this.#epoch = epoch;
    this.#onReset(why);
  }

  // Replaces the epoch `old` (undefined: none is there yet). Gives what is there afterwards, whoever wrote it.
  async #writeEpoch(old: Epoch | undefined, epoch: Epoch): Promise<KeyValue> {
    const key = this.epochKey;
    const value = encodeEpoch(epoch);
    const compare: Compare =
      old === undefined
        ? { key, target: "VERSION", result: "EQUAL", version: 0 }
        : { key, target: "MOD", result: "EQUAL", modRevision: old.modRevision };
    const read = { requestRange: { key } };
    const request = { compare: [compare], success: [{ requestPut: { key, value } }, read], failure: [read] };
    const { responses } = await this.members.call([methods.txn, request]);
    const kv = responses.at(-1)?.responseRange?.kvs[0];
    if (kv === undefined) throw new StoreUnavailable("etcd lost what was just written");
    return kv;
  }
}

/** What a member says. */
interface Heard {
  readonly etcdRevision: number;
  readonly epoch: Epoch | undefined;
}

/**
 * Reads an epoch.
 * @throws {StoreRefused}
 */
function knownEpoch(kv: KeyValue): Epoch {
  const epoch = decodeEpoch(kv);
  if (epoch === undefined) throw new StoreRefused("newer format", "a newer version of Atoll has used this etcd");
  return epoch;
}

function compareVersions(version: string, other: readonly number[]): number {
  const numbers = version.split(/[.-]/).map(Number);
  for (const [i, number] of other.entries()) if (numbers[i] !== number) return (numbers[i] ?? 0) - number;
  return 0;
}

/** Whether etcd refused because history before the revision asked for is gone. */
export function isCompacted(error: unknown): boolean {
  return error instanceof EtcdRefused && error.message.includes("has been compacted");
}

/** Whether etcd refused because the revision asked for is not there yet. */
export function isFuture(error: unknown): boolean {
  return error instanceof EtcdRefused && error.message.includes("is a future revision");
}
