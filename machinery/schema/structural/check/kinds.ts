/** Kinds of JSON values, and how numbers are spelled, as Go sees them. */

/** JSON types, with integers that fit 64 bits apart from other numbers. */
export type ValueKind = "string" | "integer" | "number" | "boolean" | "array" | "object" | "null";

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;

/** Whether a number is one that Go keeps as int64. */
export function isInt64(value: unknown): value is number | bigint {
  if (typeof value === "number") return Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63;
  return typeof value === "bigint" && value >= int64Min && value <= int64Max;
}

/** The JSON type of a value, as errors name it. */
export function kindOf(value: unknown): ValueKind {
  switch (typeof value) {
    case "string":
    case "boolean":
      return typeof value as "string" | "boolean";
    case "number":
    case "bigint":
      return isInt64(value) ? "integer" : "number";
    default:
      if (value === null || value === undefined) return "null";
      return Array.isArray(value) ? "array" : "object";
  }
}

/** Beyond it a float is no integer. Source: go-openapi swag.IsFloat64AJSONInteger */
const maxJsonFloat = 2 ** 53 - 1;

/** Whether a float stands for an integer; a hair beside one counts. */
export function isWhole(value: number): boolean {
  if (!Number.isFinite(value) || Math.abs(value) > maxJsonFloat) return false;
  const rounded = Math.round(value);
  if (value === rounded) return true;
  return rounded !== 0 && Math.abs(value - rounded) < 1e-9 * Math.abs(rounded);
}

/** A float as Go's %v spells it: 0.5, 100000, 1e+06. */
export function spellFloat(value: number): string {
  if (value === 0) return "0";
  const [mantissa = "", exponent = "0"] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}
