/** The file of a SQLite store: who may open it, what is in it, how connections are set up. */
import fs from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StoreRefused } from "../store.ts";

// "ATOL", in the header of the file: https://sqlite.org/pragma.html#pragma_application_id
const applicationId = 0x41544f4c;
/** Raised when an older program could no longer use the file. */
const format = 1;
// Before it, two connections could lose a commit when the WAL was reset: https://sqlite.org/releaselog/3_51_3.html
const oldestSqlite = "3.51.3";

/**
 * Refuses a SQLite with the WAL-reset bug.
 * @throws {StoreRefused}
 */
export function requireSqlite(version: string): void {
  const numbers = (text: string): number[] => text.split(".").map(Number);
  const got = numbers(version);
  for (const [i, least] of numbers(oldestSqlite).entries()) {
    const number = got[i] ?? 0;
    if (number > least) return;
    if (number < least) {
      throw new StoreRefused("too old", `SQLite ${version} can lose data; ${oldestSqlite} or newer is needed`);
    }
  }
}

const busy = 5;

// https://sqlite.org/rescode.html#ioerr_fsync and #ioerr_dir_fsync
const failedSyncs = [1034, 1290];

/** What went wrong with the file, as one thread tells another. */
export interface Failure {
  readonly failed: string;
  /** A sync failed: the disk may or may not have what it was told to keep, and this process must end. */
  readonly fatal: boolean;
}

/** Describes an error of node:sqlite. */
export function failureOf(error: unknown): Failure {
  return {
    failed: error instanceof Error ? error.message : String(error),
    fatal: failedSyncs.includes(resultCode(error)),
  };
}

// SQLite's extended result code, or -1. https://sqlite.org/rescode.html
function resultCode(error: unknown): number {
  return error instanceof Error && "errcode" in error ? Number(error.errcode) : -1;
}

/** A file prepared for use by this process alone. */
export interface Prepared {
  /** Revision that no write has gone beyond. */
  readonly revision: number;
  /** History up to here is forgotten. */
  readonly compacted: number;
  /** Rows up to here have been cleared of what was forgotten. */
  readonly swept: number;
  /** Lets other processes have the file. */
  release(): void;
}

/**
 * Locks a store's file against other processes, makes it if it is not there (its folder too, for this user only), and
 * checks that this program understands it.
 * @throws {StoreRefused}
 */
export function prepareFile(file: string): Prepared {
  requireSqlite(process.versions["sqlite"] ?? "0");
  const unlock = lockFile(file);
  try {
    makePrivate(file);
    const db = new DatabaseSync(file);
    try {
      setUp(db, file);
      return { ...readMeta(db), release: unlock };
    } finally {
      db.close();
    }
  } catch (error) {
    unlock();
    throw error;
  }
}

/** Settings of every connection. Checkpoints are asked for (sqlite.ts), never made inside a commit. */
export function connect(file: string, synchronous: "FULL" | "OFF"): DatabaseSync {
  // Both threads open the file at once: one waits for the other's lock.
  const db = new DatabaseSync(file, { timeout: 10_000 });
  db.exec(`
    PRAGMA synchronous = ${synchronous};
    PRAGMA wal_autocheckpoint = 0;
    PRAGMA journal_size_limit = ${64 * 2 ** 20};
    PRAGMA temp_store = MEMORY;
  `);
  return db;
}

/**
 * Takes a store's file for this process alone, whether it is there or not; makes its folder. The kernel drops the lock
 * when the process dies, however it dies.
 * @returns gives the lock back
 * @throws {StoreRefused}
 */
export function lockFile(file: string): () => void {
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  makePrivate(`${file}.lock`);
  const db = new DatabaseSync(`${file}.lock`);
  try {
    db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    db.close();
    if ((resultCode(error) & 0xff) !== busy) throw error;
    throw new StoreRefused("locked", `${file} is in use by another process: only one server may open it`);
  }
  return () => db.close();
}

/**
 * Makes a file readable by this user only, an empty one if it is not there. One that is there is not opened: closing it
 * would drop the locks that this process holds on it (POSIX).
 */
export function makePrivate(file: string): void {
  if (fs.existsSync(file)) fs.chmodSync(file, 0o600);
  else fs.closeSync(fs.openSync(file, "wx", 0o600));
}

/**
 * Checks that this program understands a database; an empty one becomes an empty store.
 * @throws {StoreRefused}
 */
export function setUp(db: DatabaseSync, file: string): void {
  const number = (pragma: string): number => Number(Object.values(db.prepare(`PRAGMA ${pragma}`).get() ?? {})[0]);
  const found = number("application_id");
  if (found === 0 && number("schema_version") === 0) return createTables(db);
  if (found !== applicationId) throw new StoreRefused("not a store", `${file} is a database of another program`);
  const version = number("user_version");
  if (version > format) {
    throw new StoreRefused("newer format", `${file} has format ${version}; this program knows up to ${format}`);
  }
}

/** Makes an empty store of an empty database: in one transaction, so that a crash leaves the one or the other. */
export function createTables(db: DatabaseSync): void {
  db.exec(`
    PRAGMA page_size = 8192;
    PRAGMA journal_mode = WAL;
    BEGIN IMMEDIATE;
    CREATE TABLE log (
      revision INTEGER PRIMARY KEY,
      key TEXT NOT NULL,
      created INTEGER NOT NULL,
      previous INTEGER NOT NULL,
      time INTEGER NOT NULL,
      value BLOB
    ) STRICT;
    CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO meta VALUES ('compacted', 0), ('swept', 0);
    PRAGMA application_id = ${applicationId};
    PRAGMA user_version = ${format};
    COMMIT;
  `);
}

/** Where a store stands. A forgotten delete may have had the newest revision: it must not be given again. */
export function readMeta(db: DatabaseSync): { revision: number; compacted: number; swept: number } {
  const meta = new Map(
    db
      .prepare("SELECT name, value FROM meta")
      .all()
      .map((row) => [row["name"], Number(row["value"])]),
  );
  const newest = Number(db.prepare("SELECT max(revision) AS newest FROM log").get()?.["newest"] ?? 0);
  const compacted = meta.get("compacted") ?? 0;
  return { revision: Math.max(newest, compacted, 1), compacted, swept: meta.get("swept") ?? 0 };
}
