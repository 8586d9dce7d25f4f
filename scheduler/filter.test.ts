import assert from "node:assert/strict";
import test from "node:test";
import type { PodSpec } from "@atoll/api/builtin/core/v1.types";
import type { Node, Pod } from "@atoll/client/builtin";
import fc from "fast-check";
import { refusalsAt } from "./judge.ts";
import type { Place } from "./places.ts";
import { Places } from "./places.ts";
import { podRequests } from "./requests.ts";
import { worldOf } from "./testing.ts";
import { explain } from "./verdict.ts";

const refusals = (pod: Pod, where: Place) => refusalsAt(pod, where, worldOf([where])).map(({ reason }) => reason);

const cpu = (amount: string, more: object = {}) => ({ name: "c", resources: { requests: { cpu: amount } }, ...more });
const podOf = (spec: object): Pod =>
  ({ apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec: { containers: [{ name: "c" }], ...spec } }) as Pod;
const place = (more: object = {}, pods: readonly Pod[] = [], labels = {}): Place => {
  const status = { allocatable: { cpu: "1", memory: "1Gi", pods: "3" } };
  const metadata = { name: "host", labels };
  const places = new Places();
  places.put({ apiVersion: "v1", kind: "Node", metadata, spec: more, status } as unknown as Node);
  for (const [index, pod] of pods.entries())
    places.book({ ...pod, metadata: { ...pod.metadata, uid: String(index) } }, "host");
  const [only] = places.list();
  assert.ok(only);
  return only;
};
const taint = { key: "a", value: "b", effect: "NoSchedule" };
const required = (nodeSelectorTerms: object[]) => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
});
const port = (hostPort: number, more: object = {}) =>
  podOf({ containers: [{ name: "c", ports: [{ containerPort: 80, hostPort, ...more }] }] });

const cases: readonly (readonly [string, Pod, Place, readonly string[]])[] = [
  ["a plain Pod fits", podOf({}), place(), []],
  ["cordoned", podOf({}), place({ unschedulable: true }), ["node(s) were unschedulable"]],
  ["cordoned, tolerated", podOf({ tolerations: [{ operator: "Exists" }] }), place({ unschedulable: true }), []],
  ["another's name", podOf({ nodeName: "x" }), place(), ["node(s) didn't match the requested node name"]],
  ["tainted", podOf({}), place({ taints: [taint] }), ["node(s) had untolerated taint(s)"]],
  ["tainted softly", podOf({}), place({ taints: [{ ...taint, effect: "PreferNoSchedule" }] }), []],
  ["tolerated", podOf({ tolerations: [{ key: "a", value: "b" }] }), place({ taints: [taint] }), []],
  [
    "another value tolerated",
    podOf({ tolerations: [{ key: "a", value: "x" }] }),
    place({ taints: [taint] }),
    ["node(s) had untolerated taint(s)"],
  ],
  ["selected", podOf({ nodeSelector: { z: "1" } }), place({}, [], { z: "1" }), []],
  ["not selected", podOf({ nodeSelector: { z: "1" } }), place(), ["node(s) didn't match Pod's node affinity/selector"]],
  [
    "a term holds",
    podOf(required([{}, { matchExpressions: [{ key: "z", operator: "Exists" }] }])),
    place({}, [], { z: "" }),
    [],
  ],
  ["an empty term", podOf(required([{}])), place(), ["node(s) didn't match Pod's node affinity/selector"]],
  ["ports free", port(80), place({}, [port(81), port(80, { protocol: "UDP" })]), []],
  [
    "ports taken",
    port(80, { hostIP: "10.0.0.1" }),
    place({}, [port(80)]),
    ["node(s) didn't have free ports for the requested pod ports"],
  ],
  ["just enough", podOf({ containers: [cpu("600m")] }), place({}, [podOf({ containers: [cpu("400m")] })]), []],
  [
    "one too many",
    podOf({ containers: [cpu("601m")] }),
    place({}, [podOf({ containers: [cpu("400m")] })]),
    ["Insufficient cpu"],
  ],
  [
    "full of Pods",
    podOf({ containers: [cpu("2")] }),
    place({}, [podOf({}), podOf({}), podOf({})]),
    ["Too many pods", "Insufficient cpu"],
  ],
];

for (const [name, pod, where, reasons] of cases)
  test(`refusals() of a node: ${name}`, () => assert.deepEqual(refusals(pod, where), reasons));

test("podRequests() is the worst moment, with sidecars, the Pod's own requests and overhead", () => {
  const sidecar = cpu("100m", { restartPolicy: "Always" });
  const of = (spec: object) => podRequests({ containers: [], ...spec } as PodSpec).get("cpu");
  assert.equal(of({ containers: [cpu("200m"), cpu("1")] }), 1200);
  assert.equal(of({ containers: [cpu("200m")], initContainers: [cpu("1"), sidecar] }), 1000);
  assert.equal(of({ containers: [cpu("200m")], initContainers: [sidecar, cpu("1")] }), 1100);
  assert.equal(of({ containers: [cpu("2")], initContainers: [sidecar, cpu("1")], overhead: { cpu: "10m" } }), 2110);
  assert.equal(of({ containers: [cpu("2")], resources: { requests: { cpu: "3" } } }), 3000);
});

test("explain() counts the reasons and sorts them, and says what preemption came to", () => {
  assert.equal(explain({ nodes: 0 }), "no nodes available to schedule pods");
  const refused = [["Insufficient cpu"], ["node(s) were unschedulable"], ["Insufficient cpu", "Too many pods"]];
  const reasons = "1 Too many pods, 1 node(s) were unschedulable, 2 Insufficient cpu";
  assert.equal(explain({ nodes: 3, refusals: refused }), `0/3 nodes are available: ${reasons}.`);
  const helpless = "0/3 nodes are available: 3 Preemption is not helpful for scheduling.";
  assert.equal(
    explain({ nodes: 3, nowhere: 'persistentvolumeclaim "x" not found', preemption: helpless }),
    `0/3 nodes are available: persistentvolumeclaim "x" not found. preemption: ${helpless}`,
  );
});

test("a node that takes only what is not refused is never over-committed", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 900 }), { maxLength: 8 }), (wishes) => {
      const taken: number[] = [];
      for (const milli of wishes) {
        const pods = taken.map((each) => podOf({ containers: [cpu(`${each}m`)] }));
        const refused = refusals(podOf({ containers: [cpu(`${milli}m`)] }), place({}, pods)).length > 0;
        const sum = taken.reduce((a, b) => a + b, 0) + milli;
        assert.equal(refused, taken.length === 3 || (milli > 0 && sum > 1000));
        if (!refused) taken.push(milli);
      }
    }),
  );
});
