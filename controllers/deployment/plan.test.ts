import assert from "node:assert/strict";
import test from "node:test";
import type { Deployment, ReplicaSet } from "@atoll/client/builtin";
import { deepFreeze } from "@atoll/machinery/equal";
import fc from "fast-check";
import { hashOf } from "../pods/template.ts";
import type { Step } from "./plan.ts";
import { isComplete, plan } from "./plan.ts";
import { revisionAnnotation, sortOut } from "./revision.ts";
import { leeway, sizeOf, sum } from "./sizes.ts";

interface Wish {
  readonly replicas: number;
  readonly image: string;
  readonly surge: number | string;
  readonly unavailable: number | string;
  readonly recreate?: boolean;
  readonly limit?: number;
  readonly paused?: boolean;
}

/**
 * A small world: ReplicaSets reach their size and Pods become available when chance says so, and statuses tell of it
 * later still. What the plan relies on may thus be old, as in the real one.
 */
class World {
  readonly sets = new Map<string, { spec: ReplicaSet; pods: number; available: number }>();
  deployment: Deployment;
  #made = 0;

  constructor(wish: Wish) {
    this.deployment = make(wish);
  }

  wish(wish: Wish): void {
    this.deployment = make(wish, this.deployment.metadata.annotations);
  }

  /** Does what the plan asks for. @returns the steps */
  act(oldPodsRun = false): readonly Step[] {
    const steps = plan(deepFreeze({ deployment: this.deployment, replicaSets: this.#seen(), oldPodsRun }));
    for (const step of steps) this.#take(step);
    return steps;
  }

  /** A ReplicaSet makes or gives up Pods; broken and surplus ones go first. */
  reconcile(name: string, upTo: number): void {
    const set = this.sets.get(name);
    if (set === undefined) return;
    const wanted = sizeOf(set.spec);
    set.pods = set.pods > wanted ? wanted : Math.min(wanted, set.pods + upTo);
    set.available = Math.min(set.available, set.pods);
  }

  becomeAvailable(name: string, upTo: number): void {
    const set = this.sets.get(name);
    if (set !== undefined) set.available = Math.min(set.pods, set.available + upTo);
  }

  tell(name: string): void {
    const set = this.sets.get(name);
    if (set === undefined) return;
    const { metadata } = set.spec;
    const status = {
      replicas: set.pods,
      availableReplicas: set.available,
      observedGeneration: metadata.generation ?? 0,
    };
    set.spec = { ...set.spec, status };
  }

  get available(): number {
    return [...this.sets.values()].reduce((total, { available }) => total + available, 0);
  }

  get size(): number {
    return sum(this.#seen(), sizeOf);
  }

  get complete(): boolean {
    return isComplete(this.deployment, this.#seen());
  }

  #seen(): ReplicaSet[] {
    return [...this.sets.values()].map(({ spec }) => structuredClone(spec));
  }

  #take(step: Step): void {
    if (step.do === "make") {
      const { name = "" } = step.replicaSet.metadata;
      assert.equal(this.sets.has(name), false, `${name} is made twice`);
      const creationTimestamp = new Date(Date.UTC(2026, 0, 1) + 1000 * this.#made++).toISOString();
      const metadata = { ...step.replicaSet.metadata, creationTimestamp, uid: name, generation: 1 };
      const spec = {
        ...step.replicaSet,
        metadata,
        apiVersion: "apps/v1",
        kind: "ReplicaSet",
        status: {},
      } as ReplicaSet;
      this.sets.set(name, { spec, pods: 0, available: 0 });
    } else if (step.do === "mark") {
      const annotations = { ...this.deployment.metadata.annotations, [revisionAnnotation]: step.revision };
      this.deployment = { ...this.deployment, metadata: { ...this.deployment.metadata, annotations } };
    } else if (step.do === "forget") this.sets.delete(step.replicaSet.metadata.name ?? "");
    else {
      const set = this.sets.get(step.replicaSet.metadata.name ?? "");
      assert.ok(set);
      set.spec = step.replicaSet;
    }
  }
}

function make(
  { replicas, image, surge, unavailable, recreate, limit = 10, paused = false }: Wish,
  annotations = {},
): Deployment {
  const labels = { app: "web" };
  const rolling = { type: "RollingUpdate", rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "n", uid: "d", generation: 1, annotations },
    spec: {
      replicas,
      revisionHistoryLimit: limit,
      paused,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "c", image, resources: {} }] } },
      strategy: recreate === true ? { type: "Recreate" } : rolling,
    },
    status: {},
  };
}

/** Lets everything happen until nothing more does. */
function settle(world: World): void {
  for (let i = 0; i < 500; i++) {
    const steps = world.act(oldPodsOf(world));
    for (const name of world.sets.keys()) {
      world.reconcile(name, 1000);
      world.becomeAvailable(name, 1000);
      world.tell(name);
    }
    if (steps.length === 0 && world.complete && world.act(false).length === 0) return;
  }
  throw new Error("does not settle");
}

function oldPodsOf(world: World): boolean {
  const { old } = sortOut(
    world.deployment,
    [...world.sets.values()].map(({ spec }) => spec),
  );
  return old.some(({ metadata }) => (world.sets.get(metadata.name ?? "")?.pods ?? 0) > 0);
}

const rolling = { replicas: 10, image: "a", surge: "25%", unavailable: "25%" };

function sizes(world: World): Record<string, number> {
  return Object.fromEntries(
    [...world.sets.values()].map(({ spec }) => [spec.spec.template.spec?.containers?.[0]?.image ?? "", sizeOf(spec)]),
  );
}

test("plan() rolls from one template to the next as its leeway allows", () => {
  const world = new World(rolling);
  settle(world);
  assert.deepEqual(sizes(world), { a: 10 });
  world.wish({ ...rolling, image: "b" });
  world.act();
  // 10 + 25 % rounded up is 13; 10 - 25 % rounded down is 8.
  assert.deepEqual(sizes(world), { a: 10, b: 3 });
  world.act();
  world.act();
  assert.deepEqual(sizes(world), { a: 8, b: 3 });
  settle(world);
  assert.deepEqual(sizes(world), { a: 0, b: 10 });
});

test("plan() does not rely on Pods that a ReplicaSet was told to give up, though its status counts them still", () => {
  const world = new World(rolling);
  settle(world);
  world.wish({ ...rolling, image: "b" });
  for (let i = 0; i < 3; i++) world.act();
  assert.deepEqual(sizes(world), { a: 8, b: 3 });
  const [, b = ""] = [...world.sets.keys()];
  world.reconcile(b, 3);
  world.becomeAvailable(b, 1);
  world.tell(b);
  // The status of the old one says 10 available, but only 8 stay: with the new one 9, and 8 must serve.
  for (let i = 0; i < 3; i++) world.act();
  assert.deepEqual(sizes(world), { a: 7, b: 6 });
});

test("plan() gives the revisions that rollbacks go to, and takes up an old ReplicaSet again", () => {
  const world = new World(rolling);
  settle(world);
  world.wish({ ...rolling, image: "b" });
  settle(world);
  world.wish(rolling);
  settle(world);
  assert.equal(world.sets.size, 2);
  const revisions = [...world.sets.values()].map(({ spec }) => spec.metadata.annotations);
  assert.equal(revisions[0]?.[revisionAnnotation], "3");
  assert.equal(revisions[0]?.["deployment.kubernetes.io/revision-history"], "1");
  assert.equal(revisions[1]?.[revisionAnnotation], "2");
  assert.equal(world.deployment.metadata.annotations?.[revisionAnnotation], "3");
});

test("plan() shares a change of size among ReplicaSets that are being rolled", () => {
  const world = new World(rolling);
  settle(world);
  world.wish({ ...rolling, image: "b" });
  for (let i = 0; i < 3; i++) world.act();
  for (const name of world.sets.keys()) {
    world.reconcile(name, 100);
    world.tell(name);
  }
  world.wish({ ...rolling, image: "b", replicas: 20 });
  world.act();
  const { a = 0, b = 0 } = sizes(world);
  assert.equal(a + b, 25);
  assert.ok(a > b);
});

test("plan() does not roll while paused, but scales", () => {
  const world = new World(rolling);
  settle(world);
  world.wish({ ...rolling, image: "b", paused: true, replicas: 12 });
  for (let i = 0; i < 3; i++) world.act();
  assert.deepEqual(sizes(world), { a: 12 });
});

test("plan() with Recreate makes the new only when all old Pods are gone", () => {
  const recreating = { ...rolling, recreate: true };
  const world = new World(recreating);
  settle(world);
  world.wish({ ...recreating, image: "b" });
  world.act(true);
  assert.deepEqual(sizes(world), { a: 0 });
  for (const name of world.sets.keys()) world.reconcile(name, 0);
  for (const name of world.sets.keys()) world.tell(name);
  world.act(true);
  assert.deepEqual(sizes(world), { a: 0 });
  world.act(false);
  assert.deepEqual(sizes(world), { a: 0, b: 10 });
});

test("plan() forgets the oldest ReplicaSets beyond the limit", () => {
  const world = new World({ ...rolling, limit: 2 });
  for (const image of ["a", "b", "c", "d", "e"]) {
    world.wish({ ...rolling, image, limit: 2 });
    settle(world);
  }
  settle(world);
  assert.deepEqual(Object.keys(sizes(world)), ["c", "d", "e"]);
});

test("plan() gets another name for a template whose name is taken", () => {
  assert.notEqual(hashOf({ a: 1 }, 1), hashOf({ a: 1 }));
  assert.equal(hashOf({ a: 1, b: 2 }), hashOf({ b: 2, a: 1 }));
});

const share = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom("0%", "25%", "50%", "100%"));
const wishes = fc.array(
  fc.record({
    replicas: fc.integer({ min: 0, max: 12 }),
    image: fc.constantFrom("a", "b", "c"),
    surge: share,
    unavailable: share,
  }),
  { minLength: 1, maxLength: 4 },
);
const happening = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ do: "act" as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("reconcile" as const),
      set: fc.nat(5),
      upTo: fc.integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("available" as const),
      set: fc.nat(5),
      upTo: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("tell" as const), set: fc.nat(5) }) },
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

function happen(world: World, each: Happening): void {
  if (each.do === "act") return void world.act();
  const names = [...world.sets.keys()];
  const name = names[each.set % Math.max(1, names.length)] ?? "";
  if (each.do === "reconcile") world.reconcile(name, each.upTo);
  else if (each.do === "available") world.becomeAvailable(name, each.upTo);
  else world.tell(name);
}

test("plan() never exceeds its leeway while it rolls, whatever lags, and always gets there", () => {
  fc.assert(
    fc.property(wishes, fc.array(happening, { maxLength: 120 }), (all, happenings) => {
      const [first] = all;
      assert.ok(first);
      const world = new World(first);
      settle(world);
      // Only the template changes: a change of size or leeway may itself put the numbers out of bounds.
      const images = ["a", "b", "c"].filter((image) => image !== first.image);
      const per = Math.max(1, Math.floor(happenings.length / images.length));
      for (const [i, each] of happenings.entries()) {
        if (i % per === 0) world.wish({ ...first, image: images[Math.floor(i / per) % images.length] ?? "a" });
        happen(world, each);
        const { surge, unavailable } = leeway(world.deployment);
        assert.ok(
          world.size <= first.replicas + surge,
          `${world.size} Pods are more than ${first.replicas} + ${surge}`,
        );
        assert.ok(world.available >= first.replicas - unavailable, `only ${world.available} serve`);
      }
      for (const wish of all) {
        world.wish(wish);
        settle(world);
        assert.equal(world.available, wish.replicas);
      }
    }),
    { numRuns: 300 },
  );
});
