/**
 * What a library adds to the language: functions, macros, named types.
 * Source: cel-go common/decls (functions and overloads), parser/macro.go
 */
import type { Expr } from "./ast.ts";
import type { CallCost } from "./cost.ts";
import type { CelType } from "./types.ts";
import type { Value } from "./values.ts";

/** What a function may ask for while it runs. */
export interface CallContext {
  /** Code points of a string; long strings are counted once in an evaluation. */
  length(text: string): number;
  /** A compiled regular expression; an Error when the pattern is none. */
  matcher(pattern: string): Matcher | Error;
  /** Time zones met so far. */
  readonly zones: Map<string, Intl.DateTimeFormat>;
}

/** A compiled regular expression that runs in linear time. */
export interface Matcher {
  /** Whether it matches somewhere in `text`. */
  test(text: string): boolean;
  /** The first match, undefined when there is none. */
  find(text: string): string | undefined;
  /** Matches from left to right that do not overlap; at most `limit` of them. */
  findAll(text: string, limit: number): string[];
}

/** One signature of a function. Type parameters are `param` types. */
export interface Overload {
  readonly id: string;
  /** The receiver is the first parameter. */
  readonly member: boolean;
  readonly parameters: readonly CelType[];
  readonly result: CelType;
  /**
   * Computes the result. Arguments are no errors and fit the parameters at their surface: a list is a ListValue,
   * a string is a string. A parameter of type dyn or a type parameter takes anything.
   */
  readonly evaluate: (args: readonly Value[], context: CallContext) => Value;
  /** 1 when absent. */
  readonly cost?: CallCost;
  /** Takes any list at run time, whatever its parameters say of the elements. */
  readonly unguarded?: boolean;
}

/** Functions by name; names may be qualified, as `optional.of`. */
export type Functions = Readonly<Record<string, readonly Overload[]>>;

/** A call that a macro replaces. */
export interface MacroCall {
  readonly offset: number;
  /** Absent for global macros. */
  readonly target: Expr | undefined;
  readonly args: readonly Expr[];
}

/** Why a macro cannot be expanded: shown at the expression at fault. */
export class MacroError {
  readonly at: Expr;
  readonly message: string;

  constructor(at: Expr, message: string) {
    this.at = at;
    this.message = message;
  }
}

/** Replaces calls before they are checked. */
export interface Macro {
  readonly name: string;
  readonly receiver: boolean;
  readonly arity: number;
  /** undefined leaves the call as it stands. */
  readonly expand: (call: MacroCall) => Expr | MacroError | undefined;
}

/** A named set of functions, macros and types. */
export interface Library {
  readonly name: string;
  readonly functions?: Functions;
  readonly macros?: readonly Macro[];
  /** Types that expressions can name, as `int` or `kubernetes.Quantity`. */
  readonly types?: Readonly<Record<string, CelType>>;
  /** Makes values of struct literals `Name{field: value}`; undefined when the name is none of its types. */
  readonly structs?: StructProvider;
}

/** Types that can be built with `Name{field: value}`. */
export interface StructProvider {
  /** The type of a name. */
  find(name: string): CelType | undefined;
  /** The type of a field; undefined when there is none. */
  field(type: string, field: string): CelType | undefined;
  /** Makes a value. */
  construct(type: string, fields: ReadonlyMap<string, Value>): Value;
}
