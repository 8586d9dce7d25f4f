/**
 * Quantities and semantic versions.
 * Source: k8s.io/apiserver/pkg/cel/library/quantity.go, semverlib.go; github.com/blang/semver
 */
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  parseQuantity,
  type Quantity,
  QuantityError,
  quantityOf,
  subtractQuantities,
} from "../../quantity.ts";
import { fixedCost, traversalCost } from "../cost.ts";
import { global, method } from "../define.ts";
import type { Library, Overload } from "../library.ts";
import { Boxed, unbox } from "../opaque.ts";
import { boolType, doubleType, intType, opaqueType, stringType } from "../types.ts";
import { CelError, type Value } from "../values.ts";

const text = stringType;
const quantityType = opaqueType("kubernetes.Quantity");
const parsed = traversalCost(0);
const one = fixedCost(1);

function readQuantity(given: Value | undefined): Quantity | CelError {
  try {
    return parseQuantity(given as string);
  } catch (fault) {
    if (fault instanceof QuantityError) return new CelError(fault.message);
    throw fault;
  }
}

/** Equal amounts share it: digits without trailing zeros, and the power of ten. */
function amountKey({ value, scale }: Quantity): string {
  if (value === 0n) return "0";
  const digits = value.toString();
  const zeros = digits.length - digits.replace(/0+$/, "").length;
  return `${digits.slice(0, digits.length - zeros)}e${scale + zeros}`;
}

const boxQuantity = (quantity: Quantity): Value => new Boxed(quantityType, quantity, { key: amountKey(quantity) });

/**
 * The amount as a whole number of 64 bits; undefined when it is none. What is written in parts of one is none, even
 * when the parts add up: `2000m`.
 */
function integerOf({ value, scale }: Quantity): bigint | undefined {
  if (scale < 0 || scale > 64) return undefined;
  const whole = value * 10n ** BigInt(scale);
  return BigInt.asIntN(64, whole) === whole ? whole : undefined;
}

const comparison = (id: string, decide: (order: number) => Value): Overload => {
  const to = id.endsWith("compare_to") ? intType : boolType;
  return method(id, { of: [quantityType, quantityType], to, cost: one }, ([a, b]) =>
    decide(compareQuantities(unbox<Quantity>(a), unbox<Quantity>(b))),
  );
};

const combination = (name: string, combine: (a: Quantity, b: Quantity) => Quantity): Overload[] => [
  method(`quantity_${name}`, { of: [quantityType, quantityType], to: quantityType, cost: one }, ([a, b]) =>
    boxQuantity(combine(unbox<Quantity>(a), unbox<Quantity>(b))),
  ),
  method(`quantity_${name}_int`, { of: [quantityType, intType], to: quantityType, cost: one }, ([a, b]) =>
    boxQuantity(combine(unbox<Quantity>(a), quantityOf(b as bigint, "DecimalExponent"))),
  ),
];

const signOf = (quantity: Quantity): bigint => {
  if (quantity.value === 0n) return 0n;
  return quantity.value > 0n ? 1n : -1n;
};

/** Quantities. */
export const quantity: Library = {
  name: "kubernetes.quantity",
  functions: {
    quantity: [
      global("string_to_quantity", { of: [text], to: quantityType, cost: parsed }, ([given]) => {
        const read = readQuantity(given);
        return read instanceof CelError ? read : boxQuantity(read);
      }),
    ],
    isQuantity: [
      global(
        "is_quantity_string",
        { of: [text], to: boolType, cost: parsed },
        ([given]) => !(readQuantity(given) instanceof CelError),
      ),
    ],
    sign: [
      global("quantity_sign", { of: [quantityType], to: intType, cost: one }, ([given]) =>
        signOf(unbox<Quantity>(given)),
      ),
    ],
    isGreaterThan: [comparison("quantity_is_greater_than", (order) => order > 0)],
    isLessThan: [comparison("quantity_is_less_than", (order) => order < 0)],
    compareTo: [comparison("quantity_compare_to", (order) => BigInt(order))],
    asApproximateFloat: [
      method("quantity_get_float", { of: [quantityType], to: doubleType, cost: one }, ([given]) => {
        const { value, scale } = unbox<Quantity>(given);
        return Number(`${value}e${scale}`);
      }),
    ],
    asInteger: [
      method(
        "quantity_get_int",
        { of: [quantityType], to: intType, cost: one },
        ([given]) => integerOf(unbox<Quantity>(given)) ?? new CelError("cannot convert value to integer"),
      ),
    ],
    isInteger: [
      method(
        "quantity_is_integer",
        { of: [quantityType], to: boolType, cost: one },
        ([given]) => integerOf(unbox<Quantity>(given)) !== undefined,
      ),
    ],
    add: combination("add", addQuantities),
    sub: combination("sub", subtractQuantities),
  },
};

/** A quantity's canonical text; undefined when the value is no quantity. */
export const quantityText = (value: Value): string | undefined =>
  value instanceof Boxed && value.typeName === "kubernetes.Quantity"
    ? canonicalQuantity(unbox<Quantity>(value))
    : undefined;

// ---- semantic versions

interface Semver {
  readonly numbers: readonly [bigint, bigint, bigint];
  readonly pre: readonly string[];
}

const semverType = opaqueType("kubernetes.Semver");
const number = "(0|[1-9]\\d*)";
const preId = "(?:0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*)";
const shape = new RegExp(
  `^${number}\\.${number}\\.${number}(?:-(${preId}(?:\\.${preId})*))?(?:\\+[0-9a-zA-Z-]+(?:\\.[0-9a-zA-Z-]+)*)?$`,
);

/** Takes off a leading v and leading zeros, and fills a short version up: `v01.1` is 1.1.0. */
function normalize(given: string): string | CelError {
  const [major = "", minor, ...rest] = given.replace(/^v/, "").split(".");
  const parts = [major, minor, rest.length === 0 ? undefined : rest.join(".")].filter((part) => part !== undefined);
  const trimmed = parts.map((part) => (part.length > 1 ? part.replace(/^0+(?=\d)/, "") : part));
  if (trimmed.length < 3 && /[+-]/.test(trimmed.at(-1) ?? "")) {
    return new CelError("short version cannot contain PreRelease/Build meta data");
  }
  while (trimmed.length < 3) trimmed.push("0");
  return trimmed.join(".");
}

function readSemver(given: Value | undefined, normalized: Value | undefined): Semver | CelError {
  const spelled = normalized === true ? normalize(given as string) : (given as string);
  if (spelled instanceof CelError) return spelled;
  const found = shape.exec(spelled);
  if (found !== null) {
    const [, major = "0", minor = "0", patch = "0", pre = ""] = found;
    return { numbers: [BigInt(major), BigInt(minor), BigInt(patch)], pre: pre === "" ? [] : pre.split(".") };
  }
  if (spelled === "") return new CelError("Version string empty");
  if (spelled.split(".").length < 3) return new CelError("No Major.Minor.Patch elements found");
  return new CelError(`Invalid character(s) found in version ${JSON.stringify(spelled)}`);
}

function compareIds(a: string, b: string): number {
  const [left, right] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (left && right) return Math.sign(Number(BigInt(a) - BigInt(b)));
  if (left !== right) return left ? -1 : 1;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function compareSemver(a: Semver, b: Semver): number {
  for (const [index, part] of a.numbers.entries()) {
    const other = b.numbers[index] ?? 0n;
    if (part !== other) return part < other ? -1 : 1;
  }
  // A version with a pre-release comes before the one without.
  if (a.pre.length === 0 || b.pre.length === 0) return Math.sign(b.pre.length - a.pre.length);
  for (let i = 0; i < Math.min(a.pre.length, b.pre.length); i++) {
    const order = compareIds(a.pre[i] ?? "", b.pre[i] ?? "");
    if (order !== 0) return order;
  }
  return Math.sign(a.pre.length - b.pre.length);
}

function toSemver([given, normalized]: readonly Value[]): Value {
  const version = readSemver(given, normalized);
  if (version instanceof CelError) return version;
  return new Boxed(semverType, version, { key: `${version.numbers.join(".")}-${version.pre.join(".")}` });
}

const isSemver = ([given, normalized]: readonly Value[]): Value => !(readSemver(given, normalized) instanceof CelError);

const semverComparison = (id: string, decide: (order: number) => Value): Overload => {
  const to = id.endsWith("compare_to") ? intType : boolType;
  return method(id, { of: [semverType, semverType], to, cost: one }, ([a, b]) =>
    decide(compareSemver(unbox<Semver>(a), unbox<Semver>(b))),
  );
};

const semverPart = (name: string, index: 0 | 1 | 2): Overload =>
  method(
    `semver_${name}`,
    { of: [semverType], to: intType, cost: one },
    ([version]) => unbox<Semver>(version).numbers[index],
  );

/** Semantic versions. */
export const semver: Library = {
  name: "kubernetes.Semver",
  functions: {
    semver: [
      global("string_to_semver", { of: [text], to: semverType, cost: parsed }, toSemver),
      global("string_bool_to_semver", { of: [text, boolType], to: semverType, cost: parsed }, toSemver),
    ],
    isSemver: [
      global("is_semver_string", { of: [text], to: boolType, cost: parsed }, isSemver),
      global("is_semver_string_bool", { of: [text, boolType], to: boolType, cost: parsed }, isSemver),
    ],
    isGreaterThan: [semverComparison("semver_is_greater_than", (order) => order > 0)],
    isLessThan: [semverComparison("semver_is_less_than", (order) => order < 0)],
    compareTo: [semverComparison("semver_compare_to", (order) => BigInt(order))],
    major: [semverPart("major", 0)],
    minor: [semverPart("minor", 1)],
    patch: [semverPart("patch", 2)],
  },
};
