/** Templates outlive the system on disk: the next start copies what the last one booted. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { systemClock } from "@atoll/machinery/clock";
import { cacheFolder, exists } from "./cache.ts";
import type { MachineHost } from "./host.ts";
import { keptFiles, keptFolder } from "./kept.ts";
import { Machines } from "./machines.ts";
import { readProcesses } from "./records.ts";
import { testHost } from "./testing.ts";

const size = { memoryMiB: 96, vcpus: 1 };
let host: MachineHost;
let cache: string;

before(async () => {
  // Of its own: what other tests keep is not to be damaged.
  cache = await mkdtemp(join(cacheFolder(), "test-cache-"));
  host = { ...(await testHost()), cache };
});

after(async () => {
  await new Machines(host).templates.prune([]);
  await rm(host.home, { recursive: true, force: true });
  await rm(cache, { recursive: true, force: true });
});

/** Makes a template anew, as the first machine of a start does. @returns its key, and whether QEMU ran for it */
async function ensured(): Promise<{ key: string; booted: boolean }> {
  const machines = new Machines(host);
  await machines.templates.prune([]);
  const { key, state } = await machines.templates.ensure(size);
  const processes = await readProcesses(join(state, ".."));
  return { key, booted: (processes?.qemu ?? 0) !== 0 };
}

async function untilKept(key: string): Promise<string> {
  const ram = join(keptFolder(cache, key), keptFiles.ram);
  const giveUpMs = systemClock.monotonicMs() + 60_000;
  while (!(await exists(ram))) {
    assert.ok(systemClock.monotonicMs() < giveUpMs, "the template was not kept");
    await systemClock.sleep(50);
  }
  return ram;
}

test("a template is booted once, and loaded from disk afterwards; a copy of it runs", {
  timeout: 120_000,
}, async () => {
  const first = await ensured();
  assert.equal(first.booted, true);
  await untilKept(first.key);
  assert.deepEqual(await ensured(), { key: first.key, booted: false });
  const machines = new Machines(host);
  const machine = await machines.start({ id: "copy", owner: "a test", ...size, disks: [] });
  assert.ok(machine.state.phase === "running");
  assert.equal(machine.state.startedAs, "clone");
  await machine.kill();
  await machines.remove(machine);
});

test("a kept template that is not whole is dropped, and another one made", { timeout: 120_000 }, async () => {
  const { key } = await ensured();
  await truncate(await untilKept(key), 4096);
  assert.deepEqual(await ensured(), { key, booted: true });
  await untilKept(key);
  assert.deepEqual(await readdir(join(cache, "templates")), [key]);
});
