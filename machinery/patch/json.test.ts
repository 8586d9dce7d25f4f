import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { deepFreeze } from "../equal.ts";
import { StatusError } from "../status.ts";
import { applyJsonPatch, maxCopyBytes, maxOperations, unknownMembers } from "./json.ts";

const refusal = (reason: string) => (error: unknown) => error instanceof StatusError && error.reason === reason;

const cases: readonly (readonly [what: string, document: unknown, operations: unknown, result: unknown])[] = [
  ["adds a member", { a: 1 }, [{ op: "add", path: "/b", value: 2 }], { a: 1, b: 2 }],
  ["adds an item before another", { a: [1, 3] }, [{ op: "add", path: "/a/1", value: 2 }], { a: [1, 2, 3] }],
  ["appends for -", { a: [1] }, [{ op: "add", path: "/a/-", value: [2] }], { a: [1, [2]] }],
  ["appends for index -1", { a: [1] }, [{ op: "add", path: "/a/-1", value: 2 }], { a: [1, 2] }],
  ["takes null for a missing value", { a: 1 }, [{ op: "add", path: "/a" }], { a: null }],
  ["removes a member", { a: 1, b: 2 }, [{ op: "remove", path: "/a" }], { b: 2 }],
  ["removes the last item by -1", { a: [1, 2] }, [{ op: "remove", path: "/a/-1" }], { a: [1] }],
  ["replaces", { a: [1] }, [{ op: "replace", path: "/a/0", value: 2 }], { a: [2] }],
  ["replaces what is not there", {}, [{ op: "replace", path: "/a", value: 2 }], { a: 2 }],
  ["replaces the document", { a: 1 }, [{ op: "replace", path: "", value: { b: 2 } }], { b: 2 }],
  ["moves", { a: { b: 1 }, c: {} }, [{ op: "move", from: "/a/b", path: "/c/d" }], { a: {}, c: { d: 1 } }],
  ["copies", { a: { b: 1 } }, [{ op: "copy", from: "/a", path: "/a/c" }], { a: { b: 1, c: { b: 1 } } }],
  ["copies nothing as null", {}, [{ op: "copy", from: "/a", path: "/b" }], { b: null }],
  [
    "unescapes",
    { "a/b": 1, "c~d": 2 },
    [
      { op: "remove", path: "/a~1b" },
      { op: "remove", path: "/c~0d" },
    ],
    {},
  ],
  ["does not look before the first slash", { a: 1 }, [{ op: "remove", path: "x/a" }], {}],
  ["tests", { a: { b: [1] } }, [{ op: "test", path: "/a", value: { b: [1] } }], { a: { b: [1] } }],
  ["finds null where nothing is", {}, [{ op: "test", path: "/a", value: null }], {}],
  ["does nothing for null", { a: 1 }, null, { a: 1 }],
];

for (const [what, document, operations, result] of cases) {
  test(`applyJsonPatch() ${what}`, () => {
    assert.deepEqual(applyJsonPatch(deepFreeze(document), deepFreeze(operations)), result);
  });
}

const unappliable: readonly (readonly [what: string, operation: unknown])[] = [
  ["a missing parent", { op: "add", path: "/x/y", value: 1 }],
  ["an index past the end", { op: "add", path: "/list/3", value: 1 }],
  ["an index that is none", { op: "replace", path: "/list/x", value: 1 }],
  ["an item to remove that is not there", { op: "remove", path: "/list/2" }],
  ["a member to remove that is not there", { op: "remove", path: "/none" }],
  ["a member to move that is not there", { op: "move", from: "/none", path: "/a" }],
  ["a scalar that is walked into", { op: "add", path: "/a/b", value: 1 }],
  ["a failed test", { op: "test", path: "/a", value: 2 }],
  ["an unknown operation", { op: "merge", path: "/a", value: 2 }],
  ["no operation", { path: "/a", value: 2 }],
  ["no path", { op: "remove" }],
  ["an operation that is null", null],
  ["removing the document", { op: "remove", path: "" }],
];

for (const [what, operation] of unappliable) {
  test(`applyJsonPatch() refuses ${what} as invalid`, () => {
    assert.throws(() => applyJsonPatch({ a: 1, list: [1, 2] }, [operation]), refusal("Invalid"));
  });
}

test("applyJsonPatch() refuses what is no patch as a bad request", () => {
  for (const operations of ["text", 5, {}, [5], [{ op: "add", path: 5 }], [{ op: 1 }]]) {
    assert.throws(() => applyJsonPatch({}, operations), refusal("BadRequest"));
  }
});

test("applyJsonPatch() takes 10,000 operations and not one more", () => {
  const operations = Array.from({ length: maxOperations }, () => ({ op: "add", path: "/a", value: 1 }));
  assert.deepEqual(applyJsonPatch({}, operations), { a: 1 });
  assert.throws(() => applyJsonPatch({}, [...operations, operations[0]]), refusal("RequestEntityTooLarge"));
});

test("applyJsonPatch() refuses copies that grow past the limit", () => {
  const operations = Array.from({ length: 64 }, (_, i) => ({ op: "copy", from: "/a", path: `/a/${i}` }));
  assert.throws(() => applyJsonPatch({ a: { b: "x".repeat(100) } }, operations), refusal("RequestEntityTooLarge"));
  const whole = { a: "x".repeat(maxCopyBytes - 10) };
  assert.equal(Object.keys(applyJsonPatch(whole, [{ op: "copy", from: "/a", path: "/b" }]) as object).length, 2);
});

test("applyJsonPatch() keeps copies apart", () => {
  const operations = [
    { op: "add", path: "/a", value: { n: 1 } },
    { op: "copy", from: "/a", path: "/b" },
    { op: "replace", path: "/a/n", value: 2 },
  ];
  assert.deepEqual(applyJsonPatch({}, operations), { a: { n: 2 }, b: { n: 1 } });
});

test("applyJsonPatch() shares what it does not change", () => {
  const document = deepFreeze({ a: { b: 1 }, c: { d: [1] } });
  const patched = applyJsonPatch(document, [{ op: "add", path: "/a/x", value: 1 }]) as typeof document;
  assert.equal(patched.c, document.c);
});

test("applyJsonPatch() takes __proto__ as a plain key", () => {
  const patched = applyJsonPatch({}, [
    { op: "add", path: "/__proto__", value: {} },
    { op: "add", path: "/__proto__/polluted", value: true },
  ]);
  assert.equal(JSON.stringify(patched), '{"__proto__":{"polluted":true}}');
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
  assert.throws(() => applyJsonPatch({}, [{ op: "add", path: "/constructor/x", value: 1 }]), refusal("Invalid"));
});

test("applyJsonPatch() refuses nesting that nothing could walk", () => {
  const deep = JSON.parse(`${"[".repeat(5_000)}${"]".repeat(5_000)}`) as unknown;
  assert.throws(() => applyJsonPatch({}, [{ op: "add", path: "/a", value: deep }]), refusal("BadRequest"));
  const half = JSON.parse(`${'{"a":'.repeat(600)}1${"}".repeat(600)}`) as unknown;
  const path = "/a".repeat(600);
  assert.throws(() => applyJsonPatch(half, [{ op: "replace", path, value: half }]), refusal("Invalid"));
});

test("unknownMembers() names members that mean nothing", () => {
  assert.deepEqual(unknownMembers([{ op: "add", path: "/a", extra: 1 }, null]), [
    'json patch unknown field "[0].extra"',
  ]);
});

test("applyJsonPatch() undoes itself: adding and removing any member leaves the document", () => {
  const key = fc.string().map((name) => name.replaceAll("~", "~0").replaceAll("/", "~1"));
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), key, fc.jsonValue(), (document, name, value) => {
      const plain = JSON.parse(JSON.stringify(document)) as Record<string, unknown>;
      const given = name.replaceAll(/~[01]/g, (escape) => (escape === "~1" ? "/" : "~"));
      fc.pre(!Object.hasOwn(plain, given));
      const patch = [
        { op: "add", path: `/${name}`, value },
        { op: "remove", path: `/${name}` },
      ];
      assert.deepEqual(applyJsonPatch(deepFreeze(plain), patch), plain);
    }),
  );
});
