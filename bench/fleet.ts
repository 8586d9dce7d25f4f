/**
 * `./atoll bench fleet`: the hub as real processes (API server on SQLite, controllers, gateway), and simulated clusters:
 * the real agent and a real API server on memory storage each, many in one process (bench/farm.ts). How soon clusters are
 * attached, how soon a policy of the organization is in all of them, how soon all agree again after a day without the hub
 * in which policies came, changed and went, and what the hub and an agent need. The simulated clusters run on the same
 * computer and take the larger part of it, so what each part used is told beside the times.
 *
 * ATOLL_BENCH_CLUSTERS=N measures one fleet of N clusters instead of 100 and 1,000.
 * Source: docs/rfd/0021-fleet.md
 */
import { availableParallelism, cpus, totalmem } from "node:os";
import { CustomPolicy } from "@atoll/api/fleet/v1alpha1/custompolicy";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { Work } from "@atoll/api/fleet/v1alpha1/work";
import type { Client } from "@atoll/client/client";
import { isExpired } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import { makeToken } from "@atoll/fleet/gateway/offer";
import { publishedGateway } from "@atoll/fleet/gateway/published";
import { systemClock } from "@atoll/machinery/clock";
import { Farms, Hub, organization, until, type Used, withAgent } from "./fleetparts.ts";

const lanes = 32;
const offlineChanges = 1_000;
const hourMs = 3600_000;
const idleSeconds = 60;
const nowMs = () => performance.timeOrigin + performance.now();

interface Row {
  readonly measure: string;
  readonly value: number;
  readonly unit: string;
  readonly must: string;
}

/** A fleet that is measured. */
interface Fleet {
  readonly hub: Hub;
  readonly farm: Farms;
  readonly count: number;
  tell(measure: string, value: number, unit: string, must?: string): void;
}

async function inLanes(count: number, work: (at: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

const used = async ({ hub, farm }: Fleet): Promise<readonly Used[]> => [...(await hub.used()), await farm.used()];

/** Does something, and tells what each part used for it. @param times how often it was done for each cluster */
async function telling<T>(fleet: Fleet, what: string, work: () => Promise<{ result: T; times: number }>): Promise<T> {
  const before = await used(fleet);
  const { result, times } = await work();
  for (const [at, { part, cpuSeconds }] of (await used(fleet)).entries()) {
    // A gateway that was started meanwhile has used nothing before.
    const earlier = before[at]?.cpuSeconds ?? 0;
    const spent = cpuSeconds < earlier ? cpuSeconds : cpuSeconds - earlier;
    fleet.tell(`${what}, CPU for each cluster: ${part}`, (spent * 1000) / times / fleet.count, "ms");
  }
  return result;
}

/** @returns seconds from the first request to the last cluster Ready */
async function attachAll({ hub, farm, count }: Fleet): Promise<number> {
  const { client, clusters } = hub;
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
  if (farm.failed.length > 0) throw new Error([...farm.failed.slice(0, 3), await hub.said("gateway")].join("\n"));
  return (performance.now() - began) / 1000;
}

const policyOf = (text: string) => ({
  target: {},
  recipe: "Rules" as const,
  resources: [{ apiGroups: [""], resources: ["pods"] }],
  rules: [{ expression: "object.metadata.name != 'refused'", message: text }],
});

async function write(client: Client, name: string, text: string): Promise<CustomPolicy> {
  const object = { metadata: { name, namespace: organization }, spec: policyOf(text) } as CustomPolicy;
  return await client.apply(CustomPolicy, { object, force: true }, { fieldManager: "atoll-bench" });
}

/** @returns seconds until each cluster had it, ascending, and until the policy's status on the hub said so of all */
async function change({ hub, farm, count }: Fleet, text: string): Promise<{ has: number[]; told: number }> {
  farm.expect(text);
  const began = nowMs();
  const { metadata } = await write(hub.client, "measured", text);
  await until("the policy is in all clusters", () => farm.has.size === count);
  await until("the policy says that it is", async () => {
    const { status } = await hub.client.get(CustomPolicy, toKey(organization, "measured"));
    return status?.observedGeneration === metadata.generation && status?.summary === `${count}/${count}`;
  });
  const told = (nowMs() - began) / 1000;
  return { has: [...farm.has.values()].map((atMs) => (atMs - began) / 1000).toSorted((a, b) => a - b), told };
}

const share = (sorted: readonly number[], part: number) => sorted[Math.ceil(sorted.length * part) - 1] ?? 0;

async function changes(fleet: Fleet): Promise<void> {
  const { count, tell } = fleet;
  const most = count > 100 ? 3 : 10;
  // The first makes the policy, and is no change.
  await change(fleet, "round-0-");
  const rounds = await telling(fleet, "policy change", async () => {
    const result: { has: number[]; told: number }[] = [];
    for (let n = 1; n <= most; n++) {
      result.push(await change(fleet, `round-${n}-`));
      await systemClock.sleep(1_000);
    }
    return { result, times: most };
  });
  const sorted = rounds.flatMap(({ has }) => has).toSorted((a, b) => a - b);
  const toldOf = rounds.map(({ told }) => told).toSorted((a, b) => a - b);
  tell("policy change, p50", share(sorted, 0.5), "s");
  tell("policy change, p99", share(sorted, 0.99), "s", `<= ${count > 100 ? 10 : 1}`);
  tell("policy change, p99 of the slowest change", Math.max(...rounds.map(({ has }) => share(has, 0.99))), "s");
  tell("policy change, until its status says so of all, p50", share(toldOf, 0.5), "s");
  tell("policy change, until its status says so of all, slowest", Math.max(...toldOf), "s");
}

/**
 * Agents cannot reach the hub for a day of theirs while policies come, change and go, and until the hub has forgotten
 * what it was before.
 * @returns seconds from its return until all agree
 */
async function returnAfterDay({ hub, farm, count }: Fleet): Promise<number> {
  const { client } = hub;
  const { resourceVersion } = await client.list(Work, { limit: 1 });
  await hub.closeGateway();
  const names = 20;
  for (let n = 0; n < offlineChanges; n++) {
    const name = `offline-${n % names}`;
    if (n % Math.ceil(offlineChanges / 24) === 0) farm.pass(hourMs);
    // Each comes and is changed, and every fifth time goes.
    if (n % (5 * names) >= 4 * names) await client.delete(CustomPolicy, toKey(organization, name));
    else await write(client, name, `offline-${n}`);
  }
  await until("the hub has forgotten how it was", async () => await isForgotten(client, resourceVersion));
  const last = `offline-end-${count}`;
  farm.expect(last);
  await write(client, "measured", last);
  const began = nowMs();
  await hub.openGateway();
  await until("all clusters agree again", () => farm.has.size === count);
  return (Math.max(...farm.has.values()) - began) / 1000;
}

async function isForgotten(client: Client, resourceVersion: string): Promise<boolean> {
  await systemClock.sleep(1_000);
  try {
    for await (const _ of client.watch(Work, { resourceVersion, timeoutSeconds: 1 }));
    return false;
  } catch (error) {
    return isExpired(error);
  }
}

async function atRest(fleet: Fleet): Promise<void> {
  const before = await used(fleet);
  await systemClock.sleep(idleSeconds * 1000);
  for (const [at, { part, cpuSeconds, residentMiB }] of (await used(fleet)).entries()) {
    fleet.tell(`${part}, memory`, residentMiB, "MiB");
    const share = (cpuSeconds - (before[at]?.cpuSeconds ?? 0)) / idleSeconds;
    fleet.tell(`${part}, cpu when nothing changes`, share * 100, "%");
  }
}

/** Of a request that the server has to answer from everything. */
async function listMs({ client }: Hub): Promise<number> {
  const took: number[] = [];
  for (let n = 0; n < 10; n++) {
    const began = performance.now();
    await client.list(FleetCluster, { namespace: organization });
    took.push(performance.now() - began);
  }
  return took.toSorted((a, b) => a - b)[5] ?? 0;
}

/** An agent whose cluster has the policies that the fleet has. */
async function agentAlone({ hub, tell }: Fleet): Promise<void> {
  await withAgent(hub, async (agent) => {
    // The first minute is its start: it takes up the policies, and looks through the cluster once.
    await systemClock.sleep(idleSeconds * 1000);
    const before = await agent();
    await systemClock.sleep(2 * idleSeconds * 1000);
    const { cpuSeconds, residentMiB } = await agent();
    tell("an agent, memory", residentMiB, "MiB", "<= 100");
    tell("an agent, cpu when nothing changes", ((cpuSeconds - before.cpuSeconds) / 2 / idleSeconds) * 100, "%", "<= 1");
  });
}

/** Measures a fleet of that size. @param say told each figure as soon as it is known */
async function measure(count: number, say: (row: Row) => void): Promise<void> {
  const farm = new Farms(count);
  const hub = await Hub.start();
  const tell = (measure: string, value: number, unit: string, must = "") =>
    say({ measure: `${count} clusters: ${measure}`, value, unit, must });
  const fleet: Fleet = { hub, farm, count, tell };
  try {
    await until("the simulated clusters serve", () => farm.ready);
    const attached = await telling(fleet, "attached", async () => ({ result: await attachAll(fleet), times: 1 }));
    tell("attached", attached, "s", "1,000: <= 60");
    await changes(fleet);
    tell("fleet list", await listMs(hub), "ms", "<= 300");
    await atRest(fleet);
    const back = async () => ({ result: await returnAfterDay(fleet), times: 1 });
    tell("agree after a day with 1,000 changes", await telling(fleet, "a day with 1,000 changes", back), "s", "<= 60");
    if (count <= 100) await agentAlone(fleet);
  } finally {
    await farm.stop();
    await hub.stop();
  }
}

async function run(): Promise<void> {
  const only = process.env["ATOLL_BENCH_CLUSTERS"];
  const json = process.argv.includes("json");
  const [cpu] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  if (!json) process.stdout.write(`On ${availableParallelism()} × ${cpu?.model ?? "unknown"}, ${memory}\n`);
  for (const count of only === undefined ? [100, 1_000] : [Number(only)]) {
    const rows: Row[] = [];
    await measure(count, (row) => {
      rows.push(row);
      const { measure: what, value, unit, must } = row;
      if (!json) process.stdout.write(`${what.padEnd(72)} ${value.toFixed(2).padStart(9)} ${unit.padEnd(4)} ${must}\n`);
    });
    if (json) process.stdout.write(`${JSON.stringify(rows)}\n`);
  }
}

await run();
