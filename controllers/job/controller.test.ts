import assert from "node:assert/strict";
import test, { after, beforeEach } from "node:test";
import { Job, Pod } from "@atoll/client/builtin";
import { keyOf, toKey } from "@atoll/client/resource";
import { clientOf, eventually, isGone, makeNamespace } from "@atoll/harness/client";
import { startControllers } from "@atoll/harness/controllers";
import { testConvergence } from "@atoll/harness/convergence";
import type { Story } from "@atoll/harness/crashes";
import { startHarness } from "@atoll/harness/server";
import { formatTime, systemClock } from "@atoll/machinery/clock";
import { garbageCollector } from "../gc/controller.ts";
import { jobController } from "./controller.ts";

const harness = await startHarness();
const client = clientOf(harness);
after(() => harness.close());

let namespace: string;
let count = 0;

beforeEach(async () => {
  namespace = `job-${++count}`;
  await makeNamespace(client, namespace);
});

const labels = { app: "job" };
const draft = (where: string, spec: object = {}) => ({
  metadata: { name: "work", namespace: where },
  spec: {
    manualSelector: true,
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] } },
    ...spec,
  },
});

const get = (where = namespace) => client.get(Job, toKey(where, "work"));
const pods = async (where = namespace) => (await client.list(Pod, { namespace: where })).items;

/** Plays the node: Pods that wait run to the end that `phase` says. */
async function play(where: string, phase: "Succeeded" | "Failed"): Promise<void> {
  for (const pod of await pods(where)) {
    if (
      pod.metadata.deletionTimestamp !== undefined ||
      pod.status?.phase === "Succeeded" ||
      pod.status?.phase === "Failed"
    )
      continue;
    const terminated = {
      exitCode: phase === "Failed" ? 1 : 0,
      finishedAt: formatTime(systemClock.nowMs()),
      startedAt: null,
    };
    const containerStatuses = [
      { name: "c", image: "i", imageID: "", ready: false, restartCount: 0, state: { terminated } },
    ];
    await client
      .setStatus(Pod, { object: pod, status: { ...pod.status, phase, containerStatuses } as never })
      .catch(() => undefined);
  }
}

const condition = async (type: string, where = namespace) =>
  (await get(where)).status.conditions?.find((each) => each.type === type)?.reason;

test("a Job runs its Pods, counts them and is complete", async () => {
  await using workshop = startControllers(harness, [jobController]);
  await client.create(Job, draft(namespace, { completions: 3, parallelism: 2 }));
  await eventually("it is complete", async () => {
    await play(namespace, "Succeeded");
    return (await condition("Complete")) !== undefined;
  });
  const { status } = await get();
  assert.equal(status.succeeded, 3);
  assert.equal(status.active, undefined);
  assert.deepEqual(status.uncountedTerminatedPods, {});
  assert.ok((await pods()).every(({ metadata }) => metadata.finalizers === undefined));
  await workshop.quiet();
  assert.equal((await pods()).length, 3);
});

test("a Job fails when its Pods do", async () => {
  await using _ = startControllers(harness, [jobController]);
  await client.create(Job, draft(namespace, { backoffLimit: 0 }));
  await eventually("it has failed", async () => {
    await play(namespace, "Failed");
    return (await condition("Failed")) !== undefined;
  });
  assert.equal(await condition("Failed"), "BackoffLimitExceeded");
  assert.equal((await get()).status.failed, 1);
});

test("a Job that is deleted takes its Pods along, and one that orphans them lets them go", async () => {
  await using _ = startControllers(harness, [jobController, garbageCollector]);
  for (const propagation of ["Background", "Foreground"] as const) {
    await client.create(Job, draft(namespace));
    await eventually("it has a Pod", async () => (await pods()).length === 1);
    await client.delete(Job, toKey(namespace, "work"), { propagation });
    await eventually("both are gone", async () => {
      // A Pod that no node has is gone once its finalizer is.
      return (await isGone(get())) && (await pods()).length === 0;
    });
  }
  await client.create(Job, draft(namespace));
  await eventually("it has a Pod", async () => (await pods()).length === 1);
  await client.delete(Job, toKey(namespace, "work"), { propagation: "Orphan" });
  await eventually("the Pod is free", async () => {
    const [pod] = await pods();
    return pod !== undefined && pod.metadata.finalizers === undefined && pod.metadata.ownerReferences === undefined;
  });
});

const running: Story = {
  controllers: [jobController],
  async begin(round) {
    await makeNamespace(client, round);
    await client.create(Job, draft(round, { completions: 2, parallelism: 2 }));
  },
  async ended(round) {
    await eventually(
      "it is complete",
      async () => {
        await play(round, "Succeeded");
        return (await condition("Complete", round)) !== undefined;
      },
      20_000,
    );
  },
  async check(round) {
    const { status } = await get(round);
    assert.equal(status.succeeded, 2);
    const all = await pods(round);
    assert.equal(all.length, 2, "no Pod is made twice");
    assert.ok(all.every(({ metadata }) => metadata.finalizers === undefined));
  },
};

testConvergence("Jobs", harness, { name: "job", story: running, least: 6 });

test("a Job with a stale view counts each Pod once", async () => {
  await using workshop = startControllers(harness, [jobController]);
  await client.create(Job, draft(namespace, { completions: 2, parallelism: 2 }));
  await eventually("it has its Pods", async () => (await pods()).length === 2);
  await workshop.quiet();
  workshop.faults.stallWatches("pods");
  const [first] = await pods();
  assert.ok(first);
  await play(namespace, "Succeeded");
  await client.delete(Pod, keyOf(first), { graceSeconds: 0 });
  workshop.faults.skipStalled();
  await eventually("it is complete", async () => (await condition("Complete")) !== undefined);
  assert.equal((await get()).status.succeeded, 2);
});
