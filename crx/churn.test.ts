/** Machines come, go and are killed in any order, by us and behind our back; nothing of them stays. */
import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { test } from "node:test";
import fc from "fast-check";
import type { Machine } from "./machine.ts";
import { Machines } from "./machines.ts";
import { readProcesses } from "./records.ts";
import { inventory, testHost } from "./testing.ts";

const steps = process.env["ATOLL_NIGHTLY"] === "1" ? 1000 : 50;
const atOnce = 3; // it is the order that matters, not the number
const size = { memoryMiB: 128, vcpus: 1 };

const deeds = ["start", "start", "shutDown", "kill", "killQemu", "killShim", "driverDies"] as const;

test(`after ${steps} random steps a host is as before`, { timeout: 600_000 }, async () => {
  const host = await testHost();
  let machines = new Machines(host);
  await machines.templates.ensure(size);
  const remove = async (machine: Machine) => {
    await machine.gone;
    await machines.remove(machine);
  };
  const signal = async (machine: Machine, which: "qemu" | "shim") => {
    const processes = await readProcesses(machine.folder);
    assert.ok(processes !== undefined);
    process.kill(processes[which], "SIGKILL");
    await remove(machine);
  };
  let made = 0;
  const act: Record<(typeof deeds)[number], (machine: Machine | undefined) => Promise<void>> = {
    start: async () => {
      if (machines.list().length === atOnce) return;
      await machines.start({ id: `churn-${++made}`, owner: "a test", ...size, disks: [] });
    },
    shutDown: async (machine) => {
      if (machine === undefined) return;
      assert.equal((await machine.shutDown(0)).how, "shutDown");
      await remove(machine);
    },
    kill: async (machine) => {
      if (machine === undefined) return;
      assert.equal((await machine.kill()).how, "killed");
      await remove(machine);
    },
    killQemu: async (machine) => (machine === undefined ? undefined : await signal(machine, "qemu")),
    killShim: async (machine) => (machine === undefined ? undefined : await signal(machine, "shim")),
    driverDies: async () => {
      const before = machines.list().map((machine) => machine.intent.spec.id);
      machines.release();
      machines = new Machines(host);
      await machines.adopt();
      assert.deepEqual(
        machines
          .list()
          .map((machine) => machine.intent.spec.id)
          .sort(),
        before.sort(),
      );
      assert.ok(machines.list().every((machine) => machine.state.phase === "running"));
    },
  };
  const seed = Number(process.env["ATOLL_SEED"] ?? Math.floor(performance.now() * 1000));
  const step = fc.tuple(fc.constantFrom(...deeds), fc.nat(atOnce - 1));
  for (const [deed, which] of fc.sample(step, { numRuns: steps, seed }))
    try {
      await act[deed](machines.list()[which]);
    } catch (error) {
      throw new Error(`${deed}, seed ${seed}`, { cause: error });
    }
  for (const machine of machines.list()) {
    await machine.kill();
    await remove(machine);
  }
  await machines.templates.prune([]);
  assert.deepEqual(await inventory(host), [], `seed ${seed}`);
  await rm(host.home, { recursive: true });
});
