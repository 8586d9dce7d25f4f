/**
 * `./atoll bench api`: the API server on SQLite, every write on disk before it is acknowledged, beside what
 * kube-apiserver and etcd did on a machine of the same kind. Source of the peer's figures: kube-apiserver 1.36.2 with
 * etcd 3.5.30 on two cores, medians of four runs. The machine matters more than the last digit: compare ratios.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { Connections, type Figures, load, quantile, type Target } from "./load.ts";
import { start, usage } from "./server.ts";
import { fanOut } from "./watchers.ts";

interface Row {
  readonly measure: string;
  readonly value: number;
  readonly unit: string;
  /** The peer's value of the same. */
  readonly peer: number;
  /** How many times better, and how many times must be. */
  readonly times: number;
  readonly must: number;
  readonly goal: number;
}

const namespace = "/api/v1/namespaces/bench";
const configMaps = `${namespace}/configmaps`;
const pods = `${namespace}/pods`;
const objects = 2_000;
const podCount = 10_000;
const lists = 5;

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
const more = (measure: string, value: number, peer: number, [must, goal]: [number, number], unit = "/s") =>
  rows.push({ measure, value, unit, peer, times: value / peer, must, goal });
const less = (measure: string, value: number, peer: number, [must, goal]: [number, number], unit: string) =>
  rows.push({ measure, value, unit, peer, times: peer / value, must, goal });

async function run(): Promise<void> {
  const data = await mkdtemp(join(tmpdir(), "atoll-bench-"));
  const server = await start(data);
  try {
    const before = await usage(server.pid);
    await measure(server.target);
    const after = await usage(server.pid);
    less("CPU of the server for the whole load", after.cpuSeconds - before.cpuSeconds, 36.7, [2, 4], "s");
    less("resident memory after it", after.residentMiB, 870, [2, 3], "MiB");
    less("start to ready, empty store", server.readyMs / 1000, 2.3, [2.3, 3.8], "s");
  } finally {
    await server.stop();
    await rm(data, { recursive: true, force: true });
  }
}

async function measure(target: Target): Promise<void> {
  const one = new Connections(target, 1);
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
  const rate = ({ perSecond }: Figures) => perSecond;
  await load(target, 16, 200, create("warm"));
  more("create, 1 client", rate(await load(target, 1, objects, create("c1"))), 470, [1, 1]);
  more("create, 16 clients", rate(await load(target, 16, objects, create("c16"))), 1416, [1, 1]);
  more("create, 64 clients", rate(await load(target, 64, objects, create("c64"))), 1813, [2.5, 5]);
  const get = (i: number) => ({ method: "GET", path: `${configMaps}/c16-${i % objects}` });
  more("GET, 16 clients", rate(await load(target, 16, objects * 2, get)), 2598, [3, 6]);
  const patch = (contentType: string, query: string, frame: object) => (i: number) => ({
    method: "PATCH",
    path: `${configMaps}/c64-${i}${query}`,
    contentType,
    body: JSON.stringify({ ...frame, data: { key: contentType } }),
  });
  const merged = await load(target, 16, objects, patch("application/merge-patch+json", "", {}));
  more("merge patch, 16 clients", rate(merged), 1107, [2, 4]);
  const applied = await load(target, 16, objects, (i) => {
    const frame = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: `c64-${i}` } };
    return patch("application/apply-patch+yaml", "?fieldManager=bench&force=true", frame)(i);
  });
  more("server-side apply, 16 clients", rate(applied), 957, [2, 4]);
  const events = await fanOut(target, configMaps, { watchers: 100, events: 500, make: configMap });
  less("100 watchers × 500 creates, p99", events.p99Ms, 57, [2, 2.5], "ms");
  if (events.wrong > 0) throw new Error(`${events.wrong} events were lost, repeated or unexpected`);
  const podCreate = (i: number) => ({ method: "POST", path: pods, body: pod(`pod-${i}`) });
  more("Pod create, 64 clients", rate(await load(target, 64, podCount, podCreate)), 1108, [1, 1]);
  less("LIST of 10,000 Pods, whole, p50", await listMs(one, pods), 323, [3, 5], "ms");
  one.close();
}

async function listMs(connections: Connections, path: string): Promise<number> {
  const took: number[] = [];
  for (let i = 0; i < lists; i++) {
    const began = performance.now();
    await connections.send({ method: "GET", path });
    took.push(performance.now() - began);
  }
  return quantile(took, 0.5);
}

function print(): void {
  const [cpu] = cpus();
  console.log(`${cpus().length} × ${cpu?.model}, Node ${process.version}, SQLite with synchronous=FULL\n`);
  const width = Math.max(...rows.map(({ measure }) => measure.length));
  console.log(`${"".padEnd(width)}  ${"Atoll".padStart(12)}  ${"peer".padStart(8)}  times  must  goal`);
  for (const { measure, value, unit, peer, times, must, goal } of rows) {
    const shown = `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ${unit}`;
    const verdict = times >= must ? "" : "  falls short";
    console.log(
      `${measure.padEnd(width)}  ${shown.padStart(12)}  ${String(peer).padStart(8)}  ${times.toFixed(1).padStart(5)}  ${String(must).padStart(4)}  ${String(goal).padStart(4)}${verdict}`,
    );
  }
}

await run();
if (process.argv.includes("json")) console.log(JSON.stringify(rows, undefined, 2));
else print();
