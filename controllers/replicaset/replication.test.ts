import assert from "node:assert/strict";
import test, { after } from "node:test";
import { Pod, ReplicationController } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually, makeNamespace } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { startHarness } from "@atoll/harness/server";
import { replicationController } from "./controller.ts";

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());

const namespace = "rc";
await makeNamespace(client, namespace);

const labels = { app: "web" };
const pods = async () => (await client.list(Pod, { namespace })).items;

test("a ReplicationController gets its Pods, grows, shrinks and lets go of what it no longer selects", async () => {
  await using workshop = startControllers(harness, [replicationController]);
  const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };
  const key = toKey(namespace, "web");
  const has = (n: number) => eventually(`there are ${n} Pods`, async () => (await pods()).length === n);
  const scale = (replicas: number) =>
    client.patch(ReplicationController, { key, patch: { type: "merge", body: { spec: { replicas } } } });
  const made = await client.create(ReplicationController, {
    metadata: { name: "web", namespace },
    spec: { replicas: 2, selector: labels, template },
  });
  await has(2);
  for (const { metadata } of await pods()) {
    const [owner] = metadata.ownerReferences ?? [];
    assert.deepEqual([owner?.apiVersion, owner?.kind, owner?.uid], ["v1", "ReplicationController", made.metadata.uid]);
  }
  await scale(3);
  await has(3);
  await scale(1);
  await has(1);
  await workshop.quiet();
  const { status } = await client.get(ReplicationController, key);
  assert.deepEqual([status.replicas, status.fullyLabeledReplicas, status.observedGeneration], [1, 1, 3]);
  const [pod] = await pods();
  const released = toKey(namespace, pod?.metadata.name ?? "");
  await client.patch(Pod, { key: released, patch: { type: "merge", body: { metadata: { labels: { app: "x" } } } } });
  await has(2);
  assert.equal((await client.get(Pod, released)).metadata.ownerReferences, undefined);
});
