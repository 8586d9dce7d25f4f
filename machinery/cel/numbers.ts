/**
 * Arithmetic of int, uint and double, and their spellings.
 * Source: cel-go common/types/{int,uint,double,overflow}.go; Go's strconv.FormatFloat
 */
import { CelError, Uint, type Value } from "./values.ts";

const intOverflow = new CelError("integer overflow");
const uintOverflow = new CelError("unsigned integer overflow");
const divisionByZero = new CelError("division by zero");
const modulusByZero = new CelError("modulus by zero");

/** An int; an error outside 64 bits. */
export const toInt = (value: bigint): Value => (BigInt.asIntN(64, value) === value ? value : intOverflow);

/** A uint; an error outside 64 bits. */
export const toUint = (value: bigint): Value => (BigInt.asUintN(64, value) === value ? new Uint(value) : uintOverflow);

/** int of a double: towards zero, within 64 bits. */
export function intOfDouble(value: number): Value {
  if (!(value > -(2 ** 63) && value < 2 ** 63)) return intOverflow;
  return BigInt(Math.trunc(value));
}

/** uint of a double: towards zero, within 64 bits. */
export function uintOfDouble(value: number): Value {
  if (!(value >= 0 && value < 2 ** 64)) return uintOverflow;
  return new Uint(BigInt(Math.trunc(value)));
}

type Operation = (a: bigint, b: bigint) => bigint;

const whole: Readonly<Record<string, Operation>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": (a, b) => a % b,
};

/** An operation on ints or uints: exact, or an error. */
export function wholeOperation(operator: string, wrap: (value: bigint) => Value): (a: bigint, b: bigint) => Value {
  const operate = whole[operator] as Operation;
  if (operator !== "/" && operator !== "%") return (a, b) => wrap(operate(a, b));
  const fault = operator === "/" ? divisionByZero : modulusByZero;
  return (a, b) => (b === 0n ? fault : wrap(operate(a, b)));
}

/** Operations on doubles. */
export const doubleOperations: Readonly<Record<string, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
};

/** A double as Go's %g with the shortest digits: an exponent below -4 and from 6 on is written out. */
export function spellDouble(value: number, exponentFrom = 6): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (Object.is(value, -0)) return "-0";
  const [digits = "0", exponentText = "0"] = value.toExponential().split("e");
  const exponent = Number(exponentText);
  if (value === 0) return "0";
  if (exponent >= -4 && exponent < exponentFrom) return plainDecimal(value, digits, exponent);
  const size = Math.abs(exponent).toString().padStart(2, "0");
  return `${digits}e${exponent < 0 ? "-" : "+"}${size}`;
}

/** Digits without an exponent. */
function plainDecimal(value: number, digits: string, exponent: number): string {
  if (exponent < 0) return value.toFixed(Math.min(100, digits.replace(/[-.]/g, "").length - 1 - exponent));
  return Number.isInteger(value) ? BigInt(value).toString() : String(value);
}

/** A double of text as Go's ParseFloat reads it; undefined when it is none. */
export function parseDouble(text: string): number | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? value : undefined;
  }
  if (/^nan$/i.test(text)) return Number.NaN;
  const infinite = /^([+-]?)inf(inity)?$/i.exec(text);
  if (infinite === null) return undefined;
  return infinite[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
