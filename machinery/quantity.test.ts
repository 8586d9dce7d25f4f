import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  normalizeQuantity,
  parseQuantity,
  QuantityError,
  quantityOf,
  scaledValue,
  subtractQuantities,
} from "./quantity.ts";

const spellings: readonly (readonly [given: string, stored: string])[] = [
  ["0", "0"],
  ["00", "0"],
  ["-0", "0"],
  ["+", "0"],
  ["100m", "100m"],
  ["1000m", "1"],
  ["1500m", "1500m"],
  ["0.5", "500m"],
  [".5", "500m"],
  ["1.", "1."],
  ["1000", "1k"],
  ["1000000", "1M"],
  ["1024", "1024"],
  ["1Gi", "1Gi"],
  ["1024Mi", "1Gi"],
  ["512Mi", "512Mi"],
  ["1.5Gi", "1536Mi"],
  ["0.5Ki", "512"],
  ["1e3", "1e3"],
  ["1E3", "1E3"],
  ["12e6", "12e6"],
  ["1000e3", "1e6"],
  ["1e1", "10"],
  ["0.1n", "1n"],
  ["-0.1n", "-1n"],
  ["1.5n", "2n"],
  ["9223372036854775808", "9223372036854775808"],
  ["16Ei", "9223372036854775807"],
  ["-16Ei", "-9223372036854775807"],
  ["1.500", "1.500"],
  ["+5", "+5"],
  ["05Gi", "05Gi"],
  ["0.1Ki", "102400m"],
  ["1E", "1E"],
  ["e3", "0"],
  ["m", "0"],
];

test("normalizeQuantity() stores what kube-apiserver stores", () => {
  for (const [given, stored] of spellings) assert.equal(normalizeQuantity(given), stored, given);
});

test("parseQuantity() refuses what is no quantity", () => {
  for (const text of ["", "x", "1x", "1 Gi", "1,5", "--1", "1.5.5", "1gi", "Gi5", "1e", "1K", "0x10", "1e1e1", "∞"]) {
    assert.throws(() => parseQuantity(text), QuantityError, text);
  }
});

test("parseQuantity() takes exponents no computer could write out, quickly", () => {
  for (const text of ["1e999999999", "1e-999999999", "5e2147483647", "1e-2147483648"]) {
    const quantity = parseQuantity(text);
    assert.equal(typeof formatQuantity(quantity), "string");
    assert.equal(compareQuantities(quantity, quantityOf(0)), 1);
    assert.equal(compareQuantities(quantity, quantity), 0);
    assert.ok(addQuantities(quantity, quantityOf(1)).value > 0n);
    assert.equal(typeof scaledValue(quantity, 0), "bigint");
  }
});

test("scaledValue() rounds up, away from zero", () => {
  assert.equal(scaledValue(parseQuantity("1500m"), 0), 2n);
  assert.equal(scaledValue(parseQuantity("-1500m"), 0), -2n);
  assert.equal(scaledValue(parseQuantity("1Gi"), 0), 1_073_741_824n);
  assert.equal(scaledValue(parseQuantity("2"), -3), 2000n);
});

const suffix = fc.constantFrom(
  "",
  "n",
  "u",
  "m",
  "k",
  "M",
  "G",
  "T",
  "P",
  "E",
  "Ki",
  "Mi",
  "Gi",
  "Ti",
  "e3",
  "e-2",
  "E6",
);
const quantityText = fc
  .tuple(fc.constantFrom("", "-"), fc.bigInt({ min: 0n, max: 10n ** 20n }), fc.option(fc.nat(9999)), suffix)
  .map(([sign, whole, fraction, tail]) => `${sign}${whole}${fraction === null ? "" : `.${fraction}`}${tail}`);

test("the canonical form means the same and is its own canonical form", () => {
  fc.assert(
    fc.property(quantityText, (text) => {
      const quantity = parseQuantity(text);
      const canonical = canonicalQuantity(quantity);
      assert.equal(compareQuantities(quantity, parseQuantity(canonical)), 0);
      assert.equal(canonicalQuantity(parseQuantity(canonical)), canonical);
      assert.equal(normalizeQuantity(normalizeQuantity(text)), normalizeQuantity(text));
    }),
    { numRuns: 5_000 },
  );
});

test("sums come back by subtraction, and order follows them", () => {
  fc.assert(
    fc.property(quantityText, quantityText, (left, right) => {
      const a = parseQuantity(left);
      const b = parseQuantity(right);
      assert.equal(compareQuantities(subtractQuantities(addQuantities(a, b), b), a), 0);
      assert.equal(compareQuantities(a, b), -compareQuantities(b, a) + 0);
      const difference = subtractQuantities(a, b);
      assert.equal(compareQuantities(a, b), compareQuantities(difference, quantityOf(0)));
    }),
    { numRuns: 5_000 },
  );
});

test("any text is a quantity or refused, never anything else", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."0123456789.+-eEinumkKMGTPx ") }), (text) => {
      try {
        normalizeQuantity(text);
      } catch (error) {
        assert.ok(error instanceof QuantityError, text);
      }
    }),
    { numRuns: 20_000 },
  );
});
