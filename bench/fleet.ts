/**
 * `./atoll bench fleet`: the hub as real processes (API server on SQLite, controllers, gateway), and simulated clusters:
 * the real agent and a real API server on memory storage each, many in one process (bench/farm.ts). How soon clusters are
 * attached, how soon a policy of the organization is in all of them, what the hub needs for it, and how soon all agree
 * again after the hub could not be reached while policies changed. Source: docs/rfd/0021-fleet.md
 */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { CustomPolicy } from "@atoll/api/fleet/v1alpha1/custompolicy";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { Client } from "@atoll/client/client";
import { Cache } from "@atoll/client/informer/cache";
import type { Informer } from "@atoll/client/informer/informer";
import { toKey } from "@atoll/client/resource";
import { publishedGateway } from "@atoll/fleet/gateway/published";
import { makeToken } from "@atoll/fleet/gateway/offer";
import { systemClock } from "@atoll/machinery/clock";
import { nodeTransport } from "@atoll/runtime/transport";
import type { Order, Told } from "./farm.ts";
import { type Started, start, usage } from "./server.ts";

const organization = "default";
const farms = 4;
const lanes = 32;
const offlineChanges = 1_000;
const main = join(import.meta.dirname, "..", "processes", "main.ts");
const nowMs = () => performance.timeOrigin + performance.now();

interface Row {
  readonly measure: string;
  readonly value: number;
  readonly unit: string;
  readonly must: string;
}

/** Asks every 20 ms. @throws {Error} after five minutes */
async function until(what: string, ask: () => boolean | Promise<boolean>): Promise<void> {
  for (let n = 0; n < 15_000; n++) {
    if (await ask()) return;
    await systemClock.sleep(20);
  }
  throw new Error(`not within five minutes: ${what}`);
}

async function inLanes(count: number, work: (at: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** Of the hub's processes, one beside its server. */
function startPart(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [...process.execArgv, main, ...args], { stdio: ["ignore", "pipe", "ignore"] });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
}

function isReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    if (child.stdout !== null)
      createInterface({ input: child.stdout }).on("line", (line) => line.startsWith("ready ") && resolve());
    child.on("exit", (code) => reject(new Error(`a part ended with ${code}`)));
  });
}

/** All farms: who is told what, and what they tell. */
class Farms {
  readonly #processes: ChildProcess[] = [];
  readonly #share: number;
  readonly failed: string[] = [];
  /** When each cluster had what is expected. */
  has = new Map<number, number>();
  #ready = 0;

  constructor(count: number) {
    this.#share = Math.ceil(count / farms);
    for (let n = 0; n < farms; n++) {
      const size = Math.min(this.#share, count - n * this.#share);
      const args = [String(n * this.#share), String(size)];
      const child = fork(join(import.meta.dirname, "farm.ts"), args);
      child.on("message", (told: Told) => this.#heard(told));
      this.#processes.push(child);
    }
  }

  get ready(): boolean {
    return this.#ready === farms;
  }

  attach(order: Order & { do: "attach" }): void {
    this.#processes[Math.floor(order.at / this.#share)]?.send(order);
  }

  expect(text: string): void {
    this.has = new Map();
    for (const child of this.#processes) child.send({ do: "expect", text } satisfies Order);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map(end));
  }

  #heard(told: Told): void {
    if (told.is === "ready") this.#ready += 1;
    if (told.is === "failed") this.failed.push(`${told.at}: ${told.message}`);
    if (told.is === "has") this.has.set(told.at, told.atMs);
  }
}

interface Hub {
  readonly data: string;
  readonly server: Started;
  controllers: ChildProcess;
  readonly client: Client;
  readonly clusters: Informer<FleetCluster>;
  gateway: ChildProcess;
  close(): Promise<void>;
}

const gatewayPort = 17443;

function startGateway(data: string): ChildProcess {
  return startPart(["gateway", "--kubeconfig", join(data, "gateway.kubeconfig"), "--port", String(gatewayPort)]);
}

async function startHub(): Promise<Hub> {
  const data = await mkdtemp(join(tmpdir(), "atoll-bench-"));
  const server = await start(data);
  const { url, ...tls } = server.target;
  const identity = { tls: async () => tls, authorization: async () => undefined };
  const transport = nodeTransport({ server: url, identity, clock: systemClock });
  const client = new Client({ transport, clock: systemClock, userAgent: "atoll-bench" });
  const pki = (name: string) => join(data, "pki", name);
  // Controllers that lose their lease end, and whoever supervises them starts them anew.
  const startControllers = () => {
    const child = startPart([
      ...["controllers", "--kubeconfig", join(data, "controllers.kubeconfig")],
      ...["--cluster-signing-cert", pki("ca.crt"), "--cluster-signing-key", pki("ca.key")],
    ]);
    child.once("exit", () => {
      if (!isClosing) hub.controllers = startControllers();
    });
    return child;
  };
  let isClosing = false;
  const first = startControllers();
  const served = () =>
    client.list(FleetCluster).then(
      () => true,
      () => false,
    );
  await until("the fleet's kinds are served", served);
  const gateway = startGateway(data);
  await isReady(gateway);
  const cache = new Cache({ client, clock: systemClock, onError: () => {} });
  const clusters = cache.informer(FleetCluster);
  await clusters.whenSynced();
  const hub: Hub = {
    ...{ data, server, controllers: first, client, clusters, gateway },
    async close() {
      isClosing = true;
      await cache.stop();
      await Promise.all([end(hub.gateway), end(hub.controllers)]);
      transport.close();
      await server.stop();
      await rm(data, { recursive: true, force: true });
    },
  };
  return hub;
}

/** @returns seconds from the first request to the last cluster Ready */
async function attachAll({ client, clusters }: Hub, farm: Farms, count: number): Promise<number> {
  const gateway = await publishedGateway(client);
  const began = performance.now();
  await inLanes(count, async (at) => {
    const key = toKey(organization, `c-${at}`);
    await client.create(FleetCluster, { metadata: { name: `c-${at}`, namespace: organization }, spec: {} });
    const home = () => clusters.get(key)?.status?.namespace;
    await until("a cluster has its namespace", () => home() !== undefined);
    farm.attach({ do: "attach", at, token: await makeToken(client, home() ?? "", systemClock), ...gateway });
  });
  const ready = () => [...clusters.values()].filter(({ status }) => status?.phase === "Ready").length;
  await until("all clusters are Ready", () => ready() === count || farm.failed.length > 0);
  if (farm.failed.length > 0) throw new Error(farm.failed.slice(0, 3).join("\n"));
  return (performance.now() - began) / 1000;
}

const policyOf = (text: string) => ({
  target: {},
  recipe: "Rules" as const,
  resources: [{ apiGroups: [""], resources: ["pods"] }],
  rules: [{ expression: "object.metadata.name != 'refused'", message: text }],
});

async function write(client: Client, name: string, text: string): Promise<void> {
  const object = { metadata: { name, namespace: organization }, spec: policyOf(text) } as CustomPolicy;
  await client.apply(CustomPolicy, { object, force: true }, { fieldManager: "atoll-bench" });
}

/** @returns seconds until each cluster had it, ascending */
async function change(hub: Hub, farm: Farms, { count, text }: { count: number; text: string }): Promise<number[]> {
  farm.expect(text);
  const began = nowMs();
  await write(hub.client, "measured", text);
  await until("the policy is in all clusters", () => farm.has.size === count);
  return [...farm.has.values()].map((atMs) => (atMs - began) / 1000).toSorted((a, b) => a - b);
}

const share = (sorted: readonly number[], part: number) => sorted[Math.ceil(sorted.length * part) - 1] ?? 0;

/** Agents cannot reach the hub while policies come, change and go. @returns seconds from its return until all agree */
async function returnAfterChanges(hub: Hub, farm: Farms, count: number): Promise<number> {
  const { client, data } = hub;
  await end(hub.gateway);
  const names = 20;
  for (let n = 0; n < offlineChanges; n++) {
    const name = `offline-${n % names}`;
    // Each comes and is changed, and every fifth time goes.
    if (n % (5 * names) >= 4 * names) await client.delete(CustomPolicy, toKey(organization, name));
    else await write(client, name, `offline-${n}`);
  }
  const last = `offline-end-${count}`;
  farm.expect(last);
  await write(client, "measured", last);
  const began = nowMs();
  hub.gateway = startGateway(data);
  await until("all clusters agree again", () => farm.has.size === count);
  return (Math.max(...farm.has.values()) - began) / 1000;
}

async function hubUses({ server, controllers, gateway }: Hub, seconds: number): Promise<readonly Row[]> {
  const parts = [
    ["server", server.pid],
    ["controllers", controllers.pid ?? 0],
    ["gateway", gateway.pid ?? 0],
  ] as const;
  const before = await Promise.all(parts.map(([, pid]) => usage(pid)));
  await systemClock.sleep(seconds * 1000);
  const after = await Promise.all(parts.map(([, pid]) => usage(pid)));
  return parts.flatMap(([name], at) => [
    { measure: `hub's ${name}, memory`, value: after[at]?.residentMiB ?? 0, unit: "MiB", must: "" },
    {
      measure: `hub's ${name}, cpu when nothing changes`,
      value: (((after[at]?.cpuSeconds ?? 0) - (before[at]?.cpuSeconds ?? 0)) / seconds) * 100,
      unit: "%",
      must: "",
    },
  ]);
}

async function listMs({ client }: Hub): Promise<number> {
  const took: number[] = [];
  for (let n = 0; n < 10; n++) {
    const began = performance.now();
    await client.list(FleetCluster, { namespace: organization });
    took.push(performance.now() - began);
  }
  return took.toSorted((a, b) => a - b)[5] ?? 0;
}

/** Measures a fleet of that size. @param say told each figure as soon as it is known */
async function measure(count: number, say: (row: Row) => void): Promise<void> {
  const tell = (measure: string, value: number, unit: string, must = "") =>
    say({ measure: `${count} clusters: ${measure}`, value, unit, must });
  const farm = new Farms(count);
  const hub = await startHub();
  try {
    await until("the simulated clusters serve", () => farm.ready);
    tell("attached", await attachAll(hub, farm, count), "s", "1,000: <= 60");
    const times: number[] = [];
    // The first makes the policy, and is no change.
    for (let n = 0; n <= (count > 100 ? 3 : 10); n++) {
      const took = await change(hub, farm, { count, text: `round-${n}-` });
      if (n > 0) times.push(...took);
      await systemClock.sleep(count * 5);
    }
    const sorted = times.toSorted((a, b) => a - b);
    tell("policy change, p50", share(sorted, 0.5), "s");
    tell("policy change, p99", share(sorted, 0.99), "s", `<= ${count > 100 ? 10 : 1}`);
    tell("fleet list", await listMs(hub), "ms", "<= 300");
    for (const { measure: what, value, unit } of await hubUses(hub, 30)) tell(what, value, unit);
    tell("agree after 1,000 changes unheard", await returnAfterChanges(hub, farm, count), "s", "<= 60");
  } finally {
    await farm.stop();
    await hub.close();
  }
}

async function run(): Promise<void> {
  const only = process.env["ATOLL_BENCH_CLUSTERS"];
  const json = process.argv.includes("json");
  for (const count of only === undefined ? [100, 1_000] : [Number(only)]) {
    const rows: Row[] = [];
    await measure(count, (row) => {
      rows.push(row);
      const { measure: what, value, unit, must } = row;
      if (!json) process.stdout.write(`${what.padEnd(56)} ${value.toFixed(2).padStart(9)} ${unit.padEnd(4)} ${must}\n`);
    });
    if (json) process.stdout.write(`${JSON.stringify(rows)}\n`);
  }
}

await run();
