import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import test from "node:test";
import fc from "fast-check";
import { deepEqual, deepFreeze } from "./equal.ts";

test("deepEqual() agrees with Node's on JSON values", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      const copy = JSON.parse(JSON.stringify(a));
      assert.equal(deepEqual(a, copy), true);
      assert.equal(deepEqual(a, b), isDeepStrictEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b))));
    }),
  );
});

test("deepEqual() takes undefined for absent, and keys of the prototype for absent too", () => {
  assert.equal(deepEqual({ a: 1, b: undefined }, { a: 1 }), true);
  assert.equal(deepEqual({ a: 1 }, { a: 1, b: undefined }), true);
  assert.equal(deepEqual({}, { toString: 1 }), false);
  assert.equal(deepEqual(JSON.parse('{"__proto__":{"a":1}}'), {}), false);
  assert.equal(deepEqual({ a: 1 }, { b: 1 }), false);
});

test("deepFreeze() freezes every level", () => {
  const value = deepFreeze({ a: [{ b: { c: 1 } }] });
  assert.throws(() => {
    Object.assign(value.a[0]?.b ?? {}, { c: 2 });
  }, TypeError);
});
