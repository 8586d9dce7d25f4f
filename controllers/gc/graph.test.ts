import assert from "node:assert/strict";
import test from "node:test";
import type { OwnerReference } from "@atoll/machinery/object";
import fc from "fast-check";
import type { Identity, Seen } from "./graph.ts";
import { foregroundFinalizer, Graph, orphanFinalizer } from "./graph.ts";

function fresh() {
  const told: string[] = [];
  const absent: Identity[] = [];
  const graph = new Graph({
    look: (uid) => told.push(`look ${uid}`),
    lookLater: (uid) => told.push(`later ${uid}`),
    orphan: (uid) => told.push(`orphan ${uid}`),
    absent: (identity) => absent.push(identity),
    invalidNamespace: (node, { uid }) => told.push(`invalid ${node.identity.uid} -> ${uid}`),
  });
  const taken = () => told.splice(0);
  return { graph, taken, absent };
}

function owner(uid: string, overrides: Partial<OwnerReference> = {}): OwnerReference {
  return { apiVersion: "v1", kind: "Owner", name: `n-${uid}`, uid, ...overrides };
}

function object(uid: string, owners: OwnerReference[] = [], metadata: Partial<Seen["metadata"]> = {}): Seen {
  const own = { name: `n-${uid}`, uid, namespace: "a", ...(owners.length > 0 && { ownerReferences: owners }) };
  return { apiVersion: "v1", kind: "Owner", metadata: { ...own, ...metadata } };
}

const deleting = { deletionTimestamp: "2026-01-01T00:00:00Z" };

test("Graph makes a virtual node of an owner not seen, to be looked for", () => {
  const { graph, taken } = fresh();
  graph.observe(object("child", [owner("parent")]));
  assert.deepEqual(taken(), ["look parent"]);
  assert.equal(graph.get("parent")?.virtual, true);
  graph.observe(object("parent"));
  assert.equal(graph.get("parent")?.virtual, false);
  assert.deepEqual(taken(), []);
});

test("Graph has dependents looked at when their owner is gone", () => {
  const { graph, taken, absent } = fresh();
  graph.observe(object("parent"));
  graph.observe(object("child", [owner("parent")]));
  graph.remove(object("parent"));
  assert.deepEqual(taken(), ["look child"]);
  assert.deepEqual(
    absent.map(({ uid }) => uid),
    ["parent"],
  );
});

test("Graph has owner and dependents looked at when a foreground deletion begins, once", () => {
  const { graph, taken } = fresh();
  graph.observe(object("parent"));
  graph.observe(object("child", [owner("parent", { blockOwnerDeletion: true })]));
  const going = object("parent", [], { ...deleting, finalizers: [foregroundFinalizer] });
  graph.observe(going);
  assert.deepEqual(taken(), ["look child", "look parent"]);
  graph.observe(going);
  assert.deepEqual(taken(), []);
});

test("Graph has a waiting owner looked at when a dependent goes or stops blocking", () => {
  const { graph, taken } = fresh();
  graph.observe(object("parent", [], { ...deleting, finalizers: [foregroundFinalizer] }));
  graph.observe(object("c1", [owner("parent", { blockOwnerDeletion: true })]));
  graph.observe(object("c2", [owner("parent", { blockOwnerDeletion: true })]));
  taken();
  graph.remove(object("c1"));
  assert.deepEqual(taken(), ["look parent"]);
  graph.observe(object("c2", [owner("parent", { blockOwnerDeletion: false })]));
  assert.deepEqual(taken(), ["look parent"]);
  const parent = graph.get("parent");
  assert.ok(parent);
  assert.deepEqual(graph.blocking(parent), []);
});

test("Graph has dependents orphaned when a deletion says so, even if first seen like that", () => {
  const { graph, taken } = fresh();
  graph.observe(object("parent", [], { ...deleting, finalizers: [orphanFinalizer] }));
  assert.deepEqual(taken(), ["orphan parent"]);
});

test("Graph tells of a reference into another namespace, whichever is seen first", () => {
  const first = fresh();
  first.graph.observe(object("parent"));
  first.graph.observe(object("child", [owner("parent")], { namespace: "b" }));
  assert.deepEqual(first.taken(), ["invalid child -> parent", "look child"]);
  const second = fresh();
  second.graph.observe(object("child", [owner("parent")], { namespace: "b" }));
  second.graph.observe(object("parent"));
  assert.deepEqual(second.taken(), ["look parent", "invalid child -> parent", "look child"]);
});

test("Graph keeps a virtual node that some dependents place elsewhere, and tries there next", () => {
  const { graph, taken, absent } = fresh();
  graph.observe(object("good", [owner("parent")], { namespace: "b" }));
  graph.observe(object("bad", [owner("parent", { kind: "Other" })], { namespace: "b" }));
  taken();
  const first = graph.get("parent")?.identity;
  assert.ok(first);
  assert.equal(first.kind, "Owner");
  graph.absent(first);
  assert.deepEqual(taken(), ["look good", "later parent"]);
  assert.equal(absent.length, 1);
  const second = graph.get("parent")?.identity;
  assert.ok(second);
  assert.equal(second.kind, "Other");
  graph.remove(object("good", [], { namespace: "b" }));
  graph.absent(second);
  assert.equal(graph.get("parent"), undefined);
});

test("Graph never drops a seen node because another place has nothing of its uid", () => {
  const { graph } = fresh();
  graph.observe(object("parent"));
  graph.absent({ apiVersion: "v1", kind: "Other", namespace: "a", name: "n-parent", uid: "parent" });
  assert.equal(graph.get("parent")?.virtual, false);
});

const uid = fc.constantFrom("a", "b", "c", "d", "e");
const seen = fc.record({ uid, owners: fc.uniqueArray(uid, { maxLength: 3 }), gone: fc.boolean() });

test("Graph's edges are those of the objects as last seen, after any history", () => {
  fc.assert(
    fc.property(fc.array(seen, { maxLength: 60 }), (history) => {
      const { graph } = fresh();
      const world = new Map<string, readonly string[]>();
      for (const { uid: id, owners, gone } of history) {
        if (gone) {
          graph.remove(object(id));
          world.delete(id);
        } else {
          const references = owners.filter((each) => each !== id).map((each) => owner(each));
          graph.observe(object(id, references));
          world.set(
            id,
            references.map((each) => each.uid),
          );
        }
      }
      for (const id of world.keys()) assert.equal(graph.get(id)?.virtual, false);
      for (const id of ["a", "b", "c", "d", "e"]) {
        for (const dependent of graph.get(id)?.dependents ?? [])
          assert.ok(world.get(dependent.identity.uid)?.includes(id));
      }
    }),
  );
});
