/**
 * Types of values at run time: what `type(x)` shows, and which overloads take a value.
 * Source: cel-go common/types/types.go (IsAssignableRuntimeType)
 */
import type { CelType } from "./types.ts";
import {
  CelError,
  Duration,
  ListValue,
  MapValue,
  OpaqueValue,
  OptionalValue,
  Timestamp,
  TypeValue,
  Uint,
  type Value,
} from "./values.ts";

/** Name of a value's type. */
export function typeNameOf(value: Value): string {
  if (value === null) return "null_type";
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "number":
      return "double";
    case "string":
      return "string";
    default:
      return objectTypeName(value);
  }
}

function objectTypeName(value: object): string {
  if (value instanceof ListValue) return "list";
  if (value instanceof OpaqueValue) return value.typeName;
  if (value instanceof MapValue) return value.typeName;
  if (value instanceof Uint) return "uint";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof Timestamp) return "google.protobuf.Timestamp";
  if (value instanceof Duration) return "google.protobuf.Duration";
  if (value instanceof OptionalValue) return "optional_type";
  return value instanceof TypeValue ? "type" : "error";
}

/** Name of a type as a value. */
export function nameOfType(type: CelType): string {
  switch (type.kind) {
    case "timestamp":
      return "google.protobuf.Timestamp";
    case "duration":
      return "google.protobuf.Duration";
    case "object":
    case "opaque":
      return type.name;
    default:
      return type.kind;
  }
}

/** Whether a value is of a type, as far as its surface and its first element show. */
export function isOfType(value: Value, type: CelType): boolean {
  switch (type.kind) {
    case "dyn":
    case "param":
      return true;
    case "list":
      return value instanceof ListValue && (value.size === 0 || isOfType(value.at(0), type.element));
    case "map":
      return value instanceof MapValue && isMapOf(value, type);
    case "object":
      return value instanceof MapValue || typeNameOf(value) === type.name;
    default:
      return !(value instanceof CelError) && typeNameOf(value) === nameOfType(type);
  }
}

function isMapOf(map: MapValue, type: CelType & { kind: "map" }): boolean {
  if (type.key.kind === "param" && type.value.kind === "param") return true;
  const key = map.keys()[0];
  if (key === undefined) return true;
  const value = map.get(key);
  return isOfType(key, type.key) && (value === undefined || isOfType(value, type.value));
}

/** Whether a value is of a type; made once, asked often. undefined: every value is. */
export function testOf(type: CelType): ((value: Value) => boolean) | undefined {
  switch (type.kind) {
    case "dyn":
    case "param":
      return undefined;
    case "bool":
      return (value) => typeof value === "boolean";
    case "int":
      return (value) => typeof value === "bigint";
    case "double":
      return (value) => typeof value === "number";
    case "string":
      return (value) => typeof value === "string";
    default:
      return (value) => isOfType(value, type);
  }
}
