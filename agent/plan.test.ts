import assert from "node:assert/strict";
import { test } from "node:test";
import type { Work } from "@atoll/api/fleet/v1alpha1/work";
import type { ApiObject } from "@atoll/machinery/object";
import fc from "fast-check";
import { idOf, type Inventory, isWithin, lastOther, plan, type Plan, refOf } from "./plan.ts";

const manifest = (kind: string, name: string, namespace?: string): ApiObject => ({
  apiVersion: "v1",
  kind,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
});
const work = (order: number, ...objects: readonly object[]): Work =>
  ({
    apiVersion: "fleet.atoll.dev/v1alpha1",
    kind: "Work",
    metadata: { name: `w${order}` },
    spec: { order, objects: objects.map((each) => ({ source: "SecurityPolicy/base", ...each })) },
  }) as unknown as Work;
const nothing: Inventory = { order: 0, objects: [] };

function certain(made: Plan | undefined): Plan {
  assert(made !== undefined);
  return made;
}

const names = (objects: readonly { readonly manifest: ApiObject }[]) =>
  objects.map(({ manifest: { kind, metadata } }) => `${kind}/${metadata.name}`);

test("plan() applies what others need first, and removes in the opposite order", () => {
  const wanted = ["ConfigMap", "Role", "Namespace"].map((kind) => ({ manifest: manifest(kind, "a") }));
  const first = certain(plan([work(1, ...wanted)], nothing, []));
  assert.deepEqual(names(first.apply), ["Namespace/a", "Role/a", "ConfigMap/a"]);
  const then = certain(plan([work(2)], first.after, []));
  assert.deepEqual(
    then.remove.map(({ kind }) => kind),
    ["ConfigMap", "Role", "Namespace"],
  );
});

test("plan() keeps what is here when the hub shows an older state", () => {
  const { after } = certain(plan([work(7, { manifest: manifest("ConfigMap", "new") })], nothing, []));
  assert.equal(plan([work(6, { manifest: manifest("ConfigMap", "old") })], after, []), undefined);
  assert.equal(plan([], after, []), undefined, "a hub that lost everything takes nothing away");
  assert.notEqual(plan([work(7)], after, []), undefined);
  assert.equal(plan([], { ...after, order: 0 }, []), undefined, "nor one that the cluster has just come back to");
});

test("plan() wants an object in each namespace with the labels, in those to come and not in those that go", () => {
  const each = { eachNamespace: { matchLabels: { team: "a" } }, manifest: manifest("ResourceQuota", "q") };
  const namespace = (name: string, labels: Record<string, string>, deletionTimestamp?: string) => ({
    metadata: { name, labels, ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }) },
  });
  const namespaces = [
    namespace("one", { team: "a" }),
    namespace("two", { team: "b" }),
    namespace("going", { team: "a" }, "2026-01-01T00:00:00Z"),
  ];
  const made = certain(plan([work(1, each)], nothing, namespaces));
  assert.deepEqual(
    made.apply.map((item) => item.manifest.metadata.namespace),
    ["one"],
  );
});

const reference = fc.record({
  kind: fc.constantFrom("Namespace", "Role", "ConfigMap"),
  name: fc.constantFrom("a", "b", "c"),
});
const asWork = (order: number, refs: readonly { kind: string; name: string }[]) =>
  work(order, ...refs.map(({ kind, name }) => ({ manifest: manifest(kind, name, "n") })));

test("whatever followed whatever, what is recorded beforehand covers all that may be there, and nothing stays behind", () => {
  fc.assert(
    fc.property(fc.array(fc.array(reference, { maxLength: 6 }), { minLength: 1, maxLength: 8 }), (states) => {
      let inventory = nothing;
      const there = new Set<string>();
      for (const [at, refs] of states.entries()) {
        const { apply, remove, before, after } = certain(plan([asWork(at + 1, refs)], inventory, []));
        const known = new Set(before.objects.map(idOf));
        for (const ref of remove) there.delete(idOf(ref));
        for (const item of apply) there.add(idOf(refOf(item.manifest)));
        for (const id of there) assert(known.has(id), `${id} is not recorded`);
        assert.deepEqual([...there].toSorted(), [...new Set(after.objects.map(idOf))].toSorted());
        inventory = after;
      }
    }),
  );
});

test("isWithin() does not count what the server filled in, and counts what is missing or another", () => {
  const live = { a: 1, list: [{ name: "x", filled: true }], more: "filled" };
  for (const wanted of [{}, { a: 1 }, { list: [{ name: "x" }] }, { gone: {} }, { none: [] }]) {
    assert(isWithin(wanted, live), JSON.stringify(wanted));
  }
  for (const wanted of [{ a: 2 }, { b: 1 }, { list: [] }, { list: [{ name: "y" }] }, { a: { b: 1 } }]) {
    assert(!isWithin(wanted, live), JSON.stringify(wanted));
  }
});

test("lastOther() names who wrote since the agent did, and nobody who writes the status or wrote before", () => {
  const entry = (manager: string, day: number, subresource = "") => ({
    ...{ manager, time: `2026-01-0${day}T00:00:00Z`, operation: "Update" },
    ...(subresource === "" ? {} : { subresource }),
  });
  const other = (...managedFields: readonly object[]) => {
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", managedFields } };
    return lastOther(object as unknown as ApiObject, "own")?.manager;
  };
  assert.equal(
    other(entry("old", 1), entry("own", 2), entry("kubectl-edit", 3), entry("c", 4, "status")),
    "kubectl-edit",
  );
  assert.equal(other(entry("kubectl-edit", 2), entry("own", 2)), "kubectl-edit");
  assert.equal(other(entry("kubectl-edit", 2), entry("own", 3)), undefined);
  assert.equal(other(), undefined);
});
