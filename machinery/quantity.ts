/**
 * Amounts such as `500m`, `1Gi`, `12e6`: a whole number, a power of ten, and how they are spelled.
 * Behaves as k8s.io/apimachinery/pkg/api/resource.Quantity, rounding and odd corners included.
 */

/** How a quantity's suffix is chosen. */
export type QuantityFormat = "DecimalSI" | "BinarySI" | "DecimalExponent";

/** `value` × 10^`scale`. Never more precise than a billionth: finer input is rounded away from zero. */
export interface Quantity {
  readonly value: bigint;
  readonly scale: number;
  readonly format: QuantityFormat;
  /** The input, where upstream keeps it instead of the canonical form. */
  readonly kept?: string;
}

/** Text that is no quantity. The message is upstream's. */
export class QuantityError extends Error {
  override readonly name = "QuantityError";
}

const shape = /^([+-]?)(\d*)(\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/;
const formatWrong = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const suffixWrong = "unable to parse quantity's suffix";

const decimalSuffixes: readonly string[] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const binarySuffixes: readonly string[] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

const smallestScale = -9;
/** Digits that upstream's fast path takes; only what it takes may keep its spelling. */
const fastDigits = 18;
const maxInt64 = 2n ** 63n - 1n;
/** Scales further apart than this are not brought together: the smaller amount would be noise. */
const maxScaleGap = 1_000;

interface Suffix {
  readonly format: QuantityFormat;
  /** Power of ten, or of two for BinarySI. */
  readonly exponent: number;
}

function readSuffix(suffix: string): Suffix {
  const decimal = decimalSuffixes.indexOf(suffix);
  if (decimal >= 0) return { format: "DecimalSI", exponent: (decimal - 3) * 3 };
  const binary = binarySuffixes.indexOf(suffix);
  if (binary > 0) return { format: "BinarySI", exponent: binary * 10 };
  const exponent = /^[eE]([-+]?\d{1,18})$/.exec(suffix)?.[1];
  if (exponent === undefined) throw new QuantityError(suffixWrong);
  return { format: "DecimalExponent", exponent: Number(exponent) | 0 };
}

/** Division that rounds away from zero. */
function divideUp(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  if (value % divisor === 0n) return quotient;
  return value < 0n ? quotient - 1n : quotient + 1n;
}

/** Rounds away from zero to a billionth. */
function roundUp(value: bigint, scale: number): { value: bigint; scale: number } {
  if (scale >= smallestScale || value === 0n) return { value, scale: Math.max(scale, smallestScale) };
  const digits = value.toString().length;
  const lost = smallestScale - scale;
  if (lost > digits) return { value: value < 0n ? -1n : 1n, scale: smallestScale };
  return { value: divideUp(value, 10n ** BigInt(lost)), scale: smallestScale };
}

/** Whether upstream remembers the spelling of what it parsed: it believes it is canonical. */
function keepsSpelling(digits: string, fraction: number, suffix: Suffix): boolean {
  if (suffix.format === "BinarySI") {
    const room = 15 - digits.length - Math.trunc((suffix.exponent * 3) / 10) - 1;
    return fraction === 0 && room >= 0 && (Number(digits) & 7) !== 0;
  }
  const scale = suffix.exponent - fraction;
  if (digits.length > fastDigits || scale < smallestScale) return false;
  return scale % 3 === 0 && !digits.endsWith("000") && !digits.startsWith("0");
}

function binaryQuantity(value: bigint, fraction: number, exponent: number): Quantity {
  const scaled = roundUp(value << BigInt(exponent), -fraction);
  const one = 10n ** BigInt(-scaled.scale);
  const size = scaled.value < 0n ? -scaled.value : scaled.value;
  if (size > maxInt64 * one) return { value: value < 0n ? -maxInt64 : maxInt64, scale: 0, format: "BinarySI" };
  return { ...scaled, format: size > 0n && size < one ? "DecimalSI" : "BinarySI" };
}

/**
 * Reads a quantity.
 * @throws {QuantityError} with upstream's message
 */
export function parseQuantity(text: string): Quantity {
  const match = shape.exec(text);
  if (match === null || text === "") throw new QuantityError(formatWrong);
  const [, sign = "", whole = "", , fraction = "", suffixText = ""] = match;
  const number = whole.replace(/^0+/, "");
  // Upstream reads nothing after a number of zeros only.
  if (number === "" && sign.length + whole.length === text.length) return { value: 0n, scale: 0, format: "DecimalSI" };
  const suffix = readSuffix(suffixText);
  const digits = (number === "" ? "0" : number) + fraction;
  const value = BigInt(digits) * (sign === "-" ? -1n : 1n);
  const kept = keepsSpelling(digits, fraction.length, suffix) ? { kept: text } : {};
  if (suffix.format === "BinarySI") return { ...binaryQuantity(value, fraction.length, suffix.exponent), ...kept };
  return { ...roundUp(value, suffix.exponent - fraction.length), format: suffix.format, ...kept };
}

/** Takes factors of ten out of the value, then makes the scale a multiple of three. */
function spellDecimal(quantity: Quantity, format: QuantityFormat): string {
  const text = quantity.value.toString();
  const trimmed = text.replace(/0+$/, "");
  const exponent = quantity.scale + text.length - trimmed.length;
  const lower = Math.floor(exponent / 3) * 3;
  const number = trimmed + "0".repeat(exponent - lower);
  const suffix = format === "DecimalSI" ? decimalSuffixes[lower / 3 + 3] : undefined;
  if (suffix !== undefined) return number + suffix;
  return lower === 0 ? number : `${number}e${lower}`;
}

function spellBinary(value: bigint): string {
  let rest = value;
  let times = 0;
  while (rest % 1024n === 0n) {
    rest /= 1024n;
    times++;
  }
  return rest.toString() + (binarySuffixes[times] ?? "");
}

/** The value as a whole number of ones, or undefined when it has a fraction. */
function wholeValue(quantity: Quantity): bigint | undefined {
  if (quantity.scale >= 0) return quantity.value * 10n ** BigInt(quantity.scale);
  const one = 10n ** BigInt(-quantity.scale);
  return quantity.value % one === 0n ? quantity.value / one : undefined;
}

/** The canonical spelling: no fraction, the largest suffix that loses nothing. */
export function canonicalQuantity(quantity: Quantity): string {
  if (quantity.value === 0n) return "0";
  if (quantity.format !== "BinarySI" || quantity.scale > maxScaleGap) {
    return spellDecimal(quantity, quantity.format === "BinarySI" ? "DecimalSI" : quantity.format);
  }
  const whole = wholeValue(quantity);
  // Below 1024 a binary suffix would only confuse; with a fraction it would lose it.
  if (whole === undefined || (whole > -1024n && whole < 1024n)) return spellDecimal(quantity, "DecimalSI");
  return spellBinary(whole);
}

/** How upstream writes it after reading it: as it was given where that looked canonical, else canonical. */
export function formatQuantity(quantity: Quantity): string {
  return quantity.kept ?? canonicalQuantity(quantity);
}

const plain = /^([1-9]\d{0,2})(?:m|[KMGT]i|[kMG])?$/;

/**
 * What comes back when a quantity is stored: parse and format in one, cheap for the usual ones.
 * @throws {QuantityError}
 */
export function normalizeQuantity(text: string): string {
  return plain.test(text) ? text : formatQuantity(parseQuantity(text));
}

function magnitude(quantity: Quantity): number {
  const digits = quantity.value < 0n ? (-quantity.value).toString() : quantity.value.toString();
  return digits.length + quantity.scale;
}

function signOf(value: bigint): -1 | 0 | 1 {
  if (value === 0n) return 0;
  return value < 0n ? -1 : 1;
}

/** Both values at the smaller of the two scales. */
function aligned(a: Quantity, b: Quantity): readonly [bigint, bigint, number] {
  const scale = Math.min(a.scale, b.scale);
  return [a.value * 10n ** BigInt(a.scale - scale), b.value * 10n ** BigInt(b.scale - scale), scale];
}

/** Order of two amounts: below, at or above 0. */
export function compareQuantities(a: Quantity, b: Quantity): -1 | 0 | 1 {
  const sign = signOf(a.value);
  if (sign !== signOf(b.value) || sign === 0) return signOf(BigInt(sign - signOf(b.value)));
  if (Math.abs(a.scale - b.scale) > maxScaleGap) {
    const larger = magnitude(a) > magnitude(b);
    return larger === sign > 0 ? 1 : -1;
  }
  const [left, right] = aligned(a, b);
  return signOf(left - right);
}

/** The sum, spelled as the first is; as the second when the first is zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  if (a.value === 0n) return { value: b.value, scale: b.scale, format: b.format };
  if (b.value === 0n) return { value: a.value, scale: a.scale, format: a.format };
  if (Math.abs(a.scale - b.scale) > maxScaleGap) return a.scale > b.scale ? a : { ...b, format: a.format };
  const [left, right, scale] = aligned(a, b);
  return { value: left + right, scale, format: a.format };
}

/** The difference, spelled as addQuantities() spells. */
export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return addQuantities(a, { ...b, value: -b.value });
}

/**
 * The amount in units of 10^`scale`, rounded up (away from zero): 0 for ones, -3 for thousandths.
 * Source: Quantity.ScaledValue
 */
export function scaledValue(quantity: Quantity, scale: number): bigint {
  const up = quantity.scale - scale;
  if (quantity.value === 0n) return 0n;
  if (up > maxScaleGap) return quantity.value < 0n ? -maxInt64 : maxInt64;
  if (up >= 0) return quantity.value * 10n ** BigInt(up);
  return divideUp(quantity.value, 10n ** BigInt(Math.min(-up, maxScaleGap)));
}

/** A whole number of ones. */
export function quantityOf(value: bigint | number, format: QuantityFormat = "DecimalSI"): Quantity {
  return { value: BigInt(value), scale: 0, format };
}
