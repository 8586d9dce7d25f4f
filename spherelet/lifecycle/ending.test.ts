import assert from "node:assert/strict";
import test from "node:test";
import type { Pod } from "@atoll/client/builtin";
import { endingOf } from "./ending.ts";
import { container, podOf } from "./testing.ts";
import { containerOf, newWorld } from "./world.ts";

const sinceMs = 1_000;
const nowMs = 61_000;
const never = Number.POSITIVE_INFINITY;
const here = { nowMs, isRemoved: false };
const deleted = (graceSeconds: number): Pod => {
  const pod = podOf({ containers: [container("main")] });
  const metadata = { ...pod.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" };
  return { ...pod, metadata: { ...metadata, deletionGracePeriodSeconds: graceSeconds } };
};

test("endingOf() leaves alone what nobody ends", () => {
  const pod = podOf({ containers: [container("main")] });
  assert.deepEqual(endingOf(pod, newWorld(sinceMs), here), { ending: undefined, wakeMs: never });
});

test("endingOf() gives a deleted Pod its grace, a moment at least, and a second deletion no more than is left", () => {
  const world = newWorld(sinceMs);
  assert.deepEqual(endingOf(deleted(30), world, here).ending, { failure: undefined, deadlineMs: nowMs + 30_000 });
  assert.equal(endingOf(deleted(0), world, here).ending?.deadlineMs, nowMs + 1_000);
  assert.equal(endingOf(deleted(30), world, { nowMs, isRemoved: true }).ending?.deadlineMs, nowMs + 1_000);
  world.ending = { failure: { reason: "Evicted", message: "" }, deadlineMs: nowMs + 5_000 };
  assert.deepEqual(endingOf(deleted(30), world, here).ending, world.ending);
  assert.deepEqual(endingOf(deleted(2), world, here).ending, { ...world.ending, deadlineMs: nowMs + 2_000 });
});

test("endingOf() ends a Pod whose time is over, and says when that is", () => {
  const pod = podOf({ containers: [container("main")], activeDeadlineSeconds: 60, terminationGracePeriodSeconds: 7 });
  assert.deepEqual(endingOf(pod, newWorld(nowMs), here), { ending: undefined, wakeMs: nowMs + 60_000 });
  const { ending, wakeMs } = endingOf(pod, newWorld(sinceMs), here);
  assert.deepEqual([ending?.failure?.reason, ending?.deadlineMs, wakeMs], ["DeadlineExceeded", nowMs + 7_000, never]);
});

test("endingOf() ends what still runs of a Pod that others call over, and nothing of one at rest", () => {
  const pod = podOf({ containers: [container("main")] }, { status: { phase: "Failed", reason: "NodeLost" } });
  const world = newWorld(sinceMs);
  assert.equal(endingOf(pod, world, here).ending, undefined);
  containerOf(world, "main").run = { phase: "running", startedMs: sinceMs };
  assert.deepEqual(endingOf(pod, world, here).ending?.failure, { reason: "NodeLost", message: "" });
});
