/**
 * `./atoll bench authz`: what authorization and admission add to a create with 2,000 RoleBindings and 20
 * ValidatingAdmissionPolicies in place, against a server with none, in turns on one machine; and what one user's flood
 * does to another.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Flooded } from "./flood.ts";
import { Connections, quantile, type Target } from "./load.ts";
import { asUser, start, usage } from "./server.ts";

interface Row {
  readonly measure: string;
  readonly value: number;
  readonly unit: string;
  readonly must?: number;
}

const bindings = 2_000;
const policies = 20;
const rounds = 20;
const perRound = 150;
const namespace = "/api/v1/namespaces/bench";
const rbac = "/apis/rbac.authorization.k8s.io/v1";
const admission = "/apis/admissionregistration.k8s.io/v1";
const user = "bench";
const rows: Row[] = [];

/** A server, and its client who is in no group. */
interface Side {
  readonly admin: Connections;
  readonly person: Connections;
  readonly target: Target;
  readonly pid: number;
  stop(): Promise<void>;
}

async function post(connections: Connections, path: string, body: object): Promise<void> {
  await connections.send({ method: "POST", path, body: JSON.stringify(body) });
}

async function side(): Promise<Side> {
  const data = await mkdtemp(join(tmpdir(), "atoll-authz-"));
  const server = await start(data);
  const target = await asUser(server.target, data, user);
  const admin = new Connections(server.target, 16);
  const person = new Connections(target, 1);
  await post(admin, "/api/v1/namespaces", { metadata: { name: "bench" } });
  const rules = [{ verbs: ["create", "get", "list", "delete"], apiGroups: [""], resources: ["configmaps"] }];
  await post(admin, `${rbac}/namespaces/bench/roles`, { metadata: { name: "writer" }, rules });
  await post(admin, `${rbac}/namespaces/bench/rolebindings`, binding("zz-writer", "writer", user));
  const stop = async () => {
    admin.close();
    person.close();
    await server.stop();
    await rm(data, { recursive: true, force: true });
  };
  return { admin, person, target, pid: server.pid, stop };
}

const binding = (name: string, role: string, subject: string) => ({
  metadata: { name },
  roleRef: { kind: "Role", name: role },
  subjects: [{ kind: "User", name: subject }],
});

/** Half of the bindings are for the one who asks, each of a role that does not allow it. */
async function fill({ admin }: Side): Promise<void> {
  const many = Array.from({ length: bindings }, (_, i) => i);
  for (let at = 0; at < bindings; at += 100) {
    const batch = many.slice(at, at + 100);
    await Promise.all(
      batch.map(async (i) => {
        const rules = [{ verbs: ["get"], apiGroups: ["apps"], resources: [`things${i}`] }];
        await post(admin, `${rbac}/namespaces/bench/roles`, { metadata: { name: `r${i}` }, rules });
        const subject = i % 2 === 0 ? user : `other${i}`;
        await post(admin, `${rbac}/namespaces/bench/rolebindings`, binding(`b${i}`, `r${i}`, subject));
      }),
    );
  }
  for (let i = 0; i < policies; i++) await addPolicy(admin, `p${i}`);
}

async function addPolicy(admin: Connections, name: string): Promise<void> {
  const resourceRules = [
    { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE", "UPDATE"], resources: ["configmaps"] },
  ];
  const validations = [
    { expression: "object.metadata.name.size() < 200 && (!has(object.data) || object.data.size() < 100)" },
  ];
  const spec = { failurePolicy: "Fail", matchConstraints: { resourceRules }, validations };
  await post(admin, `${admission}/validatingadmissionpolicies`, { metadata: { name }, spec });
  await post(admin, `${admission}/validatingadmissionpolicybindings`, {
    metadata: { name },
    spec: { policyName: name, validationActions: ["Deny"] },
  });
}

const configMap = (name: string) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, labels: { app: "bench" } },
  data: { key: "v0", payload: "x".repeat(600) },
});

let made = 0;

async function creates({ person }: Side): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < perRound; i++) {
    const body = configMap(`c${made++}`);
    const began = performance.now();
    await post(person, `${namespace}/configmaps`, body);
    took.push(performance.now() - began);
  }
  return took;
}

async function compare(): Promise<void> {
  const bare = await side();
  const full = await side();
  await fill(full);
  await creates(bare);
  await creates(full);
  const began = [await usage(bare.pid), await usage(full.pid)] as const;
  const without: number[] = [];
  const withAll: number[] = [];
  for (let round = 0; round < rounds; round++) {
    without.push(...(await creates(bare)));
    withAll.push(...(await creates(full)));
  }
  const [few, many] = [quantile(without, 0.5), quantile(withAll, 0.5)];
  rows.push({ measure: "create, no bindings and policies, p50", value: few, unit: "ms" });
  rows.push({ measure: `create, ${bindings} bindings and ${policies} policies, p50`, value: many, unit: "ms" });
  rows.push({ measure: "what they add", value: many - few, unit: "ms", must: 0.3 });
  const ended = [await usage(bare.pid), await usage(full.pid)] as const;
  const cpuMs = (i: 0 | 1) => ((ended[i].cpuSeconds - began[i].cpuSeconds) * 1000) / (rounds * perRound);
  rows.push({ measure: "CPU of a create, without and", value: cpuMs(0), unit: "ms" });
  rows.push({ measure: "with them, which a busy machine changes less", value: cpuMs(1), unit: "ms" });
  await bare.stop();
  await full.stop();
}

const floodLanes = 128;
const floodMs = 15_000;

/** One user sends as fast as the server answers, on many connections; another now and then. */
async function flood(): Promise<void> {
  const data = await mkdtemp(join(tmpdir(), "atoll-authz-"));
  const server = await start(data);
  const admin = new Connections(server.target, 4);
  await post(admin, "/api/v1/namespaces", { metadata: { name: "bench" } });
  const roleRef = { kind: "ClusterRole", name: "cluster-admin" };
  const subjects = ["flooder", "calm"].map((name) => ({ kind: "User", name }));
  await post(admin, `${rbac}/clusterrolebindings`, { metadata: { name: "both" }, roleRef, subjects });
  for (let i = 0; i < 500; i++) await post(admin, `${namespace}/configmaps`, configMap(`old${i}`));
  const path = `${namespace}/configmaps`;
  // In a thread of its own: a client that is busy with a flood's answers would see its own delays, not the server's.
  const flooding = new Worker(new URL("./flood.ts", import.meta.url), {
    workerData: { target: await asUser(server.target, data, "flooder"), lanes: floodLanes, path },
  });
  const ended = new Promise<Flooded>((resolve) => flooding.once("message", resolve));
  const calm = new Connections(await asUser(server.target, data, "calm"), 1);
  const took: number[] = [];
  const endMs = performance.now() + floodMs;
  for (let i = 0; performance.now() < endMs; i++) {
    const began = performance.now();
    await post(calm, `${namespace}/configmaps`, configMap(`calm${i}`));
    took.push(performance.now() - began);
    await new Promise((resolve) => setImmediate(resolve));
  }
  flooding.postMessage("stop");
  const { sent, refused } = await ended;
  await flooding.terminate();
  rows.push({
    measure: `create beside a flood of ${floodLanes} connections, p50`,
    value: quantile(took, 0.5),
    unit: "ms",
  });
  rows.push({ measure: "the same, p99", value: quantile(took, 0.99), unit: "ms", must: 250 });
  rows.push({ measure: "requests of the flood", value: sent, unit: "" });
  rows.push({ measure: "of these refused", value: refused, unit: "" });
  admin.close();
  calm.close();
  await server.stop();
  await rm(data, { recursive: true, force: true });
}

function print(): void {
  const [cpu] = cpus();
  console.log(`${cpus().length} × ${cpu?.model}, Node ${process.version}, SQLite with synchronous=FULL\n`);
  const width = Math.max(...rows.map(({ measure }) => measure.length));
  for (const { measure, value, unit, must } of rows) {
    const shown = `${value < 10 && unit !== "" ? value.toFixed(3) : value.toFixed(0)} ${unit}`;
    const verdict = must === undefined ? "" : `  must be below ${must}${value <= must ? "" : ": falls short"}`;
    console.log(`${measure.padEnd(width)}  ${shown.padStart(12)}${verdict}`);
  }
}

await compare();
await flood();
if (process.argv.includes("json")) console.log(JSON.stringify(rows, undefined, 2));
else print();
