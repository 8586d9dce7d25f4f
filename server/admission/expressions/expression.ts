/**
 * One expression of a policy or webhook, and running it within a budget.
 * Source: k8s.io/apiserver/pkg/admission/plugin/cel/activation.go (Evaluate)
 */
import {
  admissionVariables,
  type AdmissionOptions,
  type CelType,
  type Compiler,
  type CostBudget,
  type Program,
  type Value,
} from "@atoll/machinery/cel/index";
import type { Bindings } from "./inputs.ts";

/** An expression, compiled or not. */
export interface Expression {
  readonly text: string;
  readonly program: Program | undefined;
  /** Why there is no program. */
  readonly wrong: string;
}

/** What an evaluation came to. */
export type Outcome = { readonly value: Value; readonly error?: undefined } | { readonly error: string };

/** No expression that follows may run. The message is upstream's. */
export class OutOfBudget extends Error {
  override readonly name = "OutOfBudget";

  constructor() {
    super("validation failed due to running out of cost budget, no further validation rules will be run");
  }
}

/** Compiles an expression in an environment. */
export function compile(compiler: Compiler, text: string, options: AdmissionOptions): Expression {
  const compiled = compiler.compile(text, { variables: admissionVariables(options) });
  return compiled.program === undefined
    ? { text, program: undefined, wrong: `compilation failed: ${compiled.message}` }
    : { text, program: compiled.program, wrong: "" };
}

/** What it yields; anything when it did not compile. */
export const typeOf = ({ program }: Expression): CelType | undefined => program?.type;

/**
 * Runs an expression.
 * @param spent what variables cost that it was the first to mention
 * @throws {OutOfBudget}
 */
export function run(
  expression: Expression,
  bindings: Bindings,
  budget: CostBudget,
  spent: () => number = free,
): Outcome {
  const { program, text, wrong } = expression;
  if (program === undefined) return { error: `compilation error: ${wrong}` };
  const { value, error, cost } = program.evaluate(bindings);
  if (!budget.spend(spent()) || !budget.spend(cost)) throw new OutOfBudget();
  return error === undefined ? { value } : { error: `expression '${text}' resulted in error: ${error.message}` };
}

const free = (): number => 0;
