/**
 * `./atoll bench api`: the API server on SQLite, every write on disk before it is acknowledged, beside what
 * kube-apiserver and etcd did on a machine of the same kind. Source of the peer's figures: kube-apiserver 1.36.2 with
 * etcd 3.5.30 on two cores, medians of four runs. The machine matters more than the last digit: compare ratios.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { Connections, load, quantile, type Sent } from "./load.ts";
import { fill } from "./fill.ts";
import { type Started, start, usage } from "./server.ts";
import { fanOut } from "./watchers.ts";

interface Row {
  readonly measure: string;
  readonly value: number;
  readonly unit: string;
  /** The peer's value of the same. */
  readonly peer: number;
  /** How many times better, and how many times must be. */
  readonly times: number;
  /** CPU that the server took for each request, µs, where it answers requests. */
  readonly cpuMicros?: number;
  readonly must: number;
  readonly goal: number;
}

/** What the peer did, and how many times that must be. */
interface Promised {
  readonly peer: number;
  readonly must: number;
  readonly goal: number;
  /** Requests, if not as many as objects. */
  readonly count?: number;
}

const namespace = "/api/v1/namespaces/bench";
const configMaps = `${namespace}/configmaps`;
const pods = `${namespace}/pods`;
const objects = 2_000;
const podCount = 10_000;
const lists = 5;
const manyObjects = 100_000;

const configMap = (name: string) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, labels: { app: "bench" } },
    data: { key: "v0", payload: "x".repeat(600) },
  });

const pod = (name: string) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { app: "bench" }, annotations: { "bench/filler": "y".repeat(280) } },
    spec: {
      schedulerName: "none",
      automountServiceAccountToken: false,
      containers: [
        {
          name: "main",
          image: "registry.invalid/bench:1",
          args: ["--listen=:8080"],
          env: [1, 2, 3, 4].map((n) => ({ name: `VARIABLE_${n}`, value: `value of ${n}` })),
          ports: [{ containerPort: 8080 }],
          resources: { requests: { cpu: "10m", memory: "16Mi" } },
          livenessProbe: { httpGet: { path: "/healthz", port: 8080 } },
        },
      ],
    },
  });

const rows: Row[] = [];
const less = (measure: string, value: number, peer: number, [must, goal]: [number, number], unit: string) =>
  rows.push({ measure, value, unit, peer, times: peer / value, must, goal });

async function run(): Promise<void> {
  const data = await mkdtemp(join(tmpdir(), "atoll-bench-"));
  try {
    await runIn(data);
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}

async function runIn(data: string): Promise<void> {
  const server = await start(data);
  try {
    const before = await usage(server.pid);
    await measure(server);
    const after = await usage(server.pid);
    less("CPU of the server for the whole load", after.cpuSeconds - before.cpuSeconds, 36.7, [2, 4], "s");
    less("resident memory after it", after.residentMiB, 870, [2, 3], "MiB");
    less("start to ready, empty store", server.readyMs / 1000, 2.3, [2.3, 3.8], "s");
  } finally {
    await server.stop();
  }
  // The peer was started with some 17,000 objects.
  await fill(data, { prefix: "/registry/core/configmaps/bench/", count: manyObjects });
  const again = await start(data);
  await again.stop();
  less("start to ready, 100,000 objects", again.readyMs / 1000, 1.88, [0.63, 0.63], "s");
}

async function measure({ target, pid }: Started): Promise<void> {
  const one = new Connections(target, 1);
  const rate = async (measure: string, lanes: number, make: (i: number) => Sent, promised: Promised) => {
    const { peer, must, goal, count = objects } = promised;
    const before = await usage(pid);
    const { perSecond } = await load(target, lanes, count, make);
    const cpuMicros = (((await usage(pid)).cpuSeconds - before.cpuSeconds) / count) * 1e6;
    const row = { measure: `${measure}, ${lanes} client${lanes === 1 ? "" : "s"}`, value: perSecond, unit: "/s" };
    rows.push({ ...row, peer, times: perSecond / peer, must, goal, cpuMicros });
  };
  const metadata = (name: string) => ({ apiVersion: "v1", metadata: { name } });
  await one.send({
    method: "POST",
    path: "/api/v1/namespaces",
    body: JSON.stringify({ kind: "Namespace", ...metadata("bench") }),
  });
  const account = JSON.stringify({ kind: "ServiceAccount", ...metadata("default") });
  await one.send({ method: "POST", path: `${namespace}/serviceaccounts`, body: account });
  const create = (prefix: string) => (i: number) => ({
    method: "POST",
    path: configMaps,
    body: configMap(`${prefix}-${i}`),
  });
  await load(target, 16, 200, create("warm"));
  await rate("create", 1, create("c1"), { peer: 470, must: 1, goal: 1 });
  await rate("create", 16, create("c16"), { peer: 1416, must: 1, goal: 1 });
  await rate("create", 64, create("c64"), { peer: 1813, must: 2.5, goal: 5 });
  const get = (i: number) => ({ method: "GET", path: `${configMaps}/c16-${i % objects}` });
  await rate("GET", 16, get, { peer: 2598, must: 3, goal: 6, count: objects * 2 });
  const patch = (contentType: string, query: string, frame: object) => (i: number) => ({
    method: "PATCH",
    path: `${configMaps}/c64-${i}${query}`,
    contentType,
    body: JSON.stringify({ ...frame, data: { key: contentType } }),
  });
  const merged = patch("application/merge-patch+json", "", {});
  await rate("merge patch", 16, merged, { peer: 1107, must: 2, goal: 4 });
  const applied = (i: number) => {
    const frame = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: `c64-${i}` } };
    return patch("application/apply-patch+yaml", "?fieldManager=bench&force=true", frame)(i);
  };
  await rate("server-side apply", 16, applied, { peer: 957, must: 2, goal: 4 });
  const events = await fanOut(target, configMaps, { watchers: 100, events: 500, make: configMap });
  less("100 watchers × 500 creates, p99", events.p99Ms, 57, [2, 2.5], "ms");
  if (events.wrong > 0) throw new Error(`${events.wrong} events were lost, repeated or unexpected`);
  const podCreate = (i: number) => ({ method: "POST", path: pods, body: pod(`pod-${i}`) });
  await rate("Pod create", 64, podCreate, { peer: 1108, must: 1, goal: 1, count: podCount });
  less("LIST of 10,000 Pods, whole, p50", await listMs(() => listWhole(one)), 323, [3, 5], "ms");
  less("LIST of 10,000 Pods, limit=500, p50", await listMs(() => listPaged(one)), 404, [1, 1], "ms");
  one.close();
}

async function listMs(listOnce: () => Promise<number>): Promise<number> {
  const took: number[] = [];
  for (let i = 0; i < lists; i++) took.push(await listOnce());
  return quantile(took, 0.5);
}

/** @returns what it took, ms, without what it takes to read the answer */
async function listWhole(connections: Connections): Promise<number> {
  const began = performance.now();
  await connections.send({ method: "GET", path: pods });
  return performance.now() - began;
}

async function listPaged(connections: Connections): Promise<number> {
  let [tookMs, next] = [0, ""];
  do {
    const began = performance.now();
    const page = await connections.send({ method: "GET", path: `${pods}?limit=500${next}` });
    tookMs += performance.now() - began;
    const { metadata } = JSON.parse(page.toString());
    next = metadata.continue === undefined ? "" : `&continue=${encodeURIComponent(metadata.continue)}`;
  } while (next !== "");
  return tookMs;
}

function print(): void {
  const [cpu] = cpus();
  console.log(`${cpus().length} × ${cpu?.model}, Node ${process.version}, SQLite with synchronous=FULL\n`);
  const width = Math.max(...rows.map(({ measure }) => measure.length));
  console.log(`${"".padEnd(width)}  ${"Atoll".padStart(12)}  ${"peer".padStart(8)}  times  must  goal  CPU each`);
  for (const { measure, value, unit, peer, times, must, goal, cpuMicros } of rows) {
    const shown = `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ${unit}`;
    const cpu = cpuMicros === undefined ? "" : `${cpuMicros.toFixed(0)} µs`;
    const verdict = times >= must ? "" : "  falls short";
    const figures = [shown.padStart(12), String(peer).padStart(8), times.toFixed(1).padStart(5)];
    console.log(
      `${[measure.padEnd(width), ...figures, String(must).padStart(4), String(goal).padStart(4), cpu.padStart(8)].join("  ")}${verdict}`,
    );
  }
}

await run();
if (process.argv.includes("json")) console.log(JSON.stringify(rows, undefined, 2));
else print();
