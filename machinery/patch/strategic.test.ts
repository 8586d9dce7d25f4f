import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { deepFreeze } from "../equal.ts";
import type { Schema } from "../schema/schema.ts";
import { StatusError } from "../status.ts";
import { applyMergePatch } from "./merge.ts";
import { deployment } from "./samples.ts";
import { applyStrategicMerge } from "./strategic.ts";

const refusal = (reason: string) => (error: unknown) => error instanceof StatusError && error.reason === reason;

const podSpec = deployment.properties?.["spec"]?.properties?.["template"]?.properties?.["spec"] ?? {};
const spec = deepFreeze({
  containers: [
    { name: "a", image: "a:1", env: [{ name: "X", value: "1" }], args: ["x"] },
    { name: "b", image: "b:1" },
    { name: "c", image: "c:1" },
  ],
  nodeSelector: { disk: "ssd" },
});

const patchSpec = (patch: unknown): Record<string, unknown> => applyStrategicMerge(podSpec, spec, deepFreeze(patch));
const names = (patched: Record<string, unknown>): unknown =>
  (patched["containers"] as { name: string }[]).map((c) => c.name).join("");

test("applyStrategicMerge() merges items by their key and puts new ones where the patch has them", () => {
  const patched = patchSpec({
    containers: [
      { name: "b", image: "b:2" },
      { name: "d", image: "d:1" },
    ],
  });
  assert.deepEqual((patched["containers"] as unknown[])[1], { name: "b", image: "b:2" });
  assert.equal(names(patched), "abdc");
});

test("applyStrategicMerge() replaces lists that are not merged", () => {
  const patched = patchSpec({ containers: [{ name: "a", args: ["y"] }] });
  assert.deepEqual((patched["containers"] as unknown[])[0], { ...spec.containers[0], args: ["y"] });
});

test("applyStrategicMerge() deletes items, and a whole list when asked to replace it", () => {
  assert.equal(names(patchSpec({ containers: [{ name: "b", $patch: "delete" }] })), "ac");
  assert.equal(names(patchSpec({ containers: [{ name: "z", $patch: "delete" }] })), "abc");
  assert.equal(names(patchSpec({ containers: [{ $patch: "replace" }, { name: "z" }] })), "z");
});

test("applyStrategicMerge() replaces and empties maps by $patch", () => {
  assert.deepEqual(patchSpec({ nodeSelector: { $patch: "replace", a: "b" } })["nodeSelector"], { a: "b" });
  assert.deepEqual(patchSpec({ nodeSelector: { $patch: "delete", a: "b" } })["nodeSelector"], {});
  assert.deepEqual(patchSpec({ $patch: "replace", restartPolicy: "Never" }), { restartPolicy: "Never" });
});

test("applyStrategicMerge() orders by $setElementOrder", () => {
  const order = (text: string): unknown => [...text].map((name) => ({ name }));
  assert.equal(names(patchSpec({ "$setElementOrder/containers": order("cab") })), "cab");
  assert.equal(names(patchSpec({ "$setElementOrder/containers": order("ca") })), "bca");
  const added = {
    "$setElementOrder/containers": order("dcba"),
    containers: [{ name: "d" }, { name: "c", image: "n" }],
  };
  assert.equal(names(patchSpec(added)), "dcba");
  assert.equal((patchSpec(added)["containers"] as { image: string }[])[1]?.image, "n");
  assert.throws(
    () => patchSpec({ "$setElementOrder/containers": order("ab"), containers: [{ name: "b" }, { name: "a" }] }),
    refusal("Unknown"),
  );
  assert.throws(
    () => patchSpec({ "$setElementOrder/containers": order("ab"), containers: [{ name: "d" }] }),
    refusal("Unknown"),
  );
});

const finalizers = deepFreeze({ metadata: { finalizers: ["x/a", "x/b", "x/c"] } });
const patchFinalizers = (metadata: unknown): unknown =>
  (applyStrategicMerge(deployment, finalizers, { metadata })["metadata"] as { finalizers: unknown }).finalizers;

test("applyStrategicMerge() merges lists of scalars", () => {
  assert.deepEqual(patchFinalizers({ finalizers: ["x/d", "x/b"] }), ["x/d", "x/a", "x/b", "x/c"]);
  assert.deepEqual(patchFinalizers({ "$deleteFromPrimitiveList/finalizers": ["x/b", "x/z"] }), ["x/a", "x/c"]);
  const both = { "$deleteFromPrimitiveList/finalizers": ["x/a"], finalizers: ["x/n"] };
  assert.deepEqual(patchFinalizers(both), ["x/n", "x/b", "x/c"]);
  assert.deepEqual(patchFinalizers({ "$setElementOrder/finalizers": ["x/c", "x/a"] }), ["x/b", "x/c", "x/a"]);
});

test("applyStrategicMerge() drops what $retainKeys does not name", () => {
  const stored = { spec: { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } } } };
  const patch = { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } };
  assert.deepEqual(applyStrategicMerge(deployment, deepFreeze(stored), patch), {
    spec: { strategy: { type: "Recreate" } },
  });
  const wrong = { spec: { strategy: { $retainKeys: ["rollingUpdate"], type: "Recreate" } } };
  assert.throws(() => applyStrategicMerge(deployment, stored, wrong), refusal("BadRequest"));
});

test("applyStrategicMerge() takes directives out of what is new", () => {
  const patched = applyStrategicMerge(
    deployment,
    {},
    { spec: { selector: { $patch: "delete" }, replicas: 1, strategy: { type: null } } },
  );
  assert.deepEqual(patched, { spec: { replicas: 1, strategy: {} } });
});

test("applyStrategicMerge() keeps the object's own apiVersion and kind", () => {
  const patched = applyStrategicMerge(deployment, { apiVersion: "apps/v1", kind: "Deployment" }, { kind: "Other" });
  assert.deepEqual(patched, { apiVersion: "apps/v1", kind: "Deployment" });
});

test("applyStrategicMerge() takes null for no patch", () => {
  assert.deepEqual(patchSpec(null), spec);
});

const refused: readonly (readonly [what: string, reason: string, patch: unknown])[] = [
  ["an item without its key", "Unknown", { containers: [{ image: "x" }] }],
  ["a deletion without its key", "Unknown", { containers: [{ $patch: "delete" }] }],
  ["an unknown $patch of an item", "Unknown", { containers: [{ name: "a", $patch: "drop" }] }],
  ["$patch: merge of an item", "Unknown", { containers: [{ name: "a", $patch: "merge" }] }],
  ["an unknown $patch of a map", "Unknown", { nodeSelector: { $patch: "drop" } }],
  ["mixed items", "Unknown", { containers: ["a"] }],
  ["a merge key that is an object", "Unknown", { containers: [{ name: {} }] }],
  ["an order that is no list", "Unknown", { "$setElementOrder/containers": "a" }],
  ["$retainKeys that is no list", "BadRequest", { $retainKeys: "a" }],
  ["a directive without a field", "BadRequest", { $deleteFromPrimitiveList: ["a"] }],
  ["a list", "BadRequest", []],
];

for (const [what, reason, patch] of refused) {
  test(`applyStrategicMerge() refuses ${what}`, () => {
    assert.throws(() => patchSpec(patch), refusal(reason));
  });
}

const tree: Schema = (() => {
  const properties: Record<string, Schema> = {};
  const schema: Schema = { type: "object", properties };
  Object.assign(properties, { a: schema, b: schema, text: { type: "string" }, __proto__x: schema });
  return schema;
})();

const scalar = fc.oneof(fc.constant(null), fc.string(), fc.integer());
const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: "small" }, scalar, tie("object")),
  object: fc.record(
    { a: tie("value"), b: tie("value"), __proto__x: tie("value"), text: scalar },
    { requiredKeys: [], noNullPrototype: true },
  ),
})).object;
const objects = value.map((object) => JSON.parse(JSON.stringify(object)) as Record<string, unknown>);

test("applyStrategicMerge() is a merge patch where there are neither lists nor directives", () => {
  fc.assert(
    fc.property(objects, objects, (document, patch) => {
      assert.deepEqual(
        applyStrategicMerge(tree, deepFreeze(document), deepFreeze(patch)),
        applyMergePatch(document, patch),
      );
    }),
  );
});

const sorted = (patched: Record<string, unknown>): unknown =>
  (patched["containers"] as { name: string }[]).toSorted((a, b) => (a.name < b.name ? -1 : 1));

test("applyStrategicMerge() twice has the same items as once", () => {
  const item = fc.record(
    { name: fc.constantFrom("a", "b", "c", "d"), image: fc.constantFrom("1", "2") },
    { requiredKeys: ["name"], noNullPrototype: true },
  );
  const list = fc.uniqueArray(item, { selector: (c) => c.name });
  fc.assert(
    fc.property(list, list, (containers, wanted) => {
      const once = applyStrategicMerge(podSpec, deepFreeze({ containers }), deepFreeze({ containers: wanted }));
      const twice = applyStrategicMerge(podSpec, once, { containers: wanted });
      assert.deepEqual(sorted(twice), sorted(once));
    }),
  );
});
