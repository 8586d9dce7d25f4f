/**
 * A program for tests: writes to a SQLite store as fast as it can and keeps a ledger on stdout, until it is killed.
 *
 *   node ledger-writer.ts FILE JSON       JSON: SqliteOptions and LedgerOptions
 *
 * Lines: `open REVISION`, `try KEY VALUE` before a write, `ok KEY REVISION` or `no KEY MESSAGE` after it. A key has one
 * write at a time.
 */
import fs from "node:fs";
import { chance, systemClock } from "@atoll/machinery/clock";
import { type LedgerOptions, ledgerValue } from "./ledger.ts";
import { openSqlite, type SqliteOptions } from "./sqlite.ts";
import type { Store } from "./store.ts";

const [file = "", json = "{}"] = process.argv.slice(2);
const options: LedgerOptions & Partial<SqliteOptions> = JSON.parse(json);

const store = await openSqlite({ clock: systemClock, ...options, file });
say(`open ${await store.revision()}`);
await Promise.all(Array.from({ length: options.keys }, (_, i) => writeKey(store, `/ledger/key-${i}`)));
await store.close();

async function writeKey(store: Store, key: string): Promise<void> {
  for (let i = 1; options.writes === 0 || i <= options.writes; i++) {
    const found = await store.get(key);
    const text = found !== undefined && i % 7 === 0 ? "-" : `${i}-${chance()}`;
    say(`try ${key} ${text}`);
    try {
      say(`ok ${key} ${await put(key, found?.modRevision, text)}`);
    } catch (error) {
      say(`no ${key} ${String(error)}`);
    }
  }
}

async function put(key: string, at: number | undefined, text: string): Promise<number> {
  if (at !== undefined && text === "-") return store.delete(key, at);
  const value = ledgerValue(key, text);
  return (await (at === undefined ? store.create(key, value) : store.update(key, at, value))).modRevision;
}

// Straight to the file: what was said before a kill stays said.
function say(line: string): void {
  fs.writeSync(1, `${line}\n`);
}
