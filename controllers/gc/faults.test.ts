import assert from "node:assert/strict";
import test, { after } from "node:test";
import { ConfigMap, Namespace } from "@atoll/client/builtin";
import { keyOf, toKey } from "@atoll/client/resource";
import { clientOf, eventually } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { testConvergence } from "@atoll/harness/convergence";
import type { Story } from "@atoll/harness/crashes";
import { startHarness } from "@atoll/harness/server";
import type { OwnerReference } from "@atoll/machinery/object";
import { garbageCollector } from "./controller.ts";

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());

const refTo = (owner: ConfigMap, blockOwnerDeletion = false): OwnerReference => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  name: owner.metadata.name ?? "",
  uid: owner.metadata.uid ?? "",
  blockOwnerDeletion,
});

const make = (namespace: string, name: string, ownerReferences: OwnerReference[] = []) =>
  client.create(ConfigMap, { metadata: { name, namespace, ownerReferences } });

async function names(namespace: string): Promise<string> {
  const { items } = await client.list(ConfigMap, { namespace });
  return items
    .map(({ metadata }) => metadata.name ?? "")
    .sort()
    .join(" ");
}

/** A family in which every manner of deletion happens at once. */
const family: Story = {
  controllers: [garbageCollector],
  async begin(namespace) {
    await client.create(Namespace, { metadata: { name: namespace } });
    const background = await make(namespace, "background");
    const middle = await make(namespace, "background-child", [refTo(background)]);
    await make(namespace, "background-grandchild", [refTo(middle)]);
    const foreground = await make(namespace, "foreground");
    const held = await make(namespace, "foreground-child", [refTo(foreground, true)]);
    await make(namespace, "foreground-grandchild", [refTo(held, true)]);
    const orphaning = await make(namespace, "orphaning");
    await make(namespace, "orphan", [refTo(orphaning)]);
    const stays = await make(namespace, "stays");
    await make(namespace, "shared", [refTo(stays), refTo(background)]);
    await client.delete(ConfigMap, keyOf(background), { propagation: "Background" });
    await client.delete(ConfigMap, keyOf(foreground), { propagation: "Foreground" });
    await client.delete(ConfigMap, keyOf(orphaning), { propagation: "Orphan" });
  },
  async ended(namespace) {
    await eventually(
      "all that must go has gone",
      async () => (await names(namespace)) === "orphan shared stays",
      20_000,
    );
  },
  async check(namespace) {
    assert.equal(await names(namespace), "orphan shared stays");
    const { metadata } = await client.get(ConfigMap, toKey(namespace, "orphan"));
    assert.equal(metadata.ownerReferences, undefined);
  },
};

testConvergence("the collector's deletions", harness, { name: "family", story: family, least: 7 });

test("garbage collector with a stale view deletes nothing that has found an owner again", async () => {
  await using workshop = startControllers(harness, [garbageCollector]);
  const namespace = "gc-stale";
  await client.create(Namespace, { metadata: { name: namespace } });
  const old = await make(namespace, "old");
  const child = await make(namespace, "child", [refTo(old)]);
  await workshop.quiet();
  // The collector hears that the owner is gone, but not that the child has another by now.
  workshop.faults.stallWatches();
  const fresh = await make(namespace, "fresh");
  const adopt = { type: "merge", body: { metadata: { ownerReferences: [refTo(fresh)] } } } as const;
  await client.delete(ConfigMap, keyOf(old));
  await client.patch(ConfigMap, { key: keyOf(child), patch: adopt });
  workshop.faults.resumeWatches();
  await workshop.quiet(300);
  assert.equal(await names(namespace), "child fresh");
});

test("garbage collector finds what it missed while events were dropped", async () => {
  await using workshop = startControllers(harness, [garbageCollector]);
  const namespace = "gc-dropped";
  await client.create(Namespace, { metadata: { name: namespace } });
  const owner = await make(namespace, "owner");
  await make(namespace, "child", [refTo(owner)]);
  await workshop.quiet();
  workshop.faults.stallWatches();
  const brief = await make(namespace, "brief");
  await make(namespace, "brief-child", [refTo(brief)]);
  await client.delete(ConfigMap, keyOf(brief));
  await client.delete(ConfigMap, keyOf(owner));
  workshop.faults.skipStalled();
  await eventually("the children are gone", async () => (await names(namespace)) === "");
});
