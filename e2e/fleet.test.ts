/** Mission Control as processes: a hub with its controllers and gateway, a cluster, and its agent, which comes in by a token. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { AccessPolicy } from "@atoll/api/fleet/v1alpha1/accesspolicy";
import { ClusterReport } from "@atoll/api/fleet/v1alpha1/clusterreport";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { PolicyException } from "@atoll/api/fleet/v1alpha1/policyexception";
import { SecurityPolicy } from "@atoll/api/fleet/v1alpha1/securitypolicy";
import { Work } from "@atoll/api/fleet/v1alpha1/work";
import { ClusterProfile } from "@atoll/api/multicluster/clusterprofile";
import { Namespace, Pod, Secret, ServiceAccount } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { type Resource, toKey } from "@atoll/client/resource";
import { eventually } from "@atoll/harness/client";
import { formatTime, systemClock } from "@atoll/machinery/clock";
import { newPrivateKey, newRequest } from "@atoll/runtime/certificates/newrequest";
import { openKubeconfig } from "@atoll/runtime/kubeconfig";

const admissionPolicies: Resource = {
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingAdmissionPolicy",
  plural: "validatingadmissionpolicies",
  namespaced: false,
};
const main = join(import.meta.dirname, "..", "processes", "main.ts");
const folder = await mkdtemp(join(tmpdir(), "atoll-fleet-"));
const [hubDir, childDir] = [join(folder, "hub"), join(folder, "child")];
const running: ChildProcess[] = [];

/** Starts a command and waits for its line. @returns what follows `ready ` */
async function start(args: readonly string[], readyWithinMs = 30_000): Promise<{ child: ChildProcess; ready: string }> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.push(child);
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const line = () => /^ready (.*)$/m.exec(out)?.[1];
  await eventually(`${args[0]} is ready`, () => line() !== undefined || child.exitCode !== null, readyWithinMs).catch(
    (cause: unknown) => {
      throw new Error(`${args[0]}: ${out}${err}`, { cause });
    },
  );
  assert.equal(child.exitCode, null, err);
  return { child, ready: line() ?? "" };
}

async function stop(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await gone;
}

async function once(args: readonly string[], wanted = 0): Promise<string> {
  const env = { ...process.env, KUBECONFIG: join(hubDir, "admin.kubeconfig") };
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, ...args], { env });
  let out = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (out += chunk.toString()));
  const code = await new Promise((resolve) => child.once("exit", resolve));
  assert.equal(code, wanted, out);
  return out;
}

async function open(dir: string): Promise<Client> {
  const { transport } = await openKubeconfig({ path: join(dir, "admin.kubeconfig"), clock: systemClock });
  closers.push(() => transport.close());
  return new Client({ transport, clock: systemClock, userAgent: "atoll-test" });
}
const closers: (() => void)[] = [];

interface State {
  readonly hub: Client;
  readonly child: Client;
  readonly gateway: string;
  readonly token: string;
  readonly namespace: string;
  agent: ChildProcess;
  hubServer: ChildProcess;
}
let state: State;

const serverArgs = (dir: string, port = "0") => ["server", "--data", dir, "--api-port", port];
const agentArgs = (gateway: string) => [
  "fleet-agent",
  ...["--gateway", gateway],
  ...["--gateway-ca", join(folder, "c1-gateway.crt")],
  ...["--token-file", join(folder, "c1-token")],
  ...["--kubeconfig", join(childDir, "admin.kubeconfig")],
];

before(async () => {
  const [{ child: hubServer }] = await Promise.all([start(serverArgs(hubDir)), start(serverArgs(childDir))]);
  const [hub, child] = [await open(hubDir), await open(childDir)];
  const kubeconfig = join(hubDir, "gateway.kubeconfig");
  startControllers();
  await eventually(
    "the fleet's kinds are served",
    () =>
      hub.list(FleetCluster).then(
        () => true,
        () => false,
      ),
    30_000,
  );
  const { ready: gateway } = await start(["gateway", "--kubeconfig", kubeconfig, "--port", "0"]);
  await once(["cluster", "attach", "c1", "--gateway", gateway, "--out", folder]);
  const token = (await readFile(join(folder, "c1-token"), "utf8")).trim();
  const { child: agent, ready: namespace } = await start(agentArgs(gateway));
  state = { hub, child, gateway, token, namespace, agent, hubServer };
  await child.create(Namespace, { metadata: { name: "shop" } });
  await child.create(ServiceAccount, { metadata: { name: "default", namespace: "shop" } });
});

/** The hub's controllers; they end when they cannot reach it, and whoever supervises them starts them anew. */
function startControllers(): void {
  const pki = join(hubDir, "pki");
  const args = [
    "controllers",
    ...["--kubeconfig", join(hubDir, "controllers.kubeconfig")],
    ...["--cluster-signing-cert", join(pki, "ca.crt")],
    ...["--cluster-signing-key", join(pki, "ca.key")],
  ];
  running.push(spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, ...args], { stdio: "ignore" }));
}

after(async () => {
  for (const close of closers) close();
  await Promise.all(running.map((child) => stop(child)));
  await rm(folder, { recursive: true, force: true });
});

const key = toKey("default", "c1");
const phase = async () => (await state.hub.get(FleetCluster, key)).status?.phase;
const privileged = {
  metadata: { name: "x", namespace: "shop" },
  spec: { containers: [{ name: "a", image: "a", securityContext: { privileged: true } }] },
};
const isRefused = () =>
  state.child.create(Pod, privileged, { dryRun: true }).then(
    () => false,
    (error: Error) => error.message.includes("privileged: "),
  );

test("a cluster that came in by its token is ready, and a policy holds there", async () => {
  await eventually("the cluster is ready", async () => (await phase()) === "Ready");
  await state.hub.create(SecurityPolicy, {
    metadata: { name: "base", namespace: "default" },
    spec: { target: {}, level: "Baseline" },
  });
  await eventually("the pod is refused", isRefused);
  await eventually("tools that know of ClusterProfiles know it", async () => {
    const { status } = await state.hub.get(ClusterProfile, toKey("default", "c1"));
    return status?.conditions?.[0]?.status === "True" && (status.version?.kubernetes ?? "").startsWith("v1.");
  });
  // The controllers guard access by themselves where they may.
  await state.hub.get(admissionPolicies, toKey("", "access.fleet.atoll.dev"));
});

test("what decides, what would change and who may are told before anything is applied", async () => {
  const why = await once(["why", "Pod/x", "-n", "shop", "--cluster", "c1"]);
  assert.match(why, /^SecurityPolicy\/base +organization +Enforce +yes$/m);
  assert.match(await once(["why", "Service/x", "-n", "shop", "--cluster", "c1"]), /^No policy decides/);
  assert.match(
    await once(["why", "Deployment/x", "-n", "shop", "--cluster", "c1"]),
    /^Its pods are judged by themselves/m,
  );
  const excepted = { policy: "SecurityPolicy/base", namespace: "shop", name: "x", owner: "ann", reason: "old" };
  const exception = { metadata: { name: "e", namespace: "default" } };
  const expires = "2100-01-01T00:00:00Z";
  await state.hub.create(PolicyException, { ...exception, spec: { ...excepted, expires } });
  const passing = await once(["why", "Pod/x", "-n", "shop", "--cluster", "c1"]);
  assert.match(passing, /^SecurityPolicy\/base .* not until 2100-01-01T00:00:00Z: PolicyException\/e$/m);
  await state.hub.delete(PolicyException, toKey("default", "e"));
  const file = join(folder, "access.yaml");
  const header =
    "apiVersion: fleet.atoll.dev/v1alpha1\nkind: AccessPolicy\nmetadata: {name: devs, namespace: default}\n";
  const bindings = "[{role: organization.view, subjects: [{kind: Group, name: devs}]}]";
  await writeFile(file, `${header}spec: {target: {}, bindings: ${bindings}}\n`);
  const plan = await once(["plan", "-f", file]);
  assert.match(plan, /^c1 +add +ClusterRoleBinding\/fleet-accesspolicy-devs-0 +AccessPolicy\/devs +organization$/m);
  assert.doesNotMatch(plan, /SecurityPolicy/);
  assert.match(await once(["access", "who-can", "get", "pods"]), /nobody/);
  const spec = {
    target: {},
    bindings: [{ role: "organization.view", subjects: [{ kind: "Group" as const, name: "devs" }] }],
  };
  await state.hub.create(AccessPolicy, { metadata: { name: "devs", namespace: "default" }, spec });
  assert.match(
    await once(["access", "who-can", "get", "pods"]),
    /^c1 +Group\/devs +whole cluster +view +AccessPolicy\/devs/m,
  );
  assert.match(await once(["access", "who-can", "delete", "pods"]), /nobody/);
  assert.match(await once(["plan", "-f", file]), /^No cluster would change/);
  await state.hub.delete(AccessPolicy, toKey("default", "devs"));
});

const policies = [
  "AccessPolicy spec: {bindings: [{role: cluster.view, subjects: [{kind: Group, name: devs}]}], target: {}}",
  "CustomPolicy spec: {recipe: BlockNodePort, target: {}}",
  "ImagePolicy spec: {blockLatest: true, target: {}}",
  "MutationPolicy spec: {labels: {team: a}, target: {}}",
  "QuotaPolicy spec: {size: Small, target: {}}",
  "SecurityPolicy spec: {level: Baseline, target: {}}",
  "TrafficPolicy spec: {recipe: DenyAll, target: {}}",
].map((text) => {
  const [kind = "", ...spec] = text.split(" ");
  const head = `apiVersion: fleet.atoll.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: planned, namespace: default}`;
  return { kind, yaml: `${head}\n${spec.join(" ")}\n` };
});

test("kubectl's dry run at the hub tells by warnings what each kind of policy would change", async () => {
  const file = join(folder, "policies.yaml");
  await writeFile(file, policies.map(({ yaml }) => yaml).join("---\n"));
  const told = await once(["kubectl", "apply", "--dry-run=server", "-f", file]);
  for (const { kind } of policies) {
    const source = `\\(${kind}/planned, organization\\)`;
    assert.match(
      told,
      new RegExp(`^Warning: cluster c1: add \\w+/fleet-${kind.toLowerCase()}-planned\\S* ${source}$`, "m"),
    );
  }
  const gone = await once(["kubectl", "delete", "--dry-run=server", "-n", "default", "securitypolicy/base"]);
  assert.match(gone, /^Warning: cluster c1: remove ValidatingAdmissionPolicy\/fleet-securitypolicy-base /m);
  // Nothing was stored, and what is stored is not held up.
  assert.doesNotMatch(await once(["kubectl", "get", "securitypolicies", "-n", "default"]), /planned/);
});

test("a plan takes a file for the whole object, and says what the hub would refuse", async () => {
  const head =
    "apiVersion: fleet.atoll.dev/v1alpha1\nkind: SecurityPolicy\nmetadata: {name: base, namespace: default}\n";
  await writeFile(
    join(folder, "base.yaml"),
    `${head}spec: {target: {}, level: Custom, custom: {controls: [hostPorts]}}\n`,
  );
  const changed = await once(["plan", "-f", join(folder, "base.yaml")]);
  assert.match(
    changed,
    /^c1 +change +ValidatingAdmissionPolicy\/fleet-securitypolicy-base +SecurityPolicy\/base +organization$/m,
  );
  const file = join(folder, "wrong.yaml");
  const [first] = policies;
  await writeFile(file, `${first?.yaml ?? ""}---\n${policies.at(-1)?.yaml.replace("DenyAll", "DenySome") ?? ""}`);
  const told = await once(["plan", "-f", file], 1);
  assert.match(told, /^The hub would refuse TrafficPolicy\/planned: .*Unsupported value: "DenySome"/m);
  assert.match(told, /^c1 +add +ClusterRoleBinding\/fleet-accesspolicy-planned-0/m);
});

test("what exists and would newly break a policy is told before it is applied, and which clusters cannot tell", async () => {
  const plain = { metadata: { name: "plain", namespace: "shop" }, spec: { containers: [{ name: "a", image: "a" }] } };
  await state.child.create(Pod, plain);
  await state.hub.create(FleetCluster, { metadata: { name: "c9", namespace: "default" }, spec: {} });
  let home = "";
  const c9 = async () => (await state.hub.get(FleetCluster, toKey("default", "c9"))).status ?? {};
  await eventually("c9 has its namespace", async () => (home = (await c9()).namespace ?? "") !== "");
  const { spec } = await state.hub.get(ClusterReport, toKey(state.namespace, "cluster"));
  const time = formatTime(systemClock.nowMs() - 3 * 60_000);
  const metadata = { name: "cluster", namespace: home };
  await eventually("c9 was seen three minutes ago", async () => {
    await state.hub.create(ClusterReport, { metadata, spec: { ...spec, time } }).catch(() => undefined);
    return (await c9()).phase === "Disconnected";
  });
  const file = join(folder, "strict.yaml");
  const head =
    "apiVersion: fleet.atoll.dev/v1alpha1\nkind: SecurityPolicy\nmetadata: {name: strict, namespace: default}\n";
  await writeFile(file, `${head}spec: {target: {}, level: Restricted}\n`);
  const c1 = "cluster c1: 1 object newly breaks SecurityPolicy/strict, refused if made now: Pod shop/plain";
  const away = "cluster c9 does not tell what it has: its agent is away, last seen 3 min ago";
  await eventually("the plan tells", async () => {
    const told = await once(["plan", "-f", file]);
    return told.includes(`  ${c1}\n`) && told.includes(`  ${away}\n`);
  });
  const warned = await once(["kubectl", "apply", "--dry-run=server", "-f", file]);
  for (const line of [c1, away]) assert.ok(warned.includes(`Warning: ${line}\n`), warned);
  // Nothing was stored at the hub, and the cluster has nothing of it.
  assert.doesNotMatch(await once(["kubectl", "get", "securitypolicies,works", "-A", "-o", "yaml"]), /strict/);
  await assert.rejects(state.child.get(admissionPolicies, toKey("", "fleet-securitypolicy-strict")), /not found/);
  await state.child.delete(Pod, toKey("shop", "plain"), { graceSeconds: 0 });
  await once(["kubectl", "annotate", "fleetcluster", "c9", "fleet.atoll.dev/force-detach=true", "-n", "default"]);
  await once(["kubectl", "delete", "fleetcluster", "c9", "-n", "default"]);
});

test("what clusters have is found at the hub by one command", async () => {
  let text = "";
  await eventually("the agent has told of namespaces", async () => {
    text = await once(["inventory", "--kind", "namespace", "--kind", "cluster"]);
    return / Namespace +shop +Active /.test(text);
  });
  assert.match(text, /^CLUSTER +KIND +NAME +STATE +VERSION +SEEN$/m);
  assert.match(text, /^c1 +Cluster +c1 +Ready, 0\/0 nodes ready +v1\.\d+\.\S+ +\d+s ago$/m);
  assert.match(await once(["inventory", "no-such-thing"]), /^Nothing found\.$/m);
  const found = JSON.parse(await once(["inventory", "SHOP", "-o", "json"])) as { found: { name: string }[] };
  assert.ok(found.found.some(({ name }) => name === "shop"));
});

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function ask(path: string, options: RequestOptions, body?: object): Promise<Answer> {
  const ca = await readFile(join(folder, "c1-gateway.crt"), "utf8");
  return await new Promise((resolve, reject) => {
    const sent = httpsRequest(new URL(path, state.gateway), { ca, agent: false, ...options }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      response.on("error", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function identity(): Promise<{ cert: string; key: string }> {
  const { data = {} } = await state.child.get(Secret, toKey("atoll-system", "fleet-agent-identity"));
  const text = (field: string) => Buffer.from(data[field] ?? "", "base64").toString();
  return { cert: text("tls.crt"), key: text("tls.key") };
}

test("a token is good once, and a made-up one never", async () => {
  const csr = await newRequest(newPrivateKey(), { commonName: `fleet.atoll.dev:agent:${state.namespace}` });
  for (const token of [state.token, `${state.namespace}.guess`, "default.x", "../x.y", ""]) {
    const { status } = await ask("/register", { method: "POST" }, { token, csr });
    assert.equal(status, 401, token);
  }
});

test("an agent whose token was used before says that it was refused, and ends", async () => {
  const elsewhere = agentArgs(state.gateway).with(-1, join(hubDir, "admin.kubeconfig"));
  const said = await once(elsewhere, 1);
  assert.match(said, /^atoll: the gateway at \S+ refused: the join token is unknown, used or expired; make a new one/m);
});

test("a token gives the name of its own cluster, whatever the request claims", async () => {
  await once(["cluster", "attach", "other", "--gateway", state.gateway, "--out", folder]);
  const token = (await readFile(join(folder, "other-token"), "utf8")).trim();
  const register = async (namespace: string) => {
    const csr = await newRequest(newPrivateKey(), { commonName: `fleet.atoll.dev:agent:${namespace}` });
    return await ask("/register", { method: "POST" }, { token, csr });
  };
  const forged = await register(state.namespace);
  assert.equal(forged.status, 403, forged.text);
  assert.match(forged.text, /csr must ask for the name .*fleet\.atoll\.dev:agent:fleet-default-other/);
  const [namespace = ""] = token.split(".");
  const { status, text } = await register(namespace);
  assert.equal(status, 200, text);
  const { subject } = new X509Certificate((JSON.parse(text) as { certificate: string }).certificate);
  assert.equal(subject, `CN=fleet.atoll.dev:agent:${namespace}`);
  assert.equal((await register(namespace)).status, 401);
  await once(["cluster", "detach", "other", "--force"]);
  await eventually("it is gone", async () => {
    const { items } = await state.hub.list(FleetCluster);
    return items.every(({ metadata }) => metadata.name !== "other");
  });
});

test("an agent reaches its own namespace, and nothing else", async () => {
  const own = await identity();
  const works = `/apis/fleet.atoll.dev/v1alpha1/namespaces/${state.namespace}/works`;
  assert.equal((await ask(works, own)).status, 200);
  assert.equal((await ask(works, {})).status, 401);
  const foreign = [
    "/api/v1/secrets",
    "/apis/fleet.atoll.dev/v1alpha1/works",
    "/apis/fleet.atoll.dev/v1alpha1/namespaces/default/securitypolicies",
    `/apis/fleet.atoll.dev/v1alpha1/namespaces/${state.namespace}/../default/securitypolicies`,
    `/apis/fleet.atoll.dev/v1alpha1/namespaces/${state.namespace}%2f..%2fdefault/securitypolicies`,
    `/api/v1/namespaces/${state.namespace}/secrets`,
  ];
  for (const path of foreign) assert.equal((await ask(path, own)).status, 403, path);
  // What would make it somebody else is not handed on.
  const headers = { "impersonate-user": "admin", "impersonate-group": "system:masters", "x-remote-user": "admin" };
  assert.equal((await ask(`/api/v1/namespaces/${state.namespace}/secrets`, { ...own, headers })).status, 403);
});

test("a renewal gives the name whose key is registered only, whatever the request claims", async () => {
  const own = await identity();
  for (const namespace of ["fleet-default-other", state.namespace]) {
    const forged = await newRequest(newPrivateKey(), { commonName: `fleet.atoll.dev:agent:${namespace}` });
    assert.equal((await ask("/renew", { method: "POST", ...own }, { csr: forged })).status, 401);
  }
  const another = await newRequest(String(own.key), { commonName: "fleet.atoll.dev:agent:fleet-default-other" });
  assert.equal((await ask("/renew", { method: "POST", ...own }, { csr: another })).status, 401);
  const grouped = await newRequest(String(own.key), {
    commonName: `fleet.atoll.dev:agent:${state.namespace}`,
    organizations: ["system:masters"],
  });
  assert.equal((await ask("/renew", { method: "POST", ...own }, { csr: grouped })).status, 403);
  const noise = await ask("/renew", { method: "POST", ...own }, { csr: "not a request" });
  assert.equal(noise.status, 400);
});

test("a report of 100 MB is refused, and the gateway goes on", async () => {
  const own = await identity();
  const path = `/apis/fleet.atoll.dev/v1alpha1/namespaces/${state.namespace}/clusterreports`;
  const outcome = await ask(path, { method: "POST", ...own }, { spec: "x".repeat(100_000_000) }).catch(() => ({
    status: 413,
    text: "",
  }));
  assert.equal(outcome.status, 413);
  assert.equal((await ask("/healthz", {})).status, 200);
});

test("what a report says is text: no terminal takes it for commands", async () => {
  const own = await identity();
  const { items } = await state.hub.list(ClusterReport, { namespace: state.namespace });
  const headers = { "content-type": "application/merge-patch+json" };
  const evil = { spec: { version: "v1\u001b[2J\u0007<script>alert(1)</script>" } };
  const reports = `/apis/fleet.atoll.dev/v1alpha1/namespaces/${state.namespace}/clusterreports`;
  const report = `${reports}/${items[0]?.metadata.name}`;
  const told = async () => (await state.hub.get(FleetCluster, key)).status?.version;
  const answer = await ask(report, { method: "PATCH", ...own, headers }, evil);
  assert.equal(answer.status, 200, answer.text);
  await eventually("the hub tells of it", async () => (await told())?.includes("<script>") === true);
  const list = await once(["cluster", "ls"]);
  assert.match(list, /v1\?\[2J\?<script>/);
  assert.doesNotMatch(list, /[\u0000-\u0009\u000b-\u001f]/);
});

test("who changed what the hub wants is told at the hub, and stays told", async () => {
  const name = toKey("", "fleet-securitypolicy-base");
  const patch = { type: "merge", body: { spec: { failurePolicy: "Ignore" } } } as const;
  await state.child.patch(admissionPolicies, { key: name, patch }, { fieldManager: "somebody" });
  const told = async () => {
    const { items } = await state.hub.list(Work, { namespace: state.namespace });
    return items.flatMap(({ status }) => status?.objects ?? []).map(({ object, reason }) => `${object} ${reason}`);
  };
  const wanted = /^ValidatingAdmissionPolicy\.\S+\/fleet-securitypolicy-base changed by somebody at \S+Z, put back$/;
  const isTold = async () => (await told()).some((line) => wanted.test(line));
  await eventually("it is told", isTold, 30_000);
  // What is put back makes the agent look again, which finds nothing.
  const metadata = { name: "later", namespace: "default" };
  await state.hub.create(SecurityPolicy, { metadata, spec: { target: {}, level: "Baseline" } });
  const applied = async () =>
    (await state.hub.get(SecurityPolicy, toKey("default", "later"))).status?.summary === "1/1";
  await eventually("the agent has done more since", applied, 30_000);
  assert.ok(await isTold());
  await state.hub.delete(SecurityPolicy, toKey("default", "later"));
});

test("drift is put back while the hub is away", async () => {
  await stop(state.hubServer, "SIGKILL");
  const name = toKey("", "fleet-securitypolicy-base");
  await state.child.delete(admissionPolicies, name);
  await eventually("the policy is back", () =>
    state.child.get(admissionPolicies, name).then(
      () => true,
      () => false,
    ),
  );
  await eventually("the pod is refused again", isRefused);
});

test("an agent that starts while the hub is away goes on with what it is when the hub is back", async () => {
  const port = new URL(
    (await openKubeconfig({ path: join(hubDir, "admin.kubeconfig"), clock: systemClock })).context.server,
  ).port;
  await stop(state.agent);
  const { child: hubServer } = await start(serverArgs(hubDir, port));
  state.hubServer = hubServer;
  startControllers();
  const { child: agent } = await start(agentArgs(state.gateway));
  state.agent = agent;
  await eventually("the cluster is ready", async () => (await phase()) === "Ready", 30_000);
});

test("a revoked agent is cut off within 5 s", async () => {
  const own = await identity();
  const watch = `/apis/fleet.atoll.dev/v1alpha1/namespaces/${state.namespace}/works?watch=true`;
  const cut = ask(watch, own).catch(() => ({ status: 0, text: "" }));
  await systemClock.sleep(200);
  const began = systemClock.monotonicMs();
  await state.hub.patch(FleetCluster, { key, patch: { type: "merge", body: { spec: { revoked: true } } } });
  await cut;
  assert.ok(systemClock.monotonicMs() - began < 5_000);
  assert.equal((await ask(watch, own)).status, 401);
  await state.hub.patch(FleetCluster, { key, patch: { type: "merge", body: { spec: { revoked: false } } } });
});

test("two agents with one identity are both let in no more, which is told; attached anew, one is", async () => {
  await eventually("the cluster is ready", async () => (await phase()) === "Ready", 30_000);
  const { child: another } = await start(agentArgs(state.gateway));
  // Each reports every half minute.
  await eventually("the cluster is fenced", async () => (await phase()) === "Fenced", 120_000);
  const { status } = await state.hub.get(FleetCluster, key);
  assert.match(status?.conditions?.[0]?.message ?? "", /^Two agents use one identity, and neither is let in\./);
  const works = `/apis/fleet.atoll.dev/v1alpha1/namespaces/${state.namespace}/works`;
  const { status: code, text } = await ask(works, await identity());
  assert.equal(code, 401);
  assert.match(text, /two agents use this identity; attach the cluster anew/);
  await Promise.all([stop(another), stop(state.agent)]);
  await once(["cluster", "attach", "c1", "--gateway", state.gateway, "--out", folder]);
  state.agent = (await start(agentArgs(state.gateway))).child;
  await eventually("the cluster is ready", async () => (await phase()) === "Ready", 60_000);
});

test("a detached cluster keeps nothing of what was made there", async () => {
  await eventually("the cluster is ready", async () => (await phase()) === "Ready", 30_000);
  await once(["cluster", "detach", "c1"]);
  await eventually(
    "the cluster is gone from the hub",
    async () => (await state.hub.list(FleetCluster)).items.length === 0,
    30_000,
  );
  const left = (await state.child.list(admissionPolicies)).items;
  assert.deepEqual(
    left.map(({ metadata }) => metadata.name),
    [],
  );
  await eventually("its namespace is gone", async () => (await state.hub.list(Work)).items.length === 0, 30_000);
});

test("a cluster that is attached again follows again; detached with what it has, it keeps that and no agent", async () => {
  await attachAgain();
  const metadata = { name: "stays", namespace: "default" };
  await state.hub.create(SecurityPolicy, { metadata, spec: { target: {}, level: "Baseline" } });
  await eventually("the pod is refused", isRefused);
  const found = await state.hub.get(FleetCluster, key);
  await state.hub.update(FleetCluster, { ...found, spec: { ...found.spec, onDetach: "Keep" } });
  const ended = new Promise<number | null>((resolve) => state.agent.once("exit", (code) => resolve(code)));
  await once(["cluster", "detach", "c1"]);
  assert.equal(await ended, 0);
  await eventually(
    "it is gone from the hub",
    async () => (await state.hub.list(FleetCluster)).items.length === 0,
    30_000,
  );
  assert.ok(await isRefused());
  await assertNoAgent();
});

test("a cluster that was detached by force while its agent was away can be attached again, and what is not wanted goes", async () => {
  await attachAgain();
  const applied = async () =>
    (await state.hub.get(SecurityPolicy, toKey("default", "stays"))).status?.summary === "1/1";
  await eventually("the policy is applied", applied);
  await stop(state.agent, "SIGKILL");
  await once(["cluster", "detach", "c1", "--force"]);
  await eventually(
    "it is gone from the hub",
    async () => (await state.hub.list(FleetCluster)).items.length === 0,
    30_000,
  );
  await state.hub.delete(SecurityPolicy, toKey("default", "stays"));
  const names = async () => (await state.child.list(admissionPolicies)).items.map(({ metadata }) => metadata.name);
  assert.ok((await names()).includes("fleet-securitypolicy-stays"));
  await attachAgain();
  await eventually("what is not wanted is gone", async () => (await names()).join() === "fleet-securitypolicy-base");
});

/** Attaches c1 as somebody would who did it for the first time. */
async function attachAgain(): Promise<void> {
  await eventually("the namespace of before is gone", async () => {
    const { items } = await state.hub.list(Namespace);
    return items.every(({ metadata }) => metadata.labels?.["fleet.atoll.dev/cluster"] !== "c1");
  });
  await once(["cluster", "attach", "c1", "--gateway", state.gateway, "--out", folder]);
  state.agent = (await start(agentArgs(state.gateway))).child;
  await eventually("the cluster is ready", async () => (await phase()) === "Ready", 30_000);
  await eventually("the agent has done what the hub wants", hasFollowed, 30_000);
}

async function hasFollowed(): Promise<boolean> {
  const { items } = await state.hub.list(Work);
  return items.length > 0 && items.every(({ metadata, status }) => status?.observedGeneration === metadata.generation);
}

async function assertNoAgent(): Promise<void> {
  const { items } = await state.child.list(Secret, { namespace: "atoll-system" });
  assert.deepEqual(
    items.map(({ metadata }) => metadata.name),
    [],
  );
}
