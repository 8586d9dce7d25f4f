import assert from "node:assert/strict";
import test, { after, afterEach, beforeEach } from "node:test";
import { ConfigMap, Namespace, Pod, Secret } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually, isGone, makeNamespace } from "@atoll/harness/client";
import type { Workshop } from "@atoll/harness/controllers";
import { startControllers } from "@atoll/harness/controllers";
import { startHarness } from "@atoll/harness/server";
import { namespaceController } from "./controller.ts";

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());

let workshop: Workshop;
let namespace: string;
let count = 0;

beforeEach(async () => {
  namespace = `ns-${++count}`;
  await makeNamespace(client, namespace);
  workshop = startControllers(harness, [namespaceController]);
});

afterEach(() => workshop.stop());

async function status(): Promise<Record<string, string>> {
  const found = await client.get(Namespace, toKey(undefined, namespace));
  return Object.fromEntries(
    (found.status.conditions ?? []).map(({ type, status, message }) => [type, `${status}: ${message}`]),
  );
}

const namespaceIsGone = () => isGone(client.get(Namespace, toKey(undefined, namespace)));

const release = { type: "merge", body: { metadata: { finalizers: null } } } as const;

test("namespace controller deletes what is in a namespace, and the namespace, and nothing in others", async () => {
  await client.create(ConfigMap, { metadata: { name: "inside", namespace } });
  await client.create(Secret, { metadata: { name: "inside", namespace } });
  const outside = { metadata: { name: `outside-${namespace}`, namespace: "default" } };
  await client.create(ConfigMap, outside);
  await client.delete(Namespace, toKey(undefined, namespace));
  await eventually("the namespace is gone", namespaceIsGone);
  assert.deepEqual((await client.list(ConfigMap, { namespace })).items, []);
  assert.deepEqual((await client.list(Secret, { namespace })).items, []);
  assert.ok(await client.get(ConfigMap, toKey("default", outside.metadata.name)));
});

test("namespace controller leaves a namespace alone that is not being deleted", async () => {
  await client.create(ConfigMap, { metadata: { name: "inside", namespace } });
  await workshop.quiet(300);
  assert.deepEqual(workshop.faults.writes, []);
});

test("namespace controller says which finalizers hold a namespace up, and goes on when they are gone", async () => {
  const finalizers = ["test.example/hold"];
  await client.create(ConfigMap, { metadata: { name: "held", namespace, finalizers } });
  await client.delete(Namespace, toKey(undefined, namespace));
  await eventually("the conditions tell", async () => (await status())["NamespaceFinalizersRemaining"] !== undefined);
  const said = await status();
  assert.equal(
    said["NamespaceContentRemaining"],
    "True: Some resources are remaining: configmaps. has 1 resource instances",
  );
  assert.equal(
    said["NamespaceFinalizersRemaining"],
    "True: Some finalizers are remaining: test.example/hold in 1 resource instances",
  );
  await client.patch(ConfigMap, { key: toKey(namespace, "held"), patch: release });
  await eventually("the namespace is gone", namespaceIsGone, 20_000);
});

test("namespace controller deletes pods before anything else", async () => {
  const pod = {
    metadata: { name: "p", namespace, finalizers: ["test.example/hold"] },
    spec: { containers: [{ name: "c", image: "i" }] },
  };
  await client.create(Pod, pod);
  await client.create(ConfigMap, { metadata: { name: "needed", namespace } });
  await client.delete(Namespace, toKey(undefined, namespace));
  await eventually("the pod is being deleted", async () => {
    return (await client.get(Pod, toKey(namespace, "p"))).metadata.deletionTimestamp !== undefined;
  });
  await eventually("the conditions tell", async () => (await status())["NamespaceContentRemaining"] !== undefined);
  assert.ok(await client.get(ConfigMap, toKey(namespace, "needed")));
  await client.patch(Pod, { key: toKey(namespace, "p"), patch: release });
  await eventually("the namespace is gone", namespaceIsGone, 25_000);
});

test("namespace controller keeps a namespace that another finalizer holds, emptied", async () => {
  const name = `${namespace}-own`;
  await client.create(Namespace, { metadata: { name }, spec: { finalizers: ["kubernetes", "test.example/mine"] } });
  await client.create(ConfigMap, { metadata: { name: "inside", namespace: name } });
  await client.delete(Namespace, toKey(undefined, name));
  await eventually("our finalizer is gone", async () => {
    const { spec } = await client.get(Namespace, toKey(undefined, name));
    return String(spec.finalizers) === "test.example/mine";
  });
  assert.deepEqual((await client.list(ConfigMap, { namespace: name })).items, []);
});
