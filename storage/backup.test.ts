import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { chance, systemClock } from "@atoll/machinery/clock";
import fc from "fast-check";
import { type Backup, BackupDamaged, type RestoreTarget, restoreBackup, verifyBackup, writeBackup } from "./backup.ts";
import { openMemory } from "./memory.ts";
import { record, Recorder, until } from "./recorder.ts";
import { openSqlite } from "./sqlite.ts";
import { sqliteTarget } from "./sqlite/restore.ts";
import { openSqliteSnapshot } from "./sqlite/snapshot.ts";
import {
  Compacted,
  type Entry,
  KeyExists,
  RevisionMismatch,
  type Store,
  StoreRefused,
  StoreUnavailable,
} from "./store.ts";

const nightly = process.env["ATOLL_NIGHTLY"] === "1";

test("a restored SQLite store has the keys, values and revisions of the one backed up, and goes on from there", async (t) => {
  const folder = folderFor(t);
  const store = await openSqlite({ file: path.join(folder, "from.db"), clock: systemClock });
  const made = await fill(store, 3000);
  const gone = made.pop();
  assert.ok(gone !== undefined);
  await store.delete(gone.key, gone.modRevision);
  const backup = await writeBackup(store, path.join(folder, "backup"));
  const revision = await store.revision();
  await store.close();
  assert.equal(backup.revision, revision);
  assert.equal(backup.entries, made.length);
  assert.equal(fs.statSync(path.join(folder, "backup")).mode & 0o777, 0o600);

  const options = { file: path.join(folder, "to", "store.db"), clock: systemClock };
  assert.deepEqual(await restoreBackup(path.join(folder, "backup"), sqliteTarget(options)), backup);
  assert.deepEqual(fs.readdirSync(path.dirname(options.file)), ["store.db", "store.db.lock"]);
  const restored = await openSqlite(options);
  const { entries } = await restored.list("");
  assert.deepEqual(
    entries,
    made.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
  );
  assert.equal(await restored.revision(), revision);
  assert.equal(await restored.oldest(), revision);
  const watch = record(restored, "", revision);
  const first = await restored.create(gone.key, Buffer.from("again"));
  assert.ok(first.modRevision > revision);
  assert.deepEqual(
    (await watch.caughtUp(restored)).told.map(({ entry }) => entry),
    [first],
  );
  assert.ok((await record(restored, "", revision - 1).over()) instanceof Compacted);
  await restored.close();
});

test("an empty store can be backed up and restored", async (t) => {
  const folder = folderFor(t);
  const file = path.join(folder, "backup");
  assert.equal((await writeBackup(openMemory(), file)).entries, 0);
  const options = { file: path.join(folder, "store.db"), clock: systemClock };
  await restoreBackup(file, sqliteTarget(options));
  const store = await openSqlite(options);
  assert.equal(await store.revision(), 1);
  await store.close();
});

test("a backup shows one moment, however much is written meanwhile", async (t) => {
  const folder = folderFor(t);
  const store = await openSqlite({ file: path.join(folder, "store.db"), clock: systemClock });
  const watch = new Recorder();
  const start = await store.revision();
  store.watch("", start, watch);
  await fill(store, 12_000);
  let stopped = false;
  const writing = Array.from({ length: 8 }, async (_, caller) => {
    while (!stopped) await rewrite(store, `/objects/${String(Math.floor(chance() * 12_000)).padStart(5, "0")}`, caller);
  });
  const before = await store.revision();
  const backup = await writeBackup(store, path.join(folder, "backup"));
  stopped = true;
  await Promise.all(writing);
  assert.ok((await store.revision()) > before, "nothing was written meanwhile");
  await watch.caughtUp(store);
  const expected = new Map<string, Entry>();
  for (const { key, entry, revision } of watch.told) {
    if (revision > backup.revision) break;
    if (entry === undefined) expected.delete(key);
    else expected.set(key, entry);
  }
  const options = { file: path.join(folder, "restored.db"), clock: systemClock };
  await restoreBackup(path.join(folder, "backup"), sqliteTarget(options));
  const restored = await openSqlite(options);
  assert.deepEqual(new Map((await restored.list("")).entries.map((entry) => [entry.key, entry])), expected);
  await restored.close();
  await store.close();
});

test("another process backs up a store that a server has open and is writing to", async (t) => {
  const folder = folderFor(t);
  const file = path.join(folder, "store.db");
  const writer = path.join(import.meta.dirname, "ledger-writer.ts");
  const load = JSON.stringify({ keys: 200, writes: 0, checkpointBytes: 2 ** 20 });
  const server = spawn(process.execPath, [writer, file, load], {
    stdio: ["ignore", fs.openSync(path.join(folder, "ledger"), "w"), "inherit"],
  });
  t.after(() => server.kill("SIGKILL"));
  const backups: Backup[] = [];
  for (let i = 0; i < 5; i++) {
    await until(
      () => fs.existsSync(file) && fs.readFileSync(path.join(folder, "ledger")).length > 20_000 * (i + 1),
      "writes",
    );
    const snapshot = openSqliteSnapshot(file);
    backups.push(await writeBackup(snapshot, path.join(folder, `backup-${i}`)));
    snapshot.close();
  }
  server.kill("SIGKILL");
  await once(server, "exit");
  const store = await openSqlite({ file, clock: systemClock });
  assert.ok(backups.some(({ entries }) => entries > 0));
  for (const [i, { revision }] of backups.entries()) {
    const options = { file: path.join(folder, `restored-${i}.db`), clock: systemClock };
    await restoreBackup(path.join(folder, `backup-${i}`), sqliteTarget(options));
    const restored = await openSqlite(options);
    assert.deepEqual((await restored.list("")).entries, (await store.list("", { revision })).entries);
    await restored.close();
  }
  await store.close();
});

test("a snapshot of a file that is not there makes none", (t) => {
  const folder = folderFor(t);
  assert.throws(() => openSqliteSnapshot(path.join(folder, "store.db")), StoreUnavailable);
  assert.deepEqual(fs.readdirSync(folder), []);
});

test("a backup that is not whole and unchanged is refused before the store is touched", async (t) => {
  const folder = folderFor(t);
  const file = path.join(folder, "backup");
  const store = openMemory();
  await fill(store, 40);
  await writeBackup(store, file);
  const whole = fs.readFileSync(file);
  const damaged = path.join(folder, "damaged");
  const refuses = async (bytes: Buffer): Promise<void> => {
    fs.writeFileSync(damaged, bytes);
    await assert.rejects(restoreBackup(damaged, untouchable), BackupDamaged);
  };
  const flip = fc.asyncProperty(
    fc.nat({ max: whole.length - 1 }),
    fc.integer({ min: 1, max: 255 }),
    async (at, bits) => {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ bits;
      await refuses(bytes);
    },
  );
  await fc.assert(flip, { numRuns: nightly ? 1000 : 200 });
  for (const length of [0, 1, 7, 8, 12, 60, whole.length - 1]) await refuses(whole.subarray(0, length));
  await refuses(Buffer.concat([whole, Buffer.of(0)]));
  await refuses(Buffer.concat([whole, whole]));
  await refuses(Buffer.from("hello ".repeat(100)));
  assert.equal((await verifyBackup(file)).entries, 40);
});

const untouchable: RestoreTarget = {
  begin: () => assert.fail("the store was touched"),
  put: () => assert.fail("the store was touched"),
  finish: () => assert.fail("the store was touched"),
  abandon: () => assert.fail("the store was touched"),
  open: () => assert.fail("the store was touched"),
};

test("an interrupted restore leaves no store, and runs again", async (t) => {
  const folder = folderFor(t);
  const file = path.join(folder, "backup");
  const store = openMemory();
  const made = await fill(store, 5000);
  await writeBackup(store, file);
  const options = { file: path.join(folder, "store.db"), clock: systemClock };
  for (const share of [0.1, 0.6, 1]) {
    const interrupt = (done: number): void => {
      if (done >= made.length * share) throw new RangeError("interrupted");
    };
    await assert.rejects(restoreBackup(file, sqliteTarget(options), interrupt), RangeError);
    assert.equal(fs.existsSync(options.file), false);
  }
  // What a kill would leave.
  for (const suffix of ["", "-wal"]) fs.writeFileSync(`${options.file}.restoring${suffix}`, "half of it");
  await restoreBackup(file, sqliteTarget(options));
  const restored = await openSqlite(options);
  assert.equal((await restored.list("")).entries.length, made.length);
  await restored.close();
});

test("a restore into a store that holds objects or is open is refused, and changes nothing", async (t) => {
  const folder = folderFor(t);
  const backup = path.join(folder, "backup");
  const other = openMemory();
  await fill(other, 10);
  await writeBackup(other, backup);
  const options = { file: path.join(folder, "store.db"), clock: systemClock };
  const store = await openSqlite(options);
  await assert.rejects(restoreBackup(backup, sqliteTarget(options)), refusedAs("locked"));
  const mine = await store.create("/mine", Buffer.from("mine"));
  await store.close();
  await assert.rejects(restoreBackup(backup, sqliteTarget(options)), refusedAs("not empty"));
  const again = await openSqlite(options);
  assert.deepEqual((await again.list("")).entries, [mine]);
  await again.close();
});

test("a backup is not left behind half written", async (t) => {
  const folder = folderFor(t);
  const store = openMemory();
  await fill(store, 10);
  await store.close();
  await assert.rejects(writeBackup(store, path.join(folder, "backup")));
  assert.deepEqual(fs.readdirSync(folder), []);
});

// Objects of various sizes, one of them empty, one larger than what is read at once.
async function fill(store: Store, count: number): Promise<Entry[]> {
  const sizeOf = (i: number): number => (i === 1 ? 2 ** 20 : (i * 37) % 2000);
  return Promise.all(
    Array.from({ length: count }, (_, i) => {
      return store.create(`/objects/${String(i).padStart(5, "0")}`, Buffer.alloc(sizeOf(i), `v${i}`));
    }),
  );
}

async function rewrite(store: Store, key: string, caller: number): Promise<void> {
  const found = await store.get(key);
  try {
    if (found === undefined) await store.create(key, Buffer.from(`again by ${caller}`));
    else if (chance() < 0.3) await store.delete(key, found.modRevision);
    else await store.update(key, found.modRevision, Buffer.from(`changed by ${caller}`));
  } catch (error) {
    if (!(error instanceof KeyExists || error instanceof RevisionMismatch)) throw error;
  }
}

function refusedAs(reason: string): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof StoreRefused, String(error));
    assert.equal(error.reason, reason);
    return true;
  };
}

function folderFor(t: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "atoll-backup-"));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  return folder;
}
