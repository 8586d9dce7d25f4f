import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { systemClock } from "@atoll/machinery/clock";
import { AuditFile } from "./file.ts";

async function setUp(t: TestContext, limits: { maxBytes?: number; maxBackups?: number; maxAgeMs?: number }) {
  const folder = await mkdtemp(join(tmpdir(), "atoll-audit-"));
  t.after(() => rm(folder, { recursive: true }));
  const time = { nowMs: Date.parse("2026-01-01T00:00:00Z") };
  const clock = { ...systemClock, nowMs: () => time.nowMs };
  const lost: string[] = [];
  const path = join(folder, "log", "audit.log");
  const onLoss = (lines: number, error: Error) => void lost.push(`${lines} ${error.message}`);
  const usual = { maxBytes: 1_000_000, maxBackups: 10, maxAgeMs: 0 };
  const open = () => AuditFile.open({ path, clock, onLoss, ...usual, ...limits });
  return { path, open, time, lost, names: async () => (await readdir(join(folder, "log"))).sort() };
}

test("lines are kept in order, for their owner alone, across reopenings", async (t) => {
  const { path, open, lost } = await setUp(t, {});
  const first = await open();
  for (let i = 0; i < 500; i++) first.write(`line ${i}`);
  await first.close();
  const second = await open();
  second.write("line 500");
  await second.close();
  const lines = (await readFile(path, "utf8")).split("\n");
  assert.deepEqual(lines, [...Array.from({ length: 501 }, (_, i) => `line ${i}`), ""]);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(lost, []);
});

test("a large log is put aside, and of those put aside the oldest go", async (t) => {
  const { path, open, time, names } = await setUp(t, { maxBytes: 100, maxBackups: 2 });
  for (let i = 0; i < 5; i++) {
    const file = await open();
    file.write(`${i}`.repeat(80));
    await file.close();
    time.nowMs += 60_000;
  }
  assert.deepEqual(await names(), ["audit-2026-01-01T00-03-00Z.log", "audit-2026-01-01T00-04-00Z.log", "audit.log"]);
  assert.match(await readFile(path, "utf8"), /^4{80}\n$/);
});

test("several put aside in one second all stay", async (t) => {
  const { open, names } = await setUp(t, { maxBytes: 100 });
  for (let i = 0; i < 4; i++) {
    const file = await open();
    file.write("x".repeat(80));
    await file.close();
  }
  assert.equal((await names()).length, 4);
});

test("what was put aside goes when it is old", async (t) => {
  const { open, time, names } = await setUp(t, { maxBytes: 100, maxAgeMs: 86_400_000 });
  for (let i = 0; i < 3; i++) {
    const file = await open();
    file.write("x".repeat(80));
    await file.close();
    time.nowMs += 50_000_000;
  }
  time.nowMs += 100_000_000;
  const file = await open();
  file.write("x".repeat(80));
  await file.close();
  assert.equal((await names()).length, 2, "the one that is written, and the one just put aside");
});

test("what the disk does not take up is lost and counted, and memory stays bounded", async (t) => {
  const { open, lost } = await setUp(t, {});
  const file = await open();
  const line = "x".repeat(1024 * 1024);
  for (let i = 0; i < 70; i++) file.write(line);
  assert.equal(lost.length, 7);
  assert.equal(lost[0], "1 the disk does not keep up");
  await file.close();
});
