import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { Lease, Node, Pod } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { clientOf, eventually, makeNamespace } from "@atoll/harness/client";
import { ManualClock } from "@atoll/harness/clock";
import { startControllers } from "@atoll/harness/controllers";
import { tellRunning } from "@atoll/harness/pods";
import { startHarness } from "@atoll/harness/server";
import { formatMicroTime, formatTime, systemClock } from "@atoll/machinery/clock";
import { nodeLifecycleController } from "./controller.ts";
import { taintEvictionController } from "./evicting.ts";

/** Two nodes that live as long as they are told to, a Pod on each, and the controllers on a clock of their own. */
async function stage(t: TestContext) {
  const harness = await startHarness();
  const client = clientOf(harness);
  const clock = new ManualClock(systemClock.nowMs());
  const workshop = startControllers(harness, [nodeLifecycleController(), taintEvictionController()], { clock });
  const { faults, running } = workshop;
  t.after(async () => {
    await workshop.stop();
    await harness.close();
  });
  await makeNamespace(client, "n");
  let beats = 0;
  const beat = async (name: string) => {
    const renewTime = formatMicroTime(systemClock.nowMs() + ++beats);
    const key = toKey("kube-node-lease", name);
    await client.patch(Lease, { key, patch: { type: "merge", body: { spec: { renewTime } } } });
  };
  const say = async (name: string, status: string) => {
    const now = formatTime(systemClock.nowMs());
    const ready = { type: "Ready", status, lastHeartbeatTime: now, lastTransitionTime: now };
    const patch = { type: "strategic", body: { status: { conditions: [ready] } } } as const;
    await client.patch(Node, { key: toKey(undefined, name), patch, subresource: "status" });
  };
  const taints = async (name: string) =>
    ((await client.get(Node, toKey(undefined, name))).spec?.taints ?? []).map(
      ({ key, effect }) => `${key.split("/").at(-1)}:${effect}`,
    );
  const has = (name: string, ...wanted: string[]) =>
    eventually(`${name} has ${wanted.join(" ") || "no taints"}`, async () => {
      return (await taints(name)).join(" ") === wanted.join(" ");
    });
  /** Lets time go by in which some nodes live. */
  const pass = async (ms: number, ...living: string[]) => {
    for (let i = 0; i < ms; i += 10_000) {
      for (const name of living) await beat(name);
      await eventually("the controllers are idle", () => running.idle);
      await systemClock.sleep(60);
      await clock.advance(10_000);
    }
  };
  const pods = async () => (await client.list(Pod, { namespace: "n" })).items;
  const alive = async () => (await pods()).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const names = async () => (await alive()).map(({ metadata }) => metadata.name).join(" ");
  for (const name of ["a", "b"]) {
    await client.create(Lease, {
      metadata: { name, namespace: "kube-node-lease" },
      spec: { holderIdentity: name, leaseDurationSeconds: 40 },
    });
    await client.create(Node, { metadata: { name } });
    const spec = { nodeName: name, containers: [{ name: "c", image: "i" }] };
    const pod = await client.create(Pod, { metadata: { name: `on-${name}`, namespace: "n" }, spec });
    await tellRunning(client, pod);
  }
  await eventually("the caches are there", () => running.synced);
  return { client, clock, faults, beat, say, taints, has, pass, pods, names };
}

test("a new node takes no Pods until it is ready, and then at once", async (t) => {
  const { has, say, taints } = await stage(t);
  assert.deepEqual(await taints("a"), ["not-ready:NoSchedule"]);
  await say("a", "True");
  const startMs = systemClock.monotonicMs();
  await has("a");
  t.diagnostic(`the taint was gone ${Math.round(systemClock.monotonicMs() - startMs)} ms after Ready`);
  assert.deepEqual(await taints("b"), ["not-ready:NoSchedule"]);
});

test("a node that falls silent is given up, its Pods go when their time is over, and its return heals it", async (t) => {
  const { client, has, say, pass, names, pods, beat } = await stage(t);
  await say("a", "True");
  await say("b", "True");
  await has("a");
  await has("b");
  await pass(30_000, "a");
  assert.deepEqual((await client.get(Node, toKey(undefined, "b"))).spec?.taints, undefined);
  await pass(30_000, "a");
  await has("b", "unreachable:NoSchedule", "unreachable:NoExecute");
  const b = await client.get(Node, toKey(undefined, "b"));
  const conditions = (b.status?.conditions ?? []).map(({ type, status, reason }) => `${type} ${status} ${reason}`);
  assert.ok(conditions.includes("Ready Unknown NodeStatusUnknown"), conditions.join());
  await eventually("the Pod is not ready", async () => {
    const pod = (await pods()).find(({ metadata }) => metadata.name === "on-b");
    return pod?.status.conditions?.find(({ type }) => type === "Ready")?.status === "False";
  });
  await has("a");
  await pass(200_000, "a");
  assert.equal(await names(), "on-a on-b");
  await beat("b");
  await say("b", "True");
  await has("b");
  await pass(200_000, "a", "b");
  assert.equal(await names(), "on-a on-b");
  await pass(380_000, "a");
  await eventually("the Pod is sent away", async () => (await names()) === "on-a");
});

test("jumps of the wall clock and watches that lag give up no node", async (t) => {
  const { clock, faults, has, say, pass, taints } = await stage(t);
  await say("a", "True");
  await say("b", "True");
  await has("a");
  await has("b");
  await pass(20_000, "a", "b");
  clock.jump(86_400_000);
  await pass(30_000, "a", "b");
  clock.jump(-2 * 86_400_000);
  await pass(30_000, "a", "b");
  faults.stallWatches();
  await pass(100_000, "a", "b");
  faults.resumeWatches();
  await pass(20_000, "a", "b");
  assert.deepEqual([...(await taints("a")), ...(await taints("b"))], []);
});

test("Pods stay while all nodes are silent", async (t) => {
  const { has, say, pass, names } = await stage(t);
  await say("a", "True");
  await say("b", "True");
  await has("a");
  await has("b");
  await pass(100_000);
  await has("a", "unreachable:NoSchedule");
  await has("b", "unreachable:NoSchedule");
  await pass(320_000);
  assert.equal(await names(), "on-a on-b");
});
