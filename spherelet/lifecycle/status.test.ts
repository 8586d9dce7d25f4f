import assert from "node:assert/strict";
import test from "node:test";
import type { PodStatus } from "@atoll/api/builtin/core/v1.types";
import type { Pod } from "@atoll/client/builtin";
import { statusOf } from "./status.ts";
import { container, podOf } from "./testing.ts";
import { containerOf, newWorld, type PodWorld, type Termination } from "./world.ts";

const nowMs = Date.parse("2026-01-01T00:01:00Z");

const facts = (before?: PodStatus) => ({ nowMs, hostIP: "192.0.2.1", podIP: "10.244.0.7", before });

function ended(exitCode: number, more: Partial<Termination> = {}): Termination {
  const reason = exitCode === 0 ? "Completed" : "Error";
  const times = { startedMs: nowMs - 5000, finishedMs: nowMs - 1000 };
  return { exitCode, signal: 0, reason, message: "", ...times, containerId: "aa", ...more };
}

function run(world: PodWorld, name: string): void {
  const state = containerOf(world, name);
  Object.assign(state, {
    run: { phase: "running", startedMs: nowMs - 5000 },
    started: true,
    ready: true,
    containerId: "aa",
  });
  world.machine = "running";
  world.initialized = true;
}

function end(world: PodWorld, name: string, exitCode: number): void {
  containerOf(world, name).run = { phase: "ended", end: ended(exitCode) };
}

const verdicts = ({ conditions = [] }: PodStatus) =>
  Object.fromEntries(conditions.map(({ type, status }) => [type, status]));
const stateOf = ({ containerStatuses = [] }: PodStatus, index = 0) => containerStatuses[index]?.state;

const one = (more: object = {}): Pod => podOf({ containers: [container("main")], ...more });

test("a Pod that was just bound is pending, its containers being created", () => {
  const status = statusOf(one(), newWorld(nowMs), facts());
  assert.equal(status.phase, "Pending");
  assert.deepEqual(stateOf(status), { waiting: { reason: "ContainerCreating" } });
  assert.equal(status.startTime, "2026-01-01T00:01:00Z");
  const wanted = { PodReadyToStartContainers: "False", Initialized: "True", Ready: "False", ContainersReady: "False" };
  assert.deepEqual(verdicts(status), { ...wanted, PodScheduled: "True" });
});

test("with init containers the others wait for PodInitializing, and Initialized says what is missing", () => {
  const status = statusOf(one({ initContainers: [container("init")] }), newWorld(nowMs), facts());
  assert.deepEqual(stateOf(status), { waiting: { reason: "PodInitializing" } });
  const initialized = status.conditions?.find(({ type }) => type === "Initialized");
  assert.equal(initialized?.reason, "ContainersNotInitialized");
  assert.equal(initialized?.message, "containers with incomplete status: [init]");
});

test("a Pod whose containers run and are content is ready, but for its readiness gates", () => {
  const world = newWorld(nowMs);
  run(world, "main");
  const status = statusOf(one(), world, facts());
  assert.equal(status.phase, "Running");
  assert.equal(verdicts(status)["Ready"], "True");
  assert.equal(status.containerStatuses?.[0]?.containerID, "crx://aa");
  const gated = statusOf(one({ readinessGates: [{ conditionType: "example.test/gate" }] }), world, facts());
  const ready = gated.conditions?.find(({ type }) => type === "Ready");
  assert.deepEqual([ready?.status, ready?.reason], ["False", "ReadinessGatesNotReady"]);
  containerOf(world, "main").ready = false;
  const unready = statusOf(one(), world, facts()).conditions?.find(({ type }) => type === "Ready");
  assert.equal(unready?.message, "containers with unready status: [main]");
});

test("a transition is dated when it happens, and keeps its date", () => {
  const world = newWorld(nowMs);
  const first = statusOf(one(), world, { ...facts(), nowMs: nowMs - 30_000 });
  run(world, "main");
  const second = statusOf(one(), world, facts(first));
  const dates = Object.fromEntries((second.conditions ?? []).map((each) => [each.type, each.lastTransitionTime]));
  assert.equal(dates["Ready"], "2026-01-01T00:01:00Z");
  assert.equal(dates["PodScheduled"], "2026-01-01T00:00:30Z");
});

test("a crash is told as CrashLoopBackOff with the last end, the Pod still running", () => {
  const world = newWorld(nowMs);
  run(world, "main");
  end(world, "main", 2);
  containerOf(world, "main").backOff = { delayMs: 80_000, setMs: nowMs - 2000 };
  const status = statusOf(one(), world, facts());
  const message = "back-off 1m20s restarting failed container=main pod=web_shop(0a1b2c3d-0000-4000-8000-000000000001)";
  assert.deepEqual(stateOf(status), { waiting: { reason: "CrashLoopBackOff", message } });
  assert.equal(status.containerStatuses?.[0]?.lastState.terminated?.exitCode, 2);
  assert.equal(status.phase, "Running");
});

test("how the main containers ended decides between Succeeded and Failed, once nothing runs", () => {
  const sidecar = container("sidecar", { restartPolicy: "Always" });
  const pod = podOf({
    restartPolicy: "Never",
    initContainers: [sidecar],
    containers: [container("a"), container("b")],
  });
  const world = newWorld(nowMs);
  for (const name of ["sidecar", "a", "b"]) run(world, name);
  end(world, "a", 0);
  end(world, "b", 0);
  assert.equal(statusOf(pod, world, facts()).phase, "Running", "the sidecar still runs");
  end(world, "sidecar", 137);
  const succeeded = statusOf(pod, world, facts());
  assert.equal(succeeded.phase, "Succeeded");
  assert.equal(succeeded.conditions?.find(({ type }) => type === "Ready")?.reason, "PodCompleted");
  end(world, "b", 1);
  assert.equal(statusOf(pod, world, facts()).phase, "Failed");
});

test("a Pod that is ended for a reason fails with it; what was told as the end stays so", () => {
  const world = newWorld(nowMs);
  run(world, "main");
  world.ending = { failure: { reason: "Evicted", message: "low on memory" }, deadlineMs: nowMs };
  assert.equal(statusOf(one(), world, facts()).phase, "Running");
  end(world, "main", 137);
  const status = statusOf(one(), world, facts());
  assert.deepEqual([status.phase, status.reason, status.message], ["Failed", "Evicted", "low on memory"]);
  const told = podOf({ containers: [container("main")] }, { status: { phase: "Succeeded" } });
  assert.equal(statusOf(told, newWorld(nowMs), facts()).phase, "Succeeded");
});
