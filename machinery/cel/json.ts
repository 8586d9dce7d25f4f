/**
 * Results as JSON, for patches, messages and audit annotations.
 * Source: cel-go common/types (ConvertToNative of JSON); k8s.io/apiserver/pkg/cel/mutation (objects)
 */
import { quantityText } from "./libraries/quantity.ts";
import { spellDuration, spellTimestamp } from "./time.ts";
import {
  CelError,
  Duration,
  ListValue,
  MapValue,
  OptionalValue,
  Timestamp,
  TypeValue,
  Uint,
  type Value,
} from "./values.ts";

/** A value that has no form in JSON. */
export class NotJson extends Error {}

// JavaScript's numbers are exact up to here; beyond, JSON integers are bigint throughout.
const integer = (value: bigint): number | bigint =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;

function objectToJson(map: MapValue): Record<string, unknown> {
  const json: Record<string, unknown> = {};
  for (const key of map.keys()) {
    if (typeof key !== "string") throw new NotJson("map key is not a string");
    const value = toJson(map.get(key) as Value);
    Object.defineProperty(json, key, { value, enumerable: true, writable: true, configurable: true });
  }
  return json;
}

/** The JSON of a value: times as RFC 3339, durations in seconds, bytes as base64. @throws {NotJson} */
export function toJson(value: Value): unknown {
  if (value === null || typeof value === "string" || typeof value === "boolean" || typeof value === "number")
    return value;
  if (typeof value === "bigint") return integer(value);
  if (value instanceof ListValue) return Array.from({ length: value.size }, (_none, index) => toJson(value.at(index)));
  if (value instanceof MapValue) return objectToJson(value);
  return scalarToJson(value);
}

function scalarToJson(value: Value): unknown {
  if (value instanceof Uint) return integer(value.value);
  if (value instanceof Timestamp) return spellTimestamp(value);
  if (value instanceof Duration) return spellDuration(value);
  if (value instanceof Uint8Array) return btoa(String.fromCharCode(...value));
  if (value instanceof OptionalValue && value.value !== undefined) return toJson(value.value);
  if (value instanceof TypeValue) return value.name;
  if (value instanceof CelError) throw new NotJson(value.message);
  const quantity = quantityText(value);
  if (quantity === undefined) throw new NotJson("value has no form in JSON");
  return quantity;
}
