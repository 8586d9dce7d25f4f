/**
 * Loops with two variables: index and element, or key and value; and cel.bind.
 * Source: cel-go ext/comprehensions.go, ext/bindings.go
 */
import { accumulator, callOf, type Expr, identOf, literalOf } from "../ast.ts";
import type { EntryMap } from "../containers.ts";
import { global, mapOfAB, paramA, paramB } from "../define.ts";
import { type Library, type Macro, type MacroCall, MacroError } from "../library.ts";
import { bind, formerAccumulator, guarded, loop, loops, overwrites } from "../macros.ts";
import { CelError, type MapValue, type Value } from "../values.ts";

type Parts = Parameters<typeof loop>[2];

/** A macro whose first two arguments name the variables. */
const twoVariables = (name: string, arity: number, parts: (call: MacroCall) => Parts): Macro => ({
  name,
  receiver: true,
  arity,
  expand(call) {
    const [first, second] = call.args as readonly [Expr, Expr];
    if (first.kind !== "ident") return new MacroError(first, "argument must be a simple name");
    if (second.kind !== "ident") return new MacroError(second, "argument must be a simple name");
    if (first.name === formerAccumulator) return overwrites(first);
    if (second.name === formerAccumulator) return overwrites(second);
    if (first.name === second.name) return new MacroError(second, `duplicate variable name: ${first.name}`);
    return loop(call, { first: first.name, second: second.name }, parts(call));
  },
});

const argument = (call: MacroCall, index: number): Expr => call.args[index] as Expr;

const quantifier = (name: string, parts: (offset: number, predicate: Expr) => Parts): Macro =>
  twoVariables(name, 3, (call) => parts(call.offset, argument(call, 2)));

/** What is transformed, and the filter before it when there is one. */
const transforms = (call: MacroCall): { filter: Expr | undefined; transform: Expr } =>
  call.args.length === 4
    ? { filter: argument(call, 2), transform: argument(call, 3) }
    : { filter: undefined, transform: argument(call, 2) };

/** Loops that collect into a map. */
function mapParts(call: MacroCall, entry: (transform: Expr) => readonly Expr[]): Parts {
  const { offset } = call;
  const { filter, transform } = transforms(call);
  const insert = callOf(offset, "cel.@mapInsert", identOf(offset, accumulator), ...entry(transform));
  return {
    accuInit: { kind: "map", offset, entries: [] },
    condition: literalOf(offset, true),
    step: guarded(offset, filter, insert),
    result: identOf(offset, accumulator),
  };
}

const listParts = (call: MacroCall): Parts => {
  const { filter, transform } = transforms(call);
  return loops.list(call.offset, transform, filter);
};

/** The loop's own map is filled in place: nothing else can see it yet. */
function insert(map: Value, key: Value, value: Value): Value {
  return (map as EntryMap).insert(key, value) ?? map;
}

function insertAll(map: Value, entries: MapValue): Value {
  for (const key of entries.keys()) {
    const inserted = insert(map, key, entries.get(key) as Value);
    if (inserted instanceof CelError) return inserted;
  }
  return map;
}

/** all, exists, existsOne, transformList, transformMap, transformMapEntry with two variables. */
export const comprehensions: Library = {
  name: "two-variable-comprehensions",
  macros: [
    quantifier("all", loops.all),
    quantifier("exists", loops.exists),
    quantifier("existsOne", loops.existsOne),
    quantifier("exists_one", loops.existsOne),
    ...[3, 4].flatMap((arity) => [
      twoVariables("transformList", arity, listParts),
      twoVariables("transformMap", arity, (call) =>
        mapParts(call, (transform) => [identOf(call.offset, (argument(call, 0) as { name: string }).name), transform]),
      ),
      twoVariables("transformMapEntry", arity, (call) => mapParts(call, (transform) => [transform])),
    ]),
  ],
  functions: {
    "cel.@mapInsert": [
      global("@mapInsert_map_key_value", { of: [mapOfAB, paramA, paramB], to: mapOfAB }, ([map, key, value]) =>
        insert(map as Value, key as Value, value as Value),
      ),
      global("@mapInsert_map_map", { of: [mapOfAB, mapOfAB], to: mapOfAB }, ([map, entries]) =>
        insertAll(map as Value, entries as MapValue),
      ),
    ],
  },
};

const bindMacro: Macro = {
  name: "bind",
  receiver: true,
  arity: 3,
  expand(call) {
    const { target } = call;
    if (target?.kind !== "ident" || target.name !== "cel") return undefined;
    const [variable, value, result] = call.args as readonly [Expr, Expr, Expr];
    if (variable.kind !== "ident")
      return new MacroError(variable, "cel.bind() variable names must be simple identifiers");
    return bind(call.offset, { name: variable.name, value }, result);
  },
};

/** `cel.bind(name, value, expression)`. Not part of Kubernetes' base environment; device selectors have it. */
export const bindings: Library = { name: "bindings", macros: [bindMacro] };
