import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DepthExceeded, JsonError, parseJson, parseStoredJson, stringifyJson } from "./json.ts";

/** Any JSON value, hostile keys and 64-bit integers among them. */
const key = fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "toString", 'a":', "\\", '"', "a b"));
const leaf = fc.oneof(
  fc.string({ unit: "binary" }).map((text) => text.toWellFormed()),
  fc
    .double({ noNaN: true, noDefaultInfinity: true })
    // A double of that size is written as an integer, and integers of that size are read exactly.
    .filter((value) => !Number.isInteger(value) || Number.isSafeInteger(value) || Math.abs(value) >= 2 ** 63)
    .map((value) => value + 0),
  fc.integer(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }),
  fc.boolean(),
  fc.constant(null),
);
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    leaf,
    fc.array(tie("json"), { maxLength: 5 }),
    fc.array(fc.tuple(key, tie("json")), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
  ),
}));

test("what stringifyJson() writes, parseJson() reads back the same", () => {
  fc.assert(
    fc.property(json, fc.constantFrom(undefined, 2), (value, indent) => {
      const text = stringifyJson(value, indent);
      assert.deepEqual(parseJson(text), { value, duplicates: [] });
      assert.deepEqual(parseJson(Buffer.from(text)).value, value);
      assert.deepEqual(parseStoredJson(text), value);
    }),
    { numRuns: 3_000 },
  );
});

test("parseJson() reads escaped keys right, whatever shapes the engine has met", () => {
  // V8 13.6: after the first, JSON.parse gives `\\` for the key of each of the others.
  const met = parseJson('{"p":0,"\\\\":1}');
  assert.deepEqual(met.value, { p: 0, "\\": 1 });
  for (const [escaped, key] of [
    ['\\"', '"'],
    ["\\n", "\n"],
    ["\\u0041", "A"],
  ] as const) {
    assert.deepEqual(parseJson(`{"p":0,"${escaped}":1}`).value, { p: 0, [key]: 1 });
    assert.deepEqual(parseStoredJson(`{"p":0,"${escaped}" :1}`), { p: 0, [key]: 1 });
  }
});

test("parseJson() keeps integers of 64 bits exact, and only those", () => {
  const { value } = parseJson(
    '{"a":9007199254740993,"b":-9223372036854775808,"c":9223372036854775808,"d":0.1234567890123456789,"e":1e3,"f":-0}',
  );
  assert.deepEqual(value, {
    a: 9007199254740993n,
    b: -(2n ** 63n),
    c: 2 ** 63,
    d: Number("0.1234567890123456789"),
    e: 1000,
    f: -0,
  });
  assert.equal(stringifyJson(value).slice(0, 44), '{"a":9007199254740993,"b":-9223372036854775808,"c"'.slice(0, 44));
});

test("parseJson() refuses numbers no double holds, and tells nothing of the text", () => {
  for (const text of ["1e400", '{"a":-1e999}', `[${"9".repeat(400)}]`]) assert.throws(() => parseJson(text), JsonError);
  for (const text of [
    "",
    "{",
    "{'a':1}",
    '{"a":1,}',
    "[1 2]",
    "nul",
    '{"secret":"hunter2"',
    "\ufeff{}",
    '{"a":01}',
    '"hunter2\n"',
  ]) {
    assert.throws(
      () => parseJson(text),
      (error) => error instanceof JsonError && !error.message.includes("hunter2"),
      text,
    );
  }
});

test("parseJson() stops at its depth, however deep the text", () => {
  const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
  assert.equal(parseJson(nested(1_000)).duplicates.length, 0);
  for (const depth of [1_001, 100_000, 1_000_000]) assert.throws(() => parseJson(nested(depth)), DepthExceeded);
  assert.throws(() => parseJson('{"a":'.repeat(20) + "1" + "}".repeat(20), { maxDepth: 19 }), DepthExceeded);
  // Brackets within strings open nothing.
  assert.equal(parseJson(JSON.stringify("[".repeat(5_000)), { maxDepth: 1 }).value, "[".repeat(5_000));
});

test("parseJson() refuses raw control characters, in texts with big numbers too", () => {
  for (const tail of ["", ",99999999999999999"]) {
    assert.throws(() => parseJson(`["a\nb"${tail}]`), JsonError);
    assert.equal((parseJson(`["a\u007f\u0085"${tail}]`).value as unknown[])[0], "a\u007f\u0085");
  }
});

test("parseJson() makes half a surrogate pair U+FFFD, as Go does", () => {
  assert.equal(parseJson('"\\ud800x"').value, "\ufffdx");
  assert.equal(parseJson('"\\ud83d\\ude00"').value, "😀");
  assert.equal(parseJson(Buffer.from([0x22, 0xff, 0x22])).value, "\ufffd");
});

test("parseJson() spells repeated keys as upstream does", () => {
  const duplicatesOf = (text: string): readonly string[] => parseJson(text).duplicates;
  assert.deepEqual(duplicatesOf('{"a":1,"a":2}'), ['duplicate field "a"']);
  assert.deepEqual(duplicatesOf('{"metadata":{"name":"dry","name":"dry2"}}'), ['duplicate field "metadata.name"']);
  assert.deepEqual(duplicatesOf('{"l":[{},{"x":[0,{"k":1,"k" : 2}]}]}'), ['duplicate field "l[1].x[1].k"']);
  assert.deepEqual(duplicatesOf('{"a":{"b":1},"a":{"b":1}}'), ['duplicate field "a"']);
  assert.deepEqual(duplicatesOf('{"\\u0061":1,"a":2}'), ['duplicate field "a"']);
  assert.deepEqual(duplicatesOf('{"__proto__":1,"__proto__":2}'), ['duplicate field "__proto__"']);
  assert.deepEqual(duplicatesOf('{"a":"\\"b\\":1","c":"b\\":"}'), []);
  assert.equal(duplicatesOf(`{${'"a":1,'.repeat(5_000)}"a":1}`).length, 1);
  const many = Array.from({ length: 500 }, (_, i) => `"k${i}":1,"k${i}":2`).join();
  assert.equal(duplicatesOf(`{${many}}`).length, 100);
});

test("parseJson() finds exactly the keys that are given twice", () => {
  const keys = fc.array(fc.constantFrom("a", "b", "c", 'q"', "__proto__"), { maxLength: 6 });
  fc.assert(
    fc.property(keys, fc.boolean(), (given, spaced) => {
      const separator = spaced ? " : " : ":";
      const text = `{${given.map((name, i) => `${JSON.stringify(name)}${separator}${i}`).join(",")}}`;
      const twice = [...new Set(given.filter((name, i) => given.indexOf(name) < i))];
      assert.deepEqual(
        [...parseJson(text).duplicates].sort(),
        twice.map((name) => `duplicate field ${JSON.stringify(name)}`).sort(),
      );
    }),
    { numRuns: 2_000 },
  );
});

test("any bytes are JSON or refused, never anything else", () => {
  const noise = fc.string({ unit: fc.constantFrom(...'{}[]",:0123456789.eE+-\\u tfn\n') });
  fc.assert(
    fc.property(
      fc.oneof(
        noise,
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      ),
      (text) => {
        try {
          parseJson(text);
        } catch (error) {
          assert.ok(error instanceof JsonError || error instanceof DepthExceeded);
          if (!/out of range/.test(error.message)) assert.throws(() => JSON.parse(text.toString()));
        }
      },
    ),
    { numRuns: 20_000 },
  );
});
