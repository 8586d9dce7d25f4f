import assert from "node:assert/strict";
import test, { after } from "node:test";
import { EndpointSlice, Pod, Service } from "@atoll/client/builtin";
import { keyOf, toKey } from "@atoll/client/resource";
import { clientOf, eventually, makeNamespace } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { testConvergence } from "@atoll/harness/convergence";
import type { Story } from "@atoll/harness/crashes";
import { tellRunning } from "@atoll/harness/pods";
import { startHarness } from "@atoll/harness/server";
import { endpointSliceController } from "./controller.ts";

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());

const labels = { app: "web" };

async function makePod(namespace: string, name: string, ip: string, ready = true): Promise<Pod> {
  const spec = { containers: [{ name: "c", image: "i", ports: [{ name: "web", containerPort: 8080 }] }] };
  const pod = await client.create(Pod, { metadata: { name, namespace, labels }, spec });
  return await tellRunning(client, pod, { ip, ready });
}

const makeService = (namespace: string, name: string) =>
  client.create(Service, {
    metadata: { name, namespace },
    spec: { selector: labels, ports: [{ port: 80, targetPort: "web" }] },
  });

/** `ADDRESS ready`, sorted, of all slices of a Service. */
async function endpoints(namespace: string, service: string): Promise<string> {
  const { items } = await client.list(EndpointSlice, {
    namespace,
    labelSelector: `kubernetes.io/service-name=${service}`,
  });
  const all = items.flatMap((slice) =>
    (slice.endpoints ?? []).map(({ addresses, conditions }) => `${addresses?.join()} ${conditions.ready}`),
  );
  return items.length === 0 ? "no slice" : all.sort().join(", ");
}

test("EndpointSlices follow the Pods of a Service", async () => {
  const namespace = "slices";
  await makeNamespace(client, namespace);
  await using workshop = startControllers(harness, [endpointSliceController]);
  const is = (wanted: string) =>
    eventually(`the endpoints are ${wanted}`, async () => (await endpoints(namespace, "svc")) === wanted);
  await makeService(namespace, "svc");
  await is("");
  const first = await makePod(namespace, "a", "10.0.0.1");
  await makePod(namespace, "b", "10.0.0.2", false);
  await is("10.0.0.1 true, 10.0.0.2 false");
  await tellRunning(client, await client.get(Pod, keyOf(first)), { ready: false });
  await is("10.0.0.1 false, 10.0.0.2 false");
  await client.delete(Pod, toKey(namespace, "a"), { graceSeconds: 0 });
  await is("10.0.0.2 false");
  const patch = { type: "merge", body: { spec: { selector: { app: "none" } } } } as const;
  await client.patch(Service, { key: toKey(namespace, "svc"), patch });
  await is("");
  // Somebody deletes what is ours: it comes back.
  await client.deleteCollection(EndpointSlice, { namespace });
  await is("");
  await workshop.quiet();
  assert.deepEqual(workshop.complaints, []);
});

test("EndpointSlices are not made for a Service without a selector", async () => {
  const namespace = "manual";
  await makeNamespace(client, namespace);
  await using workshop = startControllers(harness, [endpointSliceController]);
  await client.create(Service, { metadata: { name: "svc", namespace }, spec: { ports: [{ port: 80 }] } });
  await workshop.quiet(300);
  assert.equal(await endpoints(namespace, "svc"), "no slice");
});

const change: Story = {
  controllers: [endpointSliceController],
  async begin(round) {
    await makeNamespace(client, round);
    await makeService(round, "svc");
    const first = await makePod(round, "a", "10.0.0.1");
    await makePod(round, "b", "10.0.0.2");
    await tellRunning(client, await client.get(Pod, keyOf(first)), { ready: false });
  },
  async ended(round) {
    await eventually(
      "the endpoints are right",
      async () => (await endpoints(round, "svc")) === "10.0.0.1 false, 10.0.0.2 true",
    );
  },
  async check(round) {
    assert.equal((await client.list(EndpointSlice, { namespace: round })).items.length, 1);
  },
};

testConvergence("EndpointSlices", harness, { name: "slices", story: change, least: 1 });
