import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Keyed, Ordered } from "./ordered.ts";

const keys = fc.constantFrom("a/", "a/1", "a/10", "a/2", "b/", "b/x", "b/y", "c", "aa/1");
const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant("add" as const), key: keys }),
    fc.record({ do: fc.constant("remove" as const), key: keys }),
    fc.record({ do: fc.constant("read" as const), key: keys }),
  ),
  { maxLength: 60 },
);

test("Ordered holds what a plain map holds, in key order", () => {
  fc.assert(
    fc.property(steps, (list) => {
      const ordered = new Ordered<Keyed>();
      const model = new Map<string, Keyed>();
      for (const step of list) {
        if (step.do === "add" && !model.has(step.key)) {
          const value = { key: step.key, removed: false };
          ordered.add(value);
          model.set(step.key, value);
        }
        const known = model.get(step.key);
        if (step.do === "remove" && known !== undefined) {
          ordered.remove(known);
          model.delete(step.key);
        }
        if (step.do === "read") {
          const prefix = step.key.slice(0, 2);
          const want = [...model.keys()].filter((key) => key.startsWith(prefix)).sort();
          assert.deepEqual(
            ordered.range(prefix).map(({ key }) => key),
            want,
          );
          assert.deepEqual(
            ordered.range(prefix, step.key).map(({ key }) => key),
            want.filter((key) => key > step.key),
          );
        }
      }
      assert.deepEqual(
        ordered.ascending().map(({ key }) => key),
        [...model.keys()].sort(),
      );
      assert.equal(ordered.size, model.size);
    }),
  );
});

test("Ordered.page() is the beginning of range(), and counts what follows", () => {
  const ordered = new Ordered<Keyed>();
  for (const key of ["a/1", "a/2", "b/1", "b/2", "b/3", "c/1"]) ordered.add({ key, removed: false });
  const cases = fc.record({
    prefix: fc.constantFrom("", "a/", "b/", "x/"),
    after: fc.constantFrom(undefined, "a/1", "b/1", "b/3", "c/9"),
    limit: fc.integer({ min: 1, max: 7 }),
  });
  fc.assert(
    fc.property(cases, ({ prefix, after, limit }) => {
      const whole = ordered.range(prefix, after);
      const { values, remaining } = ordered.page(prefix, { after, limit });
      assert.deepEqual(values, whole.slice(0, limit));
      assert.equal(remaining, Math.max(0, whole.length - limit));
    }),
  );
});

test("Ordered keeps every value through bursts of additions between reads", () => {
  const ordered = new Ordered<Keyed>();
  for (const burst of ["m", "a", "z", "c"]) {
    for (let i = 0; i < 500; i++) ordered.add({ key: `${burst}-${i}`, removed: false });
    ordered.ascending();
  }
  assert.equal(ordered.range("").length, 2000);
});
