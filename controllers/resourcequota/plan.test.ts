import assert from "node:assert/strict";
import test from "node:test";
import type { ResourceQuota } from "@atoll/api/builtin/core/v1.types";
import { type Amounts, parseAmounts } from "@atoll/api/core/quota/amounts";
import { driftMs, type Ledger, plan } from "./plan.ts";

function quota(hard: Record<string, string>, status: ResourceQuota["status"] = {}): ResourceQuota {
  return { kind: "ResourceQuota", apiVersion: "v1", metadata: {}, spec: { hard }, status };
}

function objects(...cpus: readonly (readonly [uid: string, cpu: string])[]): ReadonlyMap<string, Amounts> {
  return new Map(cpus.map(([uid, cpu]) => [uid, parseAmounts({ cpu })]));
}

const hard = { cpu: "10" };

test("plan() counts a new quota, and what an old one begins to limit", () => {
  const { status } = plan(quota(hard), objects(["a", "1"], ["b", "500m"]), undefined, 0);
  assert.deepEqual(status, { hard, used: { cpu: "1500m" } });
  const more = { cpu: "10", pods: "5" };
  const known = { hard, used: { cpu: "9" } };
  assert.deepEqual(plan(quota(more, known), objects(), undefined, 0).status, {
    hard: more,
    used: { cpu: "9", pods: "0" },
  });
  assert.deepEqual(plan(quota({}, known), objects(), undefined, 0).status, { hard: {}, used: {} });
});

test("plan() takes off what has gone or become less, and nothing else", () => {
  const ledger: Ledger = { counted: objects(["a", "1"], ["b", "2"]) };
  // 3 of the 6 are on their way: admitted, not there yet.
  const next = plan(quota(hard, { hard, used: { cpu: "6" } }), objects(["b", "1500m"]), ledger, 0);
  assert.deepEqual(next.status?.used, { cpu: "4500m" });
  const again = plan(quota(hard, { hard, used: { cpu: "4500m" } }), objects(["b", "1500m"]), next.ledger, 1);
  assert.equal(again.status, undefined);
});

test("plan() rights what has been wrong for longer than any request takes", () => {
  const wrong = quota(hard, { hard, used: { cpu: "6" } });
  const first = plan(wrong, objects(["a", "1"]), undefined, 0);
  assert.equal(first.status, undefined);
  // Meanwhile 2 of it came after all.
  const second = plan(wrong, objects(["a", "1"], ["b", "2"]), first.ledger, driftMs - 1);
  assert.equal(second.status, undefined);
  const third = plan(wrong, objects(["a", "1"], ["b", "2"]), second.ledger, driftMs);
  assert.deepEqual(third.status?.used, { cpu: "3" });
  const less = quota(hard, { hard, used: { cpu: "1" } });
  const fourth = plan(less, objects(["a", "3"]), undefined, 0);
  assert.deepEqual(plan(less, objects(["a", "3"]), fourth.ledger, driftMs).status?.used, { cpu: "3" });
});
