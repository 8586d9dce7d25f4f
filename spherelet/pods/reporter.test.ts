import assert from "node:assert/strict";
import { test } from "node:test";
import type { PodStatus } from "@atoll/api/builtin/core/v1.types";
import { withRemovals } from "./reporter.ts";

test("withRemovals() names as nothing what is no longer said, of the Pod and of each condition", () => {
  const condition = (status: string, more: object) => ({ type: "Ready", status, ...more });
  const before = {
    podIP: "10.0.0.1",
    reason: "Evicted",
    conditions: [condition("False", { reason: "ContainersNotReady", message: "containers with unready status: [a]" })],
  } as unknown as PodStatus;
  const after = { podIP: "10.0.0.1", conditions: [condition("True", {})] } as unknown as PodStatus;
  assert.deepEqual(withRemovals(before, after), {
    podIP: "10.0.0.1",
    reason: null,
    conditions: [condition("True", { reason: null, message: null })],
  });
  assert.deepEqual(withRemovals(undefined, after), { podIP: "10.0.0.1", conditions: [condition("True", {})] });
});
