import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { ManualClock } from "@atoll/harness/clock";
import { systemClock } from "@atoll/machinery/clock";
import { runConformance } from "./conformance.ts";
import { record, until } from "./recorder.ts";
import { openSqlite } from "./sqlite.ts";
import { Compacted, type Entry, type Store } from "./store.ts";

runConformance("sqlite", async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "atoll-sqlite-"));
  const options = { file: path.join(folder, "data", "store.db"), clock: systemClock };
  let store = await openSqlite(options);
  return {
    store,
    async reopen() {
      await store.close();
      store = await openSqlite(options);
      return store;
    },
    async dispose() {
      await store.close();
      fs.rmSync(folder, { recursive: true });
    },
  };
});

test("openSqlite() keeps the newest changes by count, and clears the file of the others", async (t) => {
  const file = fileFor(t);
  const store = await openSqlite({ file, clock: systemClock, historyCount: 50 });
  await rewrite(store, 400);
  const oldest = await store.oldest();
  const revision = await store.revision();
  assert.ok(revision - oldest >= 50 && revision - oldest <= 101, `${revision - oldest} changes kept`);
  assert.ok((await record(store, "/a/", oldest - 1).over()) instanceof Compacted);
  assert.equal((await record(store, "/a/", oldest).caughtUp(store)).told.length, revision - oldest);
  await until(() => rows(file) <= 102, "the sweep");
  await store.close();
});

test("openSqlite() forgets changes by age", async (t) => {
  const file = fileFor(t);
  const clock = new ManualClock();
  const store = await openSqlite({ file, clock, historyAgeMs: 600_000 });
  await rewrite(store, 10);
  const early = await store.revision();
  await clock.advance(400_000);
  await rewrite(store, 10);
  const late = await store.revision();
  await clock.advance(300_000);
  await until(async () => (await store.oldest()) === early, "the early changes to be forgotten");
  assert.equal((await record(store, "/a/", early).caughtUp(store)).told.length, late - early);
  await clock.advance(700_000);
  await until(async () => (await store.oldest()) === late, "all changes to be forgotten");
  await until(() => rows(file) === 5, "the sweep");
  await store.close();
});

test("a sweep that was cut short goes on when the store is opened again", async (t) => {
  const file = fileFor(t);
  const first = await openSqlite({ file, clock: systemClock });
  await rewrite(first, 2000);
  const revision = await first.revision();
  const { entries } = await first.list("");
  await first.close();
  const db = new DatabaseSync(file);
  db.exec(`UPDATE meta SET value = ${revision} WHERE name = 'compacted'`);
  db.close();
  const second = await openSqlite({ file, clock: systemClock });
  assert.deepEqual((await second.list("")).entries, entries);
  await until(() => rows(file) === entries.length, "the sweep");
  await second.close();
  const third = await openSqlite({ file, clock: systemClock });
  assert.deepEqual((await third.list("")).entries, entries);
  assert.equal(await third.revision(), revision);
  await third.close();
});

test("a long replay meets commits, checkpoints and a compaction without losing a change", async (t) => {
  const store = await openSqlite({ file: fileFor(t), clock: systemClock, checkpointBytes: 2 ** 20 });
  const start = await store.revision();
  await rewrite(store, 3000);
  const watches = Array.from({ length: 4 }, (_, i) => record(store, "/a/", start + i * 500));
  await rewrite(store, 3000);
  for (const [i, watch] of watches.entries()) {
    await watch.caughtUp(store);
    assert.equal(watch.told.length, 6000 - i * 500);
  }
  const overtaken = record(store, "/a/", start);
  await store.compact(await store.revision());
  assert.ok((await overtaken.over()) instanceof Compacted);
  await store.close();
});

test("writes that wait for the disk when the store is closed are kept", async (t) => {
  const file = fileFor(t);
  const store = await openSqlite({ file, clock: systemClock });
  const writes = Array.from({ length: 100 }, (_, i) => store.create(`/a/${i}`, Buffer.from("v")));
  await Promise.all([store.close(), ...writes]);
  const again = await openSqlite({ file, clock: systemClock });
  assert.equal((await again.list("/a/")).entries.length, 100);
  await again.close();
});

// Writes five keys over and over, some of them at once.
async function rewrite(store: Store, count: number): Promise<void> {
  const write = async (key: string): Promise<Entry> => {
    const found = await store.get(key);
    const value = Buffer.alloc(600, key);
    return found === undefined ? store.create(key, value) : store.update(key, found.modRevision, value);
  };
  for (let i = 0; i < count; i += 5) await Promise.all([0, 1, 2, 3, 4].map((n) => write(`/a/${n}`)));
}

function rows(file: string): number {
  const db = new DatabaseSync(file);
  try {
    return Number(db.prepare("SELECT count(*) AS rows FROM log").get()?.["rows"]);
  } finally {
    db.close();
  }
}

function fileFor(t: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "atoll-sqlite-"));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  return path.join(folder, "store.db");
}
