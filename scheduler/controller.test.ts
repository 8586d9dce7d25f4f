import assert from "node:assert/strict";
import test, { after } from "node:test";
import {
  Event,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PriorityClass,
  StorageClass,
} from "@atoll/client/builtin";
import { keyOf, toKey } from "@atoll/client/resource";
import { clientOf, eventually, makeNamespace } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { testConvergence } from "@atoll/harness/convergence";
import type { Story } from "@atoll/harness/crashes";
import { startHarness } from "@atoll/harness/server";
import { scheduler } from "./controller.ts";

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());
await client.create(PriorityClass, { metadata: { name: "vital" }, value: 1000 });

/** Pods and nodes of one test; its nodes take its Pods alone. */
class Scene {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
  async make(name: string, more: object = {}): Promise<void> {
    const resources = { requests: { cpu: "600m" } };
    const nodeSelector = { scene: this.name };
    const spec = { containers: [{ name: "c", image: "i", resources }], nodeSelector, ...more };
    await client.create(Pod, { metadata: { name, namespace: this.name }, spec });
  }
  pod(name: string): Promise<Pod> {
    return client.get(Pod, toKey(this.name, name));
  }
  async nodeOf(name: string): Promise<string> {
    return (await this.pod(name)).spec.nodeName ?? "";
  }
  async whyNot(name: string): Promise<string | undefined> {
    return (await this.pod(name)).status?.conditions?.find(({ type }) => type === "PodScheduled")?.message;
  }
  async addNode(name: string): Promise<void> {
    const labels = { scene: this.name, "kubernetes.io/hostname": name };
    const made = await client.create(Node, { metadata: { name, labels } });
    // What the controller of nodes does once a node is ready.
    await client.patch(Node, { key: keyOf(made), patch: { type: "merge", body: { spec: { taints: null } } } });
    const patch = { type: "merge", body: { status: { allocatable: { cpu: "1", memory: "1Gi", pods: "9" } } } } as const;
    await client.patch(Node, { key: toKey("", name), patch, subresource: "status" });
  }
  async removeNode(name: string): Promise<void> {
    await client.delete(Node, toKey("", name));
  }
}

async function sceneOf(name: string): Promise<Scene> {
  await makeNamespace(client, name);
  return new Scene(name);
}

test("Pods are bound where there is room, by priority, and say why they wait; gated ones and others' are left", async () => {
  await using workshop = startControllers(harness, [scheduler]);
  const scene = await sceneOf("room");
  await scene.make("first");
  await scene.make("gated", { schedulingGates: [{ name: "example.com/wait" }] });
  await scene.make("others", { schedulerName: "others" });
  const none = "no nodes available to schedule pods";
  await eventually("it says that there is no node", async () => (await scene.whyNot("first")) === none);
  await scene.addNode("one");
  await eventually("it is bound", async () => (await scene.nodeOf("first")) === "one");
  await scene.make("second");
  const victims = "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.";
  const full = `0/1 nodes are available: 1 Insufficient cpu. ${victims}`;
  await eventually("there is no room for another", async () => (await scene.whyNot("second")) === full);
  await scene.addNode("two");
  await eventually("the new node takes it", async () => (await scene.nodeOf("second")) === "two");
  await scene.make("third");
  await workshop.quiet();
  assert.equal(await scene.nodeOf("third"), "");
  await client.delete(Pod, toKey("room", "first"), { graceSeconds: 0 });
  await eventually("who goes makes room", async () => (await scene.nodeOf("third")) === "one");
  assert.equal(await scene.nodeOf("gated"), "");
  assert.equal(await scene.nodeOf("others"), "");
  assert.deepEqual(workshop.complaints, []);
  for (const name of ["one", "two"]) await scene.removeNode(name);
});

test("a Pod that matters more is promised the room of one that matters less, who is told to go and why", async () => {
  await using workshop = startControllers(harness, [scheduler]);
  const scene = await sceneOf("vital");
  await scene.addNode("three");
  await scene.make("plain");
  await eventually("it is bound", async () => (await scene.nodeOf("plain")) === "three");
  // On a node Pods take their time to go.
  const slow = { type: "merge", body: { metadata: { finalizers: ["test.example/slow"] } } } as const;
  await client.patch(Pod, { key: toKey("vital", "plain"), patch: slow });
  await scene.make("vital", { priorityClassName: "vital" });
  await eventually("it is promised the node", async () => {
    return (await scene.pod("vital")).status?.nominatedNodeName === "three";
  });
  await workshop.quiet();
  const { metadata, status } = await scene.pod("plain");
  assert.ok(metadata.deletionTimestamp);
  const condition = status?.conditions?.find(({ type }) => type === "DisruptionTarget");
  assert.equal(condition?.reason, "PreemptionByScheduler");
  assert.equal(condition?.message, "default-scheduler: preempting to accommodate a higher priority pod");
  assert.match((await scene.whyNot("vital")) ?? "", /^0\/1 nodes are available: 1 Insufficient cpu\./);
  const gone = { type: "merge", body: { metadata: { finalizers: null } } } as const;
  await client.patch(Pod, { key: toKey("vital", "plain"), patch: gone });
  await client.delete(Pod, toKey("vital", "plain"), { graceSeconds: 0 }).catch(() => undefined);
  await eventually("it has the room", async () => (await scene.nodeOf("vital")) === "three");
  await eventually("there is an event", async () => {
    const { items } = await client.list(Event, { namespace: "vital" });
    return items.some(
      ({ reason, note }) => reason === "Preempted" && /^Preempted by pod .* on node three$/.test(note ?? ""),
    );
  });
  await scene.removeNode("three");
});

test("a claim that waits for its Pod is told the node, and the Pod is bound when the claim is", async () => {
  await using _ = startControllers(harness, [scheduler]);
  const scene = await sceneOf("disk");
  await scene.addNode("four");
  const late = { provisioner: "disk.example.com", volumeBindingMode: "WaitForFirstConsumer" };
  await client.create(StorageClass, { metadata: { name: "late" }, ...late });
  const wish = {
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: "1Gi" } },
    storageClassName: "late",
  };
  await client.create(PersistentVolumeClaim, { metadata: { name: "data", namespace: "disk" }, spec: wish });
  await scene.make("p", { volumes: [{ name: "v", persistentVolumeClaim: { claimName: "data" } }] });
  const key = toKey("disk", "data");
  await eventually("the claim is told", async () => {
    const { metadata } = await client.get(PersistentVolumeClaim, key);
    return metadata.annotations?.["volume.kubernetes.io/selected-node"] === "four";
  });
  assert.equal(await scene.nodeOf("p"), "");
  // What a provisioner and the controller of volumes do.
  const { metadata } = await client.get(PersistentVolumeClaim, key);
  const claimRef = {
    kind: "PersistentVolumeClaim",
    apiVersion: "v1",
    namespace: "disk",
    name: "data",
    uid: metadata.uid ?? "",
  };
  const hostPath = { path: "/x" };
  const spec = {
    accessModes: ["ReadWriteOnce"],
    capacity: { storage: "1Gi" },
    storageClassName: "late",
    claimRef,
    hostPath,
  };
  await client.create(PersistentVolume, { metadata: { name: "disk-pv" }, spec });
  const annotations = { "pv.kubernetes.io/bind-completed": "yes" };
  const bind = { type: "merge", body: { metadata: { annotations }, spec: { volumeName: "disk-pv" } } } as const;
  await client.patch(PersistentVolumeClaim, { key, patch: bind });
  const phase = { type: "merge", body: { status: { phase: "Bound" } } } as const;
  await client.patch(PersistentVolumeClaim, { key, patch: phase, subresource: "status" });
  await eventually("the Pod is bound", async () => (await scene.nodeOf("p")) === "four");
  await scene.removeNode("four");
});

/** There is room for one, and one matters more than the others. */
const story: Story = {
  controllers: [scheduler],
  async begin(round) {
    // What waits since earlier rounds would be told of this one's node: each would be longer than the one before it.
    await client.deleteCollection(Node, {});
    for (const pod of (await client.list(Pod)).items) await client.delete(Pod, keyOf(pod), { graceSeconds: 0 });
    const scene = await sceneOf(round);
    await scene.addNode(`${round}-node`);
    await scene.make("plain");
    await scene.make("vital", { priorityClassName: "vital" });
    await scene.make("late");
  },
  async ended(round) {
    const scene = new Scene(round);
    const isTold = async () => {
      const { items } = await client.list(Pod, { namespace: round });
      for (const { metadata } of items)
        if (metadata.deletionTimestamp !== undefined)
          await client.delete(Pod, keyOf({ metadata }), { graceSeconds: 0 }).catch(() => undefined);
      const others = items.filter(({ metadata }) => metadata.name !== "vital");
      const waiting = await Promise.all(others.map(({ metadata }) => scene.whyNot(metadata.name ?? "")));
      return (await scene.nodeOf("vital")) !== "" && waiting.every((why) => why !== undefined);
    };
    await eventually("the important one has the room", () => isTold().catch(() => false), 20_000);
  },
  async check(round) {
    const { items } = await client.list(Pod, { namespace: round });
    const bound = items.filter(({ spec }) => (spec.nodeName ?? "") !== "").map(({ metadata }) => metadata.name);
    assert.deepEqual(bound, ["vital"]);
    assert.ok(items.some(({ metadata }) => metadata.name === "late"));
  },
};

testConvergence("Pods", harness, { name: "sched", story: story, least: 2 });

test("the scheduler with a stale view gives no room out twice, and finds what it missed", async () => {
  await using workshop = startControllers(harness, [scheduler]);
  const scene = await sceneOf("stale");
  await scene.addNode("five");
  await workshop.quiet();
  workshop.faults.stallWatches("nodes");
  await scene.make("a");
  await eventually("it is bound", async () => (await scene.nodeOf("a")) === "five");
  await scene.make("b");
  await scene.addNode("six");
  workshop.faults.skipStalled();
  await eventually("the other has the new node", async () => (await scene.nodeOf("b")) === "six");
  for (const name of ["five", "six"]) await scene.removeNode(name);
});
