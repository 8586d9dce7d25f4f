import assert from "node:assert/strict";
import test from "node:test";
import type { DaemonSetSpec } from "@atoll/api/builtin/apps/v1.types";
import type { Taint } from "@atoll/api/builtin/core/v1.types";
import type { DaemonSet, Node, Pod } from "@atoll/client/builtin";
import { deepFreeze } from "@atoll/machinery/equal";
import fc from "fast-check";
import { revisionLabel } from "../revisions/revision.ts";
import { plan, summarise } from "./plan.ts";
import { daemonPod, nodeOf } from "./pod.ts";

const startMs = Date.parse("2026-01-01T00:00:00Z");

/** A small world: Pods are placed, become ready, end and go as told. */
class World {
  set: DaemonSet;
  nodes = new Map<string, Node>();
  pods: Pod[] = [];
  hash = "a";
  nowMs = startMs;
  #made = 0;

  constructor(nodes: string[], strategy: object = {}) {
    const template = {
      metadata: { labels: { app: "d" } },
      spec: { containers: [{ name: "c", image: "i", resources: {} }] },
    };
    const spec: DaemonSetSpec = {
      selector: { matchLabels: { app: "d" } },
      template,
      updateStrategy: { type: "RollingUpdate", rollingUpdate: strategy },
    };
    this.set = {
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      metadata: { name: "d", namespace: "n", uid: "d", generation: 1 },
      spec,
      status: {} as never,
    };
    for (const name of nodes) this.node(name);
  }

  node(name: string, taints: { key: string; effect: string }[] = [], labels: Record<string, string> = {}): void {
    this.nodes.set(name, {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name, labels },
      spec: { taints },
      status: {} as never,
    });
  }

  get world() {
    return {
      set: this.set,
      nodes: [...this.nodes.values()],
      pods: structuredClone(this.pods),
      hash: this.hash,
      nowMs: this.nowMs,
    };
  }

  pass(): { create: readonly string[]; remove: (string | undefined)[] } {
    const { create, remove } = plan(deepFreeze(this.world));
    for (const node of create) {
      const name = `p${this.#made++}`;
      const draft = daemonPod(this.set, node, this.hash) as Pod;
      const creationTimestamp = new Date(this.nowMs).toISOString().replace(".000Z", "Z");
      const metadata = { ...draft.metadata, name, uid: name, creationTimestamp };
      this.pods.push({ ...draft, metadata, apiVersion: "v1", kind: "Pod", status: { phase: "Pending" } });
    }
    for (const pod of remove)
      this.change(pod.metadata.name ?? "", (each) => ({
        ...each,
        metadata: { ...each.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" },
      }));
    return { create, remove: remove.map(({ metadata }) => metadata.name) };
  }

  ready(name: string): void {
    const conditions = [
      { type: "Ready", status: "True", lastProbeTime: null, lastTransitionTime: "2026-01-01T00:00:00Z" },
    ];
    this.change(name, (pod) => ({
      ...pod,
      spec: { ...pod.spec, nodeName: nodeOf(pod) ?? "" },
      status: { phase: "Running", conditions },
    }));
  }

  gone(): void {
    this.pods = this.pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  change(name: string, change: (pod: Pod) => Pod): void {
    this.pods = this.pods.map((pod) => (pod.metadata.name === name ? change(pod) : pod));
  }

  settle(): void {
    for (let i = 0; i < 100; i++) {
      const before = JSON.stringify(this.pods);
      this.pass();
      this.gone();
      for (const { metadata } of this.pods) this.ready(metadata.name ?? "");
      if (JSON.stringify(this.pods) === before) return;
      this.nowMs += 1_000;
    }
    throw new Error("does not settle");
  }

  /** `NODE:HASH` of each Pod that serves. */
  serving(): string {
    const ready = this.pods.filter(
      ({ status, metadata }) => status.conditions?.[0]?.status === "True" && metadata.deletionTimestamp === undefined,
    );
    return ready
      .map((pod) => `${nodeOf(pod)}:${pod.metadata.labels?.[revisionLabel]}`)
      .sort()
      .join(" ");
  }
}

const names = (count: number) => Array.from({ length: count }, (_, i) => `n${i}`);

test("plan() puts one Pod on each node, meant for it alone", () => {
  const world = new World(names(3));
  world.settle();
  assert.equal(world.serving(), "n0:a n1:a n2:a");
  assert.deepEqual(world.pass(), { create: [], remove: [] });
  const [pod] = world.pods;
  const terms = pod?.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  assert.deepEqual(terms, [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["n0"] }] }]);
});

test("plan() follows nodes that come, go, or no longer fit", () => {
  const world = new World(["n0", "n1"]);
  const { spec } = world.set;
  world.set = {
    ...world.set,
    spec: { ...spec, template: { ...spec.template, spec: { containers: [], nodeSelector: { disk: "ssd" } } } },
  };
  world.settle();
  assert.equal(world.serving(), "");
  world.node("n1", [], { disk: "ssd" });
  world.settle();
  assert.equal(world.serving(), "n1:a");
  world.node("n1");
  world.settle();
  assert.equal(world.serving(), "");
});

test("plan() keeps away from tainted nodes, stays where it is unless driven out, and bears with a node's troubles", () => {
  const taint = (key: string, effect: string): Taint[] => [{ key, effect }];
  const world = new World([]);
  world.node("sick", taint("node.kubernetes.io/not-ready", "NoExecute"));
  world.node("cordoned", taint("node.kubernetes.io/unschedulable", "NoSchedule"));
  world.node("reserved", taint("mine", "NoSchedule"));
  world.node("later");
  world.settle();
  assert.equal(world.serving(), "cordoned:a later:a sick:a");
  world.node("later", taint("mine", "NoSchedule"));
  world.settle();
  assert.equal(world.serving(), "cordoned:a later:a sick:a");
  const { numberMisscheduled, desiredNumberScheduled } = summarise(world.world, 0);
  assert.deepEqual([numberMisscheduled, desiredNumberScheduled], [1, 2]);
  world.node("later", taint("mine", "NoExecute"));
  world.settle();
  assert.equal(world.serving(), "cordoned:a sick:a");
});

test("plan() replaces old Pods, as many at once as may be missing, broken ones always", () => {
  const world = new World(names(4), { maxUnavailable: 1 });
  world.settle();
  world.hash = "b";
  world.change("p2", (pod) => ({ ...pod, status: { phase: "Running" } }));
  assert.deepEqual(world.pass().remove, ["p2"]);
  assert.deepEqual(world.pass().remove, []);
  world.settle();
  assert.equal(world.serving(), "n0:b n1:b n2:b n3:b");
});

test("plan() with a surge makes the new Pod first, and gives up the old when the new serves", () => {
  const world = new World(names(3), { maxSurge: 1, maxUnavailable: 0 });
  world.settle();
  world.hash = "b";
  assert.deepEqual(world.pass(), { create: ["n0"], remove: [] });
  assert.deepEqual(world.pass(), { create: [], remove: [] });
  world.ready("p3");
  assert.deepEqual(world.pass(), { create: [], remove: ["p0"] });
  world.settle();
  assert.equal(world.serving(), "n0:b n1:b n2:b");
});

test("plan() replaces a Pod that has ended, but not at once", () => {
  const world = new World(["n0"]);
  world.settle();
  world.nowMs += 60_000;
  const finishedAt = new Date(world.nowMs).toISOString().replace(".000Z", "Z");
  world.change("p0", (pod) => ({
    ...pod,
    status: {
      phase: "Failed",
      containerStatuses: [{ name: "c", restartCount: 0, state: { terminated: { finishedAt } } }] as never,
    },
  }));
  assert.deepEqual(world.pass(), { create: [], remove: [] });
  assert.equal(plan(world.world).afterMs, 10_000);
  world.nowMs += 10_000;
  assert.deepEqual(world.pass().remove, ["p0"]);
});

test("plan() with OnDelete leaves old Pods until somebody deletes them", () => {
  const world = new World(names(2));
  world.set = { ...world.set, spec: { ...world.set.spec, updateStrategy: { type: "OnDelete" } } };
  world.settle();
  world.hash = "b";
  world.settle();
  assert.equal(world.serving(), "n0:a n1:a");
  world.pods = world.pods.filter((pod) => nodeOf(pod) !== "n1");
  world.settle();
  assert.equal(world.serving(), "n0:a n1:b");
});

const strategies = fc.constantFrom(
  { maxUnavailable: 1 },
  { maxUnavailable: "50%" },
  { maxSurge: 1, maxUnavailable: 0 },
  { maxSurge: "50%", maxUnavailable: 0 },
);
const events = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: fc.constant({ do: "pass" as const, i: 0 }) },
    fc.record({ do: fc.constantFrom("ready" as const, "gone" as const), i: fc.nat(9) }),
  ),
  { maxLength: 60 },
);

test("plan() never misses more Pods than it may while it rolls, and always gets there", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), strategies, events, (count, strategy, all) => {
      const world = new World(names(count), strategy);
      world.settle();
      world.hash = "b";
      const most = strategy.maxUnavailable === "50%" ? Math.ceil(count / 2) : 1;
      const may = "maxSurge" in strategy ? 0 : most;
      for (const each of all) {
        if (each.do === "pass") world.pass();
        else if (each.do === "gone") world.gone();
        else world.ready(world.pods[each.i % Math.max(1, world.pods.length)]?.metadata.name ?? "");
        const served = new Set(
          world
            .serving()
            .split(" ")
            .map((spot) => spot.split(":")[0]),
        );
        served.delete("");
        assert.ok(count - served.size <= may, `${count - served.size} of ${count} are missing`);
      }
      world.settle();
      assert.equal(
        world.serving(),
        names(count)
          .map((name) => `${name}:b`)
          .join(" "),
      );
    }),
  );
});
