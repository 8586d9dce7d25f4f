import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { FieldErrors } from "../../field.ts";
import type { Schema } from "../schema.ts";
import { copyJson } from "./defaults.ts";
import { MalformedResource } from "./embedded.ts";
import { Structural } from "./structural.ts";

type JsonObject = Record<string, unknown>;

/** As much of metadata as embedded resources here have. */
const objectMeta: Schema = {
  type: "object",
  properties: {
    name: { type: "string", "x-atoll-zero": "omit" },
    creationTimestamp: { type: "string", format: "date-time", "x-atoll-zero": "omit" },
    labels: { type: "object", additionalProperties: { type: "string" }, "x-atoll-zero": "omit" },
  },
};

interface Step {
  readonly method: string;
  readonly path: string;
  readonly body?: JsonObject | string;
  readonly status?: number;
  readonly warnings?: number;
  readonly result?: JsonObject;
}

interface Line extends Step {
  readonly id: string;
  readonly fixture?: boolean;
  readonly steps?: readonly Step[];
}

const recording = new URL("../../../../shared/oracle/crd.jsonl", import.meta.url);
const skip = existsSync(recording) ? false : "no recording of a reference server beside the repository";
const lines: readonly Line[] = skip
  ? []
  : readFileSync(recording, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));

function kinds(): Map<string, Structural> {
  const made = new Map<string, Structural>();
  for (const { steps = [] } of lines.filter(({ fixture }) => fixture === true)) {
    const definition = (steps[0]?.body ?? {}) as { kind?: string; spec?: JsonObject };
    if (definition.kind !== "CustomResourceDefinition") continue;
    const { names, versions } = definition.spec as {
      names: { kind: string };
      versions: { schema: { openAPIV3Schema: Schema } }[];
    };
    const schema = versions[0]?.schema.openAPIV3Schema;
    if (names.kind !== "Wide" && schema !== undefined) made.set(names.kind, new Structural(schema, objectMeta));
  }
  return made;
}

type Cause = { readonly field: string; readonly reason: string };

function causesOf(step: Step): readonly Cause[] {
  return (step.result?.["causes"] ?? []) as Cause[];
}

function withoutMetadata(object: JsonObject): JsonObject {
  const { metadata: _, ...rest } = object;
  return rest;
}

/** Reads and validates as the server does; causes of metadata, which is not the schema's affair, are taken over. */
function replay(structural: Structural, step: Step, old?: JsonObject): { object: JsonObject; unknown: string[] } {
  const object = copyJson(step.body as JsonObject);
  const unknown: string[] = [];
  structural.read(object, (path) => unknown.push(path));
  structural.applyDefaults(object);
  const errors = new FieldErrors();
  for (const { field, reason } of causesOf(step)) {
    if (field.startsWith("metadata.")) errors.add(reason as "FieldValueRequired", field, "", "");
  }
  structural.validate(object, errors, old === undefined ? {} : { old });
  const causes = errors.list.map(({ field, reason }) => ({ field, reason }));
  const order = ({ field, reason }: Cause) => `${field} ${reason}`;
  const sorted = causes.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  if (step.status === 201 || step.status === 200) assert.deepEqual(sorted, []);
  else if (step.status === 422) assert.deepEqual(sorted, causesOf(step));
  return { object, unknown };
}

function kindOf(step: Step): string {
  return typeof step.body === "object" ? String(step.body["kind"]) : "";
}

test("instances are pruned, defaulted and judged as a reference server does", { skip }, () => {
  const structurals = kinds();
  let replayed = 0;
  for (const line of lines) {
    const structural = structurals.get(kindOf(line));
    const shaped = /shape-(4|6|7|8|9|1[0-3])$/.test(line.id) && line.status !== 422;
    if (line.method !== "POST" || structural === undefined || shaped || line.status === 400) continue;
    const { object, unknown } = replay(structural, line);
    if (line.status === 201) assert.deepEqual(withoutMetadata(object), withoutMetadata(line.result ?? {}), line.id);
    if (line.status === 201 && !line.path.includes("Ignore")) assert.equal(unknown.length, line.warnings ?? 0, line.id);
    replayed++;
  }
  assert.ok(replayed > 600, `${replayed} lines`);
});

test("changes are judged as a reference server does: transitions, ratcheting", { skip }, () => {
  const structurals = kinds();
  let replayed = 0;
  for (const { steps = [] } of lines.filter(({ id }) => /(transition|ratchet)-update/.test(id))) {
    const [create, put] = steps;
    if (create === undefined || put === undefined || put.method !== "PUT") continue;
    const structural = structurals.get(kindOf(create));
    assert.ok(structural !== undefined);
    replay(structural, put, replay(structural, create).object);
    replayed++;
  }
  assert.ok(replayed > 10, `${replayed} lines`);
});

const spec = (properties: Record<string, Schema>): Schema => ({
  type: "object",
  properties: { spec: { type: "object", properties } },
});

test("read() refuses embedded resources with a kind that is no text", () => {
  const embedded = new Structural(
    spec({
      pod: { type: "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true },
    }),
    objectMeta,
  );
  assert.throws(() => embedded.read({ spec: { pod: { apiVersion: "v1", kind: 5 } } }), MalformedResource);
});

test("validate() leaves unchanged invalid values alone, and nothing else", () => {
  const structural = new Structural(spec({ a: { type: "string", maxLength: 3 }, b: { type: "integer" } }), objectMeta);
  const old = { spec: { a: "too long", b: 1 } };
  const errorsOf = (object: JsonObject) => {
    const errors = new FieldErrors();
    structural.validate(object, errors, { old });
    return errors.list.map(({ field }) => field);
  };
  assert.deepEqual(errorsOf({ spec: { a: "too long", b: 2 } }), []);
  assert.deepEqual(errorsOf({ spec: { a: "also long", b: 2 } }), ["spec.a"]);
});

test("validate() tells about rules that are let be", () => {
  const rule = { rule: "self.b != 'bad'", message: "b is bad" };
  const schema = spec({ b: { type: "string" } });
  const structural = new Structural(
    { ...schema, properties: { spec: { ...schema.properties?.["spec"], "x-kubernetes-validations": [rule] } } },
    objectMeta,
  );
  const kept: string[] = [];
  const errors = new FieldErrors();
  const object = { spec: { b: "bad" } };
  structural.validate(object, errors, { old: copyJson(object), onKept: (message) => kept.push(message) });
  assert.deepEqual(errors.list, []);
  assert.deepEqual(kept, ["spec: Invalid value: b is bad"]);
});

test("rules stop when the object's budget is spent", () => {
  const rule = { rule: "self.all(x, self.all(y, self.all(z, x + y + z < 1000000)))" };
  const structural = new Structural(
    spec({ list: { type: "array", items: { type: "integer" }, "x-kubernetes-validations": [rule] } }),
    objectMeta,
  );
  const errors = new FieldErrors();
  const started = performance.now();
  structural.validate({ spec: { list: Array.from({ length: 1000 }, (_, i) => i) } }, errors);
  assert.ok(performance.now() - started < 5_000);
  assert.match(errors.list[0]?.message ?? "", /no further validation rules will be run/);
});

test("a pattern that would stop other engines is matched in linear time", () => {
  const structural = new Structural(spec({ a: { type: "string", pattern: "^(a+)+$" } }), objectMeta);
  const errors = new FieldErrors();
  const started = performance.now();
  structural.validate({ spec: { a: `${"a".repeat(100_000)}!` } }, errors);
  assert.ok(performance.now() - started < 2_000);
  assert.deepEqual(
    errors.list.map(({ field }) => field),
    ["spec.a"],
  );
});

test("keys such as __proto__ are plain data", () => {
  const open = new Structural(spec({ map: { type: "object", additionalProperties: { type: "integer" } } }), objectMeta);
  const object = JSON.parse('{"spec":{"map":{"__proto__":1,"constructor":2},"__proto__":{"x":1}}}') as JsonObject;
  const unknown: string[] = [];
  open.read(object, (path) => unknown.push(path));
  assert.deepEqual(unknown, ["spec.__proto__"]);
  assert.equal(JSON.stringify(object), '{"spec":{"map":{"__proto__":1,"constructor":2}}}');
  const named = new Structural(
    JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string","default":"d"}}}') as Schema,
    objectMeta,
  );
  const empty: JsonObject = {};
  named.applyDefaults(empty);
  assert.equal(JSON.stringify(empty), '{"__proto__":"d"}');
});

/** Small schemas with every keyword that reading and judging depend on. */
const schemas: fc.Arbitrary<Schema> = fc.letrec<{ schema: Schema }>((tie) => ({
  schema: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.record(
      {
        type: fc.constantFrom("string", "integer", "number", "boolean"),
        nullable: fc.boolean(),
        format: fc.constantFrom("date", "int32", "nonsense"),
        default: fc.constantFrom<unknown>("a", 1, null, true),
        maxLength: fc.nat(3),
        minimum: fc.double(),
        enum: fc.array(fc.constantFrom<unknown>("a", 1, null)),
        pattern: fc.constantFrom("^a+$", "(a+)+$"),
      },
      { requiredKeys: ["type"] },
    ) as fc.Arbitrary<Schema>,
    fc.record(
      {
        type: fc.constant("array" as const),
        items: tie("schema"),
        maxItems: fc.nat(2),
        "x-kubernetes-list-type": fc.constantFrom("set" as const, "map" as const, "atomic" as const),
        "x-kubernetes-list-map-keys": fc.constant(["a"]),
      },
      { requiredKeys: ["type", "items"] },
    ),
    fc.record(
      {
        type: fc.constant("object" as const),
        properties: fc.dictionary(fc.constantFrom("a", "b", "metadata", "kind"), tie("schema")),
        additionalProperties: fc.oneof(fc.boolean(), tie("schema")),
        required: fc.constant(["a"]),
        "x-kubernetes-preserve-unknown-fields": fc.boolean(),
        "x-kubernetes-embedded-resource": fc.boolean(),
        anyOf: fc.array(tie("schema"), { maxLength: 2 }),
        not: tie("schema"),
      },
      { requiredKeys: ["type", "properties"] },
    ),
    fc.constant({ "x-kubernetes-int-or-string": true }),
  ),
})).schema;

const values = fc.object({
  key: fc.oneof(fc.constantFrom("a", "b", "metadata", "kind", "__proto__"), fc.string()),
  withBigInt: true,
  maxDepth: 4,
});

function readOf(schema: Schema, value: JsonObject): JsonObject | undefined {
  const structural = new Structural(schema, objectMeta);
  const object = copyJson(value);
  try {
    structural.read(object);
  } catch (error) {
    if (error instanceof MalformedResource) return undefined;
    throw error;
  }
  return object;
}

test("reading twice is reading once, defaulting twice is defaulting once", () => {
  fc.assert(
    fc.property(schemas, values, (schema, value) => {
      const structural = new Structural(schema, objectMeta);
      const once = readOf(schema, value as JsonObject);
      if (once === undefined) return;
      assert.deepEqual(readOf(schema, once), once);
      structural.applyDefaults(once);
      const twice = copyJson(once);
      structural.applyDefaults(twice);
      assert.deepEqual(twice, once);
    }),
    { numRuns: 2_000 },
  );
});

test("validate() never throws, whatever the schema, the value and the value before", () => {
  fc.assert(
    fc.property(schemas, values, values, (schema, value, old) => {
      const structural = new Structural(schema, objectMeta);
      structural.validate(value as JsonObject, new FieldErrors());
      structural.validate(value as JsonObject, new FieldErrors(), { old });
      structural.validate(value as JsonObject, new FieldErrors(), { old, statusOnly: true });
    }),
    { numRuns: 2_000 },
  );
});

test("an object that did not change is valid, as far as its schema knows every part of it", () => {
  fc.assert(
    fc.property(schemas, values, (schema, value) => {
      const structural = new Structural({ type: "object", properties: { spec: schema } }, objectMeta);
      const object = readOf(structural.schema, { spec: value });
      if (object === undefined) return;
      const errors = new FieldErrors();
      structural.validate(object, errors, { old: copyJson(object) });
      const known = !/x-kubernetes-|additionalProperties/.test(JSON.stringify(schema));
      if (known) assert.deepEqual(errors.list, []);
    }),
    { numRuns: 2_000 },
  );
});
