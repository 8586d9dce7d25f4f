/** A hub that asks its gateway about dry runs, and clusters whose agents hold tunnels for trials alone: all real servers. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { after, before, test } from "node:test";
import { Resources } from "@atoll/agent/resources";
import { tryPolicies } from "@atoll/agent/trial";
import { keepTunnel, type TunnelOptions } from "@atoll/agent/tunnel";
import { fleetKinds } from "@atoll/api/fleet/kinds";
import type { Verdict } from "@atoll/api/fleet/trial";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { SecurityPolicy } from "@atoll/api/fleet/v1alpha1/securitypolicy";
import { Work } from "@atoll/api/fleet/v1alpha1/work";
import { ClusterProfile } from "@atoll/api/multicluster/clusterprofile";
import { ClusterRole, ClusterRoleBinding, Namespace, Pod } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { isNotFound } from "@atoll/client/errors";
import { Cache } from "@atoll/client/informer/cache";
import { type Resource, toKey } from "@atoll/client/resource";
import { clientOf, eventually, makeNamespace, transportTo } from "@atoll/harness/client";
import { serveKinds } from "@atoll/harness/kinds";
import { type Harness, startHarness } from "@atoll/harness/server";
import { formatTime, systemClock } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import { silent } from "@atoll/runtime/log";
import { type Identity, nodeTransport } from "@atoll/runtime/transport";
import { issue } from "@atoll/server/pki/authority";
import { agentUser } from "../cluster/names.ts";
import { compile } from "../compile/compile.ts";
import { Agents } from "./agents.ts";
import { keyHash } from "./enrol.ts";
import { startGateway } from "./gateway.ts";
import { askForPreviews, PreviewPath } from "./preview.ts";
import { servingPair } from "./tls.ts";

const clock = systemClock;
const closers: (() => unknown)[] = [];
const stop = new AbortController();
const threeMinutesMs = 3 * 60_000;

interface Stage {
  readonly hub: Harness;
  readonly hubClient: Client;
  readonly childClient: Client;
  readonly gateway: string;
  readonly ca: string;
}
let stage: Stage;

const identityOf = (tls: object): Identity => ({ tls: async () => tls, authorization: async () => undefined });
const personal = (commonName: string) =>
  issue(stage.hub.pki.ca, { commonName, organizations: [], usage: "client", days: 1 }, clock.nowMs());

/** A cluster in the group of its own name, and its agent's tunnel unless it has none. */
async function attach(name: string, answers?: TunnelOptions["tryPolicies"], status: object = {}): Promise<void> {
  const home = `fleet-${name}`;
  const agent = await personal(agentUser(home));
  const der = new X509Certificate(agent.cert).publicKey.export({ type: "spki", format: "der" });
  const spec = { group: name };
  const made = await stage.hubClient.create(FleetCluster, { metadata: { name, namespace: "default" }, spec });
  const known = { namespace: home, agentKey: keyHash(der), ...status };
  await stage.hubClient.setStatus(FleetCluster, { object: made, status: known });
  if (answers === undefined) return;
  const identity = identityOf({ ca: stage.ca, ...agent });
  const cluster = { server: stage.hub.url, identity: identityOf({}), client: stage.childClient };
  const gateway = { url: stage.gateway, identity };
  void keepTunnel({ gateway, cluster, by: undefined, tryPolicies: answers, clock, log: silent }, stop.signal);
}

before(async () => {
  const [hub, child] = await Promise.all([startHarness(), startHarness()]);
  const [hubTransport, childTransport] = [transportTo(hub), transportTo(child)];
  const [hubClient, childClient] = [clientOf(hub, hubTransport), clientOf(child, childTransport)];
  await serveKinds(hubClient, [...fleetKinds, ClusterProfile]);
  const cache = new Cache({ client: hubClient, clock, onError: () => {} });
  const clusters = cache.informer(FleetCluster);
  await clusters.whenSynced();
  const tls = await servingPair(hubClient, clock, ["127.0.0.1"]);
  const previews = new PreviewPath("secret");
  const served = await startGateway({
    ...{ client: hubClient, transport: hubTransport, agents: new Agents(clusters), clock, log: silent, previews },
    ...{ tls: { ...tls, clientCa: hub.pki.ca.cert }, bind: "127.0.0.1", port: 0 },
  });
  const gateway = `https://127.0.0.1:${served.port}`;
  stage = { hub, hubClient, childClient, gateway, ca: tls.ca };
  await askForPreviews(hubClient, { url: gateway, ca: tls.ca }, previews);
  const place = { client: childClient, resources: new Resources(childClient, clock), clock };
  await attach("c1", (trial, signal) => tryPolicies(place, trial, signal));
  closers.push(
    () => served.close(),
    () => cache.stop(),
    () => hubTransport.close(),
    () => childTransport.close(),
    () => Promise.all([hub.close(), child.close()]),
  );
  await makeNamespace(childClient, "shop");
  await childClient.create(Pod, podOf("plain", {}));
  await childClient.create(Pod, podOf("bad", { privileged: true }));
  await eventually("the hub asks, and the cluster answers", async () => {
    return (await dryRun(policy("probe", { level: "Baseline" }))).some((line) =>
      line.startsWith("cluster c1: 1 object"),
    );
  });
});

after(async () => {
  stop.abort();
  for (const close of closers) await close();
});

const podOf = (name: string, securityContext: object) => ({
  metadata: { name, namespace: "shop" },
  spec: { containers: [{ name: "a", image: "a", securityContext }] },
});
const policy = (name: string, spec: object, kind = "SecurityPolicy") => ({
  apiVersion: "fleet.atoll.dev/v1alpha1",
  kind,
  metadata: { name, namespace: "default" },
  spec: { target: { group: "c1" }, ...spec },
});

/** What a dry run of making or replacing an object says, as the client of `atoll plan`. */
async function dryRun(object: ApiObject, client?: Client): Promise<readonly string[]> {
  const told: string[] = [];
  const transport = transportTo(stage.hub);
  const asking = client ?? new Client({ transport, clock, userAgent: "t", onWarning: (text) => told.push(text) });
  const resource = fleetKinds.find(({ kind }) => kind === object.kind) as Resource<ApiObject>;
  const options = { fieldManager: "atoll-plan", dryRun: true };
  const key = toKey("default", object.metadata.name ?? "");
  try {
    const live = await asking.get(resource, key).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (live === undefined) await asking.create(resource, object, options);
    else {
      const { resourceVersion = "" } = live.metadata;
      await asking.update(resource, { ...object, metadata: { ...object.metadata, resourceVersion } }, options);
    }
  } finally {
    transport.close();
  }
  return told;
}

const as = async (name: string, told: string[]) => {
  const tls = { ca: stage.hub.tls.ca, ...(await personal(name)) };
  const transport = nodeTransport({ server: stage.hub.url, identity: identityOf(tls), clock });
  closers.unshift(() => transport.close());
  return new Client({ transport, clock, userAgent: "t", onWarning: (text) => told.push(text) });
};

test("what exists and would newly break a policy is named, and nothing is stored", async () => {
  assert.deepEqual(await dryRun(policy("p", { level: "Restricted" })), [
    "cluster c1: 2 objects newly break SecurityPolicy/p, refused if made now: Pod shop/bad, Pod shop/plain",
  ]);
  assert.deepEqual(await dryRun(policy("p", { level: "Baseline", enforcement: "Audit" })), [
    "cluster c1: 1 object newly breaks SecurityPolicy/p, audited if made now: Pod shop/bad",
  ]);
  assert.deepEqual(await dryRun(policy("p", { level: "Baseline", namespaceSelector: { matchLabels: { a: "b" } } })), [
    "nothing that exists breaks, or is changed by, SecurityPolicy/p on c1",
  ]);
  assert.deepEqual((await stage.hubClient.list(SecurityPolicy)).items, []);
  assert.deepEqual((await stage.hubClient.list(Work)).items, []);
});

test("what breaks a policy as it is breaks it still, or no more", async () => {
  const { hubClient } = stage;
  await hubClient.create(SecurityPolicy, policy("was", { level: "Baseline" }) as never);
  assert.deepEqual(await dryRun(policy("was", { level: "Restricted", enforcement: "Warn" })), [
    "cluster c1: 1 object newly breaks SecurityPolicy/was, warned of if made now: Pod shop/plain; 1 breaks it still",
  ]);
  assert.deepEqual(await dryRun(policy("was", { level: "Custom", custom: { controls: ["hostPorts"] } })), [
    "cluster c1: nothing newly breaks SecurityPolicy/was; 1 breaks it no more",
  ]);
  const exception = {
    ...policy("e", {}, "PolicyException"),
    spec: {
      ...{ policy: "SecurityPolicy/was", namespace: "shop", name: "bad", owner: "ann", reason: "old" },
      expires: "2100-01-01T00:00:00Z",
    },
  };
  assert.deepEqual(await dryRun(exception), [
    "cluster c1: nothing newly breaks SecurityPolicy/was; 1 breaks it no more",
  ]);
  await hubClient.delete(SecurityPolicy, toKey("default", "was"));
});

test("pods into which something would be written if they were made now are told", async () => {
  const labelled = podOf("labelled", {});
  await stage.childClient.create(Pod, { ...labelled, metadata: { ...labelled.metadata, labels: { team: "blue" } } });
  assert.deepEqual(await dryRun(policy("m", { labels: { team: "red" } }, "MutationPolicy")), [
    "cluster c1: 2 objects would be changed by MutationPolicy/m if made now: Pod shop/bad, Pod shop/plain",
  ]);
  await stage.childClient.delete(Pod, toKey("shop", "labelled"), { graceSeconds: 0 });
});

test("an agent that has no time left tells what it has seen, and that it is not all", async () => {
  const { childClient: client } = stage;
  const organization = { groups: new Map(), namespaces: [], exceptions: [], nowMs: 0 };
  const policies = [policy("p", { level: "Restricted", target: {} })] as never;
  const objects = compile({ metadata: { name: "c1" }, spec: {} } as FleetCluster, { ...organization, policies });
  const after = objects.map(({ level: _, ...object }) => object) as Work["spec"]["objects"];
  const place = { client, resources: new Resources(client, clock), clock };
  const trial = { before: [], after, withinMs: 0 };
  const { tried, complete } = await tryPolicies(place, trial, new AbortController().signal);
  assert.deepEqual([tried.map((one) => one.policy), complete], [["SecurityPolicy/p"], false]);
  const gone = AbortSignal.abort(new Error("nobody waits"));
  await assert.rejects(tryPolicies(place, { ...trial, withinMs: 10_000 }, gone), /nobody waits/);
});

test("a policy that judges no object asks no cluster", async () => {
  assert.deepEqual(await dryRun(policy("q", { size: "Small" }, "QuotaPolicy")), []);
});

test("clusters that cannot tell are named, with the reason, and nobody waits for them for long", async () => {
  const lastSeen = formatTime(clock.nowMs() - threeMinutesMs);
  await attach("away", undefined, { phase: "Disconnected", lastSeen });
  await attach("new", undefined);
  await attach("stuck", () => new Promise<Verdict>(() => {}));
  await attach("liar", async () => ({ tried: "<script>" }) as unknown as Verdict);
  const first = ["\u001b[2JPod a", "Pod b"];
  const tried = [{ policy: "SecurityPolicy/p", newly: 3, still: 0, mended: 0, changed: 0, first }];
  await attach("large", async () => ({ tried, looked: 9, complete: false }));
  const told = async (name: string) => await dryRun(policy("p", { level: "Baseline", target: { group: name } }));
  const say = (name: string, why: string) => [`cluster ${name} does not tell what it has: ${why}`];
  assert.deepEqual(await told("away"), say("away", "its agent is away, last seen 3 min ago"));
  assert.deepEqual(await told("new"), say("new", "its agent has not come in yet"));
  const become = (name: string, line: string) =>
    eventually(`${name} says: ${line}`, async () => (await told(name)).join() === line, 30_000);
  await become("liar", say("liar", "its agent could not look; its log says why").join());
  await become("stuck", say("stuck", "its agent did not answer within 5 s").join());
  const newly = "3 objects newly break SecurityPolicy/p, refused if made now: ?[2JPod a, Pod b, ...";
  await become("large", `cluster large: ${newly} (of the first 9 objects; there was no time for more)`);
});

test("who may write policies and not read what breaks them is told numbers alone; who may not write them, nothing", async () => {
  const { hubClient } = stage;
  const group = "rbac.authorization.k8s.io";
  const rules = [{ apiGroups: ["fleet.atoll.dev"], resources: ["securitypolicies"], verbs: ["get", "create"] }];
  await hubClient.create(ClusterRole, { metadata: { name: "writers" }, rules });
  const roleRef = { apiGroup: group, kind: "ClusterRole", name: "writers" };
  const subjects = [{ apiGroup: group, kind: "User", name: "wim" }];
  await hubClient.create(ClusterRoleBinding, { metadata: { name: "writers" }, roleRef, subjects });
  const told: string[] = [];
  const wim = await as("wim", told);
  await eventually("he may", async () => {
    told.length = 0;
    return await dryRun(policy("p", { level: "Restricted" }), wim).then(
      () => true,
      () => false,
    );
  });
  assert.deepEqual(told, [
    "2 objects newly break policies or would be changed on 1 cluster whose reports you may not read",
  ]);
  const others: string[] = [];
  await assert.rejects(dryRun(policy("p", { level: "Restricted" }), await as("eve", others)), /is forbidden/);
  assert.deepEqual(others, []);
});

test("a tunnel for trials lets no person in", async () => {
  const identity = identityOf({ ca: stage.ca, cert: stage.hub.tls.cert, key: stage.hub.tls.key });
  const transport = nodeTransport({ server: `${stage.gateway}/clusters/default/c1`, identity, clock });
  closers.unshift(() => transport.close());
  const through = new Client({ transport, clock, userAgent: "t", attempts: 1 });
  await assert.rejects(through.list(Namespace), /cannot be reached: its agent is away, or was not started/);
});
