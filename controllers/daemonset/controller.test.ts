import assert from "node:assert/strict";
import test, { after } from "node:test";
import { ControllerRevision, DaemonSet, Node, Pod } from "@atoll/client/builtin";
import { keyOf, toKey } from "@atoll/client/resource";
import { clientOf, eventually, makeNamespace } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { testConvergence } from "@atoll/harness/convergence";
import type { Story } from "@atoll/harness/crashes";
import { playNodes } from "@atoll/harness/pods";
import { startHarness } from "@atoll/harness/server";
import { daemonSetController } from "./controller.ts";
import { nodeOf } from "./pod.ts";

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());
for (const name of ["n0", "n1"]) {
  await client.create(Node, { metadata: { name } });
  // New nodes are tainted until they say that they are ready.
  const patch = { type: "merge", body: { spec: { taints: null } } } as const;
  await client.patch(Node, { key: toKey(undefined, name), patch });
}

const labels = { app: "agent" };
const template = (image: string) => ({ metadata: { labels }, spec: { containers: [{ name: "c", image }] } });
const draft = (namespace: string) => ({
  metadata: { name: "agent", namespace },
  spec: { selector: { matchLabels: labels }, template: template("a") },
});
const setImage = (namespace: string, image: string) =>
  client.patch(DaemonSet, {
    key: toKey(namespace, "agent"),
    patch: { type: "strategic", body: { spec: { template: template(image) } } },
  });
const pods = async (namespace: string) => (await client.list(Pod, { namespace })).items;

/** Plays the scheduler: Pods go where they are meant to be. */
async function bind(namespace: string): Promise<void> {
  for (const pod of await pods(namespace)) {
    if ((pod.spec.nodeName ?? "") !== "") continue;
    const target = { apiVersion: "v1", kind: "Node", name: nodeOf(pod) ?? "" };
    const body = { apiVersion: "v1", kind: "Binding", metadata: { name: pod.metadata.name, namespace }, target };
    await client.createSubresource(Pod, { key: keyOf(pod), subresource: "binding", body }).catch(() => undefined);
  }
}

const is = (namespace: string, wanted: string) =>
  eventually(
    `the Pods are ${wanted}`,
    async () => {
      await bind(namespace);
      await playNodes(client, namespace);
      const all = (await pods(namespace)).map((pod) => `${pod.spec.nodeName}:${pod.spec.containers?.[0]?.image}`);
      const { status } = await client.get(DaemonSet, toKey(namespace, "agent"));
      return all.sort().join(" ") === wanted && status.numberAvailable === 2 && status.updatedNumberScheduled === 2;
    },
    20_000,
  );

test("a DaemonSet has a Pod on each node, and rolls them to another template and back", async () => {
  const namespace = "daemons";
  await makeNamespace(client, namespace);
  await using workshop = startControllers(harness, [daemonSetController]);
  await client.create(DaemonSet, draft(namespace));
  await is(namespace, "n0:a n1:a");
  await setImage(namespace, "b");
  await is(namespace, "n0:b n1:b");
  await setImage(namespace, "a");
  await is(namespace, "n0:a n1:a");
  const { items } = await client.list(ControllerRevision, { namespace });
  assert.deepEqual(new Set(items.map(({ revision }) => revision)), new Set([2, 3]));
  await workshop.quiet();
  const done = workshop.faults.writes.length;
  await workshop.quiet(300);
  assert.equal(workshop.faults.writes.length, done);
});

const rollout: Story = {
  controllers: [daemonSetController],
  async begin(round) {
    await makeNamespace(client, round);
    await client.create(DaemonSet, draft(round));
    await setImage(round, "b");
  },
  ended: (round) => is(round, "n0:b n1:b"),
  async check(round) {
    assert.equal((await pods(round)).length, 2);
  },
};

testConvergence("DaemonSets", harness, { name: "ds", story: rollout, least: 3 });
