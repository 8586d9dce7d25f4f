import assert from "node:assert/strict";
import { test } from "node:test";
import { answer } from "./answers.ts";
import { type Look, measure } from "./usage.ts";

const startedMs = 1_700_000_000_000;

function look(seconds: number, cpuSeconds: number, startTime = "2026-01-01T00:00:00Z"): Look {
  const counters = (share: number) => ({
    cpu: { time: "", usageCoreNanoSeconds: cpuSeconds * share * 1e9 },
    memory: { workingSetBytes: 1024 * 100 + 1 },
  });
  const containers = [{ name: "a", startTime, ...counters(0.5) }];
  return {
    atMs: startedMs + seconds * 1000,
    summary: {
      node: { nodeName: "n1", ...counters(1) },
      pods: [{ podRef: { name: "web", namespace: "shop" }, containers }],
    },
  };
}

test("measure() gives rates of CPU and sizes of memory", () => {
  const { node, pods } = measure(look(0, 10), look(20, 20));
  assert.deepEqual(node?.usage, { cpu: "500000000n", memory: "101Ki" });
  assert.equal(node?.window, "20s");
  assert.deepEqual(pods[0]?.containers, [{ name: "a", usage: { cpu: "250000000n", memory: "101Ki" } }]);
});

test("measure() leaves out a container that was started anew, a counter that went back, and looks at one moment", () => {
  assert.deepEqual(measure(look(0, 10), look(20, 12, "2026-01-01T00:01:00Z")).pods, []);
  assert.equal(measure(look(0, 10), look(20, 5)).node, undefined);
  assert.deepEqual(measure(look(0, 10), look(0, 20)), { node: undefined, pods: [] });
});

test("answer() serves discovery, lists by namespace and label, and single objects", () => {
  const { node, pods } = measure(look(0, 10), look(20, 20));
  const readings = {
    nodes: node === undefined ? [] : [node],
    pods,
    labelsOf: (kind: string) => (kind === "pods" ? { app: "web" } : {}),
  };
  const ask = (path: string, query = "") =>
    answer(`/apis/metrics.k8s.io/v1beta1${path}`, new URLSearchParams(query), readings);
  const items = (path: string, query = "") => (ask(path, query).body as { items: unknown[] }).items.length;
  assert.equal(ask("").code, 200);
  assert.equal(items("/nodes"), 1);
  assert.equal(items("/pods"), 1);
  assert.equal(items("/namespaces/shop/pods", "labelSelector=app%3Dweb"), 1);
  assert.equal(items("/namespaces/shop/pods", "labelSelector=app%3Dother"), 0);
  assert.equal(items("/namespaces/bank/pods"), 0);
  assert.equal(ask("/namespaces/shop/pods/web").code, 200);
  assert.equal(ask("/namespaces/shop/pods/gone").code, 404);
  assert.equal(ask("/namespaces/shop/nodes").code, 404);
});
