/** What a SQLite store keeps when its process, its disk space or its disk goes away. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { chance, systemClock } from "@atoll/machinery/clock";
import { Ledger, type LedgerOptions } from "../ledger.ts";
import { until } from "../recorder.ts";
import { openSqlite, type SqliteOptions } from "../sqlite.ts";
import { StoreUnavailable } from "../store.ts";

const nightly = process.env["ATOLL_NIGHTLY"] === "1";
const writer = path.join(import.meta.dirname, "..", "ledger-writer.ts");

test("kill -9 at any moment loses no acknowledged write and reuses no revision", async (t) => {
  const folder = folderFor(t);
  const file = path.join(folder, "store.db");
  const ledger = new Ledger();
  for (let round = 0; round < (nightly ? 1000 : 20); round++) {
    // Small limits, so that kills meet checkpoints and sweeps too; every other round keeps all history.
    const forgetful = round % 2 === 1;
    const options = { keys: 48, writes: 0, checkpointBytes: 2 ** 20, ...(forgetful && { historyCount: 300 }) };
    ledger.read(await runAndKill(file, path.join(folder, "ledger"), options));
    const store = await openSqlite({ file, clock: systemClock });
    await ledger.check(store, { history: !forgetful });
    await store.close();
    assert.equal(integrity(file), "ok");
  }
  assert.ok(ledger.total > 1000, `only ${ledger.total} writes`);
  t.diagnostic(`${ledger.total} writes acknowledged`);
});

async function runAndKill(
  file: string,
  output: string,
  options: LedgerOptions & Partial<SqliteOptions>,
): Promise<string> {
  const fd = fs.openSync(output, "w");
  const child = spawn(process.execPath, [writer, file, JSON.stringify(options)], { stdio: ["ignore", fd, "inherit"] });
  fs.closeSync(fd);
  await until(() => fs.readFileSync(output, "utf8").includes("\nok "), "the first write");
  await systemClock.sleep(chance() * 200);
  child.kill("SIGKILL");
  await ended(child);
  return fs.readFileSync(output, "utf8");
}

test("a full disk refuses writes, serves reads, and needs no restart when space is back", async (t) => {
  const folder = folderFor(t);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=6m", "atoll-test", folder]);
  if (mounted.status !== 0) return t.skip("mounting a small tmpfs takes root");
  try {
    await fillDisk(folder);
  } finally {
    execFileSync("umount", ["--lazy", folder]);
  }
});

async function fillDisk(folder: string): Promise<void> {
  const file = path.join(folder, "store.db");
  const filler = path.join(folder, "filler");
  let store = await openSqlite({ file, clock: systemClock, checkpointBytes: 2 ** 20 });
  const held = new Map<string, string>();
  for (let round = 0; round < 3; round++) {
    fs.writeFileSync(filler, Buffer.alloc((3 - round) * 2 ** 20));
    let failure: unknown;
    for (let i = 0; failure === undefined && i < 10_000; i++) {
      const key = `/full/${round}-${i}`;
      const made = store.create(key, Buffer.alloc(3000, key)).then(() => held.set(key, key));
      await made.catch((error: unknown) => (failure = error));
    }
    assert.ok(failure instanceof StoreUnavailable && !failure.uncertain, String(failure));
    assert.deepEqual(
      (await store.list("/full/")).entries.map(({ key }) => key),
      [...held.keys()].sort(),
    );
    assert.equal((await store.list("/full/", { revision: 2 })).entries.length, 1);
    fs.rmSync(filler);
    await store.healthy();
    await store.create(`/full/${round}-after`, Buffer.from("space is back"));
    held.set(`/full/${round}-after`, "");
  }
  await store.close();
  assert.equal(integrity(file), "ok");
  store = await openSqlite({ file, clock: systemClock });
  assert.deepEqual(
    (await store.list("/full/")).entries.map(({ key }) => key),
    [...held.keys()].sort(),
  );
  await store.close();
}

test("no acknowledgement leaves before the sync that covers it", async (t) => {
  if (spawnSync("strace", ["-V"]).status !== 0) return t.skip("strace is not installed");
  const early = (synchronous: "FULL" | "OFF"): number => {
    const folder = folderFor(t);
    const trace = path.join(folder, "trace");
    const options = { keys: 8, writes: 20, synchronous };
    strace(trace, ["-e", "trace=pwrite64,write,fdatasync,fsync"], [path.join(folder, "store.db"), options]);
    return earlyAcknowledgements(fs.readFileSync(trace, "utf8"), 8 * 20);
  };
  assert.equal(early("FULL"), 0);
  assert.ok(early("OFF") > 100, "the recorder does not see a store that never syncs");
});

test("a failed sync ends the process, saying why, and acknowledges nothing after it", async (t) => {
  if (spawnSync("strace", ["-V"]).status !== 0) return t.skip("strace is not installed");
  const folder = folderFor(t);
  const file = path.join(folder, "store.db");
  const trace = path.join(folder, "trace");
  // The first few syncs make the file.
  const inject = ["-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:error=EIO:when=30+"];
  const run = strace(trace, inject, [file, { keys: 8, writes: 500 }]);
  assert.equal(run.status, 1);
  assert.match(run.stderr, /disk failed to keep what was written.*stopping/);
  const ledger = new Ledger();
  ledger.read(run.stdout);
  assert.ok(ledger.total > 0);
  const store = await openSqlite({ file, clock: systemClock });
  await ledger.check(store, { history: true });
  await store.close();
});

function strace(trace: string, how: string[], [file, options]: [string, LedgerOptions & Partial<SqliteOptions>]) {
  const command = [
    "-f",
    "-y",
    "-s",
    "65536",
    "-o",
    trace,
    ...how,
    process.execPath,
    writer,
    file,
    JSON.stringify(options),
  ];
  return spawnSync("strace", command, { encoding: "utf8", maxBuffer: 2 ** 28 });
}

/**
 * Reads a trace: a value seen going into the write-ahead log is covered by a sync that begins after that and ends
 * before its `ok` line is written.
 * @returns how many acknowledgements were early
 */
function earlyAcknowledgements(trace: string, expected: number): number {
  // For each key: whether its newest value has been written, and whether a sync has covered it.
  const written = new Set<string>();
  const covering = new Map<string, Set<string>>();
  const covered = new Set<string>();
  let acknowledged = 0;
  let early = 0;
  for (const line of trace.split("\n")) {
    const [thread = ""] = line.split(" ", 1);
    const said = /\bwrite\(1<.*"(try|ok) (\S+)/.exec(line);
    const key = said?.[2] ?? "";
    if (said?.[1] === "try") for (const set of [written, covered]) set.delete(key);
    if (said?.[1] === "ok") acknowledged++;
    if (said?.[1] === "ok" && !covered.has(key)) early++;
    if (/\bpwrite64\(\d+<[^>]*-wal>/.test(line))
      for (const [, seen = ""] of line.matchAll(/(\/ledger\/key-\d+)/g)) written.add(seen);
    if (/\bf(data)?sync\(\d+<[^>]*-wal>/.test(line)) covering.set(thread, new Set(written));
    if (/\bf(data)?sync\b.*= 0/.test(line)) for (const seen of covering.get(thread) ?? []) covered.add(seen);
  }
  assert.equal(acknowledged, expected);
  return early;
}

function folderFor(t: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "atoll-crash-"));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function integrity(file: string): unknown {
  const db = new DatabaseSync(file);
  try {
    return db.prepare("PRAGMA integrity_check").get()?.["integrity_check"];
  } finally {
    db.close();
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}
