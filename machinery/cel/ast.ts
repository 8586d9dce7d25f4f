/**
 * Parsed expressions. Macros are already expanded: a comprehension is the only loop.
 * Source: cel-spec proto/cel/expr/syntax.proto
 */
import type { Uint } from "./values.ts";

/** Values that literals can have. */
export type LiteralValue = null | boolean | bigint | number | string | Uint8Array | Uint;

interface Node {
  /** Where errors about this node point, in UTF-16 units. */
  readonly offset: number;
}

export interface Literal extends Node {
  readonly kind: "literal";
  readonly value: LiteralValue;
}

export interface Ident extends Node {
  readonly kind: "ident";
  readonly name: string;
}

export interface Select extends Node {
  readonly kind: "select";
  readonly operand: Expr;
  readonly field: string;
  /** has(operand.field) */
  readonly testOnly: boolean;
}

export interface Call extends Node {
  readonly kind: "call";
  /** Operators have names with underscores for operands: `_+_`, `!_`, `_?_:_`, `_[_]`, `_?._`, `_[?_]`. */
  readonly name: string;
  readonly target: Expr | undefined;
  readonly args: readonly Expr[];
}

export interface ListExpr extends Node {
  readonly kind: "list";
  readonly elements: readonly ListElement[];
}

export interface ListElement {
  readonly value: Expr;
  readonly optional: boolean;
}

export interface MapExpr extends Node {
  readonly kind: "map";
  readonly entries: readonly MapEntry[];
}

export interface MapEntry extends Node {
  readonly key: Expr;
  readonly value: Expr;
  readonly optional: boolean;
}

export interface StructExpr extends Node {
  readonly kind: "struct";
  readonly type: string;
  readonly fields: readonly StructField[];
}

export interface StructField extends Node {
  readonly name: string;
  readonly value: Expr;
  readonly optional: boolean;
}

/** Folds `range` into `accuVar`, starting with `accuInit`, while `condition` holds; yields `result`. */
export interface Fold extends Node {
  readonly kind: "fold";
  readonly range: Expr;
  readonly iterVar: string;
  /** With a second variable the first is the index or key, the second the element or value. */
  readonly iterVar2: string | undefined;
  readonly accuVar: string;
  readonly accuInit: Expr;
  readonly condition: Expr;
  readonly step: Expr;
  readonly result: Expr;
}

/** Any expression. */
export type Expr = Literal | Ident | Select | Call | ListExpr | MapExpr | StructExpr | Fold;

/** Accumulator of macros; no expression can spell it. */
export const accumulator = "@result";

/** Names of operator functions. */
export const operators = {
  "||": "_||_",
  "&&": "_&&_",
  "==": "_==_",
  "!=": "_!=_",
  "<": "_<_",
  "<=": "_<=_",
  ">": "_>_",
  ">=": "_>=_",
  in: "@in",
  "+": "_+_",
  "-": "_-_",
  "*": "_*_",
  "/": "_/_",
  "%": "_%_",
} as const;

/** A call of a function by name. */
export const callOf = (offset: number, name: string, ...args: readonly Expr[]): Call => ({
  kind: "call",
  offset,
  name,
  target: undefined,
  args,
});

/** A call with a receiver. */
export const memberCall = (target: Expr, name: string, ...args: readonly Expr[]): Call => ({
  kind: "call",
  offset: target.offset,
  name,
  target,
  args,
});

/** A name. */
export const identOf = (offset: number, name: string): Ident => ({ kind: "ident", offset, name });
/** A literal value. */
export const literalOf = (offset: number, value: LiteralValue): Literal => ({ kind: "literal", offset, value });
/** A list of the given elements. */
export const listOfExprs = (offset: number, ...elements: readonly Expr[]): ListExpr => ({
  kind: "list",
  offset,
  elements: elements.map((value) => ({ value, optional: false })),
});

/** The expressions directly inside an expression. */
export function partsOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case "select":
      return [expr.operand];
    case "call":
      return expr.target === undefined ? expr.args : [expr.target, ...expr.args];
    case "list":
      return expr.elements.map((element) => element.value);
    case "map":
      return expr.entries.flatMap((entry) => [entry.key, entry.value]);
    case "struct":
      return expr.fields.map((field) => field.value);
    case "fold":
      return [expr.range, expr.accuInit, expr.condition, expr.step, expr.result];
    default:
      return [];
  }
}
