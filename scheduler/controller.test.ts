import assert from "node:assert/strict";
import test from "node:test";
import { Node, Pod } from "@atoll/client/builtin";
import { keyOf, toKey } from "@atoll/client/resource";
import { clientOf, eventually, makeNamespace } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { startHarness } from "@atoll/harness/server";
import { scheduler } from "./controller.ts";

test("Pods are bound where there is room, by priority, and say why they wait; gated ones and others' are left", async (t) => {
  const harness = await startHarness();
  const client = clientOf(harness);
  const workshop = startControllers(harness, [scheduler]);
  t.after(async () => {
    await workshop.stop();
    await harness.close();
  });
  await makeNamespace(client, "work");
  const make = async (name: string, more: object = {}) => {
    const resources = { requests: { cpu: "600m" } };
    const spec = { containers: [{ name: "c", image: "i", resources }], ...more };
    await client.create(Pod, { metadata: { name, namespace: "work" }, spec });
  };
  const podOf = (name: string) => client.get(Pod, toKey("work", name));
  const nodeOf = async (name: string) => (await podOf(name)).spec.nodeName ?? "";
  const whyNot = async (name: string) =>
    (await podOf(name)).status?.conditions?.find(({ type }) => type === "PodScheduled")?.message;
  const addNode = async (name: string) => {
    const made = await client.create(Node, { metadata: { name } });
    // What the controller of nodes does once a node is ready.
    await client.patch(Node, { key: keyOf(made), patch: { type: "merge", body: { spec: { taints: null } } } });
    const patch = { type: "merge", body: { status: { allocatable: { cpu: "1", memory: "1Gi", pods: "9" } } } } as const;
    await client.patch(Node, { key: toKey("", name), patch, subresource: "status" });
  };
  await make("first");
  await make("gated", { schedulingGates: [{ name: "example.com/wait" }] });
  await make("others", { schedulerName: "others" });
  await eventually(
    "it says that there is no node",
    async () => (await whyNot("first")) === "no nodes available to schedule pods",
  );
  await addNode("one");
  await eventually("it is bound", async () => (await nodeOf("first")) === "one");
  await make("second");
  const full = "0/1 nodes are available: 1 Insufficient cpu.";
  await eventually("there is no room for another", async () => (await whyNot("second")) === full);
  await addNode("two");
  await eventually("the new node takes it", async () => (await nodeOf("second")) === "two");
  await make("third");
  await workshop.quiet();
  assert.equal(await nodeOf("third"), "");
  await client.delete(Pod, toKey("work", "first"), { graceSeconds: 0 });
  await eventually("who goes makes room", async () => (await nodeOf("third")) === "one");
  assert.equal(await nodeOf("gated"), "");
  assert.equal(await nodeOf("others"), "");
  assert.deepEqual(workshop.complaints, []);
});
