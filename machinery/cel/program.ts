/**
 * A compiled expression, and what running it yields.
 * Source: cel-go cel (Program, Issues); k8s.io/apiserver/pkg/apis/cel (limits)
 */
import type { Declaration } from "./declaration.ts";
import type { Library } from "./library.ts";
import type { CelType } from "./types.ts";
import type { CelError, Value } from "./values.ts";

/** Cost limit of one evaluation. */
export const perCallLimit = 1_000_000;
/** Cost limit of all rules on one object, or of one policy binding. */
export const objectBudget = 10_000_000;
/** Cost limit of all match conditions of one webhook or binding. */
export const matchConditionsBudget = 2_500_000;
/** The largest request that estimates reckon with, in bytes. */
export const maxRequestSizeBytes = 3 * 1024 * 1024;

/** What is wrong with an expression, and where. `line` counts from 1, `column` from 0, in code points. */
export interface Issue {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** What an expression may refer to. */
export interface Environment {
  /** Declared variables, by name; a dotted name is allowed. */
  readonly variables: Readonly<Record<string, Declaration>>;
  /** Functions, macros and types to know; kubernetesLibraries when absent. */
  readonly libraries?: readonly Library[];
}

/** Bounds of one evaluation. */
export interface EvaluationLimits {
  /** perCallLimit when absent. */
  readonly costLimit?: number;
  /** Asked now and then inside loops; true stops the evaluation. */
  readonly interrupted?: () => boolean;
}

/** Why an evaluation has no value. */
export interface EvaluationError {
  /** `evaluation`: the expression failed. `cost`: it went over its limit. `interrupted`: it was told to stop. */
  readonly kind: "evaluation" | "cost" | "interrupted";
  /** In cel-go's words, as "no such key: x". */
  readonly message: string;
}

/** What one evaluation came to. `cost` is what was spent, success or not. */
export type Evaluation =
  | { readonly value: Exclude<Value, CelError>; readonly error?: undefined; readonly cost: number }
  | { readonly value?: undefined; readonly error: EvaluationError; readonly cost: number };

/** Least and most an evaluation can cost. Infinity: unbounded. */
export interface CostEstimate {
  readonly min: number;
  readonly max: number;
}

/** An expression that compiled. */
export interface Program {
  readonly expression: string;
  /** What it yields. */
  readonly type: CelType;
  /** The declared variables it mentions. */
  readonly references: ReadonlySet<string>;
  /**
   * Runs the expression.
   * @param bindings JSON (or values) by variable name; a variable without a binding is an error where it is used
   */
  evaluate(bindings: Readonly<Record<string, unknown>>, limits?: EvaluationLimits): Evaluation;
  /** Bounds of the cost for any data that fits the declarations. */
  estimateCost(): CostEstimate;
}

/** Outcome of `compile`: a program, or at least one issue. */
export type Compilation =
  | { readonly program: Program; readonly issues: readonly [] }
  | { readonly program?: undefined; readonly issues: readonly Issue[]; readonly message: string };

/** Adds up the costs of many evaluations against one limit. */
export class CostBudget {
  #remaining: number;

  constructor(limit: number) {
    this.#remaining = limit;
  }

  /** What is left; negative once it was overspent, and then for good. */
  get remaining(): number {
    return this.#remaining;
  }

  /** Takes `cost` off. False when there is not that much left: then nothing further may run. */
  spend(cost: number): boolean {
    this.#remaining = cost > this.#remaining ? -1 : this.#remaining - cost;
    return this.#remaining >= 0;
  }
}

/** For `interrupted`: true once `afterMs` have passed. Costs do not bound everything: comparing deep lists is cheap. */
export function deadline(afterMs: number): () => boolean {
  const end = performance.now() + afterMs;
  return () => performance.now() >= end;
}
