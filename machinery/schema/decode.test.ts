import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseJson } from "../json/json.ts";
import { decode, DecodeError } from "./decode.ts";
import type { Schema, ZeroRule } from "./schema.ts";
import { normalizeMicroTime, normalizeTime, TimeError } from "./times.ts";

/** A field of a struct. */
function field(schema: Schema, zero: ZeroRule): Schema {
  return { ...schema, "x-atoll-zero": zero };
}

const text: Schema = { type: "string" };
const int32: Schema = { type: "integer", format: "int32" };
const quantity: Schema = { type: "string", format: "quantity" };
const part: Schema = {
  type: "object",
  "x-atoll-name": "io.example.v1.Part",
  properties: { name: field(text, "keep"), size: field(int32, "omit"), limit: field(quantity, "set") },
};
/** A type that holds itself: its copies share the properties, filled once the type is there. */
const treeFields: Record<string, Schema> = {};
const tree: Schema = { type: "object", "x-atoll-name": "io.example.v1.Tree", properties: treeFields };
treeFields["label"] = field(text, "omit");
treeFields["children"] = field({ type: "array", items: tree }, "omit");
treeFields["left"] = field(tree, "set");

const thing: Schema = {
  type: "object",
  "x-atoll-name": "io.example.v1.Thing",
  properties: {
    kind: field(text, "omit"),
    apiVersion: field(text, "omit"),
    text: field(text, "omit"),
    textKept: field(text, "keep"),
    textSet: field(text, "set"),
    number: field(int32, "omit"),
    numberKept: field({ type: "integer", format: "int64" }, "keep"),
    numberSet: field({ type: "integer", format: "int64" }, "set"),
    ratio: field({ type: "number", format: "double" }, "set"),
    flag: field({ type: "boolean" }, "omit"),
    flagSet: field({ type: "boolean" }, "set"),
    part: field(part, "keep"),
    partSet: field(part, "set"),
    partNull: { ...field(part, "keep"), nullable: true },
    parts: field({ type: "array", items: part }, "omit"),
    partsKept: field({ type: "array", items: part }, "keep"),
    labels: field({ type: "object", additionalProperties: text }, "omit"),
    data: field({ type: "object", additionalProperties: { type: "string", format: "byte" } }, "omit"),
    amounts: field({ type: "object", additionalProperties: quantity }, "keep"),
    amount: field(quantity, "keep"),
    bytes: field({ type: "string", format: "byte" }, "omit"),
    time: field({ type: "string", format: "date-time" }, "keep"),
    timeOmit: field({ type: "string", format: "date-time" }, "omit"),
    micro: field({ type: "string", format: "micro-time" }, "set"),
    port: field({ format: "int-or-string" }, "keep"),
    any: field({ "x-kubernetes-preserve-unknown-fields": true }, "set"),
    tree: field(tree, "set"),
    either: field({ anyOf: [part, { type: "boolean" }, { type: "array", items: text }] }, "set"),
  },
};

/** What a Thing is when nothing is given. */
const empty = {
  textKept: "",
  numberKept: 0,
  part: { name: "" },
  partNull: null,
  partsKept: null,
  amounts: null,
  amount: "0",
  time: null,
  port: 0,
};

function decoded(given: object): object {
  const { value, unknown } = decode(thing, given);
  assert.deepEqual(unknown, []);
  return value;
}

test("decode() writes kept fields that were not given", () => {
  assert.deepEqual(decoded({}), empty);
});

test("decode() leaves out the zero values of fields with omitempty, and keeps what a pointer was set to", () => {
  const zeros = { text: "", number: 0, flag: false, parts: [], labels: {}, data: {}, bytes: "", timeOmit: null };
  assert.deepEqual(decoded(zeros), empty);
  const set = { textSet: "", numberSet: 0, flagSet: false, ratio: 0 };
  assert.deepEqual(decoded(set), { ...empty, ...set });
});

test("decode() takes null as not given", () => {
  const nulls = Object.fromEntries(Object.keys(thing.properties ?? {}).map((name) => [name, null]));
  assert.deepEqual(decoded(nulls), empty);
});

test("decode() makes null within lists and maps the zero value", () => {
  assert.deepEqual(decoded({ parts: [null], labels: { a: null }, amounts: { cpu: null }, data: { k: null } }), {
    ...empty,
    parts: [{ name: "" }],
    labels: { a: "" },
    amounts: { cpu: "0" },
    data: { k: "" },
  });
});

test("decode() writes empty kept lists and maps as null", () => {
  assert.deepEqual(decoded({ partsKept: [], amounts: {} }), empty);
});

test("decode() brings values into one spelling", () => {
  const given = {
    amount: " 1000m ",
    amounts: { cpu: 0.5, memory: "1024Mi", big: 9007199254740993n },
    bytes: "aGk\n=",
    data: { k: "dx==" },
    time: "2001-02-03T04:05:06.789+02:00",
    micro: "2001-02-03T04:05:06.000007Z",
    numberSet: 5n,
    number: -0,
  };
  assert.deepEqual(decoded(given), {
    ...empty,
    amount: "1",
    amounts: { cpu: "500m", memory: "1Gi", big: "9007199254740993" },
    bytes: "aGk=",
    data: { k: "dw==" },
    time: "2001-02-03T02:05:06Z",
    micro: "2001-02-03T04:05:06.000007Z",
    numberSet: 5,
  });
});

test("decode() keeps integers of 64 bits exact", () => {
  const { value } = parseJson('{"numberKept":9223372036854775807,"numberSet":-9223372036854775808}');
  assert.deepEqual(decoded(value as object), { ...empty, numberKept: 2n ** 63n - 1n, numberSet: -(2n ** 63n) });
});

test("decode() says where a value of the wrong type is, as Go does", () => {
  const refusals: readonly (readonly [object, string])[] = [
    [{ text: 5 }, "json: cannot unmarshal number into Go struct field Thing.text of type string"],
    [{ number: "5" }, "json: cannot unmarshal string into Go struct field Thing.number of type int32"],
    [{ number: 1.5 }, "json: cannot unmarshal number 1.5 into Go struct field Thing.number of type int32"],
    [
      { number: 2147483648 },
      "json: cannot unmarshal number 2147483648 into Go struct field Thing.number of type int32",
    ],
    [
      { numberSet: 2n ** 63n },
      "json: cannot unmarshal number 9223372036854775808 into Go struct field Thing.numberSet of type int64",
    ],
    [{ flag: "true" }, "json: cannot unmarshal string into Go struct field Thing.flag of type bool"],
    [{ part: [] }, "json: cannot unmarshal array into Go struct field Thing.part of type v1.Part"],
    [
      { parts: [{ name: "a" }, { name: true }] },
      "json: cannot unmarshal bool into Go struct field Part.parts.name of type string",
    ],
    [{ parts: {} }, "json: cannot unmarshal object into Go struct field Thing.parts of type []v1.Part"],
    [{ labels: { a: 5 } }, "json: cannot unmarshal number into Go struct field Thing.labels of type string"],
    [{ labels: "a" }, "json: cannot unmarshal string into Go struct field Thing.labels of type map[string]string"],
    [
      { tree: { left: { children: [{ label: {} }] } } },
      "json: cannot unmarshal object into Go struct field Tree.tree.left.children.label of type string",
    ],
    [{ bytes: "a?==" }, "illegal base64 data at input byte 1"],
    [{ amount: "1x" }, "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"],
    [{ amount: {} }, "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"],
    [{ time: "yesterday" }, 'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday"'],
    [{ port: 1.5 }, "json: cannot unmarshal number 1.5 into Go struct field Thing.port of type int32"],
  ];
  for (const [given, message] of refusals) {
    assert.throws(() => decode(thing, given), { name: "DecodeError", message }, message);
  }
  for (const value of [null, 5, "x", [], true]) {
    assert.throws(
      () => decode(thing, value),
      /^DecodeError: json: cannot unmarshal \w+ into Go value of type v1.Thing$/,
    );
  }
});

test("decode() drops unknown fields and lists them as strict decoding does", () => {
  const given = { extra: 1, Text: 1, parts: [{}, { x: { y: 1 } }], tree: { left: { z: null } }, labels: { free: "a" } };
  const { value, unknown } = decode(thing, given);
  assert.deepEqual(unknown, [
    'unknown field "extra"',
    'unknown field "Text"',
    'unknown field "parts[1].x"',
    'unknown field "tree.left.z"',
  ]);
  assert.deepEqual(value, { ...empty, parts: [{ name: "" }, { name: "" }], tree: { left: {} }, labels: { free: "a" } });
  const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`u${i}`, i]));
  assert.equal(decode(thing, many).unknown.length, 100);
});

test("decode() chooses among several types by the JSON type, and reports nothing unknown below", () => {
  assert.deepEqual(decoded({ either: { name: "a", zzz: 1 } }), { ...empty, either: { name: "a" } });
  assert.deepEqual(decoded({ either: false }), { ...empty, either: false });
  assert.deepEqual(decoded({ either: ["a"] }), { ...empty, either: ["a"] });
  assert.throws(() => decode(thing, { either: "a" }), DecodeError);
});

test("decode() takes hostile keys as plain data", () => {
  const given = JSON.parse('{"labels":{"__proto__":"a","constructor":"b"},"any":{"__proto__":{"x":1}}}') as object;
  const value = decoded(given) as { labels: object; any: object };
  assert.deepEqual(Object.entries(value.labels), [
    ["__proto__", "a"],
    ["constructor", "b"],
  ]);
  assert.equal(JSON.stringify(value.any), '{"__proto__":{"x":1}}');
  assert.equal(({} as Record<string, unknown>)["x"], undefined);
  assert.deepEqual(decode(thing, JSON.parse('{"__proto__":{"text":"a"}}')).unknown, ['unknown field "__proto__"']);
});

test("decode() stops at its depth", () => {
  const nest = (depth: number, key: string): object => {
    let value: object = {};
    for (let i = 0; i < depth; i++) value = { [key]: value };
    return value;
  };
  for (const depth of [2_000, 100_000]) {
    assert.throws(() => decode(thing, { tree: nest(depth, "left") }), { message: "json: exceeded max depth" });
    assert.throws(() => decode(thing, { any: nest(depth, "x") }), { message: "json: exceeded max depth" });
  }
  assert.ok(decode(thing, { tree: nest(900, "left") }));
});

function frozen(value: unknown): unknown {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

const names = [
  ...Object.keys(thing.properties ?? {}),
  ...Object.keys(part.properties ?? {}),
  "__proto__",
  "left",
  "children",
];
const scalar = fc.oneof(
  fc.constantFrom<unknown>(
    "",
    "a",
    "1Gi",
    "aGk=",
    "2001-02-03T04:05:06Z",
    "2001-02-03T04:05:06.000007Z",
    0,
    5,
    -1,
    1.5,
    2 ** 40,
    2n ** 62n,
    true,
    false,
    null,
  ),
  fc.string(),
  fc.double({ noNaN: true }),
);
const { hostile } = fc.letrec<{ hostile: unknown }>((tie) => ({
  hostile: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie("hostile"), { maxLength: 3 }),
    fc
      .array(fc.tuple(fc.oneof(fc.constantFrom(...names), fc.string()), tie("hostile")), { maxLength: 5 })
      .map((entries) => Object.fromEntries(entries)),
  ),
}));

test("whatever is given is refused with DecodeError or decoded to what decodes to itself, and never changed", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), hostile), (given) => {
      let value: unknown;
      try {
        value = decode(thing, frozen(given)).value;
      } catch (error) {
        assert.ok(error instanceof DecodeError, String(error));
        return;
      }
      const again = decode(thing, frozen(value));
      assert.deepEqual(again.value, value);
      assert.deepEqual(again.unknown, []);
    }),
    { numRuns: 10_000 },
  );
});

test("normalizeTime() agrees with the engine on every moment and offset", () => {
  const at = fc
    .integer({ min: Date.UTC(1, 1, 1) - 60_000_000_000_000, max: Date.UTC(9998, 1, 1) })
    .map((ms) => ms - (ms % 1000));
  fc.assert(
    fc.property(at, fc.integer({ min: -23, max: 23 }), fc.nat(59), (ms, hours, minutes) => {
      const offset = Math.sign(hours || 1) * (Math.abs(hours) * 60 + minutes);
      const local = new Date(ms + offset * 60_000).toISOString();
      fc.pre(/^\d{4}-/.test(local) && /^\d{4}-/.test(new Date(ms).toISOString()));
      const sign = offset < 0 ? "-" : "+";
      const zone = `${sign}${String(Math.floor(Math.abs(offset) / 60)).padStart(2, "0")}:${String(Math.abs(offset) % 60).padStart(2, "0")}`;
      assert.equal(normalizeTime(local.replace(".000Z", zone)), new Date(ms).toISOString().replace(".000Z", "Z"));
    }),
    { numRuns: 5_000 },
  );
});

test("normalizeTime() refuses moments that are not", () => {
  for (const time of [
    "2001-02-29T00:00:00Z",
    "2001-13-01T00:00:00Z",
    "2001-01-01T24:00:00Z",
    "2001-01-01T00:00:60Z",
    "2001-01-01",
    "2001-01-01 00:00:00Z",
    "2001-01-01T00:00:00",
    "",
  ]) {
    assert.throws(() => normalizeTime(time), TimeError, time);
  }
  assert.equal(normalizeTime("2000-02-29T00:00:00Z"), "2000-02-29T00:00:00Z");
  assert.equal(normalizeTime("0001-01-01T00:00:00Z"), null);
});

test("normalizeMicroTime() wants six digits", () => {
  assert.equal(normalizeMicroTime("2001-02-03T04:05:06.123456+01:00"), "2001-02-03T03:05:06.123456Z");
  for (const time of ["2001-02-03T04:05:06Z", "2001-02-03T04:05:06.123Z", "2001-02-03T04:05:06.1234567Z"]) {
    assert.throws(() => normalizeMicroTime(time), TimeError, time);
  }
});
