/**
 * Reading parts of values: fields, keys, indices; with errors or with optionals.
 * Source: cel-go interpreter/attributes.go, common/types/optional.go
 */
import { keyOf, numeric } from "./equality.ts";
import { noSuchOverload } from "./frame.ts";
import { typeNameOf } from "./runtime-type.ts";
import { CelError, ListValue, MapValue, noneOptional, OptionalValue, type Value } from "./values.ts";

function spellKey(key: Value): string {
  const number = numeric(key);
  if (number !== undefined) return String(number);
  return typeof key === "string" || typeof key === "boolean" ? String(key) : "";
}

const noSuchKey = (key: Value): CelError => new CelError(`no such key: ${spellKey(key)}`);

/** `target.name`; of an optional, an optional. */
export function selectField(target: Value, name: string): Value {
  if (target instanceof OptionalValue) return selectOptional(target, name);
  const value = target instanceof MapValue ? target.field(name) : undefined;
  // What has no fields is told the same as what lacks this one.
  return value === undefined ? noSuchKey(name) : value;
}

/** `target.?name` */
export function selectOptional(target: Value, name: string): Value {
  if (target instanceof OptionalValue) {
    return target.value === undefined ? noneOptional : selectOptional(target.value, name);
  }
  return target instanceof MapValue ? presentOrNone(target.field(name)) : noneOptional;
}

/** has(target.name) */
export function hasField(target: Value, name: string): Value {
  if (target instanceof OptionalValue) return target.value === undefined ? false : hasField(target.value, name);
  if (target instanceof ListValue) return unsupportedIndex(name);
  return target instanceof MapValue && target.field(name) !== undefined;
}

function presentOrNone(value: Value | undefined): Value {
  if (value === undefined) return noneOptional;
  return value instanceof CelError ? value : new OptionalValue(value);
}

/** A list index from int, uint or a whole double. */
function positionOf(index: Value): number | undefined {
  const number = numeric(index);
  if (number === undefined) return undefined;
  return typeof number === "number" && !Number.isInteger(number) ? undefined : Number(number);
}

/** What stands at an index or key; undefined when nothing does. */
function lookUp(target: Value, index: Value): Value | undefined {
  if (target instanceof MapValue) return keyOf(index) === undefined ? noSuchOverload() : target.get(index);
  if (!(target instanceof ListValue)) return undefined;
  const position = positionOf(index);
  if (position === undefined) return unsupportedIndex(index);
  return position >= 0 && position < target.size ? target.at(position) : undefined;
}

function unsupportedIndex(index: Value): CelError {
  if (numeric(index) !== undefined) return new CelError(`unsupported index value ${spellKey(index)} in list`);
  return new CelError(`unsupported index type '${typeNameOf(index)}' in list`);
}

/** `target[index]`; of an optional, an optional. */
export function indexValue(target: Value, index: Value): Value {
  if (target instanceof OptionalValue) return indexOptional(target, index);
  const found = lookUp(target, index);
  if (found !== undefined) return found;
  return target instanceof ListValue ? new CelError(`index out of bounds: ${spellKey(index)}`) : noSuchKey(index);
}

/** `target[?index]` */
export function indexOptional(target: Value, index: Value): Value {
  if (target instanceof OptionalValue) {
    return target.value === undefined ? noneOptional : indexOptional(target.value, index);
  }
  return presentOrNone(lookUp(target, index));
}
