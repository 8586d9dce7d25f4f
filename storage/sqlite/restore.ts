/** A backup into a SQLite file: built beside it under another name, which only a whole one loses. */
import fs from "node:fs";
import path from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Backup, RestoreTarget } from "../backup.ts";
import { openSqlite, type SqliteOptions } from "../sqlite.ts";
import { createTables, lockFile, makePrivate, setUp } from "./file.ts";
import { type Entry, type Store, StoreRefused } from "../store.ts";

/** A SQLite store to restore into: its file is not there, or holds nothing. */
export function sqliteTarget(options: SqliteOptions): RestoreTarget {
  return new SqliteTarget(options);
}

interface Building {
  readonly db: DatabaseSync;
  readonly insert: StatementSync;
  readonly backup: Backup;
  readonly release: () => void;
}

class SqliteTarget implements RestoreTarget {
  readonly #options: SqliteOptions;
  readonly #partial: string;
  #building: Building | undefined;

  constructor(options: SqliteOptions) {
    this.#options = options;
    this.#partial = `${options.file}.restoring`;
  }

  async begin(backup: Backup): Promise<void> {
    const { file } = this.#options;
    const release = lockFile(file);
    try {
      if (fs.existsSync(file)) requireEmpty(file);
    } catch (error) {
      release();
      throw error;
    }
    this.#clear();
    makePrivate(this.#partial);
    const db = new DatabaseSync(this.#partial);
    createTables(db);
    // It is synced as a whole before it gets its name. Entries come by key and are kept by revision: in one
    // transaction with a large cache each page is written once, not once for each batch.
    db.exec(`PRAGMA synchronous = OFF; PRAGMA cache_size = ${-256 * 1024}; BEGIN`);
    const insert = db.prepare("INSERT INTO log VALUES (?, ?, ?, 0, ?, ?)");
    this.#building = { db, insert, backup, release };
  }

  async put(entries: readonly Entry[]): Promise<void> {
    const { insert } = this.#now();
    const timeMs = this.#options.clock.nowMs();
    for (const { key, value, createRevision, modRevision } of entries) {
      insert.run(modRevision, key, createRevision, timeMs, value);
    }
  }

  async finish(): Promise<void> {
    const { db, backup, release } = this.#now();
    db.prepare("UPDATE meta SET value = ?").run(backup.revision);
    db.exec("COMMIT");
    // The last connection moves everything into the file, and the files beside it go.
    db.close();
    this.#building = undefined;
    const { file } = this.#options;
    sync(this.#partial);
    for (const suffix of ["-wal", "-shm"]) fs.rmSync(file + suffix, { force: true });
    fs.renameSync(this.#partial, file);
    sync(path.dirname(file));
    release();
  }

  async abandon(): Promise<void> {
    if (this.#building === undefined) return;
    this.#building.db.close();
    this.#clear();
    this.#building.release();
    this.#building = undefined;
  }

  open(): Promise<Store> {
    return openSqlite(this.#options);
  }

  #now(): Building {
    if (this.#building === undefined) throw new Error("the restore has not begun");
    return this.#building;
  }

  #clear(): void {
    for (const suffix of ["", "-wal", "-shm", "-journal"]) fs.rmSync(this.#partial + suffix, { force: true });
  }
}

// Opening and closing it also moves into the file what a killed server left beside it.
function requireEmpty(file: string): void {
  const db = new DatabaseSync(file);
  try {
    setUp(db, file);
    if (db.prepare("SELECT 1 FROM log LIMIT 1").get() === undefined) return;
  } finally {
    db.close();
  }
  throw new StoreRefused("not empty", `${file} holds objects: restore into an empty data directory`);
}

function sync(name: string): void {
  const fd = fs.openSync(name, "r");
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
