/**
 * Conversions between types: `int("3")`, `string(1.5)`, `duration("1h")`.
 * Source: cel-spec doc/langdef.md "Type Conversions"; cel-go common/types (ConvertToType)
 */
import { encodingCost } from "../cost.ts";
import { global, paramA } from "../define.ts";
import type { Functions, Overload } from "../library.ts";
import { intOfDouble, parseDouble, spellDouble, toInt, toUint, uintOfDouble } from "../numbers.ts";
import { typeNameOf } from "../runtime-type.ts";
import { parseDuration, parseTimestamp, spellDuration, spellTimestamp, timestampOf } from "../time.ts";
import {
  boolType,
  bytesType,
  type CelType,
  doubleType,
  durationType,
  dynType,
  intType,
  stringType,
  timestampType,
  typeOf,
  uintType,
} from "../types.ts";
import { CelError, type Duration, type Timestamp, TypeValue, type Uint, type Value } from "../values.ts";

const failed = (from: string, to: string): CelError => new CelError(`type conversion error from '${from}' to '${to}'`);

type Convert = (value: Value) => Value;

/** One conversion: from a type, to the type that the function is named after. */
const from = (id: string, types: { of: CelType; to: CelType }, convert: Convert): Overload =>
  global(id, { of: [types.of], to: types.to }, ([value]) => convert(value as Value));

const same: Convert = (value) => value;

const truths: Readonly<Record<string, boolean>> = Object.fromEntries([
  ...["1", "t", "T", "TRUE", "true", "True"].map((text) => [text, true]),
  ...["0", "f", "F", "FALSE", "false", "False"].map((text) => [text, false]),
]);

function parseWhole(text: string, to: "int" | "uint"): Value {
  const pattern = to === "int" ? /^[+-]?\d+$/ : /^\d+$/;
  if (!pattern.test(text)) return failed("string", to);
  const value = to === "int" ? toInt(BigInt(text.replace(/^\+/, ""))) : toUint(BigInt(text));
  return value instanceof CelError ? failed("string", to) : value;
}

function decodeText(bytes: Uint8Array): Value {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return new CelError("invalid UTF-8 in bytes, cannot convert to string");
  }
}

const epochSeconds = (value: Value): bigint => {
  const { nanos } = value as Timestamp;
  const seconds = nanos / 1_000_000_000n;
  return nanos % 1_000_000_000n < 0n ? seconds - 1n : seconds;
};

const bool: readonly Overload[] = [
  from("bool_to_bool", { of: boolType, to: boolType }, same),
  from(
    "string_to_bool",
    { of: stringType, to: boolType },
    (text) => truths[text as string] ?? failed("string", "bool"),
  ),
];

const bytes: readonly Overload[] = [
  from("bytes_to_bytes", { of: bytesType, to: bytesType }, same),
  global("string_to_bytes", { of: [stringType], to: bytesType, cost: encodingCost(1, 4) }, ([text]) =>
    new TextEncoder().encode(text as string),
  ),
];

const double: readonly Overload[] = [
  from("double_to_double", { of: doubleType, to: doubleType }, same),
  from("int64_to_double", { of: intType, to: doubleType }, Number),
  from("uint64_to_double", { of: uintType, to: doubleType }, (value) => Number((value as Uint).value)),
  from(
    "string_to_double",
    { of: stringType, to: doubleType },
    (text) => parseDouble(text as string) ?? failed("string", "double"),
  ),
];

const int: readonly Overload[] = [
  from("int64_to_int64", { of: intType, to: intType }, same),
  from("double_to_int64", { of: doubleType, to: intType }, (value) => intOfDouble(value as number)),
  from("duration_to_int64", { of: durationType, to: intType }, (value) => (value as Duration).nanos),
  from("string_to_int64", { of: stringType, to: intType }, (text) => parseWhole(text as string, "int")),
  from("timestamp_to_int64", { of: timestampType, to: intType }, epochSeconds),
  from("uint64_to_int64", { of: uintType, to: intType }, (value) => toInt((value as Uint).value)),
];

const uint: readonly Overload[] = [
  from("uint64_to_uint64", { of: uintType, to: uintType }, same),
  from("double_to_uint64", { of: doubleType, to: uintType }, (value) => uintOfDouble(value as number)),
  from("int64_to_uint64", { of: intType, to: uintType }, (value) => toUint(value as bigint)),
  from("string_to_uint64", { of: stringType, to: uintType }, (text) => parseWhole(text as string, "uint")),
];

const string: readonly Overload[] = [
  from("string_to_string", { of: stringType, to: stringType }, same),
  from("bool_to_string", { of: boolType, to: stringType }, String),
  global("bytes_to_string", { of: [bytesType], to: stringType, cost: encodingCost(4, 1) }, ([value]) =>
    decodeText(value as Uint8Array),
  ),
  from("double_to_string", { of: doubleType, to: stringType }, (value) => spellDouble(value as number)),
  from("duration_to_string", { of: durationType, to: stringType }, (value) => spellDuration(value as Duration)),
  from("int64_to_string", { of: intType, to: stringType }, String),
  from("timestamp_to_string", { of: timestampType, to: stringType }, (value) => spellTimestamp(value as Timestamp)),
  from("uint64_to_string", { of: uintType, to: stringType }, (value) => String((value as Uint).value)),
];

const duration: readonly Overload[] = [
  from("duration_to_duration", { of: durationType, to: durationType }, same),
  from(
    "string_to_duration",
    { of: stringType, to: durationType },
    (text) => parseDuration(text as string) ?? failed("string", "google.protobuf.Duration"),
  ),
];

const timestamp: readonly Overload[] = [
  from("timestamp_to_timestamp", { of: timestampType, to: timestampType }, same),
  from(
    "int64_to_timestamp",
    { of: intType, to: timestampType },
    (value) => timestampOf((value as bigint) * 1_000_000_000n) ?? new CelError("timestamp overflow"),
  ),
  from(
    "string_to_timestamp",
    { of: stringType, to: timestampType },
    (text) => parseTimestamp(text as string) ?? failed("string", "google.protobuf.Timestamp"),
  ),
];

/** Functions named after types. */
export const conversionFunctions: Functions = {
  bool,
  bytes,
  double,
  int,
  uint,
  string,
  duration,
  timestamp,
  dyn: [global("to_dyn", { of: [paramA], to: dynType }, ([value]) => value as Value)],
  type: [global("type", { of: [paramA], to: typeOf(paramA) }, ([value]) => new TypeValue(typeNameOf(value as Value)))],
};
