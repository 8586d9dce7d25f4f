import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseFieldSelector } from "./fields.ts";
import {
  formatLabelSelector,
  type LabelSelector,
  matchesLabels,
  parseLabelSelector,
  SelectorSyntaxError,
} from "./labels.ts";

const matching: readonly [selector: string, labels: Record<string, string>, matches: boolean][] = [
  ["app=web", { app: "web" }, true],
  ["app==web", { app: "db" }, false],
  ["app!=web", {}, true],
  ["app in (web,db)", { app: "db" }, true],
  ["app notin (web)", { app: "web" }, false],
  ["app", { app: "" }, true],
  ["!app", { app: "" }, false],
  ["n>3", { n: "10" }, true],
  ["n<3", { n: "x" }, false],
  ["app=", { app: "" }, true],
  [" app = web , tier in ( a , b ) ", { app: "web", tier: "b" }, true],
  ["", { anything: "x" }, true],
];

for (const [selector, labels, matches] of matching) {
  test(`parseLabelSelector(${JSON.stringify(selector)}) ${matches ? "matches" : "does not match"} ${JSON.stringify(labels)}`, () => {
    assert.equal(matchesLabels(parseLabelSelector(selector), labels), matches);
  });
}

for (const bad of [
  "=",
  "app in",
  "app in (",
  "app in web",
  "a b",
  ",",
  "a,,b",
  "a>x",
  "a=b=c",
  "Bad_Prefix/x=y",
  "a in (b c)",
]) {
  test(`parseLabelSelector() refuses ${JSON.stringify(bad)}`, () => {
    assert.throws(() => parseLabelSelector(bad), SelectorSyntaxError);
  });
}

test("a selector of 10,000 terms is refused", () => {
  const text = Array.from({ length: 10_000 }, (_, i) => `k${i}=v`).join(",");
  assert.throws(() => parseLabelSelector(text), SelectorSyntaxError);
  assert.throws(() => parseFieldSelector(text), SelectorSyntaxError);
});

test("formatLabelSelector() is read back as the same selector", () => {
  const word = fc.stringMatching(/^[a-z]{1,5}$/);
  const requirement = fc.oneof(
    fc.record({
      key: word,
      operator: fc.constantFrom("Exists" as const, "DoesNotExist" as const),
      values: fc.constant([]),
    }),
    fc.record({
      key: word,
      operator: fc.constantFrom("In" as const, "NotIn" as const),
      values: fc.uniqueArray(word, { minLength: 1, maxLength: 4 }).map((values) => values.sort()),
    }),
  );
  fc.assert(
    fc.property(fc.array(requirement, { maxLength: 5 }), (selector: LabelSelector) => {
      const text = formatLabelSelector(selector);
      assert.equal(formatLabelSelector(parseLabelSelector(text)), text);
    }),
  );
});

test("a selector's text never does worse than a syntax error", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      for (const parse of [parseLabelSelector, parseFieldSelector]) {
        try {
          parse(text);
        } catch (error) {
          assert.ok(error instanceof SelectorSyntaxError);
        }
      }
    }),
    { numRuns: 2_000 },
  );
});
