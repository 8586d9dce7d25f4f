import assert from "node:assert/strict";
import test from "node:test";
import type { Namespace } from "@atoll/client/builtin";
import type { Pass, Remains } from "./plan.ts";
import { conditionsAfter, next, settleMs, sumUp } from "./plan.ts";

const empty: Pass = { discoveryFailures: [], failures: [], remains: [] };
const startMs = Date.parse("2026-01-01T00:00:00Z");
const pods: Remains = { group: "", plural: "pods", count: 2, finalizers: { "a.b/c": 1 }, estimateSeconds: 30 };

function namespace(conditions: Namespace["status"]["conditions"] = []): Namespace {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "n" },
    spec: {},
    status: { phase: "Terminating", conditions },
  };
}

test("conditionsAfter() reports all well when nothing is left", () => {
  assert.deepEqual(
    conditionsAfter(empty, [], startMs).map(({ type, status, reason }) => `${type} ${status} ${reason}`),
    [
      "NamespaceDeletionDiscoveryFailure False ResourcesDiscovered",
      "NamespaceDeletionGroupVersionParsingFailure False ParsedGroupVersions",
      "NamespaceDeletionContentFailure False ContentDeleted",
      "NamespaceContentRemaining False ContentRemoved",
      "NamespaceFinalizersRemaining False ContentRemoved",
    ],
  );
});

test("conditionsAfter() says what remains, what failed and what could not be discovered", () => {
  const error = new Error("no answer");
  const pass: Pass = {
    discoveryFailures: [{ group: "m", version: "v1", error }],
    failures: ["b", "a"],
    remains: [pods],
  };
  const messages = conditionsAfter(pass, [], startMs).map(({ status, message }) => `${status}: ${message}`);
  assert.deepEqual(messages, [
    "True: Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: m/v1: no answer",
    "False: All legacy kube types successfully parsed",
    "True: Failed to delete all resource types, 2 remaining: a, b",
    "True: Some resources are remaining: pods. has 2 resource instances",
    "True: Some finalizers are remaining: a.b/c in 1 resource instances",
  ]);
});

test("conditionsAfter() keeps a condition's time until its status changes, and conditions of others", () => {
  const other = { type: "Mine", status: "True", lastTransitionTime: null };
  const first = conditionsAfter(empty, [other], startMs);
  const second = conditionsAfter({ ...empty, remains: [pods] }, first, startMs + 5000);
  assert.equal(
    second.find(({ type }) => type === "Mine"),
    other,
  );
  const times = new Map(second.map(({ type, lastTransitionTime }) => [type, lastTransitionTime]));
  assert.equal(times.get("NamespaceDeletionDiscoveryFailure"), "2026-01-01T00:00:00Z");
  assert.equal(times.get("NamespaceContentRemaining"), "2026-01-01T00:00:05Z");
});

test("next() waits for what remains half its estimate, and tries again after failures", () => {
  assert.deepEqual(next(namespace(), { ...empty, remains: [pods] }, startMs), { do: "wait", afterMs: 16_000 });
  assert.deepEqual(next(namespace(), { ...empty, failures: ["broken"] }, startMs), { do: "retry", why: "broken" });
});

test("next() lets an empty namespace go only once it has been seen empty for a while", () => {
  assert.deepEqual(next(namespace(), empty, startMs), { do: "wait", afterMs: settleMs });
  const told = namespace(conditionsAfter(empty, [], startMs));
  assert.deepEqual(next(told, empty, startMs + 500), { do: "wait", afterMs: settleMs - 500 });
  assert.deepEqual(next(told, empty, startMs + settleMs), { do: "finalize" });
  // A clock that is behind the one that wrote the condition must not hold the namespace for ever.
  assert.deepEqual(next(told, empty, startMs - 3_600_000), { do: "finalize" });
});

test("sumUp() explains what stays by grace or finalizers, and nothing else", () => {
  const running = { metadata: {}, spec: { terminationGracePeriodSeconds: 30 }, status: { phase: "Running" } };
  const held = { metadata: { finalizers: ["x/y"] } };
  const gr = { group: "", plural: "pods" };
  assert.deepEqual(sumUp(gr, [running], 1000), { ...gr, count: 1, finalizers: {}, estimateSeconds: 30 });
  assert.equal(sumUp(gr, [running], 30_000), undefined);
  assert.deepEqual(sumUp(gr, [held, held], 30_000), { ...gr, count: 2, finalizers: { "x/y": 2 }, estimateSeconds: 15 });
  assert.equal(sumUp({ group: "apps", plural: "x" }, [running], 1000), undefined);
});
