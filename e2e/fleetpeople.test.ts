/**
 * Alice and Bob of an identity provider, at two clusters that know it: they may there what access policies on the hub say, and
 * lose it when the policy does, also when the clusters were cut off meanwhile.
 */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { AccessPolicy } from "@atoll/api/fleet/v1alpha1/accesspolicy";
import { ClusterGroup } from "@atoll/api/fleet/v1alpha1/clustergroup";
import { ClusterRole, ClusterRoleBinding, Namespace, RoleBinding, ServiceAccount } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { keyOf, toKey } from "@atoll/client/resource";
import { eventually } from "@atoll/harness/client";
import { type OidcProvider, startOidcProvider } from "@atoll/harness/oidc";
import { signIn } from "@atoll/harness/oidc-login";
import { systemClock } from "@atoll/machinery/clock";
import { readKubeconfig } from "@atoll/processes/kubeconfig";
import { type Identity, nodeTransport } from "@atoll/runtime/transport";
import { FleetStage, type Hub, type Site } from "./fleetstage.ts";

const withinMs = 240_000;
const names = ["c1", "c2"] as const;

interface Stage extends Hub {
  readonly stage: FleetStage;
  readonly clusters: readonly Site[];
  /** Each person's token. */
  readonly tokens: Readonly<Record<string, string>>;
}
const staged = Promise.withResolvers<Stage>();
const opened = FleetStage.open();
let provider: OidcProvider;

before(async () => start().then(staged.resolve, staged.reject));
after(async () => {
  await (await opened).close();
  await provider.close();
});

async function start(): Promise<Stage> {
  const stage = await opened;
  provider = await startOidcProvider();
  provider.people.set("alice", { email: "alice@example.com", groups: ["devs"] });
  provider.people.set("bob", { groups: ["guests"] });
  const flags = ["--authentication-config", await trust(stage.folder)];
  const [hub, ...clusters] = await Promise.all([stage.hub([], flags), ...names.map((name) => stage.site(name, flags))]);
  const metadata = { name: "prod", namespace: "default" };
  await hub.hub.client.create(ClusterGroup, { metadata, spec: {} });
  await stage.attach("c1", hub.gateway, ["--group", "prod", "--reachable"]);
  await stage.attach("c2", hub.gateway, ["--reachable=own-token"]);
  for (const { client } of clusters) await client.create(Namespace, { metadata: { name: "shop" } });
  const tokens: Record<string, string> = {};
  for (const person of ["alice", "bob"]) {
    provider.signedIn = person;
    tokens[person] = await signIn(provider);
  }
  return { ...hub, stage, clusters, tokens };
}

/** The file that makes a server take the provider's tokens. */
async function trust(folder: string): Promise<string> {
  const { issuer, clientId, ca } = provider;
  const jwt = {
    issuer: { url: issuer, audiences: [clientId], certificateAuthority: ca },
    claimMappings: { username: { claim: "sub", prefix: "oidc:" }, groups: { claim: "groups", prefix: "oidc:" } },
  };
  const path = join(folder, "authentication.json");
  const kind = { apiVersion: "apiserver.config.k8s.io/v1", kind: "AuthenticationConfiguration" };
  await writeFile(path, JSON.stringify({ ...kind, jwt: [jwt] }), { mode: 0o600 });
  return path;
}

/** What a cluster answers somebody with a token. @returns the status's number */
async function ask({ dir }: Site, token: string, [method, path]: readonly [string, string]): Promise<number> {
  const { server, ca } = (await readKubeconfig(join(dir, "admin.kubeconfig"))) ?? assert.fail();
  const identity = { tls: async () => ({ ca }), authorization: async () => `Bearer ${token}` };
  const transport = nodeTransport({ server, identity, clock: systemClock });
  try {
    const made = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { generateName: "x-" } });
    const body = method === "GET" ? {} : { body: made };
    const { status } = await transport.request({
      method,
      path,
      headers: { "content-type": "application/json" },
      ...body,
    });
    return status;
  } finally {
    transport.close();
  }
}

const reading = ["GET", "/api/v1/namespaces/shop/configmaps"] as const;
const elsewhere = ["GET", "/api/v1/namespaces/default/configmaps"] as const;
const writing = ["POST", "/api/v1/namespaces/shop/configmaps"] as const;

async function may(who: string, wish: readonly [string, string]): Promise<string> {
  const { clusters, tokens } = await staged.promise;
  const answers = await Promise.all(clusters.map((site) => ask(site, tokens[who] ?? "", wish)));
  return answers.map((status) => (status < 300 ? "yes" : String(status))).join();
}

const become = (who: string, wish: readonly [string, string], answers: string) =>
  eventually(`${who}: ${wish.join(" ")} is ${answers}`, async () => (await may(who, wish)) === answers, withinMs);

async function give(name: string, target: object, [role, kind, subject]: readonly string[]): Promise<void> {
  const { hub } = await staged.promise;
  const bindings = [{ role, subjects: [{ kind, name: subject }] }];
  const metadata = { name, namespace: "default" };
  await hub.client.create(AccessPolicy, { metadata, spec: { target, bindings } as never });
}

test("people may at each cluster what policies give them or their groups there, and nothing before", async () => {
  assert.equal(await may("alice", reading), "403,403");
  await give("devs", {}, ["organization.view", "Group", "oidc:devs"]);
  await give("deploy", { group: "prod" }, ["clustergroup.edit", "Group", "oidc:devs"]);
  await give("bob", { namespace: { cluster: "c2", name: "shop" } }, ["namespace.edit", "User", "oidc:bob"]);
  await become("alice", reading, "yes,yes");
  await become("alice", writing, "yes,403");
  await become("bob", writing, "403,yes");
  assert.equal(await may("bob", elsewhere), "403,403");
  await give("guests", {}, ["organization.view", "Group", "oidc:guests"]);
  await become("bob", elsewhere, "yes,yes");
});

test("what a policy gave is lost with it at each cluster, and when that was is told", async (t) => {
  const { hub, clusters, tokens } = await staged.promise;
  const beganMs = systemClock.monotonicMs();
  await hub.client.delete(AccessPolicy, toKey("default", "guests"));
  const refused = clusters.map(async (site, at) => {
    await eventually("refused", async () => (await ask(site, tokens["bob"] ?? "", elsewhere)) === 403, withinMs);
    t.diagnostic(`${names[at]} refused bob ${Math.round(systemClock.monotonicMs() - beganMs)} ms after`);
  });
  await Promise.all(refused);
  // What other policies give stays.
  assert.equal(await may("bob", writing), "403,yes");
  assert.equal(await may("alice", writing), "yes,403");
});

test("people come through the hub at its word, or by their own token where a cluster wants that, and nobody else does", async () => {
  const { hub, gateway, stage, tokens } = await staged.promise;
  const rules = [{ apiGroups: ["fleet.atoll.dev"], resources: ["fleetclusters/proxy"], verbs: ["*"] }];
  await hub.client.create(ClusterRole, { metadata: { name: "reach" }, rules });
  const apiGroup = "rbac.authorization.k8s.io";
  await hub.client.create(ClusterRoleBinding, {
    metadata: { name: "reach" },
    roleRef: { apiGroup, kind: "ClusterRole", name: "reach" },
    subjects: [{ apiGroup, kind: "Group", name: "system:authenticated" }],
  });
  const gatewayCa = await readFile(join(stage.folder, "c1-gateway.crt"), "utf8");
  const admin = (await readKubeconfig(join(hub.dir, "admin.kubeconfig"))) ?? assert.fail();
  const through = async (name: string, who: Identity) => {
    const transport = nodeTransport({
      server: `${gateway}/clusters/default/${name}`,
      identity: who,
      clock: systemClock,
    });
    const client = new Client({ transport, clock: systemClock, userAgent: "atoll-test" });
    const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const body = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
    const review = client.raw({ method: "POST", path, body }) as Promise<{
      status: { userInfo: { username: string } };
    }>;
    return await review.then(({ status }) => status.userInfo.username).finally(() => transport.close());
  };
  const alice = {
    tls: async () => ({ ca: gatewayCa }),
    authorization: async () => `Bearer ${tokens["alice"]}`,
  } as Identity;
  const master = { tls: async () => ({ ca: gatewayCa, ...admin.identity }), authorization: async () => undefined };
  for (const name of names) assert.equal(await through(name, alice), "oidc:alice");
  assert.equal(await through("c1", master), "kubernetes-admin");
  await assert.rejects(through("c2", master), /cluster c2 does not take the hub's word/);
  // A token that the hub knows and the cluster does not is nobody's there.
  const account = await hub.client.create(ServiceAccount, { metadata: { name: "robot", namespace: "default" } });
  const { status } = (await hub.client.createSubresource(ServiceAccount, {
    key: keyOf(account),
    subresource: "token",
    body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} },
  })) as { status: { token: string } };
  const robot = { ...alice, authorization: async () => `Bearer ${status.token}` };
  await assert.rejects(through("c2", robot), /this cluster does not know whose token that is/);
  await assert.rejects(through("c1", robot), /the agent does not speak in that name/);
});

test("clusters that are cut off keep what they had, put back what drifts, and follow once they are back", async () => {
  const { stage, hub, gateway, gatewayProcess, clusters } = await staged.promise;
  await stage.stop(gatewayProcess, "SIGKILL");
  await hub.client.delete(AccessPolicy, toKey("default", "bob"));
  await give("late", {}, ["organization.view", "User", "oidc:bob"]);
  const [first, second] = clusters;
  const [mine, ofBob] = [toKey("", "fleet-accesspolicy-deploy-0"), toKey("shop", "fleet-accesspolicy-bob-0")];
  await first?.client.delete(ClusterRoleBinding, mine);
  await second?.client.delete(RoleBinding, ofBob);
  await become("alice", writing, "yes,403");
  await become("bob", writing, "403,yes");
  await stage.gateway(["--port", new URL(gateway).port]);
  await become("bob", writing, "403,403");
  await become("bob", reading, "yes,yes");
});

test("the hub, killed while it is written to, delivers what it took when it is back", async () => {
  const { stage, hub } = await staged.promise;
  await hub.client.delete(AccessPolicy, toKey("default", "late"));
  await stage.stop(hub.server, "SIGKILL");
  const { server } = (await readKubeconfig(join(hub.dir, "admin.kubeconfig"))) ?? assert.fail();
  await stage.start(["server", "--data", hub.dir, "--api-port", new URL(server).port]);
  await become("bob", reading, "403,403");
  await become("alice", writing, "yes,403");
});
