/**
 * A backup into etcd: values carry the revisions they had, and an offset lifts the revisions to come above them
 * (value.ts). As long as it is not finished the epoch says so, and no server opens the store.
 */
import { randomUUID } from "node:crypto";
import type { Backup, RestoreTarget } from "../backup.ts";
import { type EtcdOptions, openEtcd } from "../etcd.ts";
import { EtcdRefused } from "./members.ts";
import { EtcdSession } from "./session.ts";
import { restoredHeader } from "./value.ts";
import { prefixEnd, type RequestOp } from "./wire.ts";
import { silent } from "../log.ts";
import { type Entry, type Store, StoreRefused, ValueTooLarge } from "../store.ts";

/** An etcd store to restore into: there is nothing under its prefix. */
export function etcdTarget(options: EtcdOptions): RestoreTarget {
  return new EtcdTarget(options);
}

// etcd takes up to 128 operations and 1.5 MiB in one transaction.
const txnOperations = 100;
const txnBytes = 2 ** 20;

class EtcdTarget implements RestoreTarget {
  readonly #options: EtcdOptions;
  readonly #session: EtcdSession;
  #revision = 0;

  constructor(options: EtcdOptions) {
    this.#options = options;
    const log = options.log ?? silent;
    this.#session = new EtcdSession({ ...options, prefix: options.prefix ?? "/atoll", log, onReset: () => {} });
  }

  // Whoever begins last has the epoch, so an earlier one that still runs can write nothing more.
  async begin({ digest, revision }: Backup): Promise<void> {
    this.#revision = revision;
    await this.#session.open({ halfRestored: true });
    const { offset, floor, restored, restoring } = this.#session.epoch;
    if (restoring === undefined && (await this.#count()) > 0) {
      throw new StoreRefused("not empty", "etcd holds objects: restore into an empty etcd, or under another prefix");
    }
    await this.#session.change({ offset, floor, restored, restoring: `${digest} ${randomUUID()}` });
    await this.#session.step(() => ({ success: [{ requestDeleteRange: this.#range() }] }), { uncertain: false });
  }

  async put(entries: readonly Entry[]): Promise<void> {
    let puts: RequestOp[] = [];
    let bytes = 0;
    for (const entry of entries) {
      const value = Buffer.concat([restoredHeader(entry), entry.value]);
      if (puts.length >= txnOperations || (puts.length > 0 && bytes + value.length > txnBytes)) {
        await this.#write(puts, entry);
        puts = [];
        bytes = 0;
      }
      puts.push({ requestPut: { key: this.#session.keyOf(entry.key), value } });
      bytes += value.length;
    }
    const last = entries.at(-1);
    if (last !== undefined) await this.#write(puts, last);
  }

  async finish(): Promise<void> {
    const at = await this.#session.revision();
    const { offset } = this.#session.epoch;
    const restored = at - offset;
    const lifted = Math.max(offset, this.#revision - restored);
    await this.#session.change({ offset: lifted, floor: restored + lifted, restored });
    this.#session.members.close();
  }

  async abandon(): Promise<void> {
    this.#session.members.close();
  }

  open(): Promise<Store> {
    return openEtcd(this.#options);
  }

  // Puts bear being repeated.
  async #write(puts: readonly RequestOp[], { key, value }: Entry): Promise<void> {
    try {
      await this.#session.step(() => ({ success: puts }), { uncertain: false });
    } catch (error) {
      if (!(error instanceof EtcdRefused && error.message.includes("too large"))) throw error;
      throw new ValueTooLarge(key, value.length);
    }
  }

  async #count(): Promise<number> {
    const { ranges } = await this.#session.step(() => ({
      success: [{ requestRange: { ...this.#range(), limit: 1 } }],
    }));
    return ranges[0]?.count ?? 0;
  }

  #range(): { key: Buffer; rangeEnd: Buffer } {
    const key = this.#session.dataPrefix;
    return { key, rangeEnd: prefixEnd(key) };
  }
}
