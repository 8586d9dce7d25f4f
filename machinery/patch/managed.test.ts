import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { deepFreeze } from "../equal.ts";
import type { ApiObject, ManagedFieldsEntry } from "../object.ts";
import { StatusError } from "../status.ts";
import { Ownership, excluding, fieldPaths, keepTimes } from "./managed.ts";
import { configMap, deployment, shelf } from "./samples.ts";

const t1 = "2026-01-01T00:00:01Z";
const t2 = "2026-01-01T00:00:02Z";

const maps = new Ownership({ apiVersion: "v1", kind: "ConfigMap", schema: configMap });
const shelves = new Ownership({
  apiVersion: "x.example/v1",
  kind: "Shelf",
  schema: shelf,
  reset: excluding(fieldPaths("status")),
});

const map = (data: Record<string, unknown>, metadata: object = {}): ApiObject =>
  deepFreeze({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "m", ...metadata }, data }) as ApiObject;
const shelfOf = (spec: Record<string, unknown>, metadata: object = {}): ApiObject =>
  deepFreeze({ apiVersion: "x.example/v1", kind: "Shelf", metadata: { name: "s", ...metadata }, spec }) as ApiObject;

function updated(
  ownership: Ownership,
  live: ApiObject | undefined,
  next: ApiObject,
  by: { manager: string; now?: string },
): ApiObject {
  const managedFields = ownership.recordUpdate({ live, updated: next, now: t1, ...by });
  const { managedFields: _, ...metadata } = next.metadata;
  return deepFreeze({ ...next, metadata: { ...metadata, ...(managedFields === undefined ? {} : { managedFields }) } });
}

function applied(
  ownership: Ownership,
  live: ApiObject | undefined,
  config: ApiObject,
  by: { manager: string; force?: boolean; now?: string },
): ApiObject {
  return deepFreeze(
    ownership.apply({ live, applied: config as unknown as Record<string, unknown>, force: false, now: t1, ...by }),
  );
}

const owners = (object: ApiObject): Record<string, unknown> =>
  Object.fromEntries(
    (object.metadata.managedFields ?? []).map((entry) => [`${entry.manager} ${entry.operation}`, entry.fieldsV1]),
  );

function conflictsOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof StatusError);
    assert.equal(error.reason, "Conflict");
    return error.message;
  }
  return "none";
}

test("recordUpdate() gives a new object's fields to who made it", () => {
  const made = updated(maps, undefined, map({ a: "1" }, { labels: { x: "y" }, uid: "u" }), { manager: "kubectl" });
  assert.deepEqual(made.metadata.managedFields, [
    {
      manager: "kubectl",
      operation: "Update",
      apiVersion: "v1",
      time: t1,
      fieldsType: "FieldsV1",
      fieldsV1: { "f:data": { ".": {}, "f:a": {} }, "f:metadata": { "f:labels": { ".": {}, "f:x": {} } } },
    },
  ]);
});

test("recordUpdate() does not count the empty structs a built-in kind always has", () => {
  const kind = new Ownership({ apiVersion: "apps/v1", kind: "Deployment", schema: deployment });
  const object = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "d" },
    spec: { replicas: 1, strategy: {}, template: { metadata: {}, spec: { containers: null } } },
    status: {},
  };
  assert.deepEqual(owners(updated(kind, undefined, object, { manager: "m" })), {
    "m Update": { "f:spec": { "f:replicas": {} } },
  });
});

test("recordUpdate() moves a changed field to who changed it, and tells only them the time", () => {
  const made = updated(maps, undefined, map({ a: "1", b: "1" }), { manager: "one" });
  const next = updated(maps, made, map({ a: "1", b: "2", c: "3" }), { manager: "two", now: t2 });
  assert.deepEqual(owners(next), {
    "one Update": { "f:data": { ".": {}, "f:a": {} } },
    "two Update": { "f:data": { "f:b": {}, "f:c": {} } },
  });
  assert.deepEqual(
    next.metadata.managedFields?.map(({ time }) => time),
    [t1, t2],
  );
});

test("recordUpdate() lets removed fields go, and owners of nothing", () => {
  const made = updated(maps, undefined, map({ a: "1" }, { labels: { x: "1" } }), { manager: "one" });
  const two = updated(maps, made, map({ a: "1", b: "2" }, { labels: { x: "1" } }), { manager: "two" });
  const three = updated(maps, two, map({ a: "1" }, { labels: { x: "1" } }), { manager: "one", now: t2 });
  assert.deepEqual(owners(three), owners(made));
  assert.deepEqual(
    three.metadata.managedFields?.map(({ time }) => time),
    [t1],
  );
});

test("recordUpdate() takes the managedFields a client sends, and forgets them for [] and [{}]", () => {
  const made = updated(maps, undefined, map({ a: "1" }), { manager: "one" });
  const entry: ManagedFieldsEntry = {
    manager: "x",
    operation: "Update",
    apiVersion: "v1",
    fieldsType: "FieldsV1",
    fieldsV1: { "f:data": { "f:a": {} } },
  };
  const taken = updated(maps, made, map({ a: "1" }, { managedFields: [entry] }), { manager: "two" });
  assert.deepEqual(taken.metadata.managedFields, [entry]);
  for (const managedFields of [[], [{}]]) {
    const forgotten = updated(maps, made, map({ a: "1" }, { managedFields }), { manager: "two" });
    assert.equal(forgotten.metadata.managedFields, undefined);
    assert.equal(updated(maps, forgotten, map({ a: "2" }), { manager: "two" }).metadata.managedFields, undefined);
  }
  const lost = maps.recordUpdate({ live: made, updated: map({ a: "1" }), sent: [], manager: "two", now: t1 });
  assert.equal(lost, undefined);
});

test("recordUpdate() keeps the stored record when what is sent is garbage, or through a subresource", () => {
  const made = updated(maps, undefined, map({ a: "1" }), { manager: "one" });
  for (const managedFields of [
    [{ manager: "x" }],
    [5],
    "x",
    [{ operation: "Update", apiVersion: "v1", fieldsType: "FieldsV1", fieldsV1: { spec: {} } }],
  ]) {
    assert.deepEqual(owners(updated(maps, made, map({ a: "1" }, { managedFields }), { manager: "two" })), owners(made));
  }
  const status = new Ownership({ apiVersion: "v1", kind: "ConfigMap", schema: configMap, subresource: "status" });
  assert.deepEqual(
    owners(updated(status, made, map({ a: "1" }, { managedFields: [] }), { manager: "two" })),
    owners(made),
  );
});

test("recordUpdate() merges the longest idle of more than ten updaters", () => {
  let object = updated(maps, undefined, map({ k0: "" }), { manager: "m0", now: "2026-01-01T00:00:00Z" });
  for (let i = 1; i <= 11; i++) {
    const data = Object.fromEntries(Array.from({ length: i + 1 }, (_, k) => [`k${k}`, ""]));
    object = updated(maps, object, map(data), { manager: `m${i}`, now: `2026-01-01T00:00:${10 + i}Z` });
  }
  const entries = object.metadata.managedFields ?? [];
  assert.equal(entries.length, 10);
  assert.deepEqual(entries[0], {
    manager: "ancient-changes",
    operation: "Update",
    apiVersion: "v1",
    time: "2026-01-01T00:00:12Z",
    fieldsType: "FieldsV1",
    fieldsV1: { "f:data": { ".": {}, "f:k0": {}, "f:k1": {}, "f:k2": {} } },
  });
});

test("apply() makes an object and owns what it sets", () => {
  const made = applied(maps, undefined, map({ a: "1" }, { labels: { x: "y" } }), { manager: "ann" });
  assert.deepEqual(owners(made), {
    "ann Apply": { "f:data": { "f:a": {} }, "f:metadata": { "f:labels": { "f:x": {} } } },
  });
});

test("apply() refuses to change what others own unless forced", () => {
  const made = applied(maps, undefined, map({ a: "1", b: "1" }), { manager: "ann" });
  const changed = updated(maps, made, map({ a: "1", b: "2" }), { manager: "eve" });
  assert.equal(
    conflictsOf(() => applied(maps, changed, map({ a: "3", b: "3" }), { manager: "bob" })),
    'Apply failed with 2 conflicts: conflicts with "ann":\n- .data.a\nconflicts with "eve" using v1:\n- .data.b',
  );
  assert.equal(
    conflictsOf(() => applied(maps, changed, map({ b: "3" }), { manager: "bob" })),
    'Apply failed with 1 conflict: conflict with "eve" using v1: .data.b',
  );
  const forced = applied(maps, changed, map({ b: "3" }), { manager: "bob", force: true });
  assert.deepEqual(forced["data"], { a: "1", b: "3" });
  assert.deepEqual(owners(forced), {
    "ann Apply": { "f:data": { "f:a": {} } },
    "bob Apply": { "f:data": { "f:b": {} } },
  });
});

test("apply() shares a field when both want the same, and removes it with its last owner", () => {
  const one = applied(maps, undefined, map({ a: "1" }), { manager: "ann" });
  const two = applied(maps, one, map({ a: "1", b: "2" }), { manager: "bob" });
  const left = applied(maps, two, map({}), { manager: "ann" });
  assert.deepEqual(left["data"], { a: "1", b: "2" });
  const none = applied(maps, left, map({ b: "2" }), { manager: "bob" });
  assert.deepEqual(none["data"], { b: "2" });
});

test("apply() of the same is no change, also to times", () => {
  const one = applied(maps, undefined, map({ a: "1" }), { manager: "ann" });
  const again = applied(maps, one, map({ a: "1" }), { manager: "ann", now: t2 });
  assert.deepEqual(again, one);
});

test("apply() merges keyed lists and sets by item and replaces atomic ones", () => {
  const base = shelfOf({
    keyed: [{ name: "a", a: "1" }, { name: "b" }],
    set: ["x", "y"],
    atomic: ["1"],
    list: ["1"],
    atomicmap: { x: "1" },
  });
  const one = applied(shelves, undefined, base, { manager: "ann" });
  const wanted = shelfOf({ keyed: [{ name: "c" }, { name: "b", b: 1 }], set: ["z", "x"], granular: { k: "v" } });
  const two = applied(shelves, one, wanted, { manager: "bob" });
  assert.deepEqual(two["spec"], {
    keyed: [{ name: "a", a: "1" }, { name: "c" }, { name: "b", b: 1 }],
    set: ["z", "x", "y"],
    atomic: ["1"],
    list: ["1"],
    atomicmap: { x: "1" },
    granular: { k: "v" },
  });
  assert.match(
    conflictsOf(() => applied(shelves, two, shelfOf({ atomic: ["2"], atomicmap: { y: "1" } }), { manager: "bob" })),
    /2 conflicts.*\n- \.spec\.atomic\n- \.spec\.atomicmap$/,
  );
});

test("apply() tells items apart by several keys, whatever their order in the schema, and by defaults", () => {
  const items = {
    type: "object",
    properties: { z: { type: "integer" }, p: { type: "string", default: "TCP" } },
  } as const;
  const ports = {
    type: "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["z", "p"],
    items,
  } as const;
  const kind = new Ownership({
    apiVersion: "x.example/v1",
    kind: "Shelf",
    schema: { type: "object", properties: { spec: { type: "object", properties: { ports } } } },
  });
  const made = applied(kind, undefined, shelfOf({ ports: [{ z: 1 }, { z: 1, p: "UDP" }] }), { manager: "ann" });
  assert.equal(
    JSON.stringify(owners(made)["ann Apply"]),
    String.raw`{"f:spec":{"f:ports":{"k:{\"p\":\"TCP\",\"z\":1}":{".":{},"f:z":{}},"k:{\"p\":\"UDP\",\"z\":1}":{".":{},"f:p":{},"f:z":{}}}}}`,
  );
});

test("apply() refuses a configuration without the form of its kind", () => {
  const faults: readonly (readonly [Record<string, unknown>, string])[] = [
    [{ keyed: [{ name: "k" }, { name: "k" }] }, '.spec.keyed: duplicate entries for key [name="k"]'],
    [
      { keyed: [{ a: "x" }] },
      `.spec.keyed: element 0: associative list with keys has an element that omits all key fields ["name"]`,
    ],
    [{ keyed: ["x"] }, ".spec.keyed: element 0: associative list with keys may not have non-map elements"],
    [{ set: [null] }, ".spec.set: element 0: associative list without keys has an element that's an explicit null"],
    [{ plain: 5 }, ".spec.plain: expected string, got &value.valueUnstructured{Value:5}"],
    [{ number: "x" }, ".spec.number: expected numeric (int or float), got string"],
    [{ struct: [] }, ".spec.struct: expected map, got"],
    [{ noSuch: 1 }, ".spec.noSuch: field not declared in schema"],
  ];
  for (const [spec, message] of faults) {
    const run = (): unknown => applied(shelves, undefined, shelfOf(spec), { manager: "ann" });
    assert.throws(
      run,
      (error) =>
        error instanceof StatusError &&
        error.code === 500 &&
        error.message.startsWith(`failed to create typed patch object (/s; x.example/v1, Kind=Shelf): ${message}`),
    );
  }
});

test("apply() refuses managedFields and other kinds as bad requests", () => {
  const bad = (error: unknown): boolean => error instanceof StatusError && error.reason === "BadRequest";
  assert.throws(() => applied(maps, undefined, map({}, { managedFields: [] }), { manager: "ann" }), bad);
  assert.throws(() => applied(maps, undefined, { ...map({}), kind: "Secret" }, { manager: "ann" }), bad);
  assert.throws(() => applied(maps, undefined, { ...map({}), apiVersion: "v9" }, { manager: "ann" }), bad);
});

test("apply() knows an object without a record as set before the first apply", () => {
  const bare = map({ a: "1", b: "1" });
  assert.match(
    conflictsOf(() => applied(maps, bare, map({ a: "2" }), { manager: "ann" })),
    /"before-first-apply" using v1: \.data\.a$/,
  );
  assert.deepEqual(owners(applied(maps, bare, map({ a: "1" }), { manager: "ann" })), {
    "ann Apply": { "f:data": { "f:a": {} } },
    "before-first-apply Update": { "f:data": { ".": {}, "f:a": {}, "f:b": {} } },
  });
});

test("apply() by kubectl takes over what client-side apply set, and keeps its annotation true", () => {
  const annotation = "kubectl.kubernetes.io/last-applied-configuration";
  const last = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "m" }, data: { a: "1" } });
  const live = updated(maps, undefined, map({ a: "1", b: "1" }, { annotations: { [annotation]: last } }), {
    manager: "kubectl-client-side-apply",
  });
  const config = map({ a: "2" });
  assert.match(
    conflictsOf(() => applied(maps, live, config, { manager: "ann" })),
    /"kubectl-client-side-apply" using v1: \.data\.a$/,
  );
  assert.match(
    conflictsOf(() => applied(maps, live, map({ a: "2", b: "2" }), { manager: "kubectl" })),
    /1 conflict:.*\.data\.b$/,
  );
  const taken = applied(maps, live, config, { manager: "kubectl" });
  assert.deepEqual(taken["data"], { a: "2", b: "1" });
  assert.equal(
    taken.metadata.annotations?.[annotation],
    '{"apiVersion":"v1","data":{"a":"2"},"kind":"ConfigMap","metadata":{"name":"m"}}\n',
  );
});

test("apply() goes by the fields a path resets", () => {
  const config = { ...shelfOf({ plain: "x" }), status: { phase: "up" } };
  assert.deepEqual(owners(applied(shelves, undefined, config, { manager: "ann" })), {
    "ann Apply": { "f:spec": { "f:plain": {} } },
  });
});

test("apply() keeps owners of other versions by converting, and drops those of unknown ones", () => {
  const old = {
    type: "object",
    properties: { spec: { type: "object", properties: { text: { type: "string" } } } },
  } as const;
  const convert = (object: ApiObject, apiVersion: string) => {
    if (apiVersion !== "x.example/v0") return undefined;
    const { plain } = object["spec"] as { plain?: string };
    return { object: { ...object, apiVersion, spec: plain === undefined ? {} : { text: plain } }, schema: old };
  };
  const kind = new Ownership({ apiVersion: "x.example/v1", kind: "Shelf", schema: shelf, convert });
  const entry = (manager: string, apiVersion: string): ManagedFieldsEntry => ({
    manager,
    operation: "Update",
    apiVersion,
    fieldsType: "FieldsV1",
    fieldsV1: { "f:spec": { "f:text": {} } },
  });
  const live = shelfOf(
    { plain: "x", number: 1 },
    { managedFields: [entry("old", "x.example/v0"), entry("lost", "x.example/v9")] },
  );
  assert.match(
    conflictsOf(() => applied(kind, live, shelfOf({ plain: "y" }), { manager: "ann" })),
    /1 conflict: conflict with "old" using x\.example\/v0: \.spec\.text$/,
  );
  assert.deepEqual(Object.keys(owners(applied(kind, live, shelfOf({ plain: "x" }), { manager: "ann" }))), [
    "ann Apply",
    "old Update",
  ]);
  assert.deepEqual(Object.keys(owners(updated(kind, live, shelfOf({ plain: "z", number: 1 }), { manager: "eve" }))), [
    "eve Update",
  ]);
});

test("apply() works on a kind without fields of its own", () => {
  const open = new Ownership({
    apiVersion: "x.example/v1",
    kind: "Shelf",
    schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
  });
  const one = applied(open, undefined, shelfOf({ a: { b: 1 }, l: [1, { c: 1 }] }, { finalizers: ["x/y"] }), {
    manager: "ann",
  });
  assert.deepEqual(owners(one), {
    "ann Apply": {
      "f:metadata": { "f:finalizers": { 'v:"x/y"': {} } },
      "f:spec": { ".": {}, "f:a": { ".": {}, "f:b": {} }, "f:l": {} },
    },
  });
  const two = applied(open, one, shelfOf({ a: { d: 2 } }), { manager: "ann" });
  assert.deepEqual(two["spec"], { a: { d: 2 } });
});

test("keepTimes() makes a write that changes nothing but times no write", () => {
  const live = applied(maps, undefined, map({ a: "1" }), { manager: "ann" });
  const later = live.metadata.managedFields?.map((entry) => ({ ...entry, time: t2 }));
  assert.equal(keepTimes(later, live, live), live.metadata.managedFields);
  assert.equal(keepTimes(later, live, map({ a: "2" })), later);
});

const spec = fc.record(
  {
    plain: fc.constantFrom("a", "b"),
    number: fc.integer({ min: 0, max: 3 }),
    set: fc.uniqueArray(fc.constantFrom("x", "y", "z")),
    atomic: fc.array(fc.constantFrom("x", "y"), { maxLength: 2 }),
    keyed: fc.uniqueArray(
      fc.record(
        {
          name: fc.constantFrom("k", "l", "m"),
          a: fc.constantFrom("1", "2"),
          inner: fc.uniqueArray(fc.constantFrom("i", "j")),
        },
        { requiredKeys: ["name"] },
      ),
      { selector: ({ name }) => name },
    ),
    granular: fc.dictionary(fc.constantFrom("p", "q", "__proto__"), fc.constantFrom("1", "2")),
    atomicmap: fc.record({ x: fc.constantFrom("1", "2"), y: fc.constantFrom("1", "2") }, { requiredKeys: [] }),
    open: fc.dictionary(
      fc.constantFrom("r", "s"),
      fc.oneof(fc.integer({ max: 2 }), fc.dictionary(fc.constantFrom("t"), fc.integer({ max: 2 }))),
    ),
    struct: fc.record({ x: fc.constantFrom("1", "2"), y: fc.constantFrom("1", "2") }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);
const config = spec.map((value) => shelfOf(JSON.parse(JSON.stringify(value)) as Record<string, unknown>));
// Empty lists and objects own nothing below them, and upstream does not settle on whether they are there.
const full = spec.map((value) =>
  shelfOf({ plain: "x", ...(bare(JSON.parse(JSON.stringify(value))) as object | undefined) }),
);
const manager = fc.constantFrom("ann", "bob", "cat");
const action = fc.record({ manager, config, kind: fc.constantFrom("apply", "update") });

function run(actions: readonly { manager: string; config: ApiObject; kind: string }[]): ApiObject | undefined {
  let live: ApiObject | undefined;
  for (const { manager: by, config: next, kind } of actions) {
    live =
      kind === "apply"
        ? applied(shelves, live, next, { manager: by, force: true })
        : updated(shelves, live, next, { manager: by });
  }
  return live;
}

test("apply() is idempotent after any history", () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 5 }), manager, full, (history, by, next) => {
      const once = applied(shelves, run(history), next, { manager: by, force: true });
      assert.deepEqual(applied(shelves, once, next, { manager: by, now: t2 }), once);
    }),
  );
});

test("apply() leaves nothing unowned of what one applier alone set", () => {
  fc.assert(
    fc.property(config, config, (first, second) => {
      const fresh = applied(shelves, undefined, second, { manager: "ann" });
      const after = applied(shelves, applied(shelves, undefined, first, { manager: "ann" }), second, {
        manager: "ann",
      });
      assert.deepEqual(owners(after), owners(fresh));
      assert.deepEqual(bare(after["spec"]), bare(fresh["spec"]));
    }),
  );
});

/** Without what is empty: a list or object whose items all went may stay as null. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(bare);
  if (typeof value !== "object" || value === null) return value ?? undefined;
  const fields = Object.entries(value).map(([key, inner]) => [key, bare(inner)] as const);
  const kept = fields.filter(([, inner]) => inner !== undefined);
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

test("every owner's fields stay canonical and not empty after any history", () => {
  fc.assert(
    fc.property(fc.array(action, { minLength: 1, maxLength: 6 }), (history) => {
      for (const { fieldsV1 } of run(history)?.metadata.managedFields ?? []) {
        const sorted = JSON.stringify(fieldsV1);
        assert.notEqual(sorted, "{}");
        assert.equal(sorted.includes(":null"), false);
      }
    }),
  );
});

test("apply() refuses nesting that nothing could walk, and walks what it takes", () => {
  const nested = (levels: number): Record<string, unknown> =>
    JSON.parse(`${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`) as Record<string, unknown>;
  const made = applied(shelves, undefined, shelfOf({ open: nested(990) }), { manager: "ann" });
  assert.deepEqual(applied(shelves, made, shelfOf({ plain: "x" }), { manager: "ann" })["spec"], { plain: "x" });
  assert.deepEqual(Object.keys(owners(updated(shelves, made, shelfOf({ plain: "x" }), { manager: "eve" }))), [
    "eve Update",
  ]);
  const deep = { apiVersion: "x.example/v1", kind: "Shelf", metadata: { name: "s" }, spec: { open: nested(5_000) } };
  const run = (): unknown => shelves.apply({ live: undefined, applied: deep, manager: "ann", force: false, now: t1 });
  assert.throws(run, (error) => error instanceof StatusError && error.reason === "BadRequest");
});

test("apply() with 50,000 owned fields ends", () => {
  const data = Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${(i * 7_919) % 50_000}`, "v"]));
  const made = applied(maps, undefined, map(data), { manager: "ann" });
  const half = Object.fromEntries(Object.entries(data).slice(0, 25_000));
  assert.equal(Object.keys(applied(maps, made, map(half), { manager: "ann" })["data"] as object).length, 25_000);
});
