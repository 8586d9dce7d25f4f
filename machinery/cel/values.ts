/**
 * CEL values. JSON is never converted in depth: lists and maps read their elements when an expression asks.
 *
 * | CEL | here |
 * |---|---|
 * | null, bool, string | the same in JavaScript |
 * | int | bigint, always within 64 bits |
 * | uint | Uint |
 * | double | number |
 * | bytes | Uint8Array |
 * | timestamp, duration | Timestamp, Duration |
 * | list | ListValue |
 * | map, and objects of a schema | MapValue |
 * | optional | OptionalValue |
 * | type | TypeValue |
 * | a library's own | OpaqueValue |
 * | error | CelError: a value, because `false && error` is false |
 *
 * Source: cel-spec doc/langdef.md "Values"
 */
import type { CelType } from "./types.ts";

/** Anything an expression can yield. */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | Uint
  | Timestamp
  | Duration
  | ListValue
  | MapValue
  | OptionalValue
  | TypeValue
  | OpaqueValue
  | CelError;

/** A failed evaluation. It travels as a value until something absorbs or reports it. */
export class CelError {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** An unsigned 64-bit integer. */
export class Uint {
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }
}

/** A point in time, to the nanosecond; years 1 to 9999. */
export class Timestamp {
  /** Nanoseconds since the epoch. */
  readonly nanos: bigint;
  /** The zone it was written in; it shows when it is written again, and nowhere else. */
  readonly offsetMinutes: number;

  constructor(nanos: bigint, offsetMinutes = 0) {
    this.nanos = nanos;
    this.offsetMinutes = offsetMinutes;
  }
}

/** A length of time, to the nanosecond. */
export class Duration {
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** A list. Elements may be CelError: JSON that does not fit its schema. */
export abstract class ListValue {
  abstract readonly size: number;
  /** The element at `index`, 0 ≤ index < size. */
  abstract at(index: number): Value;
  /** Equality with the semantics of the list's own kind (sets and keyed lists ignore order). */
  abstract equals(other: ListValue): boolean | CelError;
  /** This list followed by `other`, as the list's own kind merges. */
  abstract concat(other: ListValue): ListValue;
  /** Equality with what is no list. */
  unlike(): boolean | CelError {
    return false;
  }
}

/** A map, or an object with fields. */
export abstract class MapValue {
  /** Name that `type(x)` shows. */
  readonly typeName: string = "map";
  abstract readonly size: number;
  /** What `key` holds; undefined when it is absent, CelError when no such key can exist. */
  abstract get(key: Value): Value | undefined;
  /** What the field or string key `name` holds; undefined when it is absent. */
  abstract field(name: string): Value | undefined;
  abstract keys(): readonly Value[];
  abstract equals(other: MapValue): boolean | CelError;
  /** Equality with what is no map. */
  unlike(): boolean | CelError {
    return false;
  }
}

/** optional.of(value) or optional.none(). */
export class OptionalValue {
  /** undefined: none. */
  readonly value: Value | undefined;

  constructor(value: Value | undefined) {
    this.value = value;
  }
}

/** The absent optional. */
export const noneOptional = new OptionalValue(undefined);

/** A type as a value: what `type(x)` yields. Two are equal when their names are. */
export class TypeValue {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** A value of a type that a library brings: a quantity, an IP address, an authorizer. */
export abstract class OpaqueValue {
  abstract readonly type: CelType;
  /** Name that `type(x)` shows. */
  abstract readonly typeName: string;
  /** What costs reckon with. */
  readonly size: number;
  abstract equals(other: Value): boolean | CelError;

  constructor(size = 1) {
    this.size = size;
  }
}
