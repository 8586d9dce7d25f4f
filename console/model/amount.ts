/** Amounts of the API as people say them. */
import { parseQuantity, scaledValue } from "@atoll/machinery/quantity";

const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** Bytes, or cores, of a quantity; 0 when it is none. */
export function amountOf(text: unknown): number {
  if (typeof text !== "string" && typeof text !== "number") return 0;
  try {
    return Number(scaledValue(parseQuantity(String(text)), -9)) / 1e9;
  } catch {
    return 0;
  }
}

/** `23.0 GiB`. @param amount bytes, or a quantity of them */
export function spellBytes(amount: number | string): string {
  let value = typeof amount === "number" ? amount : amountOf(amount);
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** `1.25`, `0.1`: cores. */
export const spellCores = (cores: number): string => String(Math.round(cores * 100) / 100);
