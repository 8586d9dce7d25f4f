import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { keyOf, toKey } from "../resource.ts";
import { IndexedObjects } from "./indexed.ts";

const object = fc.record({
  metadata: fc.record({
    name: fc.constantFrom("a", "b", "c"),
    namespace: fc.constantFrom("x", "y"),
    labels: fc.record({ tier: fc.constantFrom("1", "2") }),
    ownerReferences: fc.array(
      fc.constantFrom("u1", "u2").map((uid) => ({ apiVersion: "v1", kind: "K", name: uid, uid })),
      { maxLength: 2 },
    ),
  }),
});
const step = fc.oneof(
  object.map((value) => ({ set: value })),
  object.map(({ metadata }) => ({ remove: toKey(metadata.namespace, metadata.name) })),
);

type Sample = typeof object extends fc.Arbitrary<infer T> ? T : never;

test("IndexedObjects answers by index what a search through all objects would", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const indexed = new IndexedObjects<Sample>();
      const plain = new Map<string, Sample>();
      for (const [i, each] of steps.entries()) {
        if (i === 10) indexed.addIndex("tier", ({ metadata }) => [metadata.labels.tier]);
        if ("set" in each) {
          indexed.set(each.set);
          plain.set(keyOf(each.set), each.set);
        } else {
          indexed.delete(each.remove);
          plain.delete(each.remove);
        }
      }
      indexed.addIndex("tier", ({ metadata }) => [metadata.labels.tier]);
      const same = (index: string, value: string, holds: (metadata: Sample["metadata"]) => boolean) => {
        const wanted = [...plain.values()].filter(({ metadata }) => holds(metadata));
        assert.deepEqual(new Set(indexed.by(index, value)), new Set(wanted));
      };
      for (const namespace of ["x", "y"]) same("namespace", namespace, (metadata) => metadata.namespace === namespace);
      for (const uid of ["u1", "u2"])
        same("owner", uid, ({ ownerReferences }) => ownerReferences.some((o) => o.uid === uid));
      for (const tier of ["1", "2"]) same("tier", tier, ({ labels }) => labels.tier === tier);
    }),
  );
});
