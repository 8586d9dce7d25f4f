/**
 * A ValidatingAdmissionPolicy, compiled, and its verdict on one request with one parameter.
 * Source: k8s.io/apiserver/pkg/admission/plugin/policy/validating/validator.go
 */
import type { ValidatingAdmissionPolicy, Validation } from "@atoll/api/builtin/admissionregistration.k8s.io/v1.types";
import { type AdmissionOptions, type Compiler, CostBudget, objectBudget } from "@atoll/machinery/cel/index";
import type { Reason } from "@atoll/machinery/status";
import { compileConditions, hold } from "../expressions/conditions.ts";
import { compile, type Expression, OutOfBudget, run } from "../expressions/expression.ts";
import { bind, type Bindings, type Inputs } from "../expressions/inputs.ts";
import { compileVariables, Composition, type Variables } from "../expressions/variables.ts";

interface Rule {
  readonly validation: Validation;
  readonly expression: Expression;
  readonly message: Expression | undefined;
}

interface Annotation {
  readonly key: string;
  readonly value: Expression;
}

/** A policy's expressions, ready to run. */
export interface Validations {
  /** Whether what fails admits instead of refusing. */
  readonly ignore: boolean;
  readonly conditions: readonly Expression[];
  readonly variables: Variables;
  readonly rules: readonly Rule[];
  readonly annotations: readonly Annotation[];
}

/** One reason against the request. `index` is the validation's. */
export interface Failure {
  readonly index: number;
  readonly message: string;
  readonly reason: Reason;
}

/** What a policy says about one request. */
export interface Verdict {
  readonly failures: readonly Failure[];
  readonly annotations: readonly { readonly key: string; readonly value: string }[];
  /** Annotations that could not be made; with the failure policy Fail they refuse the request, whatever the actions. */
  readonly broken: readonly string[];
}

/** Source: MaxEvaluatedMessageExpressionSizeBytes */
const longestMessage = 5 * 1024;

/** Compiles all that a policy says; what does not compile is told when it would run. */
export function compileValidations(compiler: Compiler, { spec }: ValidatingAdmissionPolicy): Validations {
  const params = spec.paramKind !== undefined;
  const variables = compileVariables(compiler, spec.variables, { params, authorizer: true });
  const full: AdmissionOptions = { params, authorizer: true, variables: variables.types };
  const plain: AdmissionOptions = { params, variables: variables.types };
  return {
    ignore: spec.failurePolicy === "Ignore",
    conditions: compileConditions(compiler, spec.matchConditions, { params, authorizer: true, variables: {} }),
    variables,
    rules: (spec.validations ?? []).map((validation) => ({
      validation,
      expression: compile(compiler, validation.expression, full),
      message:
        (validation.messageExpression ?? "") === ""
          ? undefined
          : compile(compiler, validation.messageExpression ?? "", plain),
    })),
    annotations: (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
      key,
      value: compile(compiler, valueExpression, full),
    })),
  };
}

const silent: Verdict = { failures: [], annotations: [], broken: [] };

/** Most policies have none. */
const noVariables = new Composition({ types: {}, expressions: new Map() });

/** Policies without variables see a request alike. */
function bindOnce(inputs: Inputs): Bindings {
  inputs.bindings ??= bind(inputs, noVariables);
  return inputs.bindings;
}

/** Runs a policy's expressions. Pure but for what it asks the authorizer. */
export function judge(policy: Validations, inputs: Inputs): Verdict {
  const composition = policy.variables.expressions.size === 0 ? noVariables : new Composition(policy.variables);
  const bindings = composition === noVariables ? bindOnce(inputs) : composition.within(bind(inputs, composition));
  const matching = hold(policy.conditions, bindings, policy.ignore, composition.spent);
  if (matching.error !== undefined) return failed(policy, matching.error);
  if (!matching.matches) return silent;
  try {
    const failures = findFailures(policy, bindings, composition);
    if (policy.annotations.length === 0) return failures.length === 0 ? silent : { ...silent, failures };
    return { ...annotate(policy, bindings, composition), failures };
  } catch (stop) {
    if (!(stop instanceof OutOfBudget)) throw stop;
    return failed(policy, stop.message);
  }
}

function failed({ ignore }: Validations, message: string): Verdict {
  return ignore ? silent : { ...silent, failures: [{ index: 0, message, reason: "Invalid" }] };
}

function findFailures(policy: Validations, bindings: Bindings, { spent }: Composition): readonly Failure[] {
  const budget = new CostBudget(objectBudget);
  const failures: Failure[] = [];
  for (const [index, rule] of policy.rules.entries()) {
    const outcome = run(rule.expression, bindings, budget, spent);
    if (outcome.error !== undefined) {
      if (!policy.ignore) failures.push({ index, message: outcome.error, reason: "Invalid" });
    } else if (outcome.value !== true) {
      const reason = (rule.validation.reason ?? "Invalid") as Reason;
      failures.push({ index, message: messageOf(rule, bindings, { budget, spent }), reason });
    }
  }
  return failures;
}

/** What is told: the message expression's result if it is fit to be, or the message, or the expression itself. */
function messageOf(
  { validation, message }: Rule,
  bindings: Bindings,
  { budget, spent }: { budget: CostBudget; spent: () => number },
): string {
  const computed = message === undefined ? undefined : run(message, bindings, budget, spent);
  if (computed !== undefined && computed.error === undefined && typeof computed.value === "string") {
    const text = computed.value.trim();
    if (text !== "" && Buffer.byteLength(text) <= longestMessage && !text.includes("\n")) return text;
  }
  const given = (validation.message ?? "").trim();
  return given === "" ? `failed expression: ${validation.expression.trim()}` : given;
}

function annotate(policy: Validations, bindings: Bindings, { spent }: Composition): Omit<Verdict, "failures"> {
  const budget = new CostBudget(objectBudget);
  const annotations: { key: string; value: string }[] = [];
  const broken: string[] = [];
  for (const { key, value } of policy.annotations) {
    const outcome = run(value, bindings, budget, spent);
    if (outcome.error !== undefined) {
      if (!policy.ignore) broken.push(outcome.error);
    } else if (typeof outcome.value === "string") {
      const text = outcome.value.trim();
      if (text !== "") annotations.push({ key, value: text });
    } else if (outcome.value !== null) {
      broken.push(
        `valueExpression '${value.text}' resulted in unsupported return type. Return type must be either string or null.`,
      );
    }
  }
  return { annotations, broken };
}
