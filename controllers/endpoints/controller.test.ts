import assert from "node:assert/strict";
import test, { after } from "node:test";
import { Endpoints, EndpointSlice, Pod, Service } from "@atoll/client/builtin";
import { isNotFound } from "@atoll/client/errors";
import { keyOf, toKey } from "@atoll/client/resource";
import { clientOf, eventually, makeNamespace } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { type Told, tellRunning } from "@atoll/harness/pods";
import { startHarness } from "@atoll/harness/server";
import { mirroringController } from "../endpointslicemirroring/controller.ts";
import { endpointsController } from "./controller.ts";

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());

const labels = { app: "web" };

async function makePod(namespace: string, name: string, told: Told): Promise<Pod> {
  const spec = { containers: [{ name: "c", image: "i", ports: [{ name: "web", containerPort: 8080 }] }] };
  return await tellRunning(client, await client.create(Pod, { metadata: { name, namespace, labels }, spec }), told);
}

/** `ready / not ready` addresses of Endpoints, and their ports. */
async function told(namespace: string, name: string): Promise<string> {
  try {
    const { subsets } = await client.get(Endpoints, toKey(namespace, name));
    return (subsets ?? [])
      .map(({ addresses = [], notReadyAddresses = [], ports = [] }) => {
        const ips = [addresses, notReadyAddresses].map((each) => each.map(({ ip }) => ip).join("+"));
        return `${ips.join("/")}:${ports.map(({ port }) => port).join()}`;
      })
      .join(" ");
  } catch (error) {
    if (isNotFound(error)) return "none";
    throw error;
  }
}

test("Endpoints tell a Service's Pods, ready and not, and go with it", async () => {
  const namespace = "endpoints";
  await makeNamespace(client, namespace);
  await using workshop = startControllers(harness, [endpointsController]);
  const key = toKey(namespace, "web");
  await client.create(Service, {
    metadata: { name: "web", namespace, labels: { tier: "front" } },
    spec: { selector: labels, ports: [{ port: 80, targetPort: "web" }] },
  });
  await eventually("they are there, empty", async () => (await told(namespace, "web")) === "");
  await makePod(namespace, "b", { ip: "10.1.0.2", ready: true });
  const first = await makePod(namespace, "a", { ip: "10.1.0.1", ready: true });
  await makePod(namespace, "c", { ip: "10.1.0.3", ready: false });
  await eventually("all are told", async () => (await told(namespace, "web")) === "10.1.0.1+10.1.0.2/10.1.0.3:8080");
  const { metadata } = await client.get(Endpoints, key);
  assert.deepEqual(metadata.labels, { tier: "front", "endpoints.kubernetes.io/managed-by": "endpoint-controller" });
  await client.delete(Pod, keyOf(first), { graceSeconds: 0 });
  await eventually("one is gone", async () => (await told(namespace, "web")) === "10.1.0.2/10.1.0.3:8080");
  await client.delete(Service, key);
  await eventually("all are gone", async () => (await told(namespace, "web")) === "none");
  await client.create(Endpoints, { metadata: { name: "foreign", namespace }, subsets: [] });
  await workshop.quiet();
  assert.equal(await told(namespace, "foreign"), "");
});

test("Endpoints of a Service without a selector are left alone, and mirrored in slices until they go", async () => {
  const namespace = "mirrors";
  await makeNamespace(client, namespace);
  await using workshop = startControllers(harness, [endpointsController, mirroringController]);
  const key = toKey(namespace, "db");
  await client.create(Service, { metadata: { name: "db", namespace }, spec: { ports: [{ port: 5432 }] } });
  const endpoints = await client.create(Endpoints, {
    metadata: { name: "db", namespace, labels: { own: "yes" }, annotations: { note: "a" } },
    subsets: [{ addresses: [{ ip: "192.0.2.1" }], notReadyAddresses: [{ ip: "192.0.2.2" }], ports: [{ port: 5432 }] }],
  });
  const slices = async () => (await client.list(EndpointSlice, { namespace })).items;
  await eventually("there is a slice", async () => (await slices()).length === 1);
  const [slice] = await slices();
  assert.deepEqual(slice?.metadata.labels, {
    own: "yes",
    "kubernetes.io/service-name": "db",
    "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
  });
  assert.deepEqual(slice.metadata.annotations, { note: "a" });
  assert.equal(slice.metadata.ownerReferences?.[0]?.uid, endpoints.metadata.uid);
  const shown = (of: EndpointSlice) =>
    of.endpoints?.map(({ addresses, conditions }) => [addresses?.[0], conditions.ready]);
  assert.deepEqual(shown(slice), [
    ["192.0.2.1", true],
    ["192.0.2.2", false],
  ]);
  const subsets = [{ addresses: [{ ip: "192.0.2.9" }], ports: [{ port: 5432 }] }];
  await client.patch(Endpoints, { key, patch: { type: "merge", body: { subsets } } });
  await eventually("the change is mirrored", async () => {
    const [now] = await slices();
    return now !== undefined && JSON.stringify(shown(now)) === '[["192.0.2.9",true]]';
  });
  await workshop.quiet();
  assert.equal(await told(namespace, "db"), "192.0.2.9/:5432");
  await client.delete(Endpoints, key);
  await eventually("the slice goes", async () => (await slices()).length === 0);
});
