/** What a SQLite store holds at one moment, for a backup by another process while a server has the store open. */
import fs from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { BackupSource } from "../backup.ts";
import { readMeta, requireSqlite, setUp } from "./file.ts";
import { type Entry, FutureRevision, type Page, StoreUnavailable } from "../store.ts";

/**
 * Opens a store's file for reading as of now. The server goes on writing; its write-ahead log grows until close().
 * @throws {StoreRefused} the file is not for this program
 * @throws {StoreUnavailable} it is not there
 */
export function openSqliteSnapshot(file: string): BackupSource & { close(): void } {
  requireSqlite(process.versions["sqlite"] ?? "0");
  if (!fs.existsSync(file)) throw new StoreUnavailable(`${file} is not there`);
  return new SqliteSnapshot(file);
}

class SqliteSnapshot implements BackupSource {
  readonly #db: DatabaseSync;
  readonly #page: StatementSync;
  readonly #revision: number;

  constructor(file: string) {
    this.#db = new DatabaseSync(file, { timeout: 10_000 });
    try {
      setUp(this.#db, file);
      // Everything from here on is read as of the first reading.
      this.#db.exec("PRAGMA temp_store = MEMORY; BEGIN");
      const { revision, swept } = readMeta(this.#db);
      this.#revision = revision;
      this.#db.exec("CREATE TEMP TABLE replaced (revision INTEGER PRIMARY KEY)");
      this.#db.prepare("INSERT INTO replaced SELECT previous FROM log WHERE revision > ? AND previous > 0").run(swept);
      this.#db.exec("CREATE TEMP TABLE current (key TEXT PRIMARY KEY, revision INTEGER NOT NULL) WITHOUT ROWID");
      this.#db.exec(
        "INSERT INTO current SELECT key, revision FROM log WHERE created > 0 AND revision NOT IN (SELECT revision FROM replaced)",
      );
      this.#page = this.#db.prepare(
        `SELECT c.key, l.value, l.created AS createRevision, l.revision AS modRevision
         FROM current c JOIN log l ON l.revision = c.revision
         WHERE c.key > ?1 AND substr(c.key, 1, length(?2)) = ?2 ORDER BY c.key LIMIT ?3`,
      );
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  async list(prefix: string, options: { limit?: number; after?: string; revision?: number } = {}): Promise<Page> {
    const { limit = 2 ** 31, after = "", revision = this.#revision } = options;
    if (revision !== this.#revision) throw new FutureRevision(revision, this.#revision);
    const rows = this.#page.all(after, prefix, limit + 1) as unknown as (Omit<Entry, "value"> & {
      value: Uint8Array;
    })[];
    const entries = rows.slice(0, limit).map(({ key, value, createRevision, modRevision }) => {
      const { buffer, byteOffset, byteLength } = value;
      return { key, value: Buffer.from(buffer, byteOffset, byteLength), createRevision, modRevision };
    });
    return { revision, entries, more: rows.length > limit, total: undefined };
  }

  close(): void {
    this.#db.close();
  }
}
