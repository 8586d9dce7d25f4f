/**
 * The thread that reads a SQLite store's file: everything at the start, history later. It also moves most of the WAL
 * into the file, which would keep the writer from committing.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { type Frame, memoryOf, pack, type Row } from "../frame.ts";
import { connect, type Failure, failureOf } from "./file.ts";

/** What the thread is asked for. Each question gets one answer, but for load, which gets one for each piece. */
export type Question =
  | { readonly id: number; readonly do: "load"; readonly swept: number }
  | { readonly id: number; readonly do: "past"; readonly prefix: string; readonly after: number; readonly upTo: number }
  /** The newest revision such that every write up to it was made before `timeMs`. */
  | {
      readonly id: number;
      readonly do: "before";
      readonly timeMs: number;
      readonly after: number;
      readonly upTo: number;
    }
  | { readonly id: number; readonly do: "checkpoint" }
  | { readonly id: number; readonly do: "close" };

/** What comes back. */
export interface Reply {
  readonly id: number;
  /** For load: current entries. For past: each change, followed by what it replaced if its `previous` is not 0. */
  readonly frame?: Frame;
  /** More answers to this question come. */
  readonly more?: boolean;
  /** For past: the changes are all there are up to here. For before: the revision. For checkpoint: pages left. */
  readonly number?: number;
  readonly failure?: Failure;
}

// Loaded values keep their piece in memory: small ones are given back sooner when values change.
const loadBytes = 64 * 2 ** 10;
const pastBytes = 2 ** 20;
const pastRows = 1000;

class Reader {
  readonly #port: MessagePort;
  readonly #db: DatabaseSync;
  readonly #past: StatementSync;

  constructor(port: MessagePort, file: string) {
    this.#port = port;
    this.#db = connect(file, "FULL");
    this.#past = this.#db.prepare(
      `SELECT l.revision, l.key, l.created, l.previous, l.value, p.created AS oldCreated, p.value AS oldValue
       FROM log l LEFT JOIN log p ON p.revision = l.previous AND l.previous > 0
       WHERE l.revision > ? AND l.revision <= ? AND substr(l.key, 1, length(?3)) = ?3
       ORDER BY l.revision`,
    );
    port.on("message", (question: Question) => this.#take(question));
  }

  #take(question: Question): void {
    try {
      const { frame, number } = this.#answer(question);
      this.#send(question.id, { ...(frame && { frame }), ...(number !== undefined && { number }) });
    } catch (error) {
      this.#send(question.id, { failure: failureOf(error) });
    }
    if (question.do === "close") this.#port.close();
  }

  #answer(question: Question): { frame?: Frame; number?: number } {
    switch (question.do) {
      case "load":
        return { frame: this.#load(question) };
      case "past":
        return this.#readPast(question);
      case "before":
        return { number: this.#before(question) };
      case "checkpoint":
        return { number: this.#checkpoint() };
      case "close":
        this.#db.close();
        return {};
    }
  }

  // The values that a later write replaced are still in the log as far as it is not swept.
  #load({ id, swept }: Extract<Question, { do: "load" }>): Frame {
    this.#db.exec("CREATE TEMP TABLE replaced (revision INTEGER PRIMARY KEY)");
    this.#db.prepare("INSERT INTO replaced SELECT previous FROM log WHERE revision > ? AND previous > 0").run(swept);
    const current = this.#db.prepare(
      `SELECT revision, key, created, previous, value FROM log
       WHERE created > 0 AND revision NOT IN (SELECT revision FROM replaced)`,
    );
    let rows: Row[] = [];
    let bytes = 0;
    for (const row of current.iterate() as Iterable<unknown> as Iterable<Row>) {
      rows.push(row);
      bytes += row.value.length;
      if (bytes < loadBytes) continue;
      this.#send(id, { frame: pack(rows), more: true });
      rows = [];
      bytes = 0;
    }
    this.#db.exec("DROP TABLE replaced");
    return pack(rows);
  }

  #readPast({ prefix, after, upTo }: Extract<Question, { do: "past" }>): { frame: Frame; number: number } {
    type PastRow = Row & { readonly oldCreated: number | null; readonly oldValue: Uint8Array | null };
    const rows: Row[] = [];
    let bytes = 0;
    for (const row of this.#past.iterate(after, upTo, prefix) as Iterable<unknown> as Iterable<PastRow>) {
      const { oldCreated, oldValue, ...change } = row;
      rows.push(change);
      bytes += change.value.length + (oldValue?.length ?? 0);
      if (oldCreated !== null && oldValue !== null) {
        rows.push({ revision: row.previous, key: row.key, created: oldCreated, previous: 0, value: oldValue });
      }
      if (bytes >= pastBytes || rows.length >= pastRows) return { frame: pack(rows), number: row.revision };
    }
    return { frame: pack(rows), number: upTo };
  }

  #before({ timeMs, after, upTo }: Extract<Question, { do: "before" }>): number {
    const young = this.#db
      .prepare("SELECT revision FROM log WHERE revision > ? AND revision <= ? AND time >= ? ORDER BY revision LIMIT 1")
      .get(after, upTo, timeMs);
    return young === undefined ? upTo : Number(young["revision"]) - 1;
  }

  #checkpoint(): number {
    const found = this.#db.prepare("PRAGMA wal_checkpoint(PASSIVE)").get() ?? {};
    return Math.max(0, Number(found["log"]) - Number(found["checkpointed"]));
  }

  #send(id: number, reply: Omit<Reply, "id">): void {
    this.#port.postMessage({ id, ...reply }, reply.frame === undefined ? [] : memoryOf([reply.frame]));
  }
}

if (parentPort !== null) new Reader(parentPort, (workerData as { file: string }).file);
