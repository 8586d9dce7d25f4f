import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DepthExceeded, parseJson } from "../json/json.ts";
import { parseYaml, YamlError } from "./yaml.ts";

function valueOf(text: string): unknown {
  return parseYaml(text).value;
}

test("parseYaml() reads scalars as YAML 1.1 has them", () => {
  const scalars: readonly (readonly [string, unknown])[] = [
    ["0644", 420],
    ["-010", -8],
    ["08", 8],
    ["0x1F", 31],
    ["0b101", 5],
    ["0o17", 15],
    ["1_000", 1000],
    ["+5", 5],
    ["9007199254740993", 9007199254740993n],
    ["18446744073709551615", 2 ** 64],
    ["1e3", 1000],
    [".5", 0.5],
    ["1.", 1],
    ["yes", true],
    ["Off", false],
    ["y", true],
    ["~", null],
    ["", null],
    ["null", null],
    ["nULL", "nULL"],
    ["2001-01-01", "2001-01-01"],
    ["2001-01-01T00:00:00Z", "2001-01-01T00:00:00Z"],
    ["1:30", "1:30"],
    ["1.2.3", "1.2.3"],
    ["0x", "0x"],
    ["1e", "1e"],
    ["'5'", "5"],
    ['"yes"', "yes"],
    ["!!str 5", "5"],
    ["!!int '5'", 5],
    ["!!float 5", 5],
    ["!!binary aGVsbG8=", "hello"],
    ["!mine 5", "5"],
  ];
  for (const [text, value] of scalars) assert.deepEqual(valueOf(`a: ${text}\n`), { a: value }, text);
});

test("parseYaml() reads keys of other types as text", () => {
  assert.deepEqual(valueOf("1: a\ntrue: b\non: c\n1.5: d\n'2': e"), { 1: "a", true: "c", 1.5: "d", 2: "e" });
});

test("parseYaml() expands anchors and merge keys", () => {
  assert.deepEqual(valueOf("a: &x {p: 1, q: 1}\nb: {<<: *x, q: 2}\nc: *x"), {
    a: { p: 1, q: 1 },
    b: { p: 1, q: 2 },
    c: { p: 1, q: 1 },
  });
  assert.deepEqual(valueOf("- &x {p: 1}\n- &y {p: 2, r: 3}\n- {<<: [*x, *y]}"), [
    { p: 1 },
    { p: 2, r: 3 },
    { p: 1, r: 3 },
  ]);
  assert.deepEqual(valueOf("a: &x 1\nb: &x 2\nc: *x"), { a: 1, b: 2, c: 2 });
});

test("parseYaml() takes the first document and the last of equal keys", () => {
  assert.deepEqual(parseYaml("a: b\n---\nc: d\n"), { value: { a: "b" }, duplicates: [] });
  assert.deepEqual(parseYaml("a: 1\nb: {c: 1, c: 2}\na: 3\n"), {
    value: { a: 3, b: { c: 2 } },
    duplicates: ['line 2: key "c" already set in map', 'line 3: key "a" already set in map'],
  });
});

test("parseYaml() reads JSON, as kubectl's apply sends it", () => {
  assert.deepEqual(parseYaml('{"a":9007199254740993,"b":{"c":"yes"}}').value, {
    a: 9007199254740993n,
    b: { c: "yes" },
  });
  assert.deepEqual(valueOf("{a: 1, b: [x, yes]}"), { a: 1, b: ["x", true] });
});

test("parseYaml() makes hostile keys plain data", () => {
  const value = valueOf("__proto__: {polluted: 1}\nconstructor: 2\n") as object;
  assert.deepEqual(Object.keys(value), ["__proto__", "constructor"]);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
});

test("parseYaml() refuses what JSON cannot hold, and tells nothing of the text", () => {
  for (const text of [
    "a: .inf",
    "a: .nan",
    "? [1, 2]\n: 3",
    "? ~\n: 3",
    "a: *none",
    "a: &a [*a]",
    "<<: 5",
    "a: !!int hunter2",
  ]) {
    assert.throws(() => valueOf(text), YamlError, text);
  }
  for (const text of ["a: hunter2: c", "\thunter2", "a: 'hunter2", "a: [hunter2", "%hunter2", 'a: "\\xhunter2"']) {
    assert.throws(
      () => valueOf(text),
      (error) => error instanceof YamlError && !error.message.includes("hunter2"),
      text,
    );
  }
});

/** Each level nine times the one before: 9^9 nodes in 400 bytes. */
const laughs = [
  "a: &a [x,x,x,x,x,x,x,x,x]",
  ..."bcdefghi".split("").map((name, i) => `${name}: &${name} [${Array(9).fill(`*${"abcdefgh"[i]}`).join()}]`),
].join("\n");

test("parseYaml() stops at nesting and alias bombs", () => {
  const bombs: readonly (readonly [string, unknown])[] = [
    [laughs, YamlError],
    ["[".repeat(1_000_000), DepthExceeded],
    ["[".repeat(10_000) + "]".repeat(10_000), DepthExceeded],
    ["{a: ".repeat(10_000) + "}".repeat(10_000), DepthExceeded],
    ["- ".repeat(100_000), DepthExceeded],
    ["? ".repeat(100_000), DepthExceeded],
    [`a: &a {b: 1}\nc: {<<: [${Array(50_000).fill("*a").join()}]}`, YamlError],
    ["x".repeat(4 * 2 ** 20), YamlError],
  ];
  for (const [text, error] of bombs) assert.throws(() => valueOf(text), error as ErrorConstructor, text.slice(0, 20));
});

test("parseYaml() reads what JSON.stringify() writes on several lines", () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false, maxDepth: 3 }), (value) => {
      const text = JSON.stringify({ value }, undefined, 2);
      assert.deepEqual(valueOf(`# not JSON\n${text}`), parseJson(text).value);
    }),
    { numRuns: 500 },
  );
});

test("any text is YAML or refused, never anything else", () => {
  const noise = fc.string({ unit: fc.constantFrom(..."ab:-[]{}&*!|>'\"%@#?, \n\t01~<") });
  fc.assert(
    fc.property(noise, (text) => {
      try {
        parseYaml(text);
      } catch (error) {
        assert.ok(error instanceof YamlError || error instanceof DepthExceeded, String(error));
      }
    }),
    { numRuns: 10_000 },
  );
});
