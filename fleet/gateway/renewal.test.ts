/** A hub with its gateway, and a cluster whose agent's certificate is old: it is renewed by proof of the registered key. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test, type TestContext } from "node:test";
import { AgentIdentity } from "@atoll/agent/identity";
import { fleetKinds } from "@atoll/api/fleet/kinds";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { Work } from "@atoll/api/fleet/v1alpha1/work";
import { ClusterProfile } from "@atoll/api/multicluster/clusterprofile";
import { Secret } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { Cache } from "@atoll/client/informer/cache";
import { toKey } from "@atoll/client/resource";
import { signingController } from "@atoll/controllers/certificates/signing/controller";
import { clientOf, eventually, makeNamespace, transportTo } from "@atoll/harness/client";
import { ManualClock } from "@atoll/harness/clock";
import { startControllers } from "@atoll/harness/controllers";
import { serveKinds } from "@atoll/harness/kinds";
import { startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { newPrivateKey } from "@atoll/runtime/certificates/newrequest";
import { silent } from "@atoll/runtime/log";
import { nodeTransport } from "@atoll/runtime/transport";
import { issue } from "@atoll/server/pki/authority";
import { fleetControllers } from "../index.ts";
import { agentUser } from "../cluster/names.ts";
import { Agents } from "./agents.ts";
import { keyHash } from "./enrol.ts";
import { startGateway } from "./gateway.ts";
import { servingPair } from "./tls.ts";

const days = (count: number) => count * 24 * 3600_000;
const agentSecret = toKey("atoll-system", "fleet-agent-identity");

/** @param bornMs when the certificate of the cluster's agent was made; it lives for 30 days */
async function setUp(t: TestContext, bornMs: number) {
  const [hub, child] = await Promise.all([startHarness(), startHarness()]);
  const transport = transportTo(hub);
  const [hubClient, childClient] = [clientOf(hub, transport), clientOf(child)];
  await serveKinds(hubClient, [...fleetKinds, ClusterProfile]);
  const workshop = startControllers(hub, [...fleetControllers(), signingController(hub.pki.ca)]);
  const cache = new Cache({ client: hubClient, clock: systemClock, onError: () => {} });
  const clusters = cache.informer(FleetCluster);
  await clusters.whenSynced();
  const tls = await servingPair(hubClient, systemClock, ["127.0.0.1"]);
  const gateway = await startGateway({
    ...{ client: hubClient, transport, agents: new Agents(clusters), clock: systemClock, log: silent },
    ...{ tls: { ...tls, clientCa: hub.pki.ca.cert }, bind: "127.0.0.1", port: 0 },
  });
  const url = `https://127.0.0.1:${gateway.port}`;
  t.after(async () => {
    await gateway.close();
    await workshop.stop();
    await cache.stop();
    transport.close();
    await Promise.all([hub.close(), child.close()]);
  });
  const key = toKey("default", "c1");
  await hubClient.create(FleetCluster, { metadata: { name: "c1", namespace: "default" }, spec: {} });
  const read = async () => (await hubClient.get(FleetCluster, key)).status ?? {};
  await eventually("it has its namespace", async () => (await read()).namespace !== undefined);
  const { namespace = "" } = await read();
  const pair = issue(hub.pki.ca, { commonName: agentUser(namespace), usage: "client", days: 30 }, bornMs);
  const registered = keyHash(new X509Certificate(pair.cert).publicKey.export({ type: "spki", format: "der" }));
  await eventually("its key is registered", async () => {
    const found = await hubClient.get(FleetCluster, key);
    const status = { ...found.status, agentKey: registered };
    await hubClient.setStatus(FleetCluster, { object: found, status }).catch(() => undefined);
    return clusters.get(key)?.status?.agentKey === registered;
  });
  await makeNamespace(childClient, "atoll-system");
  await childClient.create(Secret, {
    metadata: { name: "fleet-agent-identity", namespace: "atoll-system" },
    type: "kubernetes.io/tls",
    stringData: { "tls.key": pair.key, "tls.crt": pair.cert },
  });
  const address = { url, ca: tls.ca };
  const works = async (identity: AgentIdentity) => {
    const own = nodeTransport({ server: url, identity, clock: systemClock });
    const client = new Client({ transport: own, clock: systemClock, userAgent: "test" });
    await client.list(Work, { namespace }).finally(() => own.close());
  };
  const kept = async () => {
    const { data = {} } = await childClient.get(Secret, agentSecret);
    return { key: data["tls.key"], certificate: new X509Certificate(Buffer.from(data["tls.crt"] ?? "", "base64")) };
  };
  return { hubClient, childClient, address, works, kept, key };
}

test("a certificate is renewed once half its life is over, with the same key, and what it does goes on meanwhile", async (t) => {
  const { childClient, address, works, kept } = await setUp(t, systemClock.nowMs() - days(14));
  const clock = new ManualClock(systemClock.nowMs());
  const identity = await AgentIdentity.open(childClient, address, { clock });
  const before = await kept();
  const stop = new AbortController();
  const failures: unknown[] = [];
  const renewing = identity.keepRenewed(stop.signal, (error) => failures.push(error));
  await works(identity);
  await clock.advance(days(0.9));
  assert.equal((await kept()).certificate.serialNumber, before.certificate.serialNumber);
  await clock.advance(days(0.2));
  const isNew = async () => (await kept()).certificate.serialNumber !== before.certificate.serialNumber;
  await eventually("there is another", isNew);
  await works(identity);
  assert.equal((await kept()).key, before.key);
  assert.ok((await kept()).certificate.validToDate > before.certificate.validToDate);
  stop.abort();
  await renewing;
  assert.deepEqual(failures, []);
});

test("an agent that was away until its certificate ended comes in again by proof of its key, unless it was revoked", async (t) => {
  const { hubClient, childClient, address, works, kept, key } = await setUp(t, systemClock.nowMs() - days(45));
  const identity = await AgentIdentity.open(childClient, address, { clock: systemClock });
  await assert.rejects(works(identity), /no certificate was presented/);
  await identity.renew();
  await works(identity);
  assert.ok((await kept()).certificate.validToDate.getTime() > systemClock.nowMs());
  const found = await hubClient.get(FleetCluster, key);
  await hubClient.update(FleetCluster, { ...found, spec: { ...found.spec, revoked: true } });
  await eventually("it is let in no more", () =>
    identity.renew().then(
      () => false,
      (error: unknown) => /the cluster's agent is revoked/.test(String(error)),
    ),
  );
});

test("a renewal by a key that is not registered is refused, whatever certificate is presented", async (t) => {
  const { childClient, address, works } = await setUp(t, systemClock.nowMs());
  const identity = await AgentIdentity.open(childClient, address, { clock: systemClock });
  await works(identity);
  const found = await childClient.get(Secret, agentSecret);
  const data = { ...found.data, "tls.key": Buffer.from(newPrivateKey()).toString("base64") };
  await childClient.update(Secret, { ...found, data });
  const thief = await AgentIdentity.open(childClient, address, { clock: systemClock });
  await assert.rejects(thief.renew(), /another key is registered for this cluster/);
});
