import assert from "node:assert/strict";
import test from "node:test";
import { Node, Pod } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually, makeNamespace } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { startHarness } from "@atoll/harness/server";
import { binder } from "./controller.ts";

const ready = [{ type: "Ready", status: "True", lastHeartbeatTime: null, lastTransitionTime: null }];

test("Pods are bound to the one node once it is ready; not gated ones, others' or, with two nodes, any", async (t) => {
  const harness = await startHarness();
  const client = clientOf(harness);
  const workshop = startControllers(harness, [binder]);
  t.after(async () => {
    await workshop.stop();
    await harness.close();
  });
  await makeNamespace(client, "work");
  const make = async (name: string, more: object = {}) => {
    const spec = { containers: [{ name: "c", image: "i" }], ...more };
    await client.create(Pod, { metadata: { name, namespace: "work" }, spec });
  };
  const nodeOf = async (name: string) => (await client.get(Pod, toKey("work", name))).spec.nodeName ?? "";
  const becomeReady = async (name: string) => {
    const patch = { type: "merge", body: { status: { conditions: ready } } } as const;
    await client.patch(Node, { key: toKey("", name), patch, subresource: "status" });
  };
  await make("early");
  await make("gated", { schedulingGates: [{ name: "example.com/wait" }] });
  await make("others", { schedulerName: "others" });
  await client.create(Node, { metadata: { name: "host" } });
  await workshop.quiet();
  assert.equal(await nodeOf("early"), "");
  await becomeReady("host");
  await eventually("it is bound", async () => (await nodeOf("early")) === "host");
  await make("late");
  await eventually("the later one too", async () => (await nodeOf("late")) === "host");
  assert.equal(await nodeOf("gated"), "");
  assert.equal(await nodeOf("others"), "");
  await client.create(Node, { metadata: { name: "second" } });
  await becomeReady("second");
  await workshop.quiet();
  await make("between");
  await workshop.quiet(300);
  assert.equal(await nodeOf("between"), "");
  assert.deepEqual(workshop.complaints, []);
});
