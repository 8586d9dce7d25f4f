import assert from "node:assert/strict";
import test from "node:test";
import type { Node, Pod } from "@atoll/client/builtin";
import { missingNodes, plan } from "./plan.ts";

interface Facts {
  readonly node?: string;
  readonly phase?: string;
  readonly terminating?: boolean;
  readonly age?: number;
  readonly reason?: string;
}

function pod(name: string, { node = "n1", phase = "Running", terminating = false, age = 0, reason }: Facts = {}): Pod {
  const creationTimestamp = `2026-01-01T00:00:${String(59 - age).padStart(2, "0")}Z`;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, creationTimestamp, ...(terminating && { deletionTimestamp: creationTimestamp }) },
    spec: { containers: [], nodeName: node },
    status: { phase, ...(reason !== undefined && { reason }) },
  };
}

function node(name: string, ready = true, taints: { key: string; effect: string }[] = []): Node {
  const conditions = [{ type: "Ready", status: ready ? "True" : "Unknown" }] as never;
  return { apiVersion: "v1", kind: "Node", metadata: { name }, spec: { taints }, status: { conditions } as never };
}

const nodes = new Map(
  [
    node("n1"),
    node("down", false),
    node("out", false, [{ key: "node.kubernetes.io/out-of-service", effect: "NoExecute" }]),
  ].map((each) => [each.metadata.name ?? "", each]),
);
const run = (pods: Pod[], gone: string[] = [], endedLimit = 100) =>
  plan({ pods, nodes, goneNodes: new Set(gone), endedLimit }).map(
    ({ pod: { metadata }, fail }) => `${metadata.name}: ${fail ?? "-"}`,
  );

test("plan() clears away Pods of nodes that are gone", () => {
  const pods = [
    pod("a", { node: "gone" }),
    pod("b", { node: "gone", phase: "Succeeded" }),
    pod("c", { node: "away" }),
    pod("d"),
  ];
  assert.deepEqual([...missingNodes(pods, nodes)], ["gone", "away"]);
  assert.deepEqual(run(pods, ["gone"]), ["a: PodGC: node no longer exists", "b: -"]);
});

test("plan() clears away Pods that go on nodes out of service, and no others", () => {
  const pods = [
    pod("a", { node: "out", terminating: true }),
    pod("b", { node: "out" }),
    pod("c", { node: "down", terminating: true }),
  ];
  assert.deepEqual(run(pods), ["a: PodGC: node is out of service"]);
});

test("plan() clears away Pods that went before they were scheduled", () => {
  const pods = [pod("a", { node: "", terminating: true, phase: "Pending" }), pod("b", { node: "", phase: "Pending" })];
  assert.deepEqual(run(pods), ["a: PodGC: unscheduled pod is terminating"]);
});

test("plan() clears away ended Pods beyond the limit, evicted ones and the oldest first", () => {
  const ended = [
    pod("young", { phase: "Failed", age: 1 }),
    pod("old", { phase: "Succeeded", age: 9 }),
    pod("evicted", { phase: "Failed", reason: "Evicted" }),
    pod("runs", { age: 50 }),
  ];
  assert.deepEqual(run(ended, [], 2), ["evicted: -"]);
  assert.deepEqual(run(ended, [], 1), ["evicted: -", "old: -"]);
  assert.deepEqual(run(ended, [], 3), []);
});
