import assert from "node:assert/strict";
import test, { after } from "node:test";
import { Pod, PodDisruptionBudget, ReplicaSet } from "@atoll/client/builtin";
import { isRefusal } from "@atoll/client/errors";
import { keyOf, toKey } from "@atoll/client/resource";
import { clientOf, eventually, makeNamespace } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { testConvergence } from "@atoll/harness/convergence";
import type { Story } from "@atoll/harness/crashes";
import { tellRunning } from "@atoll/harness/pods";
import { startHarness } from "@atoll/harness/server";
import { disruptionController } from "./controller.ts";

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());

const labels = { app: "web" };
const spec = { containers: [{ name: "c", image: "i" }] };

async function makeReady(namespace: string, name: string, owner?: ReplicaSet): Promise<void> {
  const ownerReferences =
    owner === undefined
      ? []
      : [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: owner.metadata.uid ?? "", controller: true }];
  const pod = await client.create(Pod, { metadata: { name, namespace, labels, ownerReferences }, spec });
  await tellRunning(client, pod);
}

const budget = (namespace: string) => client.get(PodDisruptionBudget, toKey(namespace, "web"));
const makeBudget = (namespace: string, limit: { minAvailable?: number; maxUnavailable?: number | string }) =>
  client.create(PodDisruptionBudget, {
    metadata: { name: "web", namespace },
    spec: { selector: { matchLabels: labels }, ...limit },
  });
const allows = (namespace: string, n: number) =>
  eventually(`${n} may go`, async () => {
    const { status, metadata } = await budget(namespace);
    return status.disruptionsAllowed === n && status.observedGeneration === metadata.generation;
  });
const evict = (namespace: string, name: string) =>
  client.createSubresource(Pod, {
    key: toKey(namespace, name),
    subresource: "eviction",
    body: { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace } },
  });

test("evictions are let through as the budget's status allows, and no more", async () => {
  await using workshop = startControllers(harness, [disruptionController]);
  await makeNamespace(client, "pdb");
  for (const name of ["a", "b", "c"]) await makeReady("pdb", name);
  await makeBudget("pdb", { minAvailable: 2 });
  await allows("pdb", 1);
  await evict("pdb", "a");
  await allows("pdb", 0);
  await assert.rejects(evict("pdb", "b"), (error) => isRefusal(error, "TooManyRequests"));
  await workshop.quiet();
  const { status } = await budget("pdb");
  assert.deepEqual([status.expectedPods, status.currentHealthy, status.desiredHealthy], [2, 2, 2]);
  assert.equal(status.disruptedPods, undefined);
  assert.deepEqual(workshop.complaints, []);
});

test("a budget of a share counts what the owner of the Pods wants", async () => {
  await using _ = startControllers(harness, [disruptionController]);
  await makeNamespace(client, "share");
  const template = { metadata: { labels }, spec };
  const owner = await client.create(ReplicaSet, {
    metadata: { name: "web", namespace: "share" },
    spec: { replicas: 4, selector: { matchLabels: labels }, template },
  });
  for (const name of ["a", "b", "c"]) await makeReady("share", name, owner);
  await makeBudget("share", { maxUnavailable: "50%" });
  await allows("share", 1);
  const { status } = await budget("share");
  assert.deepEqual([status.expectedPods, status.currentHealthy, status.desiredHealthy], [4, 3, 2]);
  const scaled = { type: "merge", body: { spec: { replicas: 1 } } } as const;
  await client.patch(ReplicaSet, { key: keyOf(owner), patch: scaled });
  await client.delete(Pod, toKey("share", "a"), { graceSeconds: 0 });
  await allows("share", 2);
});

const keeping: Story = {
  controllers: [disruptionController],
  async begin(round) {
    await makeNamespace(client, round);
    await makeBudget(round, { minAvailable: 1 });
    for (const name of ["a", "b"]) await makeReady(round, name);
  },
  ended: (round) => allows(round, 1),
  async check(round) {
    const { status } = await budget(round);
    assert.deepEqual([status.expectedPods, status.currentHealthy, status.desiredHealthy], [2, 2, 1]);
  },
};

testConvergence("budgets", harness, { name: "pdb", story: keeping, least: 1 });
