import assert from "node:assert/strict";
import test from "node:test";
import type { StatefulSetSpec } from "@atoll/api/builtin/apps/v1.types";
import type { PersistentVolumeClaim, Pod, StatefulSet } from "@atoll/client/builtin";
import { keyOf } from "@atoll/client/resource";
import { deepFreeze } from "@atoll/machinery/equal";
import fc from "fast-check";
import type { Version } from "./identity.ts";
import { versionOf } from "./identity.ts";
import type { Step } from "./plan.ts";
import { plan } from "./plan.ts";
import { initialOwners } from "./retention.ts";
import { summarise } from "./status.ts";

const nowMs = Date.parse("2026-01-01T00:00:00Z");
const now = "2026-01-01T00:00:00Z";

function version(image: string): Version {
  return {
    name: `web-${image}`,
    template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image, resources: {} }] } },
  };
}

/** A small world: Pods run, become ready and go as told; the status is stored after each pass. */
class World {
  set: StatefulSet;
  pods = new Map<string, Pod>();
  claims = new Map<string, PersistentVolumeClaim>();
  update = version("a");
  current = version("a");
  /** Every name that Pods were made under, in order. */
  readonly made: string[] = [];
  #uid = 0;

  constructor(spec: Partial<StatefulSetSpec> = {}) {
    const template = this.update.template;
    const whole = {
      replicas: 3,
      serviceName: "svc",
      selector: { matchLabels: { app: "web" } },
      template,
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
      ...spec,
    };
    this.set = {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name: "web", namespace: "n", uid: "s", generation: 1 },
      spec: whole,
      status: { replicas: 0, availableReplicas: 0 },
    };
  }

  roll(image: string): void {
    this.update = version(image);
  }

  change(spec: Partial<StatefulSetSpec>): void {
    this.set = { ...this.set, spec: { ...this.set.spec, ...spec } };
  }

  pass(): readonly Step[] {
    const { set, update, current } = this;
    const pods = [...this.pods.values()].map((pod) => structuredClone(pod));
    const claim = (key: string) => this.claims.get(key);
    const { steps } = plan(deepFreeze({ set: structuredClone(set), pods, claim, update, current, nowMs }));
    for (const step of steps) this.#take(step);
    const status = summarise({
      set,
      pods: [...this.pods.values()],
      current: current.name,
      update: update.name,
      collisionCount: 0,
      nowMs,
    });
    this.set = { ...set, status };
    if (status.currentRevision === update.name) this.current = update;
    return steps;
  }

  ready(name: string, isReady = true): void {
    const pod = this.pods.get(name);
    if (pod === undefined) return;
    const conditions = [
      { type: "Ready", status: isReady ? "True" : "False", lastProbeTime: null, lastTransitionTime: now },
    ];
    this.pods.set(name, { ...pod, status: { ...pod.status, phase: "Running", conditions } });
  }

  /** The Pod has ended and is gone. */
  gone(name: string): void {
    if (this.pods.get(name)?.metadata.deletionTimestamp !== undefined) this.pods.delete(name);
  }

  settle(): void {
    for (let i = 0; i < 100; i++) {
      const steps = this.pass();
      for (const [name, pod] of this.pods) {
        if (pod.metadata.deletionTimestamp === undefined) this.ready(name);
        else this.gone(name);
      }
      if (steps.length === 0 && this.pass().length === 0) return;
    }
    throw new Error("does not settle");
  }

  get names(): string {
    return [...this.pods.keys()].sort().join(" ");
  }

  get alive(): string[] {
    return [...this.pods].filter(([, { metadata }]) => metadata.deletionTimestamp === undefined).map(([name]) => name);
  }

  images(): string {
    return [...this.pods]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, pod]) => versionOf(pod)?.slice(4))
      .join("");
  }

  #take(step: Step): void {
    if (step.do === "create") {
      for (const claim of step.claims) this.#claim(claim as PersistentVolumeClaim);
      const { name = "" } = step.pod.metadata;
      assert.equal(this.pods.has(name), false, `${name} is made twice`);
      this.made.push(name);
      const metadata = { ...step.pod.metadata, uid: `u${this.#uid++}`, creationTimestamp: now };
      this.pods.set(name, {
        ...(step.pod as Pod),
        metadata,
        apiVersion: "v1",
        kind: "Pod",
        status: { phase: "Pending" },
      });
    } else if (step.do === "delete") {
      const { name = "" } = step.pod.metadata;
      const pod = this.pods.get(name);
      if (pod !== undefined) this.pods.set(name, { ...pod, metadata: { ...pod.metadata, deletionTimestamp: now } });
    } else if (step.do === "relabel") this.pods.set(step.pod.metadata.name ?? "", step.pod);
    else if (step.do === "reown") this.claims.set(keyOf(step.claim), step.claim);
    else for (const claim of step.claims) this.#claim(claim as PersistentVolumeClaim);
  }

  #claim(claim: PersistentVolumeClaim): void {
    const ownerReferences = [...initialOwners(this.set)];
    this.claims.set(keyOf(claim), { ...claim, metadata: { ...claim.metadata, ownerReferences } });
  }
}

test("plan() makes Pods one after the other, each when those before it are ready", () => {
  const world = new World();
  world.pass();
  assert.equal(world.names, "web-0");
  world.pass();
  assert.equal(world.names, "web-0");
  world.ready("web-0");
  world.pass();
  world.ready("web-1");
  world.ready("web-0", false);
  world.pass();
  assert.equal(world.names, "web-0 web-1");
  world.ready("web-0");
  world.pass();
  assert.equal(world.names, "web-0 web-1 web-2");
});

test("plan() in parallel makes all at once", () => {
  const world = new World({ podManagementPolicy: "Parallel" });
  world.pass();
  assert.equal(world.names, "web-0 web-1 web-2");
});

test("plan() gives each Pod its name, place, host name and volumes", () => {
  const claim = { metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"] } } as never;
  const world = new World({ volumeClaimTemplates: [claim], ordinals: { start: 5 }, replicas: 1 });
  world.pass();
  const pod = world.pods.get("web-5");
  assert.deepEqual(pod?.metadata.labels, {
    app: "web",
    "statefulset.kubernetes.io/pod-name": "web-5",
    "apps.kubernetes.io/pod-index": "5",
    "controller-revision-hash": "web-a",
  });
  assert.deepEqual([pod?.spec.hostname, pod?.spec.subdomain], ["web-5", "svc"]);
  assert.deepEqual(pod?.spec.volumes, [{ name: "data", persistentVolumeClaim: { claimName: "data-web-5" } }]);
  assert.deepEqual([...world.claims.keys()], ["n/data-web-5"]);
});

test("plan() gives up the highest first, one at a time, and only while the others are well", () => {
  const world = new World();
  world.settle();
  world.change({ replicas: 1 });
  world.ready("web-0", false);
  world.pass();
  assert.equal(world.alive.length, 3);
  world.ready("web-0");
  world.pass();
  assert.deepEqual(world.alive, ["web-0", "web-1"]);
  world.pass();
  assert.deepEqual(world.alive, ["web-0", "web-1"]);
  world.gone("web-2");
  world.pass();
  assert.deepEqual(world.alive, ["web-0"]);
});

test("plan() replaces Pods of the old revision from the highest down, waiting for each", () => {
  const world = new World();
  world.settle();
  world.roll("b");
  world.pass();
  assert.deepEqual(world.alive, ["web-0", "web-1"]);
  world.gone("web-2");
  world.pass();
  assert.equal(world.images(), "aab");
  world.pass();
  assert.equal(world.images(), "aab");
  world.ready("web-2");
  world.pass();
  assert.deepEqual(world.alive, ["web-0", "web-2"]);
  world.settle();
  assert.equal(world.images(), "bbb");
  assert.equal(world.set.status.currentRevision, "web-b");
});

test("plan() leaves ordinals below the partition at their revision, even when they are made anew", () => {
  const world = new World();
  world.settle();
  world.change({ updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } } });
  world.roll("b");
  world.settle();
  assert.equal(world.images(), "aab");
  world.pods.delete("web-0");
  world.settle();
  assert.equal(world.images(), "aab");
  assert.equal(world.set.status.currentRevision, "web-a");
});

test("plan() replaces as many at once as may be missing", () => {
  const world = new World({
    replicas: 5,
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 2 } },
  });
  world.settle();
  world.roll("b");
  world.pass();
  assert.deepEqual(world.alive, ["web-0", "web-1", "web-2"]);
});

test("plan() with OnDelete replaces a Pod only when somebody deletes it", () => {
  const world = new World({ updateStrategy: { type: "OnDelete" } });
  world.settle();
  world.roll("b");
  world.settle();
  assert.equal(world.images(), "aaa");
  world.pods.delete("web-1");
  world.settle();
  assert.equal(world.images(), "aba");
});

test("plan() replaces a Pod that has ended", () => {
  const world = new World();
  world.settle();
  const pod = world.pods.get("web-1");
  assert.ok(pod);
  world.pods.set("web-1", { ...pod, status: { phase: "Succeeded" } });
  assert.deepEqual(
    world.pass().map((step) => step.do),
    ["delete"],
  );
  world.settle();
  assert.equal(world.made.filter((name) => name === "web-1").length, 2);
});

test("plan() hands claims to their Pod when scaled away, and to the set when it is deleted, as the policy says", () => {
  const claim = { metadata: { name: "data" }, spec: {} } as never;
  const policy = { whenDeleted: "Delete", whenScaled: "Delete" };
  const world = new World({ volumeClaimTemplates: [claim], persistentVolumeClaimRetentionPolicy: policy });
  world.settle();
  const owners = (name: string) => world.claims.get(name)?.metadata.ownerReferences?.map(({ kind }) => kind);
  assert.deepEqual(owners("n/data-web-2"), ["StatefulSet"]);
  world.change({ replicas: 2 });
  world.pass();
  assert.deepEqual(owners("n/data-web-2"), ["Pod"]);
  world.settle();
  assert.equal(world.names, "web-0 web-1");
  // Until the old claim is collected the ordinal does not come back.
  world.change({ replicas: 3 });
  world.settle();
  assert.equal(world.names, "web-0 web-1");
  world.claims.delete("n/data-web-2");
  world.settle();
  assert.equal(world.names, "web-0 web-1 web-2");
  world.change({ persistentVolumeClaimRetentionPolicy: {} });
  world.settle();
  assert.deepEqual(owners("n/data-web-2"), []);
});

const event = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ do: "pass" as const, pod: 0 }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("ready" as const, "gone" as const), pod: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("scale" as const, "roll" as const), pod: fc.nat(4) }) },
);

test("plan() in order never has two Pods on their way, and always gets there", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), (events) => {
      const world = new World();
      for (const each of events) {
        const name = `web-${each.pod}`;
        if (each.do === "pass") world.pass();
        else if (each.do === "ready") world.ready(name);
        else if (each.do === "gone") world.gone(name);
        else if (each.do === "scale") world.change({ replicas: each.pod });
        else world.roll("abcde"[each.pod] ?? "a");
        const busy = [...world.pods.values()].filter(
          ({ status, metadata }) => status.phase === "Pending" || metadata.deletionTimestamp !== undefined,
        );
        assert.ok(busy.length <= 1, `${busy.length} are on their way`);
      }
      world.settle();
      const { replicas = 0 } = world.set.spec;
      assert.equal(world.pods.size, replicas);
      assert.equal(world.images(), world.update.name.slice(4).repeat(replicas));
    }),
  );
});
