/**
 * How fast machines start and what an idle one costs, on this host, beside the goals of docs/specification.md.
 *
 *   node bench/machines.ts [--starts N] [--boots N]
 *
 * Prints which accelerator the figures are for: they differ by an order of magnitude.
 */
import { cpus, loadavg } from "node:os";
import { readFile, rm } from "node:fs/promises";
import { parseArgs } from "node:util";
import { systemClock } from "@atoll/machinery/clock";
import { Machines } from "@atoll/crx/machines";
import type { Machine } from "@atoll/crx/machine";
import { readProcesses } from "@atoll/crx/records";
import { testHost, tinyContainer, tinyImage } from "@atoll/crx/testing";

/** One start, in ms since the shim was executed. */
interface Start {
  readonly answersMs: number;
  readonly outputMs: number;
}

/** A machine's cost while it does nothing. */
interface Idle {
  readonly pssMiB: number;
  readonly cpuPercent: number;
}

const size = { memoryMiB: 128, vcpus: 1 };
const idleMs = 5000;
const idleCount = 8;

/** Starts a machine and a container in it, and waits for the container's first words. */
async function startOnce(machines: Machines, id: string, start: "clone" | "boot"): Promise<[Start, Machine]> {
  const disks = [{ serial: "image", path: await tinyImage(), readOnly: true }];
  const begun = performance.now();
  const machine = await machines.start({ id, owner: "bench", ...size, disks, start });
  const answersMs = performance.now() - begun;
  const { guest } = machine;
  // Requests are carried out in order, so nothing waits for a reply that it does not need.
  const mounted = guest.addVolume({ name: "image", kind: "disk", serial: "image", filesystem: "erofs" });
  const container = await guest.run(tinyContainer("echo here; sleep 1000"));
  await mounted;
  await guest.follow(container, 0n);
  for await (const record of container.log) if (record.bytes.length > 0) break;
  return [{ answersMs, outputMs: performance.now() - begun }, machine];
}

async function end(machines: Machines, machine: Machine): Promise<void> {
  await machine.kill();
  await machines.remove(machine);
}

/** Starts machines one after the other. */
async function measureStarts(machines: Machines, count: number, start: "clone" | "boot"): Promise<readonly Start[]> {
  const starts: Start[] = [];
  for (let i = 0; i < count; i++) {
    const [times, machine] = await startOnce(machines, `${start}-${i}`, start);
    starts.push(times);
    await end(machines, machine);
  }
  return starts;
}

/** Several at once, because what they share is not the cost of any one. */
async function measureIdle(machines: Machines, count: number): Promise<Idle> {
  const idle: Machine[] = [];
  for (let i = 0; i < count; i++) idle.push((await startOnce(machines, `idle-${i}`, "clone"))[1]);
  const pids = await Promise.all(idle.map(async (machine) => (await readProcesses(machine.folder))?.qemu ?? 0));
  await systemClock.sleep(2000);
  const before = await cpuTicks(pids);
  await systemClock.sleep(idleMs);
  const used = (await cpuTicks(pids)) - before;
  const pssKiB = await Promise.all(pids.map(proportionalKiB));
  for (const machine of idle) await end(machines, machine);
  const pssMiB = pssKiB.reduce((sum, each) => sum + each, 0) / 1024 / count;
  return { pssMiB, cpuPercent: (used * 10 * 100) / idleMs / count };
}

/** CPU time of processes, in hundredths of a second. */
async function cpuTicks(pids: readonly number[]): Promise<number> {
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, "utf8")));
  const fields = stats.map((text) => text.slice(text.lastIndexOf(")") + 2).split(" "));
  return fields.reduce((sum, each) => sum + Number(each[11]) + Number(each[12]), 0);
}

async function proportionalKiB(pid: number): Promise<number> {
  return Number(/^Pss:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]);
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function row(what: string, values: readonly number[], goal: string): string {
  const figure = (share: number) => percentile(values, share).toFixed(0).padStart(6);
  return `${what.padEnd(44)}${figure(0.5)}${figure(0.99)}   ${goal}`;
}

const options = { starts: { type: "string", default: "20" }, boots: { type: "string", default: "5" } } as const;
const { values } = parseArgs({ options });
const host = await testHost();
const machines = new Machines(host);
try {
  const made = performance.now();
  await machines.templates.ensure(size);
  const templateMs = performance.now() - made;
  const clones = await measureStarts(machines, Number(values.starts), "clone");
  const boots = await measureStarts(machines, Number(values.boots), "boot");
  const idle = await measureIdle(machines, idleCount);
  const { verdict, qemuVersion, system } = host;
  const load = loadavg()[0]?.toFixed(1);
  const lines = [
    `accelerator ${verdict.accelerator} · QEMU ${qemuVersion} · kernel ${system.flavour} ${system.release}`,
    `${cpus().length} CPUs (${cpus()[0]?.model}), load ${load} · guest ${size.memoryMiB} MiB, ${size.vcpus} vCPU`,
    `${"ms".padEnd(44)}   p50   p99   must (stretch)`,
    row(
      `clone → init answers, n=${clones.length}`,
      clones.map((each) => each.answersMs),
      "44 in the prototype",
    ),
    row(
      "clone → first container output",
      clones.map((each) => each.outputMs),
      "300/600 (120/250)",
    ),
    row(
      `cold boot → init answers, n=${boots.length}`,
      boots.map((each) => each.answersMs),
      "",
    ),
    row(
      "cold boot → first container output",
      boots.map((each) => each.outputMs),
      "800 (550), small kernel",
    ),
    row("template made", [templateMs], ""),
    `each of ${idleCount} idle clones: PSS ${idle.pssMiB.toFixed(1)} MiB (must 45, stretch 30), CPU ${idle.cpuPercent.toFixed(2)} % (0.4, 0.2)`,
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
} finally {
  for (const machine of machines.list()) await end(machines, machine);
  await machines.templates.prune([]);
  await rm(host.home, { recursive: true, force: true });
}
