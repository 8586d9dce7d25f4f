/**
 * Optional values: `optional.of(x)`, `a.?b`, `a[?i]`, `x.orValue(y)`, `x.optMap(v, …)`.
 * Source: cel-go cel/library.go (OptionalTypes, version 2)
 */
import { indexOptional, indexValue } from "../access.ts";
import { callOf, type Expr, identOf, memberCall } from "../ast.ts";
import { ArrayList } from "../containers.ts";
import { global, listOfA, mapOfAB, method, paramA, paramB } from "../define.ts";
import type { Functions, Library, Macro, MacroCall } from "../library.ts";
import { MacroError } from "../library.ts";
import { bind } from "../macros.ts";
import { boolType, dynType, intType, listOf, optionalOf, stringType } from "../types.ts";
import {
  CelError,
  Duration,
  ListValue,
  MapValue,
  noneOptional,
  OptionalValue,
  Timestamp,
  Uint,
  type Value,
} from "../values.ts";

const optionalA = optionalOf(paramA);
const optionalB = optionalOf(paramB);

function isZero(value: Value): boolean {
  if (value === null || value === false || value === 0n || value === 0 || value === "") return true;
  if (value instanceof ListValue || value instanceof MapValue) return value.size === 0;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof Uint8Array) return value.length === 0;
  if (value instanceof Duration) return value.nanos === 0n;
  // Go's zero time is the first instant of year 1.
  if (value instanceof Timestamp) return value.nanos === -62_135_596_800_000_000_000n;
  return value instanceof OptionalValue && value.value === undefined;
}

const unreachable = (): Value => new CelError("evaluated by the planner");

function valueOf(optional: Value | undefined): Value {
  const { value } = optional as OptionalValue;
  return value === undefined ? new CelError("optional.none() dereference") : value;
}

function edge(list: Value | undefined, last: boolean): Value {
  const { size } = list as ListValue;
  if (size === 0) return noneOptional;
  const value = (list as ListValue).at(last ? size - 1 : 0);
  return value instanceof CelError ? value : new OptionalValue(value);
}

function unwrapAll([list]: readonly Value[]): Value {
  const items: Value[] = [];
  const given = list as ListValue;
  for (let i = 0; i < given.size; i++) {
    const item = given.at(i);
    if (!(item instanceof OptionalValue)) return new CelError("no such overload");
    if (item.value !== undefined) items.push(item.value);
  }
  return new ArrayList(items);
}

const index = ([target, at]: readonly Value[]): Value => indexValue(target as Value, at as Value);
const indexIfPresent = ([target, at]: readonly Value[]): Value => indexOptional(target as Value, at as Value);

const functions: Functions = {
  "optional.of": [global("optional_of", { of: [paramA], to: optionalA }, ([value]) => new OptionalValue(value))],
  "optional.none": [global("optional_none", { of: [], to: optionalA }, () => noneOptional)],
  "optional.ofNonZeroValue": [
    global("optional_ofNonZeroValue", { of: [paramA], to: optionalA }, ([value]) =>
      isZero(value as Value) ? noneOptional : new OptionalValue(value),
    ),
  ],
  "optional.unwrap": [global("optional_unwrap", { of: [listOf(optionalA)], to: listOfA }, unwrapAll)],
  unwrapOpt: [method("optional_unwrapOpt", { of: [listOf(optionalA)], to: listOfA }, unwrapAll)],
  value: [method("optional_value", { of: [optionalA], to: paramA }, ([optional]) => valueOf(optional))],
  hasValue: [
    method(
      "optional_hasValue",
      { of: [optionalA], to: boolType },
      ([optional]) => (optional as OptionalValue).value !== undefined,
    ),
  ],
  or: [method("optional_or_optional", { of: [optionalA, optionalA], to: optionalA }, unreachable)],
  orValue: [method("optional_orValue_value", { of: [optionalA, paramA], to: paramA }, unreachable)],
  first: [method("list_first", { of: [listOfA], to: optionalA }, ([list]) => edge(list, false))],
  last: [method("list_last", { of: [listOfA], to: optionalA }, ([list]) => edge(list, true))],
  "_?._": [global("select_optional_field", { of: [dynType, stringType], to: optionalA }, unreachable)],
  "_[?_]": [
    global("list_optindex_optional_int", { of: [listOfA, intType], to: optionalA }, indexIfPresent),
    global(
      "optional_list_optindex_optional_int",
      { of: [optionalOf(listOfA), intType], to: optionalA },
      indexIfPresent,
    ),
    global("map_optindex_optional_value", { of: [mapOfAB, paramA], to: optionalB }, indexIfPresent),
    global(
      "optional_map_optindex_optional_value",
      { of: [optionalOf(mapOfAB), paramA], to: optionalB },
      indexIfPresent,
    ),
  ],
  "_[_]": [
    global("optional_list_index_int", { of: [optionalOf(listOfA), intType], to: optionalA }, index),
    global("optional_map_index_value", { of: [optionalOf(mapOfAB), paramA], to: optionalB }, index),
  ],
};

const target = "@target";

/** `x.optMap(v, f)`: f of what x holds, if it holds something. A target that is no name is evaluated once. */
const mapper = (name: string, wrap: (offset: number, mapped: Expr) => Expr): Macro => ({
  name,
  receiver: true,
  arity: 2,
  expand(call: MacroCall) {
    const [variable, transform] = call.args as readonly [Expr, Expr];
    const given = call.target as Expr;
    if (variable.kind !== "ident") {
      return new MacroError(variable, `${name}() variable name must be a simple identifier`);
    }
    const { offset } = call;
    const optional = given.kind === "ident" ? given : identOf(offset, target);
    const mapped = bind(offset, { name: variable.name, value: memberCall({ ...optional }, "value") }, transform);
    const has = memberCall(optional, "hasValue");
    const chosen = callOf(offset, "_?_:_", has, wrap(offset, mapped), callOf(offset, "optional.none"));
    return given.kind === "ident" ? chosen : bind(offset, { name: target, value: given }, chosen);
  },
});

/** Optional types. */
export const optional: Library = {
  name: "optional",
  functions,
  macros: [
    mapper("optMap", (offset, mapped) => callOf(offset, "optional.of", mapped)),
    mapper("optFlatMap", (_offset, mapped) => mapped),
  ],
  types: { optional_type: optionalOf(dynType) },
};
