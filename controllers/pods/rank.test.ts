import assert from "node:assert/strict";
import test from "node:test";
import type { Pod } from "@atoll/client/builtin";
import fc from "fast-check";
import { firstToGo } from "./rank.ts";

const nowMs = Date.parse("2026-01-01T00:00:00Z");
const ago = (seconds: number) => new Date(nowMs - seconds * 1000).toISOString().replace(".000Z", "Z");

interface Facts {
  readonly node?: string;
  readonly phase?: string;
  readonly ready?: number;
  readonly cost?: string;
  readonly restarts?: number;
  readonly age?: number;
}

function pod(
  name: string,
  { node = "n", phase = "Running", ready = 100, cost, restarts = 0, age = 200 }: Facts = {},
): Pod {
  const annotations = cost === undefined ? {} : { "controller.kubernetes.io/pod-deletion-cost": cost };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, uid: name, creationTimestamp: ago(age), annotations },
    spec: { containers: [], nodeName: node },
    status: {
      phase,
      conditions:
        ready < 0 ? [] : [{ type: "Ready", status: "True", lastProbeTime: null, lastTransitionTime: ago(ready) }],
      containerStatuses: [{ name: "c", restartCount: restarts }] as never,
    },
  };
}

const order = (pods: Pod[], related: Pod[] = []) =>
  firstToGo(pods, related, nowMs).map(({ metadata }) => metadata.name);

test("firstToGo() gives up what is worth least, one reason after the other", () => {
  const pods = [
    pod("solid"),
    pod("young", { age: 2 }),
    pod("restarted", { restarts: 3 }),
    pod("just-ready", { ready: 2 }),
    pod("cheap", { cost: "-5" }),
    pod("not-ready", { ready: -1 }),
    pod("pending", { phase: "Pending", ready: -1 }),
    pod("unassigned", { node: "", phase: "Pending", ready: -1 }),
    pod("dear", { cost: "10" }),
  ];
  const wanted = ["unassigned", "pending", "not-ready", "cheap", "just-ready", "restarted", "young", "solid", "dear"];
  assert.deepEqual(order(pods), wanted);
});

test("firstToGo() gives up Pods that are doubled up on a node", () => {
  const alone = pod("a-alone", { node: "n1" });
  const doubled = pod("b-doubled", { node: "n2" });
  assert.deepEqual(order([alone, doubled], [alone, doubled, pod("other", { node: "n2" })]), ["b-doubled", "a-alone"]);
});

test("firstToGo() does not tell ages of one order of magnitude apart", () => {
  assert.deepEqual(order([pod("b", { ready: 100 }), pod("a", { ready: 110 })]), ["a", "b"]);
});

test("firstToGo() takes a cost that is no number for none", () => {
  assert.deepEqual(order([pod("a", { cost: "many" }), pod("b", { cost: "-1" })]), ["b", "a"]);
});

const facts = fc.record({
  node: fc.constantFrom("", "n1", "n2"),
  phase: fc.constantFrom("Pending", "Running"),
  ready: fc.constantFrom(-1, 1, 1000),
  cost: fc.constantFrom("-1", "0", "5"),
  restarts: fc.integer({ min: 0, max: 2 }),
  age: fc.constantFrom(1, 1000),
});

test("firstToGo() is an order: the same whatever order the Pods come in", () => {
  fc.assert(
    fc.property(fc.array(facts, { maxLength: 8 }), fc.infiniteStream(fc.nat()), (all, seed) => {
      const pods = all.map((each, i) => pod(`p${i}`, each));
      const shuffled = [...pods].sort(() => ((seed.next().value ?? 0) % 2 === 0 ? 1 : -1));
      assert.deepEqual(order(shuffled, pods), order(pods, pods));
    }),
  );
});
