import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Step } from "./element.ts";
import {
  BadFields,
  type FieldSet,
  difference,
  differenceBelow,
  excluding,
  fieldPaths,
  has,
  including,
  intersection,
  noFields,
  pathSet,
  pathsOf,
  readFields,
  sameFields,
  spellPath,
  union,
} from "./fieldset.ts";

// The model: a set of paths, each a list of steps.
const step = fc.constantFrom<Step>(
  "f:a",
  "f:b",
  "f:__proto__",
  'k:{"name":"x"}',
  'k:{"name":"x y"}',
  "v:1",
  'v:"z"',
  "i:0",
);
const path = fc.array(step, { minLength: 1, maxLength: 4 });
const paths = fc.array(path, { maxLength: 12 });
const name = (steps: readonly Step[]): string => JSON.stringify(steps);
const setOf = (list: readonly Step[][]): FieldSet => list.map((steps) => pathSet(...steps)).reduce(union, noFields);
const namesIn = (set: FieldSet): string[] => pathsOf(set).map(name).sort();
const names = (list: readonly Step[][]): string[] => [...new Set(list.map(name))].sort();

function check(
  combine: (a: FieldSet, b: FieldSet) => FieldSet,
  keep: (steps: Step[], a: Set<string>, b: Step[][]) => boolean,
): void {
  fc.assert(
    fc.property(paths, paths, (a, b) => {
      const left = new Set(a.map(name));
      const wanted = names([...a, ...b].filter((steps) => keep(steps, left, b)));
      const got = combine(setOf(a), setOf(b));
      assert.deepEqual(namesIn(got), wanted);
      assert.equal(sameFields(got, readFields(JSON.parse(JSON.stringify(got)))), true);
    }),
  );
}

const inSet = (steps: Step[], list: Step[][]): boolean => list.some((other) => name(other) === name(steps));
const below = (steps: Step[], list: Step[][]): boolean => list.some((other) => other.every((s, i) => s === steps[i]));

test("union() holds what either set holds", () => check(union, () => true));
test("intersection() holds what both sets hold", () =>
  check(intersection, (steps, a, b) => a.has(name(steps)) && inSet(steps, b)));
test("difference() holds what only the first holds", () =>
  check(difference, (steps, a, b) => a.has(name(steps)) && !inSet(steps, b)));
test("differenceBelow() leaves out what is below, too", () =>
  check(differenceBelow, (steps, a, b) => a.has(name(steps)) && !below(steps, b)));

test("operations that change nothing return the set itself", () => {
  fc.assert(
    fc.property(paths, (list) => {
      const set = setOf(list);
      assert.equal(union(set, set), set);
      assert.equal(union(set, noFields), set);
      assert.equal(difference(set, noFields), set);
      assert.equal(difference(set, pathSet("f:none")), set);
      assert.equal(differenceBelow(set, pathSet("f:none")), set);
    }),
  );
});

test("has() finds the fields of a set and no others", () => {
  fc.assert(
    fc.property(paths, path, (list, steps) => {
      assert.equal(has(setOf(list), steps), inSet(steps, list));
    }),
  );
});

test("readFields() takes canonical sets as they are and puts others in order", () => {
  fc.assert(
    fc.property(paths, (list) => {
      const set = setOf(list);
      const copy = JSON.parse(JSON.stringify(set)) as FieldSet;
      assert.equal(readFields(copy), copy);
      const turned = JSON.parse(JSON.stringify(set), (_, value: object) =>
        Object.fromEntries(Object.entries(value).reverse()),
      ) as object;
      assert.equal(JSON.stringify(readFields(turned)), JSON.stringify(set));
    }),
  );
});

test("readFields() brings steps into their one form, and drops kinds it does not know", () => {
  const given = {
    'k:{ "b": 1.0, "a":"x" }': { ".": {}, "f:q": {} },
    'k:{"a":"\\u0078","b":1}': { "f:p": {} },
    "z:x": {},
    "f:a": { "f:b": { ".": {} }, ".": {} },
  };
  assert.equal(
    JSON.stringify(readFields(given)),
    String.raw`{"f:a":{".":{},"f:b":{}},"k:{\"a\":\"x\",\"b\":1}":{".":{},"f:p":{},"f:q":{}}}`,
  );
});

test("readFields() refuses what is no set", () => {
  for (const given of [
    5,
    [],
    "x",
    { spec: {} },
    { "f:a": 5 },
    { "k:x": {} },
    JSON.parse('{"__proto__":{}}') as object,
  ]) {
    assert.throws(() => readFields(given), BadFields);
  }
  const deep = JSON.parse(`${'{"f:a":'.repeat(5_000)}{}${"}".repeat(5_000)}`) as object;
  assert.throws(() => readFields(deep), BadFields);
});

test("readFields() stays quick on many steps in no order", () => {
  const given = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`v:"${(i * 7_919) % 20_000}"`, {}]));
  given["v: 1"] = {};
  given["v:1"] = {};
  assert.equal(Object.keys(readFields(given)).length, 20_001);
});

test("pathsOf() lists a level before what is below it", () => {
  const set = readFields({
    "f:a": { ".": {}, "f:x": {} },
    "f:b": {},
    "f:c": { 'k:{"n":"x"}': { ".": {}, "f:n": {} } },
  });
  assert.deepEqual(pathsOf(set).map(spellPath), [".a", ".b", ".a.x", '.c[n="x"]', '.c[n="x"].n']);
});

test("excluding() takes fields out with all below them", () => {
  const set = readFields({ "f:metadata": { "f:labels": { "f:a": {} } }, "f:status": { "f:phase": {} } });
  assert.deepEqual(excluding(fieldPaths("status", "metadata.labels"))(set), {});
  assert.deepEqual(excluding(fieldPaths("spec"))(set), set);
});

test("including() keeps what a pattern names, items of lists by *", () => {
  const set = readFields({
    "f:spec": {
      "f:containers": { 'k:{"name":"x"}': { ".": {}, "f:image": {}, "f:resources": { "f:limits": {} } } },
      "f:nodeName": {},
    },
  });
  const filter = including({ spec: { containers: { "*": { resources: null } } } });
  assert.deepEqual(filter(set), {
    "f:spec": { "f:containers": { 'k:{"name":"x"}': { ".": {}, "f:resources": { "f:limits": {} } } } },
  });
});
