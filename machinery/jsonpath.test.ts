import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { JsonPath, JsonPathSyntaxError, printFound } from "./jsonpath.ts";

const object = {
  metadata: { name: "a", labels: { "example.com/app": "web", plain: "yes" } },
  spec: { replicas: 3, nothing: null, list: [1, 2, 3, 4], ports: [{ port: 80, name: "http" }, { port: 443 }] },
  status: {
    conditions: [
      { type: "Ready", status: "True", n: 1 },
      { type: "Synced", status: "False", n: 2 },
    ],
  },
};

function found(path: string): readonly unknown[] {
  return new JsonPath(path).find(object);
}

describe("jsonpath", () => {
  const cases: readonly (readonly [string, readonly unknown[]])[] = [
    [".spec.replicas", [3]],
    ["$.spec.replicas", [3]],
    [".metadata.labels.plain", ["yes"]],
    [".metadata.labels.example\\.com/app", ["web"]],
    [".metadata.labels['example.com/app']", ["web"]],
    ['.metadata["name"]', ["a"]],
    [".spec.list[0]", [1]],
    [".spec.list[-1]", [4]],
    [".spec.list[1:3]", [2, 3]],
    [".spec.list[::2]", [1, 3]],
    [".spec.list[0,3]", [1, 4]],
    [".spec.list[*]", [1, 2, 3, 4]],
    [".spec.ports[*].port", [80, 443]],
    [".spec.ports[*]['port','name']", [80, 443, "http"]],
    ["..port", [80, 443]],
    ['.status.conditions[?(@.type=="Ready")].status', ["True"]],
    [".status.conditions[?(@.type=='Synced')].status", ["False"]],
    ['.status.conditions[?(@.type != "Ready")].type', ["Synced"]],
    [".status.conditions[?(@.n>=2)].type", ["Synced"]],
    [".status.conditions[?(@.n<2)].type", ["Ready"]],
    [".spec.ports[?(@.name)].port", [80]],
    [".spec.nothing", [null]],
    [".spec.missing.deeper", []],
    [".spec.list[9]", []],
    [".spec.replicas[0]", []],
    [".status.conditions[?(@.type==3)]", []],
  ];
  for (const [path, expected] of cases) {
    it(`finds ${path}`, () => assert.deepEqual(found(path), expected));
  }

  for (const bad of [".a[", ".a['b]", ".a[x]", "..", ".a.", "a", ".a[?(@.b=~1)]", ".a]", ".a[?]"]) {
    it(`refuses ${bad}`, () => assert.throws(() => new JsonPath(bad), JsonPathSyntaxError));
  }

  it("finds something or refuses, whatever it is given", () => {
    const letters = fc.constantFrom(..."abc.[]'\"?()@$*:,=<>!0 -\\1".split(""));
    fc.assert(
      fc.property(fc.string({ unit: letters, maxLength: 24 }), fc.jsonValue(), (text, value) => {
        try {
          assert.ok(Array.isArray(new JsonPath(text).find(value)));
        } catch (error) {
          assert.ok(error instanceof JsonPathSyntaxError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe("printing what was found", () => {
  for (const [value, text] of [
    [null, "<no value>"],
    ["a", "a"],
    [3, "3"],
    [0.00001, "1e-05"],
    [1.5e-7, "1.5e-07"],
    [1e21, "1e+21"],
    [12345678901234567890n, "12345678901234567890"],
    [true, "true"],
    [{ a: [1] }, '{"a":[1]}'],
  ] as const) {
    it(`writes ${text}`, () => assert.equal(printFound(value), text));
  }
});
