/** Disks of PersistentVolumeClaims, from the claim to the file in the guest: controllers, scheduler, spherelet, machines. */
import assert from "node:assert/strict";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test as plainTest } from "node:test";
import {
  ConfigMap,
  Event,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StorageClass,
} from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isNotFound } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import { volumeControllers } from "@atoll/controllers/volumes/index";
import { clientOf, eventually, makeNamespace } from "@atoll/harness/client";
import { startControllers, type Workshop } from "@atoll/harness/controllers";
import { type Harness, startHarness } from "@atoll/harness/server";
import { scheduler } from "@atoll/scheduler/controller";
import type { Spherelet } from "@atoll/spherelet/spherelet";
import { testImageName, type TestNode, testNode } from "@atoll/spherelet/testing";

/** A test that cannot hang: a guest may. */
const test = (name: string, body: () => Promise<void>) => void plainTest(name, { timeout: 180_000 }, body);

const namespace = "disks";
const patienceMs = 60_000;
let harness: Harness;
let client: Client;
let workshop: Workshop;
let node: TestNode;
let spherelet: Spherelet;

before(async () => {
  harness = await startHarness();
  client = clientOf(harness);
  await makeNamespace(client, namespace);
  await client.create(ConfigMap, {
    metadata: { name: "kube-root-ca.crt", namespace },
    data: { "ca.crt": harness.tls.ca },
  });
  await client.create(StorageClass, {
    metadata: { name: "disk" },
    provisioner: "disk.atoll.dev",
    reclaimPolicy: "Delete",
    volumeBindingMode: "WaitForFirstConsumer",
    allowVolumeExpansion: true,
  });
  node = await testNode("node-1");
  spherelet = await node.start(client);
  // What the controller of nodes does once a node is ready.
  const untaint = { type: "merge", body: { spec: { taints: null } } } as const;
  await client.patch(Node, { key: toKey(undefined, node.name), patch: untaint });
  workshop = startControllers(harness, [...volumeControllers, scheduler]);
});

after(async () => {
  await workshop.stop();
  const left = await node.close();
  await harness.close();
  assert.deepEqual(left, [], "nothing is left behind");
});

async function makeClaim(name: string): Promise<void> {
  const spec = {
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: "32Mi" } },
    storageClassName: "disk",
  };
  await client.create(PersistentVolumeClaim, { metadata: { name, namespace }, spec });
}

async function makePod(name: string, claim: string, line: string): Promise<void> {
  const mount = { name: "data", mountPath: "/data" };
  // Ready once there is something on the disk.
  const readinessProbe = { exec: { command: ["test", "-s", "/data/file"] }, periodSeconds: 1 };
  const command = ["sh", "-c", line];
  const main = { name: "main", image: testImageName, command, volumeMounts: [mount], readinessProbe };
  const volumes = [{ name: "data", persistentVolumeClaim: { claimName: claim } }];
  const spec = { restartPolicy: "Never", terminationGracePeriodSeconds: 2, containers: [main], volumes };
  await client.create(Pod, { metadata: { name, namespace }, spec } as never);
}

async function makeDevicePod(name: string, claim: string, line: string): Promise<void> {
  const volumeDevices = [{ name: "data", devicePath: "/dev/raw" }];
  const main = { name: "main", image: testImageName, command: ["sh", "-c", line], volumeDevices };
  const volumes = [{ name: "data", persistentVolumeClaim: { claimName: claim } }];
  const spec = { restartPolicy: "Never", terminationGracePeriodSeconds: 2, containers: [main], volumes };
  await client.create(Pod, { metadata: { name, namespace }, spec } as never);
}
/** The beginning of a claim's disk, as the host has it. */
async function firstWords(claim: string): Promise<string> {
  const { spec } = await client.get(PersistentVolumeClaim, toKey(namespace, claim));
  const file = await open(join(node.data, "disks", spec.volumeName ?? "", "disk.raw"));
  try {
    return (await file.read(Buffer.alloc(64), 0, 64, 0)).buffer.toString("latin1");
  } finally {
    await file.close();
  }
}

const podOf = (name: string) => client.get(Pod, toKey(namespace, name));

async function isGone(asked: Promise<unknown>): Promise<boolean> {
  return await asked.then(
    () => false,
    (error: unknown) => isNotFound(error),
  );
}

/** Waits, and when it takes too long tells all that is known. */
async function until(name: string, what: string, wanted: (pod: Pod) => boolean): Promise<Pod> {
  try {
    await eventually(`${name} is ${what}`, async () => wanted(await podOf(name)), patienceMs);
  } catch (error) {
    const { items } = await client.list(Event, { namespace });
    const notes = items.map(({ regarding, reason, note }) => `${regarding?.name} ${reason} ${note}`);
    const status = JSON.stringify((await podOf(name)).status.containerStatuses);
    const all = [String(error), status, ...notes, ...node.complaints, ...workshop.complaints];
    throw new Error(all.join("\n"), { cause: error });
  }
  return await podOf(name);
}

const untilPhase = (name: string, phase: string) => until(name, phase, ({ status }) => status.phase === phase);
const untilReady = (name: string) =>
  until(name, "ready", ({ status }) => status.conditions?.find(({ type }) => type === "Ready")?.status === "True");

async function removePod(name: string): Promise<void> {
  await client.delete(Pod, toKey(namespace, name));
  await eventually(`${name} is gone`, async () => await isGone(podOf(name)), patienceMs);
}

const messageOf = (pod: Pod): string => pod.status.containerStatuses?.[0]?.state?.terminated?.message ?? "";
const disksOn = async () => await readdir(join(node.data, "disks")).catch(() => []);

test("data on a claim's disk survives its Pod and the spherelet, and goes with the claim", async () => {
  await makeClaim("data");
  await makePod("writer", "data", "echo precious > /data/file; while true; do sleep 1; done");
  await untilReady("writer");
  await eventually("it is known to be made", async () => {
    const { items } = await client.list(PersistentVolume);
    return items[0]?.metadata.annotations?.["disk.atoll.dev/made"] === "yes";
  });
  await removePod("writer");
  await spherelet.stop();
  spherelet = await node.start(client);
  await makePod("reader", "data", "cat /data/file > /dev/termination-log");
  assert.equal(messageOf(await untilPhase("reader", "Succeeded")), "precious\n");
  await removePod("reader");
  assert.equal((await disksOn()).length, 1);
  await client.delete(PersistentVolumeClaim, toKey(namespace, "data"));
  await eventually("the disk is gone", async () => (await disksOn()).length === 0, patienceMs);
  await eventually(
    "so is the volume",
    async () => (await client.list(PersistentVolume)).items.length === 0,
    patienceMs,
  );
});

test("a disk has one machine at a time: who comes second waits until the first has gone", async () => {
  await makeClaim("one");
  await makePod("first", "one", "echo first > /data/file; while true; do sleep 1; done");
  await untilReady("first");
  await makePod("second", "one", "cat /data/file > /dev/termination-log");
  await eventually(
    "it says why it waits",
    async () => {
      const { items } = await client.list(Event, { namespace });
      return items.some(({ regarding, note }) => regarding?.name === "second" && /Multi-Attach error/.test(note ?? ""));
    },
    patienceMs,
  );
  assert.equal((await podOf("second")).status.phase, "Pending");
  await removePod("first");
  assert.equal(messageOf(await untilPhase("second", "Succeeded")), "first\n");
});

const ask = async (name: string, storage: string) => {
  const body = { spec: { resources: { requests: { storage } } } };
  const patch = { type: "merge", body } as const;
  await client.patch(PersistentVolumeClaim, { key: toKey(namespace, name), patch });
};
const heldBy = async (name: string) => (await client.get(PersistentVolumeClaim, toKey(namespace, name))).status;

test("a claim that asks for more gets it while its Pod runs, or when the next one starts, and never less", async () => {
  await makeClaim("growing");
  // Ends by itself once there is room for what did not fit.
  const line =
    "touch /data/file; until dd if=/dev/zero of=/data/large bs=1M count=40; do sleep 0.5; done; echo fits > /dev/termination-log";
  await makePod("grower", "growing", `echo x > /data/file; ${line}`);
  await untilReady("grower");
  await ask("growing", "64Mi");
  assert.equal(messageOf(await untilPhase("grower", "Succeeded")), "fits\n");
  await eventually("it is told", async () => (await heldBy("growing")).capacity?.["storage"] === "64Mi", patienceMs);
  const told = await heldBy("growing");
  assert.deepEqual([told.conditions ?? [], told.allocatedResourceStatuses], [[], undefined]);
  await assert.rejects(ask("growing", "32Mi"), /field can not be less than status.capacity/);
  await removePod("grower");
  await ask("growing", "96Mi");
  await eventually("it waits for a Pod", async () => {
    const { conditions = [], allocatedResourceStatuses, capacity } = await heldBy("growing");
    const is = [conditions[0]?.type, allocatedResourceStatuses?.["storage"], capacity?.["storage"]];
    return is.join() === "FileSystemResizePending,NodeResizePending,64Mi";
  });
  await makePod("later", "growing", "dd if=/dev/zero of=/data/more bs=1M count=30 && echo fits > /dev/termination-log");
  assert.equal(messageOf(await untilPhase("later", "Succeeded")), "fits\n");
  assert.equal((await heldBy("growing")).capacity?.["storage"], "96Mi");
});

test("a claim of mode Block is a device of its Pod's, and keeps what is written there; it grows as others do", async () => {
  const spec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "16Mi" } }, volumeMode: "Block" };
  await client.create(PersistentVolumeClaim, {
    metadata: { name: "raw", namespace },
    spec: { ...spec, storageClassName: "disk" },
  });
  await makeDevicePod(
    "scribe",
    "raw",
    "echo raw words | dd of=/dev/raw bs=4096 conv=sync; sync; while true; do sleep 1; done",
  );
  await untilPhase("scribe", "Running");
  await eventually("it is written", async () => (await firstWords("raw")).startsWith("raw words"), patienceMs);
  await removePod("scribe");
  await ask("raw", "32Mi");
  // Beyond its first size.
  const line = "dd if=/dev/zero of=/dev/raw bs=1M seek=24 count=1 && head -c 9 /dev/raw > /dev/termination-log";
  await makeDevicePod("reader-of-raw", "raw", line);
  assert.equal(messageOf(await untilPhase("reader-of-raw", "Succeeded")), "raw words");
  await removePod("reader-of-raw");
});

test("a class may ask for XFS", async () => {
  await client.create(StorageClass, {
    metadata: { name: "xfs" },
    provisioner: "disk.atoll.dev",
    parameters: { "csi.storage.k8s.io/fstype": "xfs" },
    reclaimPolicy: "Delete",
    volumeBindingMode: "WaitForFirstConsumer",
    allowVolumeExpansion: true,
  });
  const spec = {
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: "320Mi" } },
    storageClassName: "xfs",
  };
  await client.create(PersistentVolumeClaim, { metadata: { name: "xfs", namespace }, spec });
  const line =
    "grep ' /data xfs ' /proc/mounts && echo x > /data/file && until test $(stat -f -c %b /data) -gt 100000; do sleep 0.5; done; echo grown > /dev/termination-log";
  await makePod("on-xfs", "xfs", line);
  await untilReady("on-xfs");
  await ask("xfs", "640Mi");
  assert.equal(messageOf(await untilPhase("on-xfs", "Succeeded")), "grown\n");
  await removePod("on-xfs");
});
