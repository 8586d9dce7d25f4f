/**
 * Match conditions: all must hold, one that is false settles it, and errors go by the failure policy.
 * Source: k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions/matcher.go
 */
import type { MatchCondition } from "@atoll/api/builtin/admissionregistration.k8s.io/v1.types";
import { type AdmissionOptions, type Compiler, CostBudget, matchConditionsBudget } from "@atoll/machinery/cel/index";
import { compile, type Expression, OutOfBudget, run } from "./expression.ts";
import type { Bindings } from "./inputs.ts";

/** Compiles conditions. */
export function compileConditions(
  compiler: Compiler,
  conditions: readonly MatchCondition[] = [],
  options: AdmissionOptions,
): readonly Expression[] {
  return conditions.map(({ expression }) => compile(compiler, expression.trim(), options));
}

/** Whether conditions hold; an error is upstream's text. */
export type Held = { readonly matches: boolean; readonly error?: undefined } | { readonly error: string };

/**
 * Asks all conditions.
 * @param ignore what cannot be told counts as no match
 */
export function hold(
  conditions: readonly Expression[],
  bindings: Bindings,
  ignore: boolean,
  spent?: () => number,
): Held {
  if (conditions.length === 0) return { matches: true };
  const budget = new CostBudget(matchConditionsBudget);
  const errors: string[] = [];
  try {
    for (const condition of conditions) {
      const { error, ...outcome } = run(condition, bindings, budget, spent);
      if (error !== undefined) errors.push(error);
      else if ("value" in outcome && outcome.value === false) return { matches: false };
    }
  } catch (stop) {
    if (!(stop instanceof OutOfBudget)) throw stop;
    errors.splice(0, errors.length, stop.message);
  }
  if (errors.length === 0) return { matches: true };
  return ignore ? { matches: false } : { error: aggregate(errors) };
}

/** Several errors as one. Source: k8s.io/apimachinery/pkg/util/errors (Aggregate) */
function aggregate(errors: readonly string[]): string {
  const distinct = [...new Set(errors)];
  return distinct.length === 1 ? (distinct[0] ?? "") : `[${distinct.join(", ")}]`;
}
