import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRegex } from "./regex.ts";

function matches(pattern: string, text: string): boolean {
  const regex = compileRegex(pattern);
  assert.ok("test" in regex, pattern);
  return regex.test(text);
}

test("compileRegex() finds a pattern anywhere in a text", () => {
  assert.equal(matches("b+", "abbc"), true);
  assert.equal(matches("^b+$", "abbc"), false);
  assert.equal(matches("\\pL", "é"), true);
  assert.equal(matches("^.$", "😀"), true);
});

test("compileRegex() says what is wrong with a pattern in Go's words", () => {
  assert.deepEqual(compileRegex("a("), { error: "error parsing regexp: missing closing ): `a(`" });
  assert.deepEqual(compileRegex("(?=a)"), { error: "error parsing regexp: invalid or unsupported Perl syntax: `(?=`" });
  assert.deepEqual(compileRegex("a{1001}"), { error: "error parsing regexp: invalid repeat count: `{1001}`" });
});

test("a pattern that makes backtracking engines explode takes linear time", () => {
  for (const pattern of ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(.*)*x"]) {
    const started = performance.now();
    assert.equal(matches(pattern, `${"a".repeat(100_000)}!`), false);
    assert.ok(performance.now() - started < 5_000, pattern);
  }
});
