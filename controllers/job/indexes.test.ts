import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { Indexes } from "./indexes.ts";

test("Indexes are spelled in intervals of three or more", () => {
  assert.equal(String(Indexes.none.with([7, 1, 4, 3, 5, 9, 10])), "1,3-5,7,9,10");
  assert.equal(String(Indexes.none), "");
});

test("Indexes.parse() leaves out what is no index or too large", () => {
  assert.equal(String(Indexes.parse("0,x,2-9,12", 8)), "0,2-7");
});

const numbers = fc.uniqueArray(fc.nat(30));

test("Indexes behave as a set of numbers", () => {
  fc.assert(
    fc.property(numbers, numbers, fc.nat(8), (a, b, count) => {
      const indexes = Indexes.none.with(a).with(b);
      const plain = new Set([...a, ...b]);
      assert.equal(indexes.size, plain.size);
      for (let i = 0; i <= 31; i++) assert.equal(indexes.has(i), plain.has(i));
      assert.equal(String(Indexes.parse(String(indexes), 31)), String(indexes));
      const missing = Array.from({ length: 25 }, (_, i) => i).filter((i) => !plain.has(i));
      assert.deepEqual(indexes.missing(count, 25), missing.slice(0, count));
      assert.equal(Indexes.none.with(a).shared(Indexes.none.with(b)), a.filter((i) => b.includes(i)).length);
    }),
  );
});
