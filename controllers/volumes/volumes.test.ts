import assert from "node:assert/strict";
import test, { after } from "node:test";
import { Datastore } from "@atoll/api/supervisor/v1alpha1/datastore";
import { Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually, isGone, makeNamespace } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { testConvergence } from "@atoll/harness/convergence";
import type { Story } from "@atoll/harness/crashes";
import { serveKinds } from "@atoll/harness/kinds";
import { startHarness } from "@atoll/harness/server";
import { volumeControllers } from "./index.ts";

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());
await makeNamespace(client, "work");
const late = { volumeBindingMode: "WaitForFirstConsumer", reclaimPolicy: "Delete" } as const;
await client.create(StorageClass, { metadata: { name: "disk" }, provisioner: "disk.atoll.dev", ...late });
const labels = { "kubernetes.io/hostname": "host" };
await client.create(Node, { metadata: { name: "host", labels } });

const claimNamed = (name: string, namespace = "work") => client.get(PersistentVolumeClaim, toKey(namespace, name));
const volumeNamed = (name: string) => client.get(PersistentVolume, toKey(undefined, name));

async function makeClaim(name: string, spec: object = {}, namespace = "work"): Promise<void> {
  const usual = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, storageClassName: "" };
  await client.create(PersistentVolumeClaim, { metadata: { name, namespace }, spec: { ...usual, ...spec } });
}

async function makeVolume(name: string, storage: string, spec: object = {}): Promise<void> {
  const usual = { accessModes: ["ReadWriteOnce"], capacity: { storage }, hostPath: { path: `/${name}` } };
  const draft = { metadata: { name }, spec: { ...usual, ...spec } };
  await client.create(PersistentVolume, draft as never);
}

const phases = async (claim: string, volume: string) =>
  `${(await claimNamed(claim)).status.phase} ${(await volumeNamed(volume)).status.phase}`;

test("a claim gets the smallest volume that suits, and the volume stays its own until both go", async () => {
  await using workshop = startControllers(harness, volumeControllers);
  await makeVolume("large", "9Gi");
  await makeVolume("right", "2Gi");
  await makeVolume("small", "1Mi");
  await eventually("they are free", async () => (await volumeNamed("right")).status.phase === "Available");
  await makeClaim("data");
  await eventually("it is bound", async () => (await phases("data", "right")) === "Bound Bound");
  const claim = await claimNamed("data");
  assert.deepEqual(claim.status.capacity, { storage: "2Gi" });
  assert.deepEqual(claim.status.accessModes, ["ReadWriteOnce"]);
  await client.delete(PersistentVolume, toKey(undefined, "right"));
  await workshop.quiet();
  assert.equal(await phases("data", "right"), "Bound Bound");
  await client.delete(PersistentVolumeClaim, toKey("work", "data"));
  await eventually("both are gone", async () => await isGone(volumeNamed("right")));
  assert.equal((await volumeNamed("large")).status.phase, "Available");
  assert.deepEqual(workshop.complaints, []);
});

test("a claim that a Pod uses stays until the Pod is over; its volume is then released and retained", async () => {
  await using workshop = startControllers(harness, volumeControllers);
  await makeVolume("kept", "1Gi", { storageClassName: "none" });
  await makeClaim("used", { storageClassName: "none" });
  await eventually("it is bound", async () => (await phases("used", "kept")) === "Bound Bound");
  const volumes = [{ name: "v", persistentVolumeClaim: { claimName: "used" } }];
  const spec = { nodeName: "host", containers: [{ name: "c", image: "i" }], volumes };
  await client.create(Pod, { metadata: { name: "user", namespace: "work" }, spec });
  await client.delete(PersistentVolumeClaim, toKey("work", "used"));
  await workshop.quiet(200);
  assert.ok((await claimNamed("used")).metadata.deletionTimestamp);
  await client.delete(Pod, toKey("work", "user"), { graceSeconds: 0 });
  await eventually("it goes", async () => await isGone(claimNamed("used")));
  await eventually("it is released", async () => (await volumeNamed("kept")).status.phase === "Released");
  // Whoever comes next under that name is somebody else.
  await makeClaim("used", { storageClassName: "none" });
  await workshop.quiet(200);
  assert.equal((await claimNamed("used")).status.phase, "Pending");
});

test("a claim whose volume is taken away is lost", async () => {
  await using _ = startControllers(harness, volumeControllers);
  await makeVolume("doomed", "1Gi", { storageClassName: "doom" });
  await makeClaim("loser", { storageClassName: "doom" });
  await eventually("it is bound", async () => (await phases("loser", "doomed")) === "Bound Bound");
  await client.delete(PersistentVolume, toKey(undefined, "doomed"));
  const patch = { type: "merge", body: { metadata: { finalizers: null } } } as const;
  await client.patch(PersistentVolume, { key: toKey(undefined, "doomed"), patch });
  await eventually("it is lost", async () => (await claimNamed("loser")).status.phase === "Lost");
});

/** Plays the scheduler, which selects the node. */
async function select(name: string, namespace = "work"): Promise<void> {
  const annotations = { "volume.kubernetes.io/selected-node": "host" };
  const patch = { type: "merge", body: { metadata: { annotations } } } as const;
  await client.patch(PersistentVolumeClaim, { key: toKey(namespace, name), patch });
}

/** Plays the host, which tells what it has. */
async function tellPresent(names: readonly string[]): Promise<void> {
  const annotations = { "disk.atoll.dev/present": names.join(",") };
  await client.patch(Node, {
    key: toKey(undefined, "host"),
    patch: { type: "merge", body: { metadata: { annotations } } },
  });
}

const toRemove = async () =>
  (await client.get(Node, toKey(undefined, "host"))).metadata.annotations?.["disk.atoll.dev/remove"] ?? "";

test("a disk is provisioned for the node that was selected, and its volume goes when the node has removed it", async () => {
  await using workshop = startControllers(harness, volumeControllers);
  await makeClaim("disk", { storageClassName: "disk" });
  await workshop.quiet();
  assert.equal((await claimNamed("disk")).status.phase, "Pending");
  await select("disk");
  await eventually("it is bound", async () => (await claimNamed("disk")).status.phase === "Bound");
  const name = (await claimNamed("disk")).spec.volumeName ?? "";
  const { spec } = await volumeNamed(name);
  assert.equal(spec.csi?.driver, "disk.atoll.dev");
  assert.deepEqual(spec.nodeAffinity?.required?.nodeSelectorTerms?.[0]?.matchExpressions?.[0]?.values, ["host"]);
  await tellPresent([name]);
  await eventually("it is known to be made", async () => {
    return (await volumeNamed(name)).metadata.annotations?.["disk.atoll.dev/made"] === "yes";
  });
  await client.delete(PersistentVolumeClaim, toKey("work", "disk"));
  await eventually("the node is told", async () => (await toRemove()) === name);
  await workshop.quiet();
  assert.ok((await volumeNamed(name)).metadata.deletionTimestamp);
  await tellPresent([]);
  await eventually("the volume goes", async () => await isGone(volumeNamed(name)));
});

test("a disk is not provisioned for several writers, and says so nowhere but in an event", async () => {
  await using workshop = startControllers(harness, volumeControllers);
  await makeClaim("many", { storageClassName: "disk", accessModes: ["ReadWriteMany"] });
  await select("many");
  await workshop.quiet(200);
  assert.equal((await claimNamed("many")).status.phase, "Pending");
});

test("a Pod's ephemeral volume gets a claim of its own, and none that is another's", async () => {
  await using _ = startControllers(harness, volumeControllers);
  await makeClaim("p-taken", { storageClassName: "disk" });
  const spec = {
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: "1Gi" } },
    storageClassName: "disk",
  };
  const volumes = ["scratch", "taken"].map((name) => {
    return { name, ephemeral: { volumeClaimTemplate: { metadata: { labels: { a: "b" } }, spec } } };
  });
  const made = await client.create(Pod, {
    metadata: { name: "p", namespace: "work" },
    spec: { containers: [{ name: "c", image: "i" }], volumes },
  } as never);
  await eventually("it has its claim", async () => !(await isGone(claimNamed("p-scratch"))));
  const { metadata } = await claimNamed("p-scratch");
  assert.equal(metadata.ownerReferences?.[0]?.uid, made.metadata.uid);
  assert.deepEqual(metadata.labels, { a: "b" });
  assert.equal((await claimNamed("p-taken")).metadata.ownerReferences, undefined);
});

test("a claim of a shared datastore has a volume for all hosts that have it; whose Pod is over is told to who waits, and never sooner", async () => {
  await serveKinds(client, [Datastore]);
  await assert.rejects(
    client.create(Datastore, { metadata: { name: "ceph" }, spec: { rbd: { pool: "p" } } }),
    /spec\.rbd: .*not possible yet/,
  );
  const spec = { sharedDirectory: { path: "/srv/disks", leaseSeconds: 10 } };
  await client.create(Datastore, { metadata: { name: "nfs" }, spec });
  const parameters = { datastore: "nfs" };
  const late = { provisioner: "disk.atoll.dev", volumeBindingMode: "Immediate", reclaimPolicy: "Delete" } as const;
  await client.create(StorageClass, { metadata: { name: "nfs" }, parameters, allowVolumeExpansion: true, ...late });
  await using workshop = startControllers(harness, volumeControllers);
  await makeClaim("roaming", { storageClassName: "nfs" });
  await eventually("it is bound", async () => (await claimNamed("roaming")).status.phase === "Bound");
  const name = (await claimNamed("roaming")).spec.volumeName ?? "";
  const volume = await volumeNamed(name);
  const expressions = [{ key: "datastore.disk.atoll.dev/nfs", operator: "Exists" }];
  assert.deepEqual(volume.spec.nodeAffinity, { required: { nodeSelectorTerms: [{ matchExpressions: expressions }] } });
  const attributes = { datastore: "nfs", folder: `/srv/disks/${name}`, leaseMilliseconds: "10000" };
  assert.deepEqual(volume.spec.csi?.volumeAttributes, attributes);

  const container = { name: "c", image: "i" };
  const holder = await client.create(Pod, {
    metadata: { name: "holder", namespace: "work" },
    spec: { nodeName: "host", containers: [container] },
  });
  const annotations = { "disk.atoll.dev/waiting": `${name}=${holder.metadata.uid}` };
  const patch = { type: "merge", body: { metadata: { annotations } } } as const;
  await client.patch(Node, { key: toKey(undefined, "host"), patch });
  await workshop.quiet(300);
  const over = async () => (await volumeNamed(name)).metadata.annotations?.["disk.atoll.dev/over"];
  assert.equal(await over(), undefined);
  await client.delete(Pod, toKey("work", "holder"), { graceSeconds: 0 });
  await eventually("it is told", async () => (await over()) === holder.metadata.uid);

  const more = { type: "merge", body: { spec: { resources: { requests: { storage: "2Gi" } } } } } as const;
  await client.patch(PersistentVolumeClaim, { key: toKey("work", "roaming"), patch: more });
  await eventually("its volume is larger", async () => (await volumeNamed(name)).spec.capacity?.["storage"] === "2Gi");
  await eventually("it waits for its file system", async () => {
    const { conditions, capacity, allocatedResourceStatuses } = (await claimNamed("roaming")).status;
    const is = [conditions?.[0]?.type, capacity?.["storage"], allocatedResourceStatuses?.["storage"]];
    return is.join() === "FileSystemResizePending,1Gi,NodeResizePending";
  });
});

/** A claim gets its disk, and leaves it. */
const story: Story = {
  controllers: volumeControllers,
  async begin(round) {
    await makeNamespace(client, round);
    await makeClaim("disk", { storageClassName: "disk" }, round);
    await select("disk", round);
  },
  async ended(round) {
    await eventually("it is bound", async () => (await claimNamed("disk", round)).status.phase === "Bound", 20_000);
    const { volumeName = "" } = (await claimNamed("disk", round)).spec;
    await eventually("so is its volume", async () => (await volumeNamed(volumeName)).status.phase === "Bound");
  },
  async check(round) {
    const { items } = await client.list(PersistentVolume);
    const mine = items.filter(({ spec }) => spec.claimRef?.namespace === round);
    assert.equal(mine.length, 1);
    assert.equal((await claimNamed("disk", round)).spec.volumeName, mine[0]?.metadata.name);
  },
};

testConvergence("volumes", harness, { name: "vol", story: story, least: 4 });
