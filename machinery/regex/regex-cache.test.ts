import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRegex, RegexCache } from "./regex.ts";

test("find() yields the leftmost match and findAll() those that do not overlap", () => {
  const regex = compileRegex("a.");
  assert.ok("find" in regex);
  assert.equal(regex.find("xabac"), "ab");
  assert.equal(regex.find("x"), undefined);
  assert.deepEqual(regex.findAll("abacad", 2), ["ab", "ac"]);
  assert.deepEqual(regex.findAll("😀a😀", Number.POSITIVE_INFINITY), ["a😀"]);
});

test("compileRegex() refuses a pattern whose program is too large", () => {
  const refused = compileRegex("(a{100}){10}", { maxProgram: 500 });
  assert.ok("error" in refused);
  assert.match(refused.error, /^regex program size \d+ exceeds limit of 500$/);
  assert.ok("test" in compileRegex("a{10}", { maxProgram: 500 }));
});

test("RegexCache forgets the pattern that was not used for longest", () => {
  const cache = new RegexCache(2);
  const first = cache.compile("a");
  const second = cache.compile("b");
  assert.equal(cache.compile("a"), first);
  cache.compile("c");
  assert.equal(cache.compile("a"), first);
  assert.notEqual(cache.compile("b"), second);
});

test("RegexCache remembers what is wrong with a pattern", () => {
  const cache = new RegexCache(2);
  const fault = cache.compile("(");
  assert.ok(fault instanceof Error);
  assert.equal(fault.message, "error parsing regexp: missing closing ): `(`");
  assert.equal(cache.compile("("), fault);
});
