import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareKeys, SortedKeys } from "./keys.ts";

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

test("compareKeys() orders as the UTF-8 bytes do", () => {
  const key = fc.string({ unit: "binary", maxLength: 6 });
  fc.assert(fc.property(key, key, (a, b) => assert.equal(Math.sign(compareKeys(a, b)), Math.sign(byBytes(a, b)))));
  const near = fc.string({
    unit: fc.constantFrom("a", "\ud7ff", "\ue000", "\uffff", "😀", "\u{10ffff}"),
    maxLength: 4,
  });
  fc.assert(fc.property(near, near, (a, b) => assert.equal(Math.sign(compareKeys(a, b)), Math.sign(byBytes(a, b)))));
});

test("SortedKeys agrees with a sorted array, however many keys come and go", () => {
  const keys = new SortedKeys();
  const model = new Set<string>();
  let seed = 7;
  const next = (below: number): number => (seed = (seed * 48271) % 2147483647) % below;
  // Grows past several chunks, then shrinks to nothing.
  for (const [count, removing] of [
    [6000, 0.2],
    [9000, 0.9],
  ] as const) {
    for (let i = 0; i < count; i++) {
      const key = `/${next(3)}/${next(5000)}`;
      if (next(1000) < removing * 1000 && model.delete(key)) keys.remove(key);
      else if (!model.has(key)) {
        model.add(key);
        keys.add(key);
      }
      if (i % 500 === 0) agree(keys, model);
    }
    agree(keys, model);
  }
  for (const key of model) keys.remove(key);
  agree(keys, new Set());
});

test("SortedKeys.fill() takes keys in any order", () => {
  const given = Array.from({ length: 3000 }, (_, i) => `/${(i * 7919) % 3000}`);
  const keys = new SortedKeys();
  keys.fill([...given]);
  agree(keys, new Set(given));
});

function agree(keys: SortedKeys, model: ReadonlySet<string>): void {
  const sorted = [...model].sort(byBytes);
  for (const prefix of ["", "/", "/1/", "/1/4", "/2", "/1/49", "/3", "0"]) {
    const expected = sorted.filter((key) => key.startsWith(prefix));
    assert.deepEqual([...keys.from(prefix, prefix)], expected);
    assert.equal(keys.count(prefix), expected.length);
    const from = `${prefix}3`;
    assert.deepEqual(
      [...keys.from(from, prefix)],
      expected.filter((key) => byBytes(key, from) >= 0),
    );
  }
}
