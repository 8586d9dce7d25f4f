import assert from "node:assert/strict";
import test from "node:test";
import type { Pod, PodDisruptionBudget } from "@atoll/client/builtin";
import { failedStatus, summarise } from "./plan.ts";

const nowMs = Date.UTC(2026, 0, 2);
const ago = (ms: number) => new Date(nowMs - ms).toISOString().replace(".000Z", "Z");

function budget(spec: PodDisruptionBudget["spec"], disruptedPods: Record<string, string> = {}): PodDisruptionBudget {
  const status = { disruptionsAllowed: 1, currentHealthy: 1, desiredHealthy: 0, expectedPods: 1, disruptedPods };
  return {
    kind: "PodDisruptionBudget",
    apiVersion: "policy/v1",
    metadata: { name: "b", namespace: "n", generation: 3 },
    spec,
    status,
  } as PodDisruptionBudget;
}

function pods(...states: readonly ("ready" | "unready" | "going")[]): Pod[] {
  return states.map((state, i) => {
    const metadata = { name: `p${i}`, ...(state === "going" && { deletionTimestamp: ago(1000) }) };
    const conditions = [{ type: "Ready", status: state === "unready" ? "False" : "True" }];
    return { metadata, spec: {}, status: { conditions } } as unknown as Pod;
  });
}

function counts(spec: PodDisruptionBudget["spec"], have: readonly Pod[], scale = 0) {
  const { status } = summarise({ budget: budget(spec), pods: have, scale, nowMs });
  const { expectedPods, currentHealthy, desiredHealthy, disruptionsAllowed } = status;
  return [expectedPods, currentHealthy, desiredHealthy, disruptionsAllowed];
}

test("summarise() counts against the number of Pods, or what their owners want", () => {
  const three = pods("ready", "ready", "ready");
  assert.deepEqual(counts({ minAvailable: 2 }, three), [3, 3, 2, 1]);
  assert.deepEqual(counts({ minAvailable: 0 }, []), [0, 0, 0, 0]);
  assert.deepEqual(counts({ minAvailable: 2 }, pods("ready", "unready", "going")), [3, 1, 2, 0]);
  assert.deepEqual(counts({ minAvailable: "50%" }, three, 5), [5, 3, 3, 0]);
  assert.deepEqual(counts({ maxUnavailable: 1 }, three, 3), [3, 3, 2, 1]);
  assert.deepEqual(counts({ maxUnavailable: "34%" }, three, 3), [3, 3, 1, 2]);
  assert.deepEqual(counts({ maxUnavailable: 5 }, three, 3), [3, 3, 0, 3]);
});

test("summarise() takes a Pod whose eviction was let through for gone, for two minutes", () => {
  const disrupted = { p0: ago(30_000), p1: ago(121_000), gone: ago(1000) };
  const given = budget({ minAvailable: 1 }, disrupted);
  const { status, afterMs, undeleted } = summarise({
    budget: given,
    pods: pods("ready", "ready", "ready"),
    scale: 0,
    nowMs,
  });
  assert.deepEqual(status.disruptedPods, { p0: ago(30_000) });
  assert.equal(status.currentHealthy, 2);
  assert.equal(status.disruptionsAllowed, 1);
  assert.equal(afterMs, 90_001);
  assert.deepEqual(
    undeleted.map(({ metadata }) => metadata.name),
    ["p1"],
  );
});

test("the condition tells why, and keeps the time of its last change", () => {
  const first = summarise({ budget: budget({ minAvailable: 1 }), pods: pods("ready"), scale: 0, nowMs });
  const [condition] = first.status.conditions ?? [];
  assert.deepEqual(
    [condition?.type, condition?.status, condition?.reason, condition?.observedGeneration],
    ["DisruptionAllowed", "False", "InsufficientPods", 3],
  );
  const second = { ...budget({ minAvailable: 1 }), status: first.status };
  const later = summarise({ budget: second, pods: pods("ready"), scale: 0, nowMs: nowMs + 5000 });
  assert.deepEqual(later.status, first.status);
  const failed = failedStatus(second, "no idea", nowMs);
  assert.equal(failed.disruptionsAllowed, 0);
  assert.equal(failed.conditions?.[0]?.reason, "SyncFailed");
});
