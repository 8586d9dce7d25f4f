/**
 * How fast pods start and what an idle one costs, on this host, beside the goals of docs/specification.md. Starts a whole
 * system of its own in a temporary folder; then machines alone, copied and booted. Needs root.
 *
 *   node bench/pods.ts [--starts N] [--many N] [--idle N]
 */
import { execFile, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Node, Pod } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { Informer } from "@atoll/client/informer/informer";
import { toKey } from "@atoll/client/resource";
import { systemClock } from "@atoll/machinery/clock";
import { openKubeconfig } from "@atoll/runtime/kubeconfig";

const main = join(import.meta.dirname, "..", "processes", "main.ts");
const namespace = "welcome";
const image = "atoll.local/welcome:v1";
const settleMs = 5_000;
const idleMs = 10_000;
const patienceMs = 900_000;

const options = {
  starts: { type: "string", default: "20" },
  many: { type: "string", default: "100" },
  idle: { type: "string", default: "40" },
} as const;

function atoll(...args: string[]): Promise<string> {
  return new Promise((done, failed) => {
    execFile(process.execPath, [...process.execArgv, main, ...args], { timeout: patienceMs }, (error, out, err) => {
      if (error === null) done(out);
      else failed(new Error(`atoll ${args[0]}: ${out}${err}`));
    });
  });
}

const isReady = ({ status }: Pod): boolean =>
  (status?.conditions ?? []).some(({ type, status: value }) => type === "Ready" && value === "True");

/** Pods of a system, made and watched. */
class Bench {
  readonly #client: Client;
  readonly #pods: Informer<Pod>;
  #made = 0;

  constructor(client: Client) {
    this.#client = client;
    const selection = { namespace };
    const following = { client, clock: systemClock, random: () => 0.5, onError: () => undefined };
    this.#pods = new Informer<Pod>({ ...following, resource: Pod, selection });
  }

  async start(): Promise<void> {
    void this.#pods.start();
    await this.#pods.whenSynced();
  }

  stop(): void {
    this.#pods.stop();
  }

  /** Makes pods at once. @returns ms until each was ready, in the order in which they became so */
  async make(count: number): Promise<readonly number[]> {
    const waiting = new Set(Array.from({ length: count }, () => `b${this.#made++}`));
    const times: number[] = [];
    const begunMs = performance.now();
    const all = Promise.withResolvers<void>();
    const late = systemClock.after(patienceMs, () => all.reject(new Error(`${waiting.size} of ${count} not ready`)));
    const end = this.#pods.onChange(({ after }) => {
      if (after === undefined || !isReady(after) || !waiting.delete(after.metadata.name ?? "")) return;
      times.push(performance.now() - begunMs);
      if (waiting.size === 0) all.resolve();
    });
    const container = { name: "c", image, command: ["sleep", "100000"] };
    const spec = { containers: [container], terminationGracePeriodSeconds: 0 };
    await Promise.all([...waiting].map((name) => this.#client.create(Pod, { metadata: { name, namespace }, spec })));
    await all.promise;
    late.cancel();
    end();
    return times;
  }

  /** Deletes all pods but the welcome pod. Resolves when they are gone. */
  async clear(): Promise<void> {
    const gone = Promise.withResolvers<void>();
    const left = () => [...this.#pods.values()].filter(({ metadata }) => metadata.name?.startsWith("b") === true);
    const end = this.#pods.onChange(() => {
      if (left().length === 0) gone.resolve();
    });
    for (const { metadata } of left()) await this.#client.delete(Pod, toKey(namespace, metadata.name ?? ""));
    if (left().length > 0) await gone.promise;
    end();
  }
}

/** Processes of a command line with the text in it. */
async function processesWith(text: string, program: string): Promise<readonly number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      return command.includes(text) && command.includes(program) ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}

async function cpuTicks(pids: readonly number[]): Promise<number> {
  const stats = await Promise.all(pids.map(async (pid) => await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")));
  const fields = stats.map((text) => text.slice(text.lastIndexOf(")") + 2).split(" "));
  return fields.reduce((sum, each) => sum + Number(each[11] ?? 0) + Number(each[12] ?? 0), 0);
}

async function pssMiB(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
  return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1024;
}

/** How busy the host is, as figures of a busy one say little. */
const load = (): string => `load ${loadavg()[0]?.toFixed(1) ?? "?"}`;

/** The starts of machines alone, as `atoll bench machines` prints them. */
async function machinesAlone(): Promise<void> {
  const child = spawn(process.execPath, [...process.execArgv, join(import.meta.dirname, "machines.ts")], {
    stdio: "inherit",
  });
  const code = await new Promise((ended) => child.once("close", ended));
  if (code !== 0) throw new Error(`bench machines ended with code ${String(code)}`);
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

const row = (what: string, figure: string, goal: string): string =>
  `${what.padEnd(50)}${figure.padStart(14)}   ${goal.padEnd(20)} ${load()}`;
const whole = (value: number): string => value.toFixed(0);

/** QEMU's processes: children of the shims, whose command lines name the machines' folder. */
async function qemuOf(data: string): Promise<readonly number[]> {
  const shims = new Set(await processesWith(join(data, "crx", "machines"), "shim"));
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
      return shims.has(Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1])) ? [pid] : [];
    }),
  );
  return parents.flat();
}

async function measure(
  bench: Bench,
  data: string,
  counts: { starts: number; many: number; idle: number },
): Promise<void> {
  const tell = (what: string, figure: string, goal: string) =>
    void process.stdout.write(`${row(what, figure, goal)}\n`);
  // The template of the size is made by then.
  await bench.make(1);
  await systemClock.sleep(settleMs);
  const single: number[] = [];
  for (let i = 0; i < counts.starts; i++) single.push(...(await bench.make(1)));
  const [half, worst] = [percentile(single, 0.5), percentile(single, 0.99)];
  tell(
    `apply → Ready, warm image, ms p50/p99, n=${single.length}`,
    `${whole(half)}/${whole(worst)}`,
    "800/1500 (400/800)",
  );
  await bench.clear();
  await bench.make(counts.idle);
  await systemClock.sleep(settleMs);
  const machines = await qemuOf(data);
  const before = await cpuTicks(machines);
  await systemClock.sleep(idleMs);
  const cpu = ((await cpuTicks(machines)) - before) / machines.length / (idleMs / 1000);
  const memory = (await Promise.all(machines.map(pssMiB))).reduce((sum, each) => sum + each, 0) / machines.length;
  tell(`memory (PSS) of each of ${machines.length} idle machines, MiB`, memory.toFixed(1), "45 (30)");
  tell("idle CPU of each, % of a core", cpu.toFixed(2), "0.4 (0.2)");
  // Shims' parents bear its command line, too, and are next to nothing.
  const agentMiB = Math.max(...(await Promise.all((await processesWith(data, "spherelet")).map(pssMiB))));
  tell(`spherelet's own memory with ${machines.length} pods, MiB`, whole(agentMiB), "150 (100)");
  await bench.clear();
  const together = await bench.make(counts.many);
  const lastS = percentile(together, 1) / 1000;
  tell(`${counts.many} pods created at once → all Ready, s`, lastS.toFixed(1), "60 (30) for 100");
  await bench.clear();
}

const { values } = parseArgs({ options });
const counts = { starts: Number(values.starts), many: Number(values.many), idle: Number(values.idle) };
const data = await mkdtemp(join(tmpdir(), "atoll-bench-"));
try {
  await atoll("up", "--data", data, "--background", "--api-port", "0", "--kubelet-port", "0");
  const { transport } = await openKubeconfig({ path: join(data, "admin.kubeconfig"), clock: systemClock });
  const client = new Client({ transport, clock: systemClock, userAgent: "atoll-bench" });
  const [node] = (await client.list(Node)).items;
  const accelerated = node?.status?.conditions?.find(({ type }) => type === "Accelerated");
  const bench = new Bench(client);
  await bench.start();
  const accelerator = accelerated?.status === "True" ? "KVM" : "emulation (TCG)";
  process.stdout.write(`accelerator ${accelerator} · ${cpus().length} CPUs (${cpus()[0]?.model}), ${load()}\n`);
  process.stdout.write(`${row("", "measured", "must (stretch)")}\n`);
  await measure(bench, data, counts);
  bench.stop();
  transport.close();
} finally {
  await atoll("down", "--data", data);
  await rm(data, { recursive: true, force: true });
}
await machinesAlone();
