import assert from "node:assert/strict";
import { test } from "node:test";
import { amountOf, spellBytes, spellCores } from "./amount.ts";

test("amountOf() reads quantities, and takes what is none for nothing", () => {
  assert.deepEqual(["500m", "2", "1Gi", "779798248n", "x", undefined].map(amountOf), [
    0.5,
    2,
    2 ** 30,
    0.779798248,
    0,
    0,
  ]);
});

test("spellBytes() and spellCores() say amounts with as many digits as people read", () => {
  assert.deepEqual([spellBytes("264212084Ki"), spellBytes(1023), spellBytes("0")], ["252 GiB", "1023 B", "0 B"]);
  assert.deepEqual([spellBytes("1536Mi"), spellCores(0.779798)], ["1.5 GiB", "0.78"]);
});
