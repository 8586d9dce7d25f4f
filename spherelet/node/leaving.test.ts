import assert from "node:assert/strict";
import test from "node:test";
import { leftAnnotation } from "@atoll/api/supervisor/annotations";
import { Node, Pod, PodDisruptionBudget } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { isRefusal } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually, makeNamespace } from "@atoll/harness/client";
import { startHarness } from "@atoll/harness/server";
import { systemClock } from "@atoll/machinery/clock";
import { nodeTransport } from "@atoll/runtime/transport";
import { emptyHost, LeavingRefused, podsToEvict, sayLeft } from "./leaving.ts";

function pod(name: string, owner: string | undefined, more: object = {}): Pod {
  const ownerReferences =
    owner === undefined ? [] : [{ apiVersion: "v1", kind: owner, name: "o", uid: "o", controller: true }];
  const metadata = { name, namespace: "n", ownerReferences };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata,
    spec: { containers: [], ...more },
    status: { phase: "Running" },
  } as Pod;
}
const nothingLost = { force: false, deleteEmptyDirData: false };

test("podsToEvict() is for all but the host's own, and loses nothing that nobody gave up", () => {
  const local = { volumes: [{ name: "v", emptyDir: {} }] };
  const over = { ...pod("over", undefined, local), status: { phase: "Succeeded" } } as Pod;
  const names = (pods: readonly Pod[]) => pods.map(({ metadata }) => metadata.name);
  assert.deepEqual(names(podsToEvict([pod("web", "ReplicaSet"), pod("each", "DaemonSet", local), over], nothingLost)), [
    "web",
    "over",
  ]);
  const precious = [pod("alone", undefined), pod("data", "ReplicaSet", local)];
  assert.throws(
    () => podsToEvict(precious, nothingLost),
    /nobody makes anew \(--force loses them\): n\/alone; and .*--delete-emptydir-data loses it\): n\/data/,
  );
  assert.throws(() => podsToEvict(precious, { ...nothingLost, force: true }), /n\/data/);
  assert.deepEqual(names(podsToEvict(precious, { force: true, deleteEmptyDirData: true })), ["alone", "data"]);
});

test("a host empties itself by its own rights: what a budget keeps it waits for, and says so", async (t) => {
  const harness = await startHarness();
  const client = clientOf(harness);
  const { tls } = await harness.user("system:node:n1", ["system:nodes"]);
  const identity = { tls: async () => tls, authorization: async () => undefined };
  const transport = nodeTransport({ server: harness.url, identity, clock: systemClock });
  t.after(async () => {
    transport.close();
    await harness.close();
  });
  await makeNamespace(client, "n");
  const { metadata: about } = await client.create(Node, { metadata: { name: "n1" } });
  const controller = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "o", uid: "o", controller: true };
  for (const [name, nodeName] of [
    ["kept", "n1"],
    ["free", "n1"],
    ["elsewhere", "n2"],
  ] as const) {
    const metadata = { name, namespace: "n", labels: { name }, ownerReferences: [controller] };
    const made = await client.create(Pod, { metadata, spec: { nodeName, containers: [{ name: "c", image: "i" }] } });
    const conditions = [{ type: "Ready", status: "True", lastProbeTime: null, lastTransitionTime: null }];
    await client.setStatus(Pod, { object: made, status: { ...made.status, phase: "Running", conditions } });
  }
  const selector = { matchLabels: { name: "kept" } };
  const budget = await client.create(PodDisruptionBudget, {
    metadata: { name: "kept", namespace: "n" },
    spec: { minAvailable: 1, selector },
  });
  const counted = {
    disruptionsAllowed: 0,
    currentHealthy: 1,
    desiredHealthy: 1,
    expectedPods: 1,
    observedGeneration: 1,
  };
  await client.setStatus(PodDisruptionBudget, { object: budget, status: counted });
  const said: string[] = [];
  const own = new Client({ transport, clock: systemClock, userAgent: "test" });
  const leaving = { client: own, clock: systemClock, node: "n1", isUp: false, say: (line: string) => said.push(line) };
  const tooLate = emptyHost({ ...leaving, ...nothingLost, timeoutMs: 100 });
  await assert.rejects(
    tooLate,
    (error) => error instanceof LeavingRefused && /n\/kept; the node stays cordoned/.test(error.message),
  );
  assert.match(said.join(), /n\/kept waits: Cannot evict pod as it would violate the pod's disruption budget/);
  const names = async () => (await client.list(Pod, { namespace: "n" })).items.map(({ metadata }) => metadata.name);
  assert.deepEqual(await names(), ["elsewhere", "kept"]);
  assert.equal((await client.get(Node, toKey(undefined, "n1"))).spec?.unschedulable, true);
  await assert.rejects(own.delete(Node, toKey(undefined, "n1")), (error) => isRefusal(error, "Forbidden"));
  assert.equal(await sayLeft(leaving, 0), false);
  const { metadata } = await client.get(Node, toKey(undefined, "n1"));
  assert.equal(metadata.annotations?.[leftAnnotation], about.uid);
  await client.delete(Node, toKey(undefined, "n1"));
  await eventually("it is gone", async () => await sayLeft(leaving, 0));
});
