import assert from "node:assert/strict";
import test, { after } from "node:test";
import { ControllerRevision, PersistentVolumeClaim, Pod, StatefulSet } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually, makeNamespace } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { testConvergence } from "@atoll/harness/convergence";
import type { Story } from "@atoll/harness/crashes";
import { playNodes } from "@atoll/harness/pods";
import { startHarness } from "@atoll/harness/server";
import { statefulSetController } from "./controller.ts";

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());

const labels = { app: "db" };
const template = (image: string) => ({ metadata: { labels }, spec: { containers: [{ name: "c", image }] } });
const claim = {
  metadata: { name: "data" },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
};
const draft = (namespace: string, replicas: number) => ({
  metadata: { name: "db", namespace },
  spec: {
    replicas,
    serviceName: "db",
    selector: { matchLabels: labels },
    template: template("a"),
    volumeClaimTemplates: [claim],
  },
});

const get = (namespace: string) => client.get(StatefulSet, toKey(namespace, "db"));
const pods = async (namespace: string) => (await client.list(Pod, { namespace })).items;
const change = (namespace: string, spec: object) =>
  client.patch(StatefulSet, { key: toKey(namespace, "db"), patch: { type: "strategic", body: { spec } } });

const is = (namespace: string, wanted: string) =>
  eventually(
    `the Pods are ${wanted}`,
    async () => {
      await playNodes(client, namespace);
      const all = (await pods(namespace)).map(
        ({ metadata, spec }) => `${metadata.name}:${spec.containers?.[0]?.image}`,
      );
      const { status, spec } = await get(namespace);
      return (
        all.sort().join(" ") === wanted &&
        status.readyReplicas === spec.replicas &&
        status.currentRevision === status.updateRevision
      );
    },
    20_000,
  );

test("a StatefulSet makes its Pods with their claims, rolls them and shrinks, and keeps the claims", async () => {
  const namespace = "sts";
  await makeNamespace(client, namespace);
  await using workshop = startControllers(harness, [statefulSetController]);
  await client.create(StatefulSet, draft(namespace, 2));
  await is(namespace, "db-0:a db-1:a");
  await change(namespace, { template: template("b") });
  await is(namespace, "db-0:b db-1:b");
  const { items } = await client.list(ControllerRevision, { namespace });
  assert.deepEqual(new Set(items.map(({ revision }) => revision)), new Set([1, 2]));
  await change(namespace, { template: template("a"), replicas: 1 });
  await is(namespace, "db-0:a");
  const again = (await client.list(ControllerRevision, { namespace })).items.map(({ revision }) => revision);
  assert.deepEqual(new Set(again), new Set([2, 3]));
  const claims = (await client.list(PersistentVolumeClaim, { namespace })).items.map(({ metadata }) => metadata.name);
  assert.deepEqual(new Set(claims), new Set(["data-db-0", "data-db-1"]));
  await workshop.quiet();
  const done = workshop.faults.writes.length;
  await workshop.quiet(300);
  assert.equal(workshop.faults.writes.length, done);
});

const rollout: Story = {
  controllers: [statefulSetController],
  async begin(round) {
    await makeNamespace(client, round);
    await client.create(StatefulSet, draft(round, 2));
    await change(round, { template: template("b") });
  },
  ended: (round) => is(round, "db-0:b db-1:b"),
  async check(round) {
    assert.equal((await pods(round)).length, 2);
    assert.equal((await client.list(PersistentVolumeClaim, { namespace: round })).items.length, 2);
  },
};

testConvergence("StatefulSets", harness, { name: "sts", story: rollout, least: 6 });
