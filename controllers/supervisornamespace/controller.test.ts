import assert from "node:assert/strict";
import test, { after } from "node:test";
import { supervisorKinds } from "@atoll/api/supervisor/kinds";
import { SupervisorNamespace } from "@atoll/api/supervisor/v1alpha1/supervisornamespace";
import { LimitRange, Namespace, Pod, ResourceQuota, RoleBinding, StorageClass } from "@atoll/client/builtin";
import { isNotFound, isRefusal } from "@atoll/client/errors";
import { type Key, keyOf, toKey } from "@atoll/client/resource";
import { clientOf, eventually, isGone } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { testConvergence } from "@atoll/harness/convergence";
import type { Story } from "@atoll/harness/crashes";
import { serveKinds } from "@atoll/harness/kinds";
import { startHarness } from "@atoll/harness/server";
import { garbageCollector } from "../gc/controller.ts";
import { namespaceController } from "../namespace/controller.ts";
import { resourceQuotaController } from "../resourcequota/controller.ts";
import { serviceAccountController } from "../serviceaccount/controller.ts";
import { supervisorNamespaceController } from "./controller.ts";

const workers = [
  serviceAccountController,
  supervisorNamespaceController,
  namespaceController,
  garbageCollector,
  resourceQuotaController(),
];

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());
await serveKinds(client, supervisorKinds);

const base = { network: "Isolated", podSecurity: "Restricted" } as const;
type Spec = SupervisorNamespace["spec"];

const make = (name: string, spec: Partial<Spec> = {}) =>
  client.create(SupervisorNamespace, { metadata: { name }, spec: { ...base, ...spec } });
const statusOf = async (name: string) => (await client.get(SupervisorNamespace, toKey(undefined, name))).status;
const reaches = (name: string, phase: string) =>
  eventually(`${name} is ${phase}`, async () => (await statusOf(name))?.phase === phase);
const supervisor = (name: string): Key => toKey(name, "supervisor");

test("a SupervisorNamespace makes a Namespace with limits, defaults and roles", async () => {
  await using workshop = startControllers(harness, workers);
  await client.create(StorageClass, { metadata: { name: "gold" }, provisioner: "example.com/disks" });
  await client.create(StorageClass, { metadata: { name: "scrap" }, provisioner: "example.com/disks" });
  await make("shop", {
    limits: { cpu: 4, memory: "8192Mi", storage: "100Gi", storagePolicies: { gold: "10Gi" }, counts: { pods: 20 } },
    storagePolicies: ["gold"],
    access: [
      { role: "Edit", users: ["alice"], groups: ["developers"] },
      { role: "Edit", users: ["bob", "alice"] },
      { role: "View", groups: ["auditors"] },
    ],
  });
  await reaches("shop", "Active");
  const { metadata } = await client.get(Namespace, toKey(undefined, "shop"));
  assert.equal(metadata.labels?.["pod-security.kubernetes.io/enforce"], "restricted");
  assert.equal(metadata.labels["supervisor.atoll.dev/network"], "Isolated");
  assert.deepEqual((await client.get(ResourceQuota, supervisor("shop"))).spec.hard, {
    "requests.cpu": "4",
    "limits.cpu": "4",
    "requests.memory": "8Gi",
    "limits.memory": "8Gi",
    "requests.storage": "100Gi",
    "gold.storageclass.storage.k8s.io/requests.storage": "10Gi",
    "scrap.storageclass.storage.k8s.io/persistentvolumeclaims": "0",
    pods: "20",
  });
  const ranges = await client.get(LimitRange, supervisor("shop"));
  assert.deepEqual(ranges.spec.limits?.[0]?.default, { cpu: "500m", memory: "512Mi" });
  const bindings = await client.list(RoleBinding, { namespace: "shop" });
  const told = bindings.items.map(
    ({ roleRef, subjects }) => `${roleRef.name}: ${subjects?.map(({ name }) => name).join(" ")}`,
  );
  assert.deepEqual(told.sort(), ["edit: alice bob developers", "view: auditors"]);
  await workshop.quiet();
  assert.deepEqual(workshop.complaints, []);
});

test("use is told by kind of guest, and what is over the limit is refused", async () => {
  await using _ = startControllers(harness, workers);
  await make("small", { limits: { cpu: 1 }, podSecurity: "Privileged" });
  await reaches("small", "Active");
  const pod = (name: string, cpu: string) =>
    client.create(Pod, {
      metadata: { name, namespace: "small" },
      spec: { containers: [{ name: "c", image: "i", resources: { limits: { cpu } } }] },
    });
  await eventually("the quota is counted", async () =>
    Object.hasOwn((await client.get(ResourceQuota, supervisor("small"))).status.used ?? {}, "limits.cpu"),
  );
  await pod("first", "800m");
  await assert.rejects(
    pod("second", "300m"),
    (error) => isRefusal(error, "Forbidden") && /limits.cpu/.test(`${error}`),
  );
  await eventually("the use is told", async () => (await statusOf("small"))?.summary?.cpu === "800m/1");
  assert.deepEqual((await statusOf("small"))?.usage, [{ guest: "Pod", count: 1, cpu: "800m", memory: "0" }]);
});

test("what others change is put right, and what is no longer wanted goes", async () => {
  await using _ = startControllers(harness, workers);
  const made = await make("kept", { limits: { counts: { pods: 2 } }, access: [{ role: "Owner", users: ["carol"] }] });
  await reaches("kept", "Active");
  const quota = await client.get(ResourceQuota, supervisor("kept"));
  await client.patch(ResourceQuota, {
    key: keyOf(quota),
    patch: { type: "merge", body: { spec: { hard: { pods: "1000" } } } },
  });
  await eventually("the limit is as the admin set it", async () => {
    return (await client.get(ResourceQuota, supervisor("kept"))).spec.hard?.["pods"] === "2";
  });
  await client.patch(SupervisorNamespace, {
    key: keyOf(made),
    patch: { type: "merge", body: { spec: { limits: null, access: null, network: "Flat" } } },
  });
  await eventually("limits and roles are gone", async () => {
    const left = [
      ...(await client.list(ResourceQuota, { namespace: "kept" })).items,
      ...(await client.list(RoleBinding, { namespace: "kept" })).items,
    ];
    return left.length === 0;
  });
  const { metadata } = await client.get(Namespace, toKey(undefined, "kept"));
  assert.equal(metadata.labels?.["supervisor.atoll.dev/network"], "Flat");
});

test("a Namespace that was there before is left alone, and names of the cluster's own are refused", async () => {
  await using _ = startControllers(harness, workers);
  const before = await client.create(Namespace, { metadata: { name: "older" } });
  for (const name of ["older", "default", "atoll-system"]) {
    await make(name, { limits: { counts: { pods: 0 } } });
    await reaches(name, "Pending");
    await assert.rejects(client.get(ResourceQuota, supervisor(name)), isNotFound);
  }
  assert.deepEqual(
    (await statusOf("older"))?.conditions?.map(({ reason, message }) => `${reason}: ${message}`),
    ["NamespaceExists: there is a Namespace older that does not belong to this; delete it, or choose another name"],
  );
  for (const name of ["default", "atoll-system"])
    assert.equal((await statusOf(name))?.conditions?.[0]?.reason, "NameReserved");
  await client.delete(Namespace, keyOf(before));
  await reaches("older", "Active");
});

test("with a SupervisorNamespace its Namespace goes", async () => {
  await using _ = startControllers(harness, workers);
  const made = await make("brief");
  await reaches("brief", "Active");
  await client.delete(SupervisorNamespace, keyOf(made));
  await eventually("the Namespace is gone", () => isGone(client.get(Namespace, toKey(undefined, "brief"))));
});

test("amounts that are none are refused by the name of the field", async () => {
  for (const cpu of ["many", "-1", -1] as const) {
    await assert.rejects(
      make("wrong", { limits: { cpu } }),
      (error) =>
        isRefusal(error, "Invalid") && /spec\.limits\.cpu: Invalid value: .*must be an amount/.test(`${error}`),
    );
  }
});

const story: Story = {
  controllers: [supervisorNamespaceController],
  async begin(round) {
    await make(round, { limits: { cpu: 2, memory: "1Gi" }, access: [{ role: "View", users: ["alice"] }] });
  },
  ended: (round) => reaches(round, "Active"),
  async check(round) {
    const owner = keyOf(await client.get(SupervisorNamespace, toKey(undefined, round)));
    const children = [
      await client.get(Namespace, toKey(undefined, round)),
      await client.get(ResourceQuota, supervisor(round)),
      await client.get(LimitRange, supervisor(round)),
      await client.get(RoleBinding, toKey(round, "supervisor-view")),
    ];
    for (const { metadata } of children) assert.equal(metadata.ownerReferences?.[0]?.name, owner);
  },
};

testConvergence("SupervisorNamespaces", harness, { name: "svns", story: story, least: 3 });
