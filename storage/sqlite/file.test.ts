import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { systemClock } from "@atoll/machinery/clock";
import { openSqlite } from "../sqlite.ts";
import { requireSqlite } from "./file.ts";
import { type Refusal, StoreRefused } from "../store.ts";

test("requireSqlite() refuses versions with the WAL-reset bug", () => {
  for (const version of ["3.51.2", "3.50.9", "3.7.0", "2.99.99", "3.51"]) {
    assert.throws(() => requireSqlite(version), refused("too old"), version);
  }
  for (const version of ["3.51.3", "3.51.10", "3.52.0", "4.0.0"]) requireSqlite(version);
});

test("openSqlite() refuses a file that is open here or in another process, and names it", async (t) => {
  const file = fileFor(t);
  const store = await openSqlite({ file, clock: systemClock });
  await assert.rejects(openSqlite({ file, clock: systemClock }), refused("locked"));
  const writer = path.join(import.meta.dirname, "..", "ledger-writer.ts");
  const other = spawnSync(process.execPath, [writer, file, '{"keys":1,"writes":1}'], { encoding: "utf8" });
  assert.notEqual(other.status, 0);
  assert.match(other.stderr, /store\.db is in use by another process/);
  // Being refused must not have taken the lock away.
  await assert.rejects(openSqlite({ file, clock: systemClock }), refused("locked"));
  await store.close();
  await (await openSqlite({ file, clock: systemClock })).close();
});

test("openSqlite() refuses a file of a newer format and one of another program, and leaves them as they are", async (t) => {
  const file = fileFor(t);
  await (await openSqlite({ file, clock: systemClock })).close();
  change(file, "PRAGMA user_version = 2");
  const before = fs.readFileSync(file);
  await assert.rejects(openSqlite({ file, clock: systemClock }), refused("newer format"));
  assert.ok(fs.readFileSync(file).equals(before));
  const foreign = fileFor(t);
  fs.mkdirSync(path.dirname(foreign));
  change(foreign, "CREATE TABLE photos (name TEXT)");
  await assert.rejects(openSqlite({ file: foreign, clock: systemClock }), refused("not a store"));
  const text = fileFor(t);
  fs.mkdirSync(path.dirname(text));
  fs.writeFileSync(text, "hello ".repeat(1000));
  await assert.rejects(openSqlite({ file: text, clock: systemClock }), /not a database/);
});

test("openSqlite() keeps its folder and files to this user", async (t) => {
  const file = fileFor(t);
  const store = await openSqlite({ file, clock: systemClock });
  await store.create("/a/1", Buffer.from("secret"));
  const folder = path.dirname(file);
  assert.equal(fs.statSync(folder).mode & 0o777, 0o700);
  assert.ok(fs.readdirSync(folder).length >= 3);
  for (const name of fs.readdirSync(folder))
    assert.equal(fs.statSync(path.join(folder, name)).mode & 0o777, 0o600, name);
  await store.close();
});

function change(file: string, sql: string): void {
  const db = new DatabaseSync(file);
  db.exec(sql);
  db.close();
}

function refused(reason: Refusal): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof StoreRefused, String(error));
    assert.equal(error.reason, reason);
    return true;
  };
}

function fileFor(t: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "atoll-sqlite-file-"));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  return path.join(folder, "data", "store.db");
}
