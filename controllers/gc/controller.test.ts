import assert from "node:assert/strict";
import test, { after, afterEach, beforeEach } from "node:test";
import { ConfigMap, CustomResourceDefinition, Event, Namespace, Secret } from "@atoll/client/builtin";
import { isNotFound } from "@atoll/client/errors";
import type { Resource } from "@atoll/client/resource";
import { keyOf, toKey } from "@atoll/client/resource";
import { clientOf, eventually, isGone } from "@atoll/harness/client";
import type { Workshop } from "@atoll/harness/controllers";
import { startControllers } from "@atoll/harness/controllers";
import { startHarness } from "@atoll/harness/server";
import type { ApiObject, ObjectMeta, OwnerReference } from "@atoll/machinery/object";
import { garbageCollector } from "./controller.ts";

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());

let workshop: Workshop;
let namespace: string;
let count = 0;

beforeEach(async () => {
  namespace = `gc-${++count}`;
  await client.create(Namespace, { metadata: { name: namespace } });
  workshop = startControllers(harness, [garbageCollector]);
});

afterEach(() => workshop.stop());

function refTo(owner: ApiObject, overrides: Partial<OwnerReference> = {}): OwnerReference {
  const { apiVersion, kind, metadata } = owner;
  return { apiVersion, kind, name: metadata.name ?? "", uid: metadata.uid ?? "", ...overrides };
}

function make(name: string, owners: OwnerReference[] = [], metadata: Partial<ObjectMeta> = {}): Promise<ConfigMap> {
  const own = { name, namespace, ...(owners.length > 0 && { ownerReferences: owners }), ...metadata };
  return client.create(ConfigMap, { metadata: own });
}

async function names(): Promise<string[]> {
  const { items } = await client.list(ConfigMap, { namespace });
  return items.map(({ metadata }) => metadata.name ?? "").sort();
}

const becomes = (wanted: string[]) =>
  eventually(`only ${wanted.join(", ")} are left`, async () => String(await names()) === String(wanted));

test("garbage collector deletes dependents of an owner deleted in the background, and theirs", async () => {
  const owner = await make("owner");
  const child = await make("child", [refTo(owner)]);
  await make("grandchild", [refTo(child)]);
  await make("stranger");
  await client.delete(ConfigMap, keyOf(owner), { propagation: "Background" });
  await becomes(["stranger"]);
  await workshop.quiet();
  assert.deepEqual(await names(), ["stranger"]);
});

test("garbage collector deletes what was left behind while it was away", async () => {
  await workshop.stop();
  const owner = await make("owner");
  await make("child", [refTo(owner)]);
  await make("stranger");
  await client.delete(ConfigMap, keyOf(owner));
  workshop = startControllers(harness, [garbageCollector]);
  await becomes(["stranger"]);
});

test("garbage collector keeps an object as long as one owner is there, and takes the gone one off", async () => {
  const first = await make("first");
  const second = await make("second");
  const child = await make("child", [refTo(first), refTo(second)]);
  await client.delete(ConfigMap, keyOf(first));
  await eventually("the reference is gone", async () => {
    const { metadata } = await client.get(ConfigMap, keyOf(child));
    return metadata.ownerReferences?.length === 1 && metadata.ownerReferences[0]?.uid === second.metadata.uid;
  });
  assert.deepEqual(await names(), ["child", "second"]);
});

test("garbage collector lets an owner deleted in the foreground go after its blocking dependents", async () => {
  const owner = await make("owner");
  await make("child", [refTo(owner, { blockOwnerDeletion: true })], { finalizers: ["test.example/hold"] });
  await client.delete(ConfigMap, keyOf(owner), { propagation: "Foreground" });
  await eventually("the child is being deleted", async () => {
    return (await client.get(ConfigMap, toKey(namespace, "child"))).metadata.deletionTimestamp !== undefined;
  });
  await workshop.quiet();
  assert.deepEqual(await names(), ["child", "owner"]);
  const patch = { type: "merge", body: { metadata: { finalizers: null } } } as const;
  await client.patch(ConfigMap, { key: toKey(namespace, "child"), patch });
  await becomes([]);
});

test("garbage collector does not wait for dependents that do not block", async () => {
  const owner = await make("owner");
  await make("child", [refTo(owner)], { finalizers: ["test.example/hold"] });
  await client.delete(ConfigMap, keyOf(owner), { propagation: "Foreground" });
  await becomes(["child"]);
});

test("garbage collector breaks a circle of owners deleted in the foreground", async () => {
  const a = await make("a");
  const b = await make("b", [refTo(a, { blockOwnerDeletion: true })]);
  const patch = {
    type: "merge",
    body: { metadata: { ownerReferences: [refTo(b, { blockOwnerDeletion: true })] } },
  } as const;
  await client.patch(ConfigMap, { key: keyOf(a), patch });
  await client.delete(ConfigMap, keyOf(a), { propagation: "Foreground" });
  await becomes([]);
});

test("garbage collector frees the dependents of an owner that orphans them", async () => {
  const owner = await make("owner");
  const child = await make("child", [refTo(owner)]);
  await client.delete(ConfigMap, keyOf(owner), { propagation: "Orphan" });
  await becomes(["child"]);
  await workshop.quiet();
  assert.deepEqual((await client.get(ConfigMap, keyOf(child))).metadata.ownerReferences, undefined);
});

test("garbage collector deletes an object whose owner never was, or was another of the name", async () => {
  const owner = await make("owner");
  await make("never", [refTo(owner, { name: "nobody", uid: "11111111-1111-1111-1111-111111111111" })]);
  await make("other", [refTo(owner, { uid: "22222222-2222-2222-2222-222222222222" })]);
  await becomes(["owner"]);
});

test("garbage collector tells of an owner in another namespace and deletes the object that names it", async () => {
  const elsewhere = await client.create(Secret, { metadata: { name: "elsewhere", namespace: "default" } });
  await workshop.quiet();
  const child = await make("child", [refTo(elsewhere)]);
  await becomes([]);
  await eventually("the event is there", async () => {
    const { items } = await client.list(Event, { namespace });
    return items.some(
      ({ reason, regarding }) => reason === "OwnerRefInvalidNamespace" && regarding?.uid === child.metadata.uid,
    );
  });
  assert.equal(await isGone(client.get(Secret, keyOf(elsewhere))), false);
});

test("garbage collector lets cluster-scoped owners be owners anywhere", async () => {
  const owner = await client.create(Namespace, { metadata: { name: `${namespace}-owner` } });
  await make("child", [refTo(owner)]);
  await workshop.quiet();
  assert.deepEqual(await names(), ["child"]);
});

test("garbage collector follows kinds that are defined while it runs", async () => {
  const group = `${namespace}.example.com`;
  const crd = {
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
    },
  } as const;
  await client.create(CustomResourceDefinition, structuredClone(crd) as never);
  const Widget: Resource = { group, version: "v1", kind: "Widget", plural: "widgets", namespaced: true };
  const draft = { metadata: { name: "owner", namespace } };
  let owner: ApiObject | undefined;
  await eventually("the kind is served", async () => {
    owner = await client.create(Widget, draft).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    return owner !== undefined;
  });
  assert.ok(owner);
  await make("child", [refTo(owner)]);
  await client.delete(Widget, keyOf(owner));
  await becomes([]);
});

test("garbage collector does nothing the second time", async () => {
  const owner = await make("owner");
  await make("child", [refTo(owner)]);
  await workshop.quiet();
  await workshop.stop();
  workshop = startControllers(harness, [garbageCollector]);
  await workshop.quiet(300);
  assert.deepEqual(workshop.faults.writes, []);
  assert.deepEqual(await names(), ["child", "owner"]);
});
