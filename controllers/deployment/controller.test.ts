import assert from "node:assert/strict";
import test, { after, beforeEach } from "node:test";
import { Deployment, Pod, ReplicaSet } from "@atoll/client/builtin";
import { keyOf, toKey } from "@atoll/client/resource";
import { clientOf, eventually, makeNamespace } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { testConvergence } from "@atoll/harness/convergence";
import type { Story } from "@atoll/harness/crashes";
import { playNodes } from "@atoll/harness/pods";
import { startHarness } from "@atoll/harness/server";
import { replicaSetController } from "../replicaset/controller.ts";
import { deploymentController } from "./controller.ts";

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());

let namespace: string;
let count = 0;

beforeEach(async () => {
  namespace = `deploy-${++count}`;
  await makeNamespace(client, namespace);
});

const labels = { app: "web" };
const template = (image: string) => ({ metadata: { labels }, spec: { containers: [{ name: "c", image }] } });
const draft = (replicas: number, where = namespace) => ({
  metadata: { name: "web", namespace: where },
  spec: { replicas, selector: { matchLabels: labels }, template: template("a") },
});

const get = (where = namespace) => client.get(Deployment, toKey(where, "web"));
const setImage = (image: string, where = namespace) =>
  client.patch(Deployment, {
    key: toKey(where, "web"),
    patch: { type: "strategic", body: { spec: { template: template(image) } } },
  });

const complete = (image: string, replicas: number, where = namespace) =>
  eventually(
    `${replicas} Pods of image ${image}`,
    async () => {
      await playNodes(client, where);
      const { status } = await get(where);
      const images = (await client.list(Pod, { namespace: where })).items.map(
        ({ spec }) => spec.containers?.[0]?.image,
      );
      const progress = status.conditions?.find(({ type }) => type === "Progressing");
      return (
        progress?.reason === "NewReplicaSetAvailable" &&
        images.length === replicas &&
        images.every((each) => each === image)
      );
    },
    20_000,
  );

test("a Deployment makes its Pods, and rolls them to another template and back", async () => {
  await using workshop = startControllers(harness, [deploymentController, replicaSetController]);
  await client.create(Deployment, draft(3));
  await complete("a", 3);
  await setImage("b");
  await complete("b", 3);
  const { items } = await client.list(ReplicaSet, { namespace });
  assert.deepEqual(new Set(items.map(({ spec }) => spec.replicas)), new Set([0, 3]));
  assert.equal((await get()).metadata.annotations?.["deployment.kubernetes.io/revision"], "2");
  await setImage("a");
  await complete("a", 3);
  assert.equal((await client.list(ReplicaSet, { namespace })).items.length, 2);
  assert.equal((await get()).metadata.annotations?.["deployment.kubernetes.io/revision"], "3");
  await workshop.quiet(300);
  const done = workshop.faults.writes.length;
  await workshop.quiet(300);
  assert.equal(workshop.faults.writes.length, done);
});

test("a Deployment that recreates makes no new Pod before the last old one is gone", async () => {
  await using workshop = startControllers(harness, [deploymentController, replicaSetController]);
  const { metadata, spec } = draft(2);
  await client.create(Deployment, { metadata, spec: { ...spec, strategy: { type: "Recreate" } } });
  await complete("a", 2);
  // On a node Pods take their time to go.
  for (const pod of (await client.list(Pod, { namespace })).items) {
    const patch = { type: "merge", body: { metadata: { finalizers: ["test.example/slow"] } } } as const;
    await client.patch(Pod, { key: keyOf(pod), patch });
  }
  await setImage("b");
  await eventually("the old Pods are told to go", async () => {
    return (await client.list(Pod, { namespace })).items.every(
      ({ metadata: { deletionTimestamp } }) => deletionTimestamp !== undefined,
    );
  });
  await workshop.quiet(300);
  assert.equal((await client.list(Pod, { namespace })).items.length, 2);
  for (const pod of (await client.list(Pod, { namespace })).items) {
    await client.patch(Pod, { key: keyOf(pod), patch: { type: "merge", body: { metadata: { finalizers: null } } } });
  }
  await complete("b", 2);
});

test("a Deployment whose ReplicaSet's name is taken takes another", async () => {
  const first = startControllers(harness, [deploymentController, replicaSetController]);
  await client.create(Deployment, draft(1));
  await complete("a", 1);
  const [set] = (await client.list(ReplicaSet, { namespace })).items;
  assert.ok(set);
  await first.stop();
  await client.delete(Deployment, toKey(namespace, "web"), { propagation: "Orphan" });
  // Left behind by somebody else, under the very name, with labels that are not selected.
  await client.delete(ReplicaSet, keyOf(set), { propagation: "Orphan" });
  for (const { metadata } of (await client.list(ReplicaSet, { namespace })).items) {
    await client.patch(ReplicaSet, {
      key: toKey(namespace, metadata.name ?? ""),
      patch: { type: "merge", body: { metadata: { finalizers: null } } },
    });
  }
  const patch = { type: "merge", body: { metadata: { finalizers: null } } } as const;
  await client.patch(Deployment, { key: toKey(namespace, "web"), patch }).catch(() => undefined);
  const other = { app: "other" };
  const foreign = {
    selector: { matchLabels: other },
    template: { ...template("a"), metadata: { labels: other } },
    replicas: 0,
  };
  await client.create(ReplicaSet, {
    metadata: { name: set.metadata.name ?? "", namespace, labels: other },
    spec: foreign,
  });
  await using _ = startControllers(harness, [deploymentController, replicaSetController]);
  await client.create(Deployment, draft(1));
  await eventually(
    "another ReplicaSet is there",
    async () => (await client.list(ReplicaSet, { namespace })).items.length === 2,
  );
  assert.equal((await get()).status.collisionCount, 1);
});

const rollout: Story = {
  controllers: [deploymentController, replicaSetController],
  async begin(round) {
    await makeNamespace(client, round);
    await client.create(Deployment, draft(2, round));
    await setImage("b", round);
  },
  ended: (round) => complete("b", 2, round),
  async check(round) {
    const { items } = await client.list(ReplicaSet, { namespace: round });
    const sizes = items.map(({ spec }) => `${spec.template.spec?.containers?.[0]?.image}:${spec.replicas}`).sort();
    assert.equal(sizes.at(-1), "b:2");
    assert.ok(sizes.length === 1 || sizes[0] === "a:0", sizes.join(" "));
    assert.equal((await client.list(Pod, { namespace: round })).items.length, 2);
  },
};

testConvergence("Deployments", harness, { name: "deploy", story: rollout, least: 6 });
