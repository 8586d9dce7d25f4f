import assert from "node:assert/strict";
import test from "node:test";
import type { JobSpec, JobStatus } from "@atoll/api/builtin/batch/v1.types";
import type { Job, Pod } from "@atoll/client/builtin";
import { deepFreeze } from "@atoll/machinery/equal";
import fc from "fast-check";
import { isFinished, trueCondition } from "./outcome.ts";
import type { Plan } from "./plan.ts";
import { plan } from "./plan.ts";
import { indexAnnotation, jobPod, trackingFinalizer } from "./pods.ts";

const startMs = Date.parse("2026-01-01T00:00:00Z");
const iso = (ms: number) => new Date(ms).toISOString().replace(".000Z", "Z");

function job(spec: Partial<JobSpec> = {}, status: JobStatus = {}): Job {
  const template = {
    metadata: { labels: { app: "j" } },
    spec: { containers: [{ name: "c", image: "i", resources: {} }], restartPolicy: "Never" },
  };
  const metadata = { name: "j", namespace: "n", uid: "j" };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata,
    spec: { parallelism: 1, completions: 1, backoffLimit: 6, template, ...spec },
    status,
  };
}

/** A small world: Pods end, go and lose their finalizers as told; statuses are stored. */
class World {
  job: Job;
  pods: Pod[] = [];
  nowMs = startMs;
  #made = 0;

  constructor(spec: Partial<JobSpec> = {}) {
    this.job = job(spec);
  }

  /** One pass: the plan is made and carried out, up to `until` of its deeds. */
  pass(until = Number.POSITIVE_INFINITY): Plan {
    const wish = plan(deepFreeze(structuredClone(this.job)), deepFreeze(structuredClone(this.pods)), this.nowMs);
    let left = until;
    if (left-- > 0) this.job = { ...this.job, status: structuredClone(wish.status) };
    for (const pod of wish.release) if (left-- > 0) this.release(pod.metadata.name ?? "");
    for (const pod of wish.remove) if (left-- > 0) this.remove(pod.metadata.name ?? "");
    for (const place of wish.create) if (left-- > 0) this.make(jobPod(this.job, place) as Pod);
    return wish;
  }

  /** Passes until nothing changes. */
  settle(): void {
    for (let i = 0; i < 50; i++) {
      const before = JSON.stringify([this.job, this.pods]);
      this.pass();
      if (JSON.stringify([this.job, this.pods]) === before) return;
    }
    throw new Error("does not settle");
  }

  make(pod: Pod): void {
    const name = `p${this.#made++}`;
    const metadata = { ...pod.metadata, name, uid: name, creationTimestamp: iso(this.nowMs) };
    this.pods.push({ ...pod, apiVersion: "v1", kind: "Pod", metadata, status: { phase: "Running" } });
  }

  end(name: string, phase: "Succeeded" | "Failed", exitCode = phase === "Failed" ? 1 : 0): void {
    const terminated = { exitCode, finishedAt: iso(this.nowMs), startedAt: null };
    const containerStatuses = [{ name: "c", state: { terminated }, restartCount: 0 }] as never;
    this.#change(name, (pod) => ({ ...pod, status: { ...pod.status, phase, containerStatuses } }));
  }

  release(name: string): void {
    this.#change(name, (pod) => ({ ...pod, metadata: { ...pod.metadata, finalizers: [] } }));
    this.pods = this.pods.filter(({ metadata }) => metadata.name !== name || metadata.deletionTimestamp === undefined);
  }

  remove(name: string): void {
    this.#change(name, (pod) => ({ ...pod, metadata: { ...pod.metadata, deletionTimestamp: iso(this.nowMs) } }));
    this.pods = this.pods.filter(({ metadata }) => metadata.name !== name || (metadata.finalizers ?? []).length > 0);
  }

  get running(): Pod[] {
    return this.pods.filter(
      ({ status, metadata }) => status.phase === "Running" && metadata.deletionTimestamp === undefined,
    );
  }

  get outcome(): string | undefined {
    const found = trueCondition(this.job, "Complete") ?? trueCondition(this.job, "Failed");
    return found === undefined ? undefined : `${found.type} ${found.reason}`;
  }

  #change(name: string, change: (pod: Pod) => Pod): void {
    this.pods = this.pods.map((pod) => (pod.metadata.name === name ? change(pod) : pod));
  }
}

function counts({ status: { active = 0, succeeded = 0, failed = 0 } }: Job): string {
  return `${active} active, ${succeeded} succeeded, ${failed} failed`;
}

const first = (world: World) => world.running[0]?.metadata.name ?? "";

test("plan() runs a Pod and completes with it", () => {
  const world = new World();
  world.settle();
  assert.equal(counts(world.job), "1 active, 0 succeeded, 0 failed");
  assert.equal(world.job.status.startTime, iso(startMs));
  assert.deepEqual(world.pods[0]?.metadata.finalizers, [trackingFinalizer]);
  world.end(first(world), "Succeeded");
  const { status, release } = world.pass(1);
  assert.deepEqual(status.uncountedTerminatedPods, { succeeded: ["p0"] });
  assert.equal(release.length, 1);
  assert.equal(world.outcome, undefined);
  world.settle();
  assert.equal(counts(world.job), "0 active, 1 succeeded, 0 failed");
  assert.equal(world.outcome, "Complete CompletionsReached");
  assert.notEqual(trueCondition(world.job, "SuccessCriteriaMet"), undefined);
  assert.notEqual(world.job.status.completionTime, undefined);
});

test("plan() keeps as many Pods as parallelism allows and completions need", () => {
  const world = new World({ parallelism: 3, completions: 4 });
  world.settle();
  assert.equal(world.running.length, 3);
  world.end(first(world), "Succeeded");
  world.settle();
  assert.equal(world.running.length, 3);
  world.end(first(world), "Succeeded");
  world.settle();
  assert.equal(world.running.length, 2);
  world.job = { ...world.job, spec: { ...world.job.spec, parallelism: 1 } };
  world.settle();
  assert.equal(world.running.length, 1);
});

test("plan() without completions ends when one succeeded and the others ended", () => {
  const { spec } = job({ parallelism: 2 });
  const { completions: _, ...open } = spec;
  const world = new World();
  world.job = { ...world.job, spec: open };
  world.settle();
  world.end(first(world), "Succeeded");
  world.settle();
  assert.equal(world.running.length, 1);
  assert.equal(world.outcome, undefined);
  world.end(first(world), "Succeeded");
  world.settle();
  assert.equal(world.outcome, "Complete CompletionsReached");
});

test("plan() waits longer with each failure, and gives up beyond the limit", () => {
  const world = new World({ backoffLimit: 2 });
  world.settle();
  const waits: (number | undefined)[] = [];
  for (let i = 0; i < 3; i++) {
    world.end(first(world), "Failed");
    world.settle();
    waits.push(world.pass().afterMs);
    world.nowMs += 60_000;
    world.settle();
  }
  assert.deepEqual(waits, [10_000, 20_000, undefined]);
  assert.equal(counts(world.job), "0 active, 0 succeeded, 3 failed");
  assert.equal(world.outcome, "Failed BackoffLimitExceeded");
});

test("plan() fails a Job at its deadline, and deletes what runs", () => {
  const world = new World({ activeDeadlineSeconds: 60, parallelism: 2, completions: 2 });
  world.settle();
  assert.equal(world.pass().afterMs, 60_000);
  world.nowMs += 60_000;
  const { status } = world.pass();
  assert.equal(status.conditions?.[0]?.type, "FailureTarget");
  world.settle();
  assert.deepEqual(world.pods, []);
  assert.equal(counts(world.job), "0 active, 0 succeeded, 2 failed");
  assert.equal(world.outcome, "Failed DeadlineExceeded");
});

test("plan() deletes the Pods of a suspended Job, and starts anew", () => {
  const world = new World();
  world.settle();
  world.job = { ...world.job, spec: { ...world.job.spec, suspend: true } };
  const told = world.pass().tell.map(({ reason }) => reason);
  world.settle();
  assert.deepEqual(told, ["Suspended"]);
  assert.equal(world.running.length, 0);
  world.nowMs += 60_000;
  world.job = { ...world.job, spec: { ...world.job.spec, suspend: false } };
  world.settle();
  assert.equal(world.job.status.startTime, iso(world.nowMs));
  assert.equal(world.running.length, 1);
});

test("plan() gives each Pod of an indexed Job an index, a name and a variable", () => {
  const world = new World({ completionMode: "Indexed", completions: 3, parallelism: 2 });
  world.settle();
  assert.deepEqual(
    world.running.map(({ metadata }) => metadata.annotations?.[indexAnnotation]),
    ["0", "1"],
  );
  const [pod] = world.running;
  assert.equal(pod?.spec.hostname, "j-0");
  assert.equal(pod?.spec.containers?.[0]?.env?.[0]?.name, "JOB_COMPLETION_INDEX");
  world.end("p1", "Succeeded");
  world.settle();
  assert.equal(world.job.status.completedIndexes, "1");
  assert.deepEqual(
    world.running.map(({ metadata }) => metadata.annotations?.[indexAnnotation]),
    ["0", "2"],
  );
  world.end("p0", "Succeeded");
  world.end("p2", "Succeeded");
  world.settle();
  assert.equal(world.job.status.completedIndexes, "0-2");
  assert.equal(world.outcome, "Complete CompletionsReached");
});

test("plan() with a limit for each index fails the indexes that exceed it, and goes on with the others", () => {
  const world = new World({
    completionMode: "Indexed",
    completions: 2,
    parallelism: 2,
    backoffLimitPerIndex: 1,
    backoffLimit: 2 ** 31 - 1,
  });
  world.settle();
  for (let i = 0; i < 2; i++) {
    const failing = world.running.find(({ metadata }) => metadata.annotations?.[indexAnnotation] === "0");
    world.end(failing?.metadata.name ?? "", "Failed");
    world.settle();
    world.nowMs += 60_000;
    world.settle();
  }
  assert.equal(world.job.status.failedIndexes, "0");
  assert.equal(world.outcome, undefined);
  world.end(first(world), "Succeeded");
  world.settle();
  assert.equal(world.outcome, "Failed FailedIndexes");
  assert.equal(counts(world.job), "0 active, 1 succeeded, 2 failed");
});

test("plan() does not forget how often an index failed when its Pods vanish", () => {
  const world = new World({
    completionMode: "Indexed",
    completions: 1,
    backoffLimitPerIndex: 1,
    backoffLimit: 2 ** 31 - 1,
  });
  world.settle();
  world.end("p0", "Failed");
  world.settle();
  world.remove("p0");
  assert.equal(world.pods.length, 1, "the Pod that remembers is kept");
  world.nowMs += 60_000;
  world.settle();
  assert.deepEqual(
    world.pods.map(({ metadata }) => metadata.name),
    ["p1"],
  );
  world.end("p1", "Failed");
  world.settle();
  assert.equal(world.outcome, "Failed FailedIndexes");
});

test("plan() follows the rules of a Pod failure policy", () => {
  const rules = [
    { action: "FailJob", onExitCodes: { operator: "In", values: [42] } },
    { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
  ];
  const world = new World({ podFailurePolicy: { rules }, backoffLimit: 0 });
  world.settle();
  world.pods = world.pods.map((pod) => ({
    ...pod,
    status: {
      phase: "Failed",
      conditions: [{ type: "DisruptionTarget", status: "True", lastProbeTime: null, lastTransitionTime: null }],
    },
  }));
  world.settle();
  world.nowMs += 60_000;
  world.settle();
  assert.equal(counts(world.job), "1 active, 0 succeeded, 0 failed");
  world.end(first(world), "Failed", 42);
  world.settle();
  assert.equal(world.outcome, "Failed PodFailurePolicy");
  const message = trueCondition(world.job, "Failed")?.message;
  assert.equal(message, "Container c for pod n/p1 failed with exit code 42 matching FailJob rule at index 0");
});

test("plan() ends a Job by its success policy, and deletes the Pods that are not needed", () => {
  const successPolicy = { rules: [{ succeededIndexes: "0,1", succeededCount: 1 }] };
  const world = new World({ completionMode: "Indexed", completions: 3, parallelism: 3, successPolicy });
  world.settle();
  world.end("p2", "Succeeded");
  world.settle();
  assert.equal(world.outcome, undefined);
  world.end("p1", "Succeeded");
  world.settle();
  assert.equal(world.outcome, "Complete SuccessPolicy");
  assert.equal(world.running.length, 0);
});

test("plan() replaces Pods that are going at once, or only when they have ended, as the policy says", () => {
  for (const [podReplacementPolicy, running] of [
    ["TerminatingOrFailed", 1],
    ["Failed", 0],
  ] as const) {
    const world = new World({ podReplacementPolicy });
    world.settle();
    world.remove(first(world));
    world.settle();
    world.nowMs += 60_000;
    world.settle();
    assert.equal(world.running.length, running, podReplacementPolicy);
  }
});

test("plan() lets all Pods of a finished or deleted Job go", () => {
  const world = new World();
  world.settle();
  world.job = { ...world.job, metadata: { ...world.job.metadata, deletionTimestamp: iso(startMs) } };
  world.settle();
  assert.deepEqual(world.pods[0]?.metadata.finalizers, []);
});

const event = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("pass" as const), until: fc.integer({ min: 0, max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("end" as const), pod: fc.nat(5), well: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("remove" as const), pod: fc.nat(8) }) },
);

test("plan() counts each Pod exactly once, wherever passes break off and whichever Pods vanish", () => {
  const spec = fc.record({
    parallelism: fc.integer({ min: 1, max: 3 }),
    completions: fc.integer({ min: 1, max: 5 }),
    completionMode: fc.constantFrom("NonIndexed", "Indexed"),
  });
  fc.assert(
    fc.property(spec, fc.array(event, { maxLength: 80 }), (wish, events) => {
      const world = new World({ ...wish, backoffLimit: 1000, podReplacementPolicy: "Failed" });
      const ended = new Map<string, "Succeeded" | "Failed">();
      const end = (pod: Pod, phase: "Succeeded" | "Failed") => {
        world.end(pod.metadata.name ?? "", phase);
        ended.set(pod.metadata.name ?? "", phase);
      };
      for (const each of events) {
        world.nowMs += 700_000;
        if (each.do === "pass") world.pass(each.until);
        else if (each.do === "end") {
          const pod = world.running[each.pod % Math.max(1, world.running.length)];
          if (pod !== undefined) end(pod, each.well ? "Succeeded" : "Failed");
        } else {
          // Only Pods that have ended vanish: one that runs would have to end first.
          const gone = world.pods.filter(({ status }) => status.phase !== "Running");
          world.remove(gone[each.pod % Math.max(1, gone.length)]?.metadata.name ?? "");
        }
        assert.ok(world.running.length <= wish.parallelism, "never more than parallelism");
      }
      for (let i = 0; i < 40 && !isFinished(world.job); i++) {
        world.nowMs += 700_000;
        world.settle();
        const [pod] = world.running;
        if (pod !== undefined) end(pod, "Succeeded");
      }
      const { succeeded = 0, failed = 0 } = world.job.status;
      const all = [...ended.values()];
      assert.equal(failed, all.filter((phase) => phase === "Failed").length);
      assert.equal(succeeded, all.filter((phase) => phase === "Succeeded").length);
      assert.equal(succeeded, wish.completions);
    }),
  );
});
