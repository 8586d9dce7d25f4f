import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  BadStep,
  compareSteps,
  compareText,
  keyStep,
  parseStep,
  spellStep,
  valueStep,
  writeElement,
} from "./element.ts";

test("keyStep() writes values as Go's JSON does", () => {
  assert.equal(keyStep([["name", "a"]]), 'k:{"name":"a"}');
  assert.equal(
    keyStep([
      ["port", 80],
      ["protocol", "TCP"],
    ]),
    'k:{"port":80,"protocol":"TCP"}',
  );
  assert.equal(
    keyStep([["n", '<a&b>"\\\b\f\n\u2028']]),
    String.raw`k:{"n":"\u003ca\u0026b\u003e\"\\\u0008\u000c\n\u2028"}`,
  );
  assert.equal(keyStep([["n", "\\b"]]), String.raw`k:{"n":"\\b"}`);
  assert.equal(valueStep(12345678901234567890n), "v:12345678901234567890");
  assert.equal(valueStep(true), "v:true");
});

test("spellStep() writes steps as conflicts name them", () => {
  const spelled = ["f:spec", 'k:{"port":80,"protocol":"TCP"}', 'v:"a"', "v:3", "i:7"].map(spellStep).join("");
  assert.equal(spelled, '.spec[port=80,protocol="TCP"][="a"][=3][7]');
});

test("parseStep() refuses what is no step and does not know others", () => {
  for (const step of ["", "f", "spec", 'k:"a"', "k:{", "v:", "i:x", "__proto__"]) {
    assert.throws(() => parseStep(step), BadStep, step);
  }
  assert.equal(parseStep("z:later"), undefined);
});

test("compareText() orders by UTF-8", () => {
  const texts = ["a", "ab", "b", "é", "\u{ffff}", "\u{1f600}", "\u{10ffff}", "\ue000", "a\u{1f600}", "a\uff01"];
  const bytes = (text: string): Buffer => Buffer.from(text);
  assert.deepEqual(
    texts.toSorted(compareText),
    texts.toSorted((a, b) => Buffer.compare(bytes(a), bytes(b))),
  );
});

test("compareSteps() puts fields before keys before values before places, each by what they hold", () => {
  const steps = [
    "f:a",
    "f:b",
    'k:{"a":"a"}',
    'k:{"a":"a!"}',
    'k:{"a":"a","b":1}',
    'k:{"b":2}',
    'k:{"b":10}',
    "v:2",
    "v:10",
    'v:"a"',
    "v:true",
    "i:2",
    "i:10",
  ];
  const order = [
    "f:a",
    "f:b",
    'k:{"a":"a"}',
    'k:{"a":"a","b":1}',
    'k:{"a":"a!"}',
    'k:{"b":2}',
    'k:{"b":10}',
    "v:2",
    "v:10",
    'v:"a"',
    "v:true",
    "i:2",
    "i:10",
  ];
  assert.deepEqual(steps.toReversed().sort(compareSteps), order);
});

const scalar = fc.oneof(fc.string({ unit: "binary" }), fc.integer(), fc.boolean());

test("steps are read as they were written", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), scalar, { minKeys: 1 }), scalar, (fields, value) => {
      const key = keyStep(Object.entries(fields).sort(([a], [b]) => compareText(a, b)));
      for (const step of [key, valueStep(value)]) {
        const element = parseStep(step);
        assert.ok(element);
        assert.equal(writeElement(element), step);
      }
    }),
  );
});
