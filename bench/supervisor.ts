/**
 * `./atoll bench supervisor`: the real API server (SQLite), scheduler and controllers, each in a process of its own, with
 * hosts that only write status: how fast Pods are bound, how soon a large Deployment is complete, and what the
 * controllers need for it. Then, as root, what `network` and `rotation` measure on this host.
 */
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Deployment, Namespace, Node, Pod, ServiceAccount } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { toKey } from "@atoll/client/resource";
import { systemClock } from "@atoll/machinery/clock";
import { nodeTransport } from "@atoll/runtime/transport";
import { startHosts } from "./hosts.ts";
import { start, usage } from "./server.ts";

const hostCount = 100;
const podCount = 1_000;
const namespace = "bench";

interface Row {
  readonly measure: string;
  readonly value: number;
  readonly unit: string;
  readonly must: string;
}

const template = {
  metadata: { labels: { app: "bench" } },
  spec: {
    automountServiceAccountToken: false,
    containers: [{ name: "c", image: "bench", resources: { requests: { cpu: "10m", memory: "16Mi" } } }],
  },
};

/** Asks every 20 ms. @throws {Error} after two minutes */
async function until(what: string, ask: () => boolean | Promise<boolean>): Promise<void> {
  for (let n = 0; n < 6_000; n++) {
    if (await ask()) return;
    await systemClock.sleep(20);
  }
  throw new Error(`not within two minutes: ${what}`);
}

function startControllers(kubeconfig: string) {
  const main = join(import.meta.dirname, "..", "processes", "main.ts");
  const args = [...process.execArgv, main, "controllers", "--kubeconfig", kubeconfig];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  return {
    pid: child.pid ?? 0,
    async stop() {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** Makes Pods while there is nobody to bind them. */
async function makePods(client: Client): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < podCount) {
      const metadata = { ...template.metadata, name: `pod-${next++}`, namespace };
      await client.create(Pod, { metadata, spec: template.spec });
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
}

async function measure(data: string, client: Client): Promise<readonly Row[]> {
  await client.create(Namespace, { metadata: { name: namespace } });
  await client.create(ServiceAccount, { metadata: { name: "default", namespace } });
  const kubeconfig = join(data, "admin.kubeconfig");
  const hosts = await startHosts(client, hostCount);
  const first = startControllers(kubeconfig);
  await until("the hosts take Pods", async () => {
    return (await client.list(Node)).items.every(({ spec }) => (spec?.taints ?? []).length === 0);
  });
  await first.stop();
  await makePods(client);
  const controllers = startControllers(kubeconfig);
  try {
    await until("all Pods are bound", () => hosts.bound.size >= podCount);
    const times = [...hosts.bound.values()];
    const perSecond = (podCount - 1) / ((Math.max(...times) - Math.min(...times)) / 1000);
    await systemClock.sleep(3_000);
    const before = await usage(controllers.pid);
    const began = performance.now();
    const spec = { replicas: podCount, selector: { matchLabels: template.metadata.labels }, template };
    await client.create(Deployment, { metadata: { name: "large", namespace }, spec });
    await until("the Deployment is complete", async () => {
      return (await client.get(Deployment, toKey(namespace, "large"))).status.availableReplicas === podCount;
    });
    const seconds = (performance.now() - began) / 1000;
    await systemClock.sleep(3_000);
    const after = await usage(controllers.pid);
    return [
      { measure: "Pods bound", value: perSecond, unit: "1/s", must: ">= 300" },
      { measure: "Deployment of 1,000 complete", value: seconds, unit: "s", must: "<= 10" },
      { measure: "controllers, 1,000 Pods", value: before.residentMiB, unit: "MiB", must: "" },
      { measure: "controllers, 2,000 Pods", value: after.residentMiB, unit: "MiB", must: "" },
      {
        measure: "controllers' cpu for that Deployment",
        value: after.cpuSeconds - before.cpuSeconds,
        unit: "s",
        must: "",
      },
    ];
  } finally {
    await controllers.stop();
    await hosts.stop();
  }
}

/** What another benchmark measures that has a goal. */
async function rowsOf(name: string): Promise<readonly Row[]> {
  const args = [...process.execArgv, join(import.meta.dirname, `${name}.ts`), "json"];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 24 });
  return (JSON.parse(stdout) as readonly Row[]).filter(({ must }) => must !== "");
}

async function run(): Promise<void> {
  const data = await mkdtemp(join(tmpdir(), "atoll-bench-"));
  const server = await start(data);
  const { url, ...tls } = server.target;
  const identity = { tls: async () => tls, authorization: async () => undefined };
  const transport = nodeTransport({ server: url, identity, clock: systemClock });
  const client = new Client({ transport, clock: systemClock, userAgent: "atoll-bench" });
  try {
    const onHost = process.getuid?.() === 0 ? [...(await rowsOf("network")), ...(await rowsOf("rotation"))] : [];
    const rows = [...(await measure(data, client)), ...onHost];
    if (process.argv.includes("json")) process.stdout.write(`${JSON.stringify(rows)}\n`);
    for (const { measure: what, value, unit, must } of process.argv.includes("json") ? [] : rows)
      process.stdout.write(`${what.padEnd(40)} ${value.toFixed(1).padStart(9)} ${unit.padEnd(4)} ${must}\n`);
  } finally {
    transport.close();
    await server.stop();
    await rm(data, { recursive: true, force: true });
  }
}

await run();
