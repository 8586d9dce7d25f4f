import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { deepEqual, deepFreeze } from "../equal.ts";
import { StatusError } from "../status.ts";
import { applyMergePatch } from "./merge.ts";
import { isPlain } from "./plain.ts";

// The examples of RFC 7386, appendix A, for documents and patches that are objects.
const examples: readonly (readonly [document: Record<string, unknown>, patch: unknown, result: unknown])[] = [
  [{ a: "b" }, { a: "c" }, { a: "c" }],
  [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  [{ a: "b" }, { a: null }, {}],
  [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
  [{ a: ["b"] }, { a: "c" }, { a: "c" }],
  [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
  [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

test("applyMergePatch() does what RFC 7386 shows", () => {
  for (const [document, patch, result] of examples) {
    assert.deepEqual(applyMergePatch(deepFreeze(document), deepFreeze(patch)), result);
  }
});

test("applyMergePatch() takes nulls out of a list's objects when the list is no replacement of an object", () => {
  assert.deepEqual(applyMergePatch({ a: [1] }, { a: [{ b: null, c: 1 }, null] }), { a: [{ c: 1 }, null] });
});

test("applyMergePatch() refuses a patch that is no object", () => {
  for (const patch of [null, [], "x", 5]) {
    assert.throws(
      () => applyMergePatch({}, patch),
      (error) => error instanceof StatusError && error.reason === "BadRequest",
    );
  }
});

test("applyMergePatch() returns the document itself when nothing changes", () => {
  const document = deepFreeze({ a: { b: 1 }, c: "x" });
  assert.equal(applyMergePatch(document, { a: { b: 1 }, d: null }), document);
});

test("applyMergePatch() takes __proto__ as a plain key", () => {
  const patch = JSON.parse('{"__proto__":{"x":1},"a":{"__proto__":{"y":2}}}') as unknown;
  const merged = applyMergePatch({ a: {} }, patch);
  assert.equal(JSON.stringify(merged), '{"a":{"__proto__":{"y":2}},"__proto__":{"x":1}}');
  assert.equal(
    JSON.stringify(applyMergePatch(merged, JSON.parse('{"__proto__":null}'))),
    '{"a":{"__proto__":{"y":2}}}',
  );
});

/** The patch that makes one object of another. */
function diff(from: Record<string, unknown>, to: Record<string, unknown>): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  const put = (key: string, value: unknown): void => {
    Object.defineProperty(patch, key, { value, enumerable: true, writable: true, configurable: true });
  };
  for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) put(key, null);
  for (const key of Object.keys(to)) {
    const [before, after] = [Object.hasOwn(from, key) ? from[key] : undefined, to[key]];
    if (isPlain(before) && isPlain(after)) put(key, diff(before, after));
    else if (!deepEqual(before, after)) put(key, after);
  }
  return patch;
}

const noNulls = fc
  .letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.string(),
      fc.integer(),
      fc.boolean(),
      tie("object"),
      fc.array(fc.integer()),
    ),
    object: fc.dictionary(fc.oneof(fc.constantFrom("a", "b", "__proto__", "toString"), fc.string()), tie("value"), {
      maxKeys: 4,
    }),
  }))
  .object.map((value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>);

test("applyMergePatch() of a difference makes the other object", () => {
  fc.assert(
    fc.property(noNulls, noNulls, (from, to) => {
      assert.deepEqual(applyMergePatch(deepFreeze(from), diff(from, to)), to);
    }),
  );
});

test("applyMergePatch() twice is once", () => {
  fc.assert(
    fc.property(noNulls, noNulls, noNulls, (document, from, to) => {
      const patch = diff(from, to);
      const once = applyMergePatch(deepFreeze(document), deepFreeze(patch));
      assert.deepEqual(applyMergePatch(once, patch), once);
    }),
  );
});
