/**
 * `./atoll bench network`: what a change costs in the rules of a host that knows 5,000 Services of five endpoints each, in
 * a network namespace of its own.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addressAt, parseRange } from "@atoll/net/address";
import { HostNetwork, removeNetwork } from "@atoll/net/host";
import type { ServiceSpec } from "@atoll/net/services/service";
import { inOwnNetwork, insideOwnNetwork, obstacle } from "@atoll/net/testing";

const serviceCount = 5_000;
const endpointCount = 5;
const changes = 40;
const podRange = "10.244.0.0/24";
const clusterRange = "10.244.0.0/16";
const serviceRange = "10.96.0.0/12";

interface Row {
  readonly measure: string;
  readonly value: number;
  readonly unit: string;
  readonly must: string;
}

const pods = parseRange(clusterRange);
const addresses = parseRange(serviceRange);

/** @param missing how many of its endpoints have gone */
function service(index: number, missing = 0): ServiceSpec {
  const endpoints = Array.from({ length: endpointCount - missing }, (_, nth) => ({
    address: addressAt(pods, 256 + index * endpointCount + nth),
    port: 8080,
  }));
  return {
    namespace: `tenant-${index % 50}`,
    name: `service-${index}`,
    addresses: [addressAt(addresses, 1_000 + index)],
    ports: [{ protocol: "tcp", port: 80, endpoints }],
  };
}

/** How long a promise takes, in ms. */
async function time(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** Times of one piece of work after another, sorted. */
async function times(count: number, work: (nth: number) => Promise<unknown>): Promise<readonly number[]> {
  const found: number[] = [];
  for (let nth = 0; nth < count; nth++) found.push(await time(async () => await work(nth)));
  return found.sort((a, b) => a - b);
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

async function measure(data: string): Promise<readonly Row[]> {
  const services = Array.from({ length: serviceCount }, (_, index) => service(index));
  const options = { data, podRange, clusterRange, serviceRange, hostServices: [], dns: [], services };
  const first = await time(async () => await HostNetwork.open(options));
  let network = await HostNetwork.open(options);
  const again = await time(async () => {
    network = await HostNetwork.open(options);
  });
  const changed = await times(changes, async (nth) => await network.setService(service(nth * 100, 1)));
  const made = await times(changes, async (nth) => await network.setService(service(serviceCount + nth)));
  const places = await times(
    changes,
    async (nth) => await network.attach({ uid: `pod-${nth}`, namespace: "tenant-1" }),
  );
  const row = (what: string, value: number, must = ""): Row => ({ measure: what, value, unit: "ms", must });
  return [
    row("one endpoint's change, p50", quantile(changed, 0.5), "< 100"),
    row("one endpoint's change, p99", quantile(changed, 0.99), "< 100"),
    row("one more Service, p50", quantile(made, 0.5)),
    row("a pod's place, p50", quantile(places, 0.5)),
    row("5,000 Services at once, nothing there", first),
    row("5,000 Services taken up anew", again),
  ];
}

async function inside(): Promise<void> {
  const data = await mkdtemp(join(tmpdir(), "atoll-bench-net-"));
  try {
    process.stdout.write(`${JSON.stringify(await measure(data))}\n`);
  } finally {
    await removeNetwork(data);
    await rm(data, { recursive: true, force: true });
  }
}

async function outside(): Promise<void> {
  const reason = await obstacle();
  if (reason !== undefined) throw new Error(`cannot measure nftables here: ${reason}`);
  const { code, output } = await inOwnNetwork(import.meta.filename);
  if (code !== 0) throw new Error(output);
  if (process.argv.includes("json")) process.stdout.write(output);
  else
    for (const { measure: what, value, unit, must } of JSON.parse(output) as readonly Row[])
      process.stdout.write(`${what.padEnd(40)} ${value.toFixed(1).padStart(9)} ${unit.padEnd(4)} ${must}\n`);
}

await (insideOwnNetwork() ? inside() : outside());
