/**
 * The thread that writes a SQLite store: it waits for the disk so that nobody else has to.
 *
 * Group commit: everything that arrived while one commit was on its way to the disk goes into the next one. Forgotten
 * history is swept in small transactions between commits.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { type Frame, unpack } from "../frame.ts";
import { connect, type Failure, failureOf } from "./file.ts";

/** What the thread is started with. */
export interface WriterStart {
  readonly file: string;
  readonly synchronous: "FULL" | "OFF";
  readonly compacted: number;
  readonly swept: number;
}

/** What the thread is asked for. Each order is answered, in order. */
export type Order =
  | { readonly do: "write"; readonly frame: Frame; readonly timeMs: number }
  /** Also a trial of whether anything can be written. */
  | { readonly do: "compact"; readonly revision: number }
  /** Moves what is in the WAL into the file. */
  | { readonly do: "checkpoint" }
  | { readonly do: "close" };

/** Answer to the oldest `orders` orders that have none yet: done, or why none of them was. */
export interface Answer {
  readonly orders: number;
  readonly failure?: Failure;
}

// One commit takes no more than this, so that the first write in it does not wait for ever.
const commitBytes = 8 * 2 ** 20;
const sweepRows = 256;

class Writer {
  readonly #port: MessagePort;
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #compact: StatementSync;
  readonly #sweep: { end: StatementSync; previous: StatementSync; removals: StatementSync; mark: StatementSync };
  #compacted: number;
  #swept: number;
  #sweeping = false;

  constructor(port: MessagePort, { file, synchronous, compacted, swept }: WriterStart) {
    this.#port = port;
    this.#db = connect(file, synchronous);
    this.#insert = this.#db.prepare("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)");
    this.#compact = this.#db.prepare("UPDATE meta SET value = max(value, ?) WHERE name = 'compacted'");
    this.#sweep = {
      end: this.#db.prepare(
        `SELECT max(revision) AS last FROM (SELECT revision FROM log WHERE revision > ? AND revision <= ? ORDER BY revision LIMIT ${sweepRows})`,
      ),
      previous: this.#db.prepare(
        "DELETE FROM log WHERE revision IN (SELECT previous FROM log WHERE revision > ? AND revision <= ? AND previous > 0)",
      ),
      removals: this.#db.prepare("DELETE FROM log WHERE revision > ? AND revision <= ? AND created = 0"),
      mark: this.#db.prepare("UPDATE meta SET value = ? WHERE name = 'swept'"),
    };
    this.#compacted = compacted;
    this.#swept = swept;
    port.on("message", (order: Order) => this.#take(order));
    this.#sweepLater();
  }

  #take(first: Order): void {
    const orders = this.#gather(first);
    const changes = orders.filter((order) => order.do === "write" || order.do === "compact");
    const last = orders.at(-1)?.do;
    if (changes.length > 0) this.#report(changes.length, () => this.#commit(changes));
    if (last === "checkpoint") this.#report(1, () => this.#db.exec("PRAGMA wal_checkpoint(PASSIVE)"));
    if (last === "close") this.#report(1, () => this.#db.close());
    if (last === "close") this.#port.close();
    else this.#sweepLater();
  }

  // Everything that waits, up to an order that is carried out by itself, after the commit.
  #gather(first: Order): Order[] {
    const orders = [first];
    let bytes = 0;
    for (let order = first; order.do === "write" || order.do === "compact"; ) {
      if (order.do === "write") bytes += order.frame.bytes.length;
      if (bytes > commitBytes) break;
      const next: { message: Order } | undefined = receiveMessageOnPort(this.#port);
      if (next === undefined) break;
      order = next.message;
      orders.push(order);
    }
    return orders;
  }

  #commit(orders: readonly Order[]): void {
    let compacted = this.#compacted;
    this.#transaction(() => {
      for (const order of orders) {
        if (order.do === "write") this.#write(order.frame, order.timeMs);
        if (order.do !== "compact") continue;
        this.#compact.run(order.revision);
        compacted = Math.max(compacted, order.revision);
      }
    });
    this.#compacted = compacted;
  }

  #write(frame: Frame, timeMs: number): void {
    for (const { revision, key, created, previous, value } of unpack(frame)) {
      this.#insert.run(revision, key, created, previous, timeMs, value);
    }
  }

  #sweepLater(): void {
    if (this.#sweeping || this.#swept >= this.#compacted) return;
    this.#sweeping = true;
    setImmediate(() => {
      this.#sweeping = false;
      // When the disk cannot take it, the next order makes it try again.
      if (this.#report(0, () => this.#sweepSome())) this.#sweepLater();
    });
  }

  // A value goes when the write that replaced it is forgotten; a removal goes when it is forgotten itself.
  #sweepSome(): void {
    const last = Number(this.#sweep.end.get(this.#swept, this.#compacted)?.["last"] ?? this.#compacted);
    this.#transaction(() => {
      this.#sweep.previous.run(this.#swept, last);
      this.#sweep.removals.run(this.#swept, last);
      this.#sweep.mark.run(last);
    });
    this.#swept = last;
  }

  #transaction(body: () => void): void {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      body();
      this.#db.exec("COMMIT");
    } catch (error) {
      // SQLite has ended it already after some errors.
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  // Does the work and answers for so many orders; gives whether it went well.
  #report(orders: number, work: () => void): boolean {
    let failure: Failure | undefined;
    try {
      work();
    } catch (error) {
      failure = failureOf(error);
    }
    const answer: Answer = { orders, ...(failure && { failure }) };
    if (orders > 0 || failure?.fatal === true) this.#port.postMessage(answer);
    return failure === undefined;
  }
}

if (parentPort !== null) new Writer(parentPort, workerData);
