import assert from "node:assert/strict";
import test, { after, beforeEach } from "node:test";
import { Pod, ReplicaSet } from "@atoll/client/builtin";
import { isNotFound } from "@atoll/client/errors";
import { keyOf, toKey } from "@atoll/client/resource";
import { clientOf, eventually, makeNamespace } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { testConvergence } from "@atoll/harness/convergence";
import type { Story } from "@atoll/harness/crashes";
import { tellRunning } from "@atoll/harness/pods";
import { startHarness } from "@atoll/harness/server";
import { replicaSetController } from "./controller.ts";

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());

let namespace: string;
let count = 0;

beforeEach(async () => {
  namespace = `rs-${++count}`;
  await makeNamespace(client, namespace);
});

const labels = { app: "web" };
const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };
const draft = (name: string, replicas: number) => ({
  metadata: { name, namespace },
  spec: { replicas, selector: { matchLabels: labels }, template },
});

const pods = async (where = namespace) => (await client.list(Pod, { namespace: where })).items;
const has = (n: number) => eventually(`there are ${n} Pods`, async () => (await pods()).length === n);
const get = (name: string) => client.get(ReplicaSet, toKey(namespace, name));

async function remove(pod: Pod): Promise<void> {
  await client.delete(Pod, keyOf(pod), { graceSeconds: 0 }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}

test("a ReplicaSet gets its Pods, and gets back those that go", async () => {
  await using workshop = startControllers(harness, [replicaSetController]);
  const owner = await client.create(ReplicaSet, draft("web", 3));
  await has(3);
  for (const { metadata } of await pods()) {
    assert.equal(metadata.ownerReferences?.[0]?.uid, owner.metadata.uid);
    assert.match(metadata.name ?? "", /^web-[a-z0-9]{5}$/);
  }
  const [first] = await pods();
  assert.ok(first);
  await remove(first);
  await eventually("another was made", async () => {
    const now = await pods();
    return now.length === 3 && !now.some(({ metadata }) => metadata.uid === first.metadata.uid);
  });
  await workshop.quiet();
  const { status } = await get("web");
  assert.deepEqual([status.replicas, status.fullyLabeledReplicas, status.readyReplicas], [3, 3, undefined]);
  assert.equal(status.observedGeneration, 1);
});

test("a ReplicaSet that shrinks gives up the Pods worth least", async () => {
  await using _ = startControllers(harness, [replicaSetController]);
  await client.create(ReplicaSet, draft("web", 4));
  await has(4);
  const [kept] = await pods();
  assert.ok(kept);
  await tellRunning(client, kept);
  await eventually("the status shows the ready Pod", async () => (await get("web")).status.readyReplicas === 1);
  const patch = { type: "merge", body: { spec: { replicas: 1 } } } as const;
  await client.patch(ReplicaSet, { key: toKey(namespace, "web"), patch });
  await eventually("one is left", async () => {
    const left = (await pods()).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    return left.length === 1 && left[0]?.metadata.uid === kept.metadata.uid;
  });
});

test("a ReplicaSet adopts strays it selects, and lets go of Pods it no longer selects", async () => {
  await using _ = startControllers(harness, [replicaSetController]);
  const stray = await client.create(Pod, { metadata: { name: "stray", namespace, labels }, spec: template.spec });
  await client.create(ReplicaSet, draft("web", 2));
  await eventually("the stray is adopted", async () => {
    return (await client.get(Pod, keyOf(stray))).metadata.ownerReferences?.[0]?.name === "web";
  });
  await has(2);
  const patch = { type: "merge", body: { metadata: { labels: { app: "other" } } } } as const;
  await client.patch(Pod, { key: keyOf(stray), patch });
  await has(3);
  const released = await client.get(Pod, keyOf(stray));
  assert.equal(released.metadata.ownerReferences, undefined);
});

test("a ReplicaSet does not count Pods that have ended, and keeps them", async () => {
  await using _ = startControllers(harness, [replicaSetController]);
  await client.create(ReplicaSet, draft("web", 1));
  await has(1);
  const [pod] = await pods();
  assert.ok(pod);
  await client.setStatus(Pod, { object: pod, status: { ...pod.status, phase: "Failed" } });
  await has(2);
});

test("a ReplicaSet says why it cannot make Pods, and that it can again", async () => {
  await using workshop = startControllers(harness, [replicaSetController]);
  const { faults } = workshop;
  faults.fate = ({ method }) => (method === "POST" ? "lose request" : "pass");
  await client.create(ReplicaSet, draft("web", 2));
  await eventually(
    "the condition tells",
    async () => (await get("web")).status.conditions?.[0]?.reason === "FailedCreate",
  );
  faults.fate = () => "pass";
  await has(2);
  await eventually("the condition is gone", async () => (await get("web")).status.conditions === undefined);
});

test("a ReplicaSet counts a Pod as available once it was ready for long enough", async () => {
  await using _ = startControllers(harness, [replicaSetController]);
  const { spec, metadata } = draft("web", 1);
  await client.create(ReplicaSet, { metadata, spec: { ...spec, minReadySeconds: 2 } });
  await has(1);
  const [pod] = await pods();
  assert.ok(pod);
  await tellRunning(client, pod);
  await eventually("it is ready", async () => (await get("web")).status.readyReplicas === 1);
  assert.equal((await get("web")).status.availableReplicas, undefined);
  await eventually("it is available", async () => (await get("web")).status.availableReplicas === 1);
});

const scaling: Story = {
  controllers: [replicaSetController],
  async begin(round) {
    await makeNamespace(client, round);
    await client.create(Pod, { metadata: { name: "stray", namespace: round, labels }, spec: template.spec });
    await client.create(ReplicaSet, { ...draft("web", 3), metadata: { name: "web", namespace: round } });
  },
  async ended(round) {
    await eventually(
      "the right Pods are there",
      async () => {
        const all = await pods(round);
        const owned = all.filter(({ metadata }) => metadata.ownerReferences?.[0]?.name === "web");
        const web = await client.get(ReplicaSet, toKey(round, "web"));
        return all.length === 3 && owned.length === 3 && web.status.replicas === 3;
      },
      20_000,
    );
  },
  async check(round) {
    assert.equal((await pods(round)).length, 3);
  },
};

testConvergence("ReplicaSets", harness, { name: "rs", story: scaling, least: 3 });
