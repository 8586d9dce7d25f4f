/** A hub, its gateway, a cluster and its agent's tunnel, all real: people reach the cluster in their own names. */
import assert from "node:assert/strict";
import { randomBytes, X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { createServer, request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { after, before, test } from "node:test";
import { keepTunnel } from "@atoll/agent/tunnel";
import { fleetKinds } from "@atoll/api/fleet/kinds";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { ClusterProfile } from "@atoll/api/multicluster/clusterprofile";
import { ClusterRole, ClusterRoleBinding, Namespace, ServiceAccount } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { Cache } from "@atoll/client/informer/cache";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually, transportTo } from "@atoll/harness/client";
import { serveKinds } from "@atoll/harness/kinds";
import { type Harness, startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { selfSigned } from "@atoll/runtime/certificates/selfsigned";
import { silent } from "@atoll/runtime/log";
import { type Identity, nodeTransport } from "@atoll/runtime/transport";
import { issue } from "@atoll/server/pki/authority";
import { agentUser } from "../cluster/names.ts";
import { Agents } from "./agents.ts";
import { keyHash } from "./enrol.ts";
import { type Gateway, startGateway } from "./gateway.ts";
import { PeerPath } from "./peers.ts";
import { servingPair } from "./tls.ts";

const clock = systemClock;
const closers: (() => unknown)[] = [];
const stop = new AbortController();
const rbac = "rbac.authorization.k8s.io";

interface Stage {
  readonly hub: Harness;
  readonly hubClient: Client;
  readonly childClient: Client;
  /** The one that agents dial. */
  readonly gateway: string;
  /** Another of the same hub. */
  readonly other: string;
  readonly ca: string;
}
const stage = Promise.withResolvers<Stage>();

const identityOf = (tls: object, token?: string): Identity => ({
  tls: async () => tls,
  authorization: async () => (token === undefined ? undefined : `Bearer ${token}`),
});

async function personal(hub: Harness, commonName: string, organizations: readonly string[] = []) {
  return await issue(hub.pki.ca, { commonName, organizations, usage: "client", days: 1 }, clock.nowMs());
}

/** A cluster that echoes whatever protocol it is asked to speak, but for `/plain`. */
async function startEcho(): Promise<{ url: string; ca: string; asked: IncomingMessage[] }> {
  const pair = await selfSigned("echo", ["127.0.0.1"], clock.nowMs());
  const asked: IncomingMessage[] = [];
  const server = createServer({ cert: pair.cert, key: pair.key });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex) => {
    asked.push(request);
    if (request.url === "/plain")
      return socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\nset-cookie: a=b\r\n\r\nno");
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, ca: pair.cert, asked };
}

let dialled: Gateway;
let echo: Awaited<ReturnType<typeof startEcho>>;

async function attach({ hub, hubClient, gateway, ca }: Omit<Stage, "childClient">, name: string, cluster: object) {
  const home = `fleet-${name}`;
  const agent = await personal(hub, agentUser(home));
  const der = new X509Certificate(agent.cert).publicKey.export({ type: "spki", format: "der" });
  const made = await hubClient.create(FleetCluster, { metadata: { name, namespace: "default" }, spec: {} });
  const status = { namespace: home, agentKey: keyHash(der) };
  await hubClient.setStatus(FleetCluster, { object: made, status });
  const options = {
    gateway: { url: gateway, identity: identityOf({ ca, ...agent }) },
    cluster,
    by: "hub",
    clock,
    log: silent,
  };
  void keepTunnel(options as never, stop.signal);
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
  const start = async () =>
    await startGateway({
      ...{ client: hubClient, transport: hubTransport, agents: new Agents(clusters), clock, log: silent },
      ...{ tls: { ...tls, clientCa: hub.pki.ca.cert }, bind: "127.0.0.1", port: 0 },
      peering: { host: "127.0.0.1", ca: tls.ca, path: new PeerPath(tls.secret) },
    });
  const [served, beside] = await Promise.all([start(), start()]);
  const [gateway = "", other = ""] = [served, beside].map(({ port }) => `https://127.0.0.1:${port}`);
  const parts = { hub, hubClient, gateway, other, ca: tls.ca };
  dialled = served;
  echo = await startEcho();
  await attach(parts, "c1", { server: child.url, identity: identityOf(child.tls) });
  await attach(parts, "c2", { server: child.url, identity: identityOf(child.tls) });
  await attach(parts, "echo", { server: echo.url, identity: identityOf({ ca: echo.ca }) });
  await hubClient.create(FleetCluster, { metadata: { name: "shut", namespace: "default" }, spec: {} });
  closers.push(
    () => beside.close(),
    () => served.close(),
    () => cache.stop(),
    () => hubTransport.close(),
    () => childTransport.close(),
  );
  closers.push(
    () => hub.close(),
    () => child.close(),
  );
  const rules = [{ apiGroups: ["fleet.atoll.dev"], resources: ["fleetclusters/proxy"], verbs: ["*"] }];
  await hubClient.create(ClusterRole, { metadata: { name: "reach" }, rules });
  await bind(hubClient, "reach", { kind: "Group", name: "devs" });
  stage.resolve({ ...parts, childClient });
});

after(async () => {
  stop.abort();
  for (const close of closers) await close();
});

async function bind(client: Client, role: string, subject: { kind: string; name: string; namespace?: string }) {
  const roleRef = { apiGroup: rbac, kind: "ClusterRole", name: role };
  const subjects = [subject.kind === "ServiceAccount" ? subject : { apiGroup: rbac, ...subject }];
  await client.create(ClusterRoleBinding, { metadata: { name: `${role}-${subject.name}` }, roleRef, subjects });
}

/** A client of a cluster through the gateway. */
async function through(
  cluster: string,
  tls: object,
  token?: string,
  at: "gateway" | "other" = "gateway",
): Promise<Client> {
  const { ca, ...places } = await stage.promise;
  const server = `${places[at]}/clusters/default/${cluster}`;
  const transport = nodeTransport({ server, identity: identityOf({ ca, ...tls }, token), clock });
  closers.unshift(() => transport.close());
  return new Client({ transport, clock, userAgent: "atoll-test" });
}

const whoAmI = async (client: Client) => {
  const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
  const { status } = (await client.raw({ method: "POST", path, body })) as {
    status: { userInfo: { username: string; groups: string[] } };
  };
  return status.userInfo;
};

const isOpen = (client: Client) => () =>
  whoAmI(client).then(
    () => true,
    () => false,
  );

test("a person is themselves at the cluster, their groups too, and nobody of the system", async () => {
  const { hub } = await stage.promise;
  const ann = await through("c1", await personal(hub, "ann", ["devs", "a,b", "system:masters"]));
  await eventually("the tunnel is open", isOpen(ann));
  const { username, groups } = await whoAmI(ann);
  assert.equal(username, "ann");
  assert.deepEqual(groups.toSorted(), ["a,b", "devs", "system:authenticated"]);
  await assert.rejects(ann.list(Namespace), /namespaces is forbidden: User "ann"/);
});

test("a watch through the hub tells what happens", async () => {
  const { hub, childClient } = await stage.promise;
  const bob = await through("c1", await personal(hub, "bob", ["devs"]));
  await eventually("the tunnel is open", isOpen(bob));
  await bind(childClient, "view", { kind: "User", name: "bob" });
  await childClient.create(ClusterRole, {
    metadata: { name: "namespaces" },
    rules: [{ apiGroups: [""], resources: ["namespaces"], verbs: ["list", "watch"] }],
  });
  await bind(childClient, "namespaces", { kind: "User", name: "bob" });
  const cache = new Cache({ client: bob, clock, onError: () => {} });
  const namespaces = cache.informer(Namespace);
  await namespaces.whenSynced();
  await childClient.create(Namespace, { metadata: { name: "seen" } });
  await eventually("it is seen", () => namespaces.get(toKey("", "seen")) !== undefined);
  await cache.stop();
});

test("whom the hub does not let, and whom it does not know, reaches nothing", async () => {
  const { hub } = await stage.promise;
  const eve = await through("c1", await personal(hub, "eve"));
  await assert.rejects(whoAmI(eve), /"eve" may not create fleetclusters.fleet.atoll.dev\/proxy of default\/c1/);
  await assert.rejects(whoAmI(await through("c1", {})), /present a token or certificate/);
  await assert.rejects(whoAmI(await through("c1", {}, "made.up.token")), /present a token or certificate/);
  const agent = await personal(hub, agentUser("fleet-c1"), ["devs"]);
  await assert.rejects(whoAmI(await through("c1", agent)), /present a token or certificate/);
});

test("a cluster whose agent holds no tunnel, and one that is none, say so", async () => {
  const { hub } = await stage.promise;
  const tls = await personal(hub, "ann", ["devs"]);
  await assert.rejects(whoAmI(await through("none", tls)), /no cluster "none" is attached/);
});

test("an account of the hub's system is nobody at the cluster, whatever the hub lets it", async () => {
  const { hub, hubClient } = await stage.promise;
  await hubClient.create(ServiceAccount, { metadata: { name: "robot", namespace: "default" } });
  await bind(hubClient, "reach", { kind: "ServiceAccount", name: "robot", namespace: "default" });
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 600 } };
  const { json } = await hub.send("POST", "/api/v1/namespaces/default/serviceaccounts/robot/token", { body });
  const { token } = (json as { status: { token: string } }).status;
  const robot = await through("c1", {}, token);
  await eventually("the agent refuses", () =>
    whoAmI(robot).then(
      () => false,
      (error: Error) => error.message.includes("does not speak in that name"),
    ),
  );
});

/** Asks to speak another protocol. */
async function upgrade(
  path: string,
  headers: object,
  at: "gateway" | "other" = "gateway",
): Promise<{ status: number; socket?: Duplex; told: object }> {
  const { hub, ca, ...places } = await stage.promise;
  const person = await personal(hub, "ann", ["devs"]);
  const url = new URL(`/clusters/default/echo${path}`, places[at]);
  return await new Promise((resolve, reject) => {
    const all = { connection: "Upgrade", upgrade: "websocket", ...headers };
    const sent = httpsRequest(url, { ca, ...person, agent: false, headers: all });
    sent.on("upgrade", ({ statusCode = 0, headers: told }, socket: Duplex) =>
      resolve({ status: statusCode, socket, told }),
    );
    sent.on("response", (answer) => {
      answer.resume();
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, told: answer.headers }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

test("exec's upgrade goes through with both directions open, in the person's name whatever the headers say", async () => {
  const forged = {
    "impersonate-user": "system:admin",
    "impersonate-group": "system:masters",
    authorization: "Basic eA==",
  };
  await eventually("the tunnel is open", async () => (await upgrade("/exec", {})).status === 101);
  const { socket } = await upgrade("/exec?command=sh", { ...forged, connection: "Upgrade, Impersonate-User" });
  assert.ok(socket);
  socket.write("hello");
  const back = await new Promise((resolve) => socket.once("data", resolve));
  assert.equal(String(back), "hello");
  socket.destroy();
  const asked = echo.asked.at(-1);
  assert.equal(asked?.url, "/exec?command=sh");
  assert.equal(asked?.headers["impersonate-user"], "ann");
  assert.equal(asked?.headers["impersonate-group"], "devs");
  assert.equal(asked?.headers.authorization, undefined);
});

test("an upgrade that the cluster refuses is told, without what the cluster would set", async () => {
  const { status, told } = await upgrade("/plain", {});
  assert.equal(status, 403);
  assert.equal("set-cookie" in told, false);
});

test("another gateway of the hub leads to the tunnel: requests, refusals, watches and upgrades", async () => {
  const { hub, childClient } = await stage.promise;
  const bob = await through("c1", await personal(hub, "bob", ["devs"]), undefined, "other");
  await eventually("the way is open", isOpen(bob));
  assert.equal((await whoAmI(bob)).username, "bob");
  await assert.rejects(bob.list(ServiceAccount), /serviceaccounts is forbidden: User "bob"/);
  const cache = new Cache({ client: bob, clock, onError: () => {} });
  const namespaces = cache.informer(Namespace);
  await namespaces.whenSynced();
  await childClient.create(Namespace, { metadata: { name: "seen-too" } });
  await eventually("it is seen", () => namespaces.get(toKey("", "seen-too")) !== undefined);
  await cache.stop();
  assert.equal((await upgrade("/plain", {}, "other")).status, 403);
  const { socket } = await upgrade("/exec", {}, "other");
  assert.ok(socket);
  const sent = randomBytes(4 * 1024 * 1024);
  socket.write(sent);
  const back: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    back.push(chunk);
    bytes += chunk.length;
    if (bytes >= sent.length) break;
  }
  assert.ok(Buffer.concat(back).equals(sent));
});

test("nobody asks for a tunnel as a gateway who does not know the gateways' secret", async () => {
  const { other, ca, hub } = await stage.promise;
  const options = { method: "POST", ca, agent: false, headers: { connection: "Upgrade", upgrade: "atoll-tunnel" } };
  const person = await personal(hub, "ann", ["devs"]);
  const status = await new Promise((resolve, reject) => {
    const asked = httpsRequest(new URL(new PeerPath("a guess").path, other), { ...options, ...person });
    asked.on("response", ({ statusCode }) => resolve(statusCode));
    asked.on("upgrade", () => resolve(101));
    asked.on("error", reject);
    asked.end();
  });
  assert.equal(status, 401);
});

test("a revoked agent's tunnel is cut, whatever gateway leads to it", async () => {
  const { hub, hubClient } = await stage.promise;
  const ann = await through("c1", await personal(hub, "ann", ["devs"]));
  const anns = await through("c1", await personal(hub, "ann", ["devs"]), undefined, "other");
  await eventually("the tunnel is open", isOpen(ann));
  await eventually("the way is open", isOpen(anns));
  const patch = { type: "merge", body: { spec: { revoked: true } } } as const;
  await hubClient.patch(FleetCluster, { key: toKey("default", "c1"), patch });
  await eventually("nobody reaches the cluster", async () => !(await isOpen(ann)()) && !(await isOpen(anns)()));
});

test("an identity that two agents use is let in no more", async () => {
  const { hubClient } = await stage.promise;
  await eventually("the tunnel is open", async () => (await upgrade("/exec", {})).status === 101);
  const { socket } = await upgrade("/exec", {}, "other");
  const cut = new Promise((resolve) => socket?.once("close", resolve));
  const found = await hubClient.get(FleetCluster, toKey("default", "echo"));
  const status = { ...found.status, fencedKey: found.status?.agentKey };
  await hubClient.setStatus(FleetCluster, { object: found, status: status as NonNullable<FleetCluster["status"]> });
  await eventually("nobody reaches the cluster", async () => (await upgrade("/exec", {})).status === 503);
  await cut;
});

test("a gateway that is gone leads nowhere, which the others say", async () => {
  const { hub } = await stage.promise;
  const ann = await through("c2", await personal(hub, "ann", ["devs"]), undefined, "other");
  await eventually("the way is open", isOpen(ann));
  await dialled.close();
  await assert.rejects(whoAmI(ann), /cluster c2 cannot be reached|the cluster's tunnel broke/);
  await assert.rejects(whoAmI(ann), /cluster c2 cannot be reached: its agent is away/);
});
