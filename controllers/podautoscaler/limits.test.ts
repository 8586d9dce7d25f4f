import assert from "node:assert/strict";
import test from "node:test";
import { limit, type Memory, remember, type Wish } from "./limits.ts";

const fresh = (): Memory => ({ calls: [], ups: [], downs: [] });
const wish = (current: number, wanted: number, more: Partial<Wish> = {}): Wish => {
  return { current, wanted, min: 1, max: 20, behavior: undefined, nowMs: 0, ...more };
};

test("limit() without a behavior grows to twice or four, shrinks at once, and stays between the least and the most", () => {
  const of = (current: number, wanted: number) => {
    const { replicas, limited } = limit(wish(current, wanted), fresh());
    return `${replicas} ${limited.status} ${limited.reason}`;
  };
  assert.equal(of(1, 9), "4 True ScaleUpLimit");
  assert.equal(of(5, 20), "10 True ScaleUpLimit");
  assert.equal(of(15, 25), "20 True TooManyReplicas");
  assert.equal(of(5, 0), "1 True TooFewReplicas");
  assert.equal(of(5, 3), "3 False DesiredWithinRange");
});

test("limit() shrinks to the highest count of the last five minutes", () => {
  const memory = fresh();
  const at = (seconds: number, wanted: number) => limit(wish(8, wanted, { nowMs: seconds * 1000 }), memory);
  assert.equal(at(0, 8).replicas, 8);
  assert.equal(at(100, 2).replicas, 8);
  assert.equal(at(100, 2).able.reason, "ScaleDownStabilized");
  assert.equal(at(299, 3).replicas, 8);
  assert.equal(at(300, 2).replicas, 3);
  assert.equal(at(601, 2).able.reason, "ReadyForNewScale");
});

test("limit() with a behavior keeps to its windows and its rates", () => {
  const memory = fresh();
  const behavior = {
    scaleUp: { stabilizationWindowSeconds: 60, policies: [{ type: "Pods", value: 2, periodSeconds: 60 }] },
    scaleDown: { stabilizationWindowSeconds: 0, policies: [{ type: "Percent", value: 50, periodSeconds: 60 }] },
  };
  const at = (seconds: number, current: number, wanted: number) =>
    limit(wish(current, wanted, { behavior, nowMs: seconds * 1000 }), memory);
  assert.equal(at(0, 4, 4).replicas, 4);
  assert.equal(at(30, 4, 9).able.reason, "ScaleUpStabilized");
  const up = at(95, 4, 9);
  assert.deepEqual([up.replicas, up.limited.reason, up.limited.status], [6, "ScaleUpLimit", "True"]);
  remember(memory, { from: 4, to: 6, nowMs: 95_000 });
  assert.equal(at(100, 6, 9).replicas, 6);
  assert.equal(at(160, 6, 9).replicas, 8);
  const down = at(300, 8, 1);
  assert.deepEqual([down.replicas, down.limited.reason], [4, "ScaleDownLimit"]);
});

test("limit() does not go a way that is disabled", () => {
  const behavior = { scaleDown: { selectPolicy: "Disabled", stabilizationWindowSeconds: 0 } };
  assert.equal(limit(wish(8, 1, { behavior }), fresh()).replicas, 8);
});
