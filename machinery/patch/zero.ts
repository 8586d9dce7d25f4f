/**
 * The object that upstream starts from when it makes one: all fields that its encoder writes even when nobody set them.
 * A new object is compared with it, so that nobody comes to own the empty structs that were never given.
 */
import type { Schema } from "../schema/schema.ts";
import { type Plain, write } from "./plain.ts";

/** The zero object of a kind, without apiVersion and kind. */
export function zeroObject(schema: Schema): Plain {
  const zero: Plain = {};
  const fields = schema.properties ?? {};
  for (const name of Object.keys(fields)) {
    const field = fields[name];
    if (field?.["x-atoll-zero"] === "keep") write(zero, name, zeroValue(field));
  }
  return zero;
}

/** What upstream's encoder writes for a field of a type that nobody set: null for lists and maps. */
export function zeroValue(schema: Schema): unknown {
  if (schema.nullable === true) return null;
  switch (schema.type) {
    case "object":
      // Maps have no fields of their own.
      return schema.properties === undefined ? null : zeroObject(schema);
    case "string":
      return "";
    case "integer":
    case "number":
      return 0;
    case "boolean":
      return false;
    default:
      return null;
  }
}
