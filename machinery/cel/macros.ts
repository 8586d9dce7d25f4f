/**
 * The language's own macros, and the shapes that libraries build theirs from.
 * Source: cel-spec doc/langdef.md "Macros"; cel-go parser/macro.go
 */
import { accumulator, callOf, type Expr, type Fold, identOf, listOfExprs, literalOf } from "./ast.ts";
import { type Macro, type MacroCall, MacroError } from "./library.ts";

/** Marks a fold as cel.bind: it does not loop. */
export const unusedVariable = "#unused";

/** Names that a macro gives to what it iterates over. */
interface LoopVariables {
  readonly first: string;
  readonly second: string | undefined;
}

type LoopParts = Pick<Fold, "accuInit" | "condition" | "step" | "result">;

const accu = (offset: number): Expr => identOf(offset, accumulator);

/** `filter ? step : unchanged`, or the step when there is no filter. */
export function guarded(offset: number, filter: Expr | undefined, step: Expr): Expr {
  return filter === undefined ? step : callOf(offset, "_?_:_", filter, step, accu(offset));
}

/** Loops that macros expand to. The second variable is for two-variable comprehensions. */
export const loops = {
  all: (offset: number, predicate: Expr): LoopParts => ({
    accuInit: literalOf(offset, true),
    condition: callOf(offset, "@not_strictly_false", accu(offset)),
    step: callOf(offset, "_&&_", accu(offset), predicate),
    result: accu(offset),
  }),
  exists: (offset: number, predicate: Expr): LoopParts => ({
    accuInit: literalOf(offset, false),
    condition: callOf(offset, "@not_strictly_false", callOf(offset, "!_", accu(offset))),
    step: callOf(offset, "_||_", accu(offset), predicate),
    result: accu(offset),
  }),
  existsOne: (offset: number, predicate: Expr): LoopParts => ({
    accuInit: literalOf(offset, 0n),
    condition: literalOf(offset, true),
    step: callOf(offset, "_?_:_", predicate, callOf(offset, "_+_", accu(offset), literalOf(offset, 1n)), accu(offset)),
    result: callOf(offset, "_==_", accu(offset), literalOf(offset, 1n)),
  }),
  list: (offset: number, transform: Expr, filter?: Expr): LoopParts => ({
    accuInit: listOfExprs(offset),
    condition: literalOf(offset, true),
    step: guarded(offset, filter, callOf(offset, "_+_", accu(offset), listOfExprs(offset, transform))),
    result: accu(offset),
  }),
};

/** A fold over the target of a macro. */
export function loop(call: MacroCall, variables: LoopVariables, parts: LoopParts): Expr {
  return {
    kind: "fold",
    offset: call.offset,
    range: call.target as Expr,
    iterVar: variables.first,
    iterVar2: variables.second,
    accuVar: accumulator,
    ...parts,
  };
}

/** `name` stands for `value` within `result`. */
export function bind(offset: number, binding: { name: string; value: Expr }, result: Expr): Expr {
  return {
    kind: "fold",
    offset,
    range: listOfExprs(offset),
    iterVar: unusedVariable,
    iterVar2: undefined,
    accuVar: binding.name,
    accuInit: binding.value,
    condition: literalOf(offset, false),
    step: identOf(offset, binding.name),
    result,
  };
}

const argument = (call: MacroCall, index: number): Expr => call.args[index] as Expr;

/** What the accumulator was called before it got a name that cannot be spelled; still refused. */
export const formerAccumulator = "__result__";

/** The error of a variable that would hide the accumulator. */
export const overwrites = (variable: Expr): MacroError =>
  new MacroError(variable, "iteration variable overwrites accumulator variable");

type Quantifier = (offset: number, predicate: Expr) => LoopParts;

const quantifier = (name: string, parts: Quantifier): Macro => ({
  name,
  receiver: true,
  arity: 2,
  expand(call) {
    const variable = argument(call, 0);
    if (variable.kind !== "ident") return new MacroError(variable, "argument must be a simple name");
    if (variable.name === formerAccumulator) return overwrites(variable);
    const variables = { first: variable.name, second: undefined };
    return loop(call, variables, parts(call.offset, argument(call, 1)));
  },
});

const lister = (name: string, arity: number, parts: (call: MacroCall) => LoopParts): Macro => ({
  name,
  receiver: true,
  arity,
  expand(call) {
    const variable = argument(call, 0);
    if (variable.kind !== "ident") return new MacroError(variable, "argument is not an identifier");
    if (variable.name === formerAccumulator) return overwrites(variable);
    return loop(call, { first: variable.name, second: undefined }, parts(call));
  },
});

const has: Macro = {
  name: "has",
  receiver: false,
  arity: 1,
  expand(call) {
    const argumentExpr = argument(call, 0);
    if (argumentExpr.kind !== "select") return new MacroError(argumentExpr, "invalid argument to has() macro");
    return { ...argumentExpr, offset: call.offset, testOnly: true };
  },
};

/** has, all, exists, exists_one, map, filter */
export const standardMacros: readonly Macro[] = [
  has,
  quantifier("all", loops.all),
  quantifier("exists", loops.exists),
  quantifier("exists_one", loops.existsOne),
  lister("map", 2, (call) => loops.list(call.offset, argument(call, 1))),
  lister("map", 3, (call) => loops.list(call.offset, argument(call, 2), argument(call, 1))),
  lister("filter", 2, (call) => loops.list(call.offset, argument(call, 0), argument(call, 1))),
];
