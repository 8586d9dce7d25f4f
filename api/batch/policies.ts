/**
 * When a Job fails or succeeds before its pods are all done.
 * Source: k8s.io/kubernetes/pkg/apis/batch/validation (validatePodFailurePolicy, validateSuccessPolicy, validateIndexesFormat)
 */
import { omitted } from "@atoll/machinery/field";
import { qualifiedNameErrors } from "@atoll/machinery/names";
import type {
  JobSpec,
  PodFailurePolicy,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyRule,
  SuccessPolicy,
  SuccessPolicyRule,
} from "../builtin/batch/v1.types.ts";
import type { Place } from "../core/podspec/place.ts";

const rulesMax = 20;
const valuesMax = 255;
const patternsMax = 20;
const indexesMax = 64 * 1024;
const actions = ["Count", "FailIndex", "FailJob", "Ignore"];
const operators = ["In", "NotIn"];
const statuses = ["False", "True", "Unknown"];

/** What pods' failures mean. */
export function checkFailurePolicy(policy: PodFailurePolicy, spec: JobSpec, at: Place): void {
  const rules = policy.rules ?? [];
  if (rules.length > rulesMax) at.errors.tooMany(at.path.child("rules"), rules.length, rulesMax);
  for (const [i, rule] of rules.entries()) checkFailureRule(rule, spec, at.item("rules", i));
}

function checkFailureRule(rule: PodFailurePolicyRule, spec: JobSpec, at: Place): void {
  const { action, onExitCodes, onPodConditions = [] } = rule;
  if (action === "FailIndex") {
    if (spec.backoffLimitPerIndex === undefined) {
      at.invalid("action", action, "requires the backoffLimitPerIndex to be set");
    }
  } else at.oneOf("action", action, actions);
  if (onExitCodes !== undefined) checkExitCodes(onExitCodes, spec, at.child("onExitCodes"));
  if (onPodConditions.length > patternsMax) {
    at.errors.tooMany(at.path.child("onPodConditions"), onPodConditions.length, patternsMax);
  }
  for (const [i, { type, status }] of onPodConditions.entries()) {
    const here = at.item("onPodConditions", i);
    here.each("type", type, qualifiedNameErrors(type));
    here.oneOf("status", status, statuses);
  }
  const count = Number(onExitCodes !== undefined) + Number(onPodConditions.length > 0);
  if (count === 2) {
    at.invalid("", omitted, "specifying both OnExitCodes and OnPodConditions is not supported");
  }
  if (count === 0) at.invalid("", omitted, "specifying one of OnExitCodes and OnPodConditions is required");
}

function checkExitCodes(codes: PodFailurePolicyOnExitCodesRequirement, { template }: JobSpec, at: Place): void {
  const { operator, containerName } = codes;
  at.oneOf("operator", operator, operators);
  if (containerName !== undefined) {
    const known = [...(template.spec.initContainers ?? []), ...(template.spec.containers ?? [])];
    if (!known.some(({ name }) => name === containerName)) {
      const detail = "must be one of the container or initContainer names in the pod template";
      at.invalid("containerName", containerName, detail);
    }
  }
  checkValues(codes.values ?? [], operator, at);
}

function checkValues(values: readonly number[], operator: string, at: Place): void {
  if (values.length === 0) at.invalid("values", values, "at least one value is required");
  else if (values.length > valuesMax) at.errors.tooMany(at.path.child("values"), values.length, valuesMax);
  const seen = new Set<number>();
  let ordered = true;
  for (const [i, value] of values.entries()) {
    if (operator === "In" && value === 0) at.item("values", i).invalid("", value, "must not be 0 for the In operator");
    if (seen.has(value)) at.item("values", i).duplicate("", value);
    seen.add(value);
    if (i > 0 && (values[i - 1] ?? value) > value) ordered = false;
  }
  if (!ordered) at.invalid("values", values, "must be ordered");
}

/** Which indexes are enough. */
export function checkSuccessPolicy(policy: SuccessPolicy, { completions = 0 }: JobSpec, at: Place): void {
  const rules = policy.rules ?? [];
  if (rules.length === 0)
    return at.required("rules", "at least one rules must be specified when the successPolicy is specified");
  if (rules.length > rulesMax) at.errors.tooMany(at.path.child("rules"), rules.length, rulesMax);
  for (const [i, rule] of rules.entries()) checkSuccessRule(rule, completions, at.item("rules", i));
}

function checkSuccessRule(
  { succeededIndexes, succeededCount }: SuccessPolicyRule,
  completions: number,
  at: Place,
): void {
  if (succeededCount === undefined && succeededIndexes === undefined) {
    return at.required("", "at least one of succeededCount or succeededIndexes must be specified");
  }
  let total = 0;
  if (succeededIndexes !== undefined) {
    if (succeededIndexes.length > indexesMax) at.tooLong("succeededIndexes", indexesMax);
    const counted = countIndexes(succeededIndexes, completions);
    if (typeof counted === "number") total = counted;
    else at.invalid("succeededIndexes", succeededIndexes, `error parsing succeededIndexes: ${counted.error}`);
  }
  if (succeededCount === undefined) return;
  at.nonNegative("succeededCount", succeededCount);
  if (succeededCount > completions) {
    const detail = `must be less than or equal to ${completions} (the number of specified completions)`;
    at.invalid("succeededCount", succeededCount, detail);
  }
  if (succeededIndexes !== undefined && succeededCount > total) {
    const detail = `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`;
    at.invalid("succeededCount", succeededCount, detail);
  }
}

/** Counts indexes in `1,3-5,7`: rising, below `completions`. */
function countIndexes(text: string, completions: number): number | { readonly error: string } {
  if (text === "") return 0;
  let total = 0;
  let last = -1;
  for (const interval of text.split(",")) {
    const [low = "", high = low, ...more] = interval.split("-");
    const bad = [low, high].find((limit) => !/^\d+$/.test(limit));
    if (more.length > 0 || bad !== undefined)
      return { error: `cannot convert string to integer for index: ${JSON.stringify(bad ?? interval)}` };
    if (Number(low) <= last) return { error: `non-increasing order, previous: ${last}, current: ${low}` };
    if (high !== low && Number(high) <= Number(low))
      return { error: `non-increasing order, previous: ${low}, current: ${high}` };
    if (Number(high) >= completions) return { error: `too large index: ${JSON.stringify(high)}` };
    total += Number(high) - Number(low) + 1;
    last = Number(high);
  }
  return total;
}
