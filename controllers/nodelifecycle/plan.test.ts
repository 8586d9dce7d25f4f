import assert from "node:assert/strict";
import test from "node:test";
import type { Taint, Toleration } from "@atoll/api/builtin/core/v1.types";
import type { Node, Pod } from "@atoll/client/builtin";
import { leavingStatus, stayMs } from "./eviction.ts";
import { evictionRate, heartbeatOf, isCutOff, silentStatus, taintsOf, wantsEviction, zoneOf } from "./plan.ts";

const nowMs = Date.UTC(2026, 0, 2);
const now = "2026-01-02T00:00:00Z";

function node(conditions: Readonly<Record<string, string>>, spec: Node["spec"] = {}): Node {
  const times = { lastHeartbeatTime: "then", lastTransitionTime: "then" };
  const all = Object.entries(conditions).map(([type, status]) => ({ type, status, ...times }));
  return { kind: "Node", apiVersion: "v1", metadata: { name: "n" }, spec, status: { conditions: all } } as Node;
}
const shown = (taints: readonly Taint[]) => taints.map(({ key, effect }) => `${key.split("/").at(-1)}:${effect}`);
const taintsFor = (given: Node, keepPods = false) => shown(taintsOf(given, { keepPods, mayEvict: true, nowMs }));
const own = { key: "example.com/own", effect: "NoExecute" };
const key = (name: string) => `node.kubernetes.io/${name}`;

test("taintsOf() follows the conditions, and leaves the taints of others", () => {
  assert.deepEqual(taintsFor(node({ Ready: "True" })), []);
  assert.deepEqual(taintsFor(node({ Ready: "False" })), ["not-ready:NoSchedule", "not-ready:NoExecute"]);
  assert.deepEqual(taintsFor(node({ Ready: "Unknown" })), ["unreachable:NoSchedule", "unreachable:NoExecute"]);
  const pressed = node({ Ready: "True", MemoryPressure: "True", DiskPressure: "False", PIDPressure: "True" });
  assert.deepEqual(taintsFor(pressed), ["memory-pressure:NoSchedule", "pid-pressure:NoSchedule"]);
  assert.deepEqual(taintsFor(node({ Ready: "True" }, { unschedulable: true })), ["unschedulable:NoSchedule"]);
  const tainted = [own, ...["not-ready", "unreachable"].map((name) => ({ key: key(name), effect: "NoExecute" }))];
  assert.deepEqual(taintsFor(node({ Ready: "True" }, { taints: tainted })), ["own:NoExecute"]);
  assert.deepEqual(taintsFor(node({ Ready: "False" }, { taints: tainted })), [
    "own:NoExecute",
    "not-ready:NoExecute",
    "not-ready:NoSchedule",
  ]);
});

test("taintsOf() leaves a new node the taint that admission gave it, until the node speaks", () => {
  const taints = [{ key: key("not-ready"), effect: "NoSchedule" }];
  assert.deepEqual(taintsFor(node({}, { taints })), ["not-ready:NoSchedule"]);
  assert.deepEqual(taintsFor(node({ Ready: "True" }, { taints })), []);
});

test("taintsOf() sends no Pods away while the nodes are missing that could take them", () => {
  const taints = [{ key: key("unreachable"), effect: "NoExecute" }];
  assert.deepEqual(taintsFor(node({ Ready: "Unknown" }, { taints }), true), ["unreachable:NoSchedule"]);
});

test("taintsOf() waits for a node's turn to send its Pods away, but not to say anew why they go", () => {
  const later = (given: Node) => shown(taintsOf(given, { keepPods: false, mayEvict: false, nowMs }));
  assert.deepEqual(later(node({ Ready: "Unknown" })), ["unreachable:NoSchedule"]);
  const going = node({ Ready: "Unknown" }, { taints: [{ key: key("not-ready"), effect: "NoExecute" }] });
  assert.deepEqual(later(going), ["unreachable:NoSchedule", "unreachable:NoExecute"]);
  assert.deepEqual([wantsEviction(node({ Ready: "False" })), wantsEviction(going)], [true, false]);
});

test("isCutOff() is so with all nodes missing; evictionRate() is that of a zone, by how many of it are", () => {
  const nodes = (well: number, ill: number) => [
    ...Array.from({ length: well }, () => node({ Ready: "True" })),
    ...Array.from({ length: ill }, () => node({ Ready: "Unknown" })),
  ];
  assert.deepEqual([isCutOff(nodes(0, 1)), isCutOff(nodes(1, 1))], [true, false]);
  assert.equal(evictionRate(nodes(1, 1)), 0.1);
  assert.equal(evictionRate(nodes(1, 2)), 0.1);
  assert.equal(evictionRate(nodes(2, 3)), 0);
  assert.equal(evictionRate(nodes(20, 40)), 0.01);
  assert.equal(evictionRate(nodes(0, 3)), 0.1);
  const zoned = { ...node({}), metadata: { labels: { "topology.kubernetes.io/zone": "b" } } };
  assert.deepEqual([zoneOf(node({})), zoneOf(zoned)], ["/", "/b"]);
});

test("silentStatus() makes unknown what the node told, and fills in what it never did", () => {
  const status = silentStatus(node({ Ready: "True", Accelerated: "True", DiskPressure: "Unknown" }), nowMs);
  const told = (status.conditions ?? []).map(({ type, status: is, reason }) => [type, is, reason]);
  assert.deepEqual(told, [
    ["Ready", "Unknown", "NodeStatusUnknown"],
    ["Accelerated", "True", undefined],
    ["DiskPressure", "Unknown", undefined],
    ["MemoryPressure", "Unknown", "NodeStatusNeverUpdated"],
    ["PIDPressure", "Unknown", "NodeStatusNeverUpdated"],
  ]);
  const silent = { ...node({}), status };
  assert.equal(silentStatus(silent, nowMs), status);
});

test("heartbeatOf() does not take for life what the controller wrote itself", () => {
  const ready = node({ Ready: "True" });
  const silent = { ...ready, status: silentStatus(ready, nowMs) };
  const later = { ...ready, status: silentStatus(node({ Ready: "False" }), nowMs + 1) };
  assert.equal(heartbeatOf(silent, "t"), heartbeatOf(later, "t"));
  assert.notEqual(heartbeatOf(silent, "t"), heartbeatOf(ready, "t"));
  assert.notEqual(heartbeatOf(silent, "t"), heartbeatOf(silent, "u"));
});

test("stayMs() is the shortest of the tolerations that are used, if all taints are tolerated", () => {
  const pod = (...tolerations: Toleration[]) => ({ spec: { tolerations } }) as unknown as Pod;
  const gone = { key: key("unreachable"), effect: "NoExecute" };
  assert.equal(stayMs(pod(), [gone]), 0);
  assert.equal(stayMs(pod({ operator: "Exists" }), [gone, own]), Number.POSITIVE_INFINITY);
  const some: Toleration = { key: gone.key, operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 };
  assert.equal(stayMs(pod(some), [gone]), 300_000);
  assert.equal(stayMs(pod(some), [gone, own]), 0);
  assert.equal(stayMs(pod(some, { operator: "Exists", tolerationSeconds: 5 }), [gone]), 5_000);
  assert.equal(stayMs(pod({ ...some, tolerationSeconds: -1 }), [gone]), 0);
});

test("leavingStatus() says why the Pod goes", () => {
  const pod = { spec: {}, status: { phase: "Running", conditions: [] } } as unknown as Pod;
  const [condition] = leavingStatus(pod, nowMs).conditions ?? [];
  assert.deepEqual(
    [condition?.type, condition?.status, condition?.reason, condition?.lastTransitionTime],
    ["DisruptionTarget", "True", "DeletionByTaintManager", now],
  );
});
