/** Tolerations, spreading, gates. Source: pkg/apis/core/validation (ValidateTolerations, validateTopologySpreadConstraints) */
import { labelValueErrors, qualifiedNameErrors } from "@atoll/machinery/names";
import type { Toleration, TopologySpreadConstraint } from "../../builtin/core/v1.types.ts";
import type { Place } from "./place.ts";
import { checkSelector } from "./selector.ts";

const effects = ["NoExecute", "NoSchedule", "PreferNoSchedule"];
const operators = ["Equal", "Exists"];

/** Taints a pod puts up with; `at` is the specification's place. */
export function checkTolerations(tolerations: readonly Toleration[], at: Place): void {
  for (const [i, toleration] of tolerations.entries()) checkToleration(toleration, at.item("tolerations", i));
}

function checkToleration({ key, operator, value = "", effect, tolerationSeconds }: Toleration, at: Place): void {
  if (key) at.each("key", key, qualifiedNameErrors(key));
  else if (operator !== "Exists") {
    const detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    at.invalid("operator", operator ?? "", detail);
  }
  if (tolerationSeconds !== undefined && effect !== "NoExecute") {
    at.invalid("effect", effect ?? "", "effect must be 'NoExecute' when `tolerationSeconds` is set");
  }
  checkOperator(operator ?? "", value, at);
  if (effect && !effects.includes(effect)) at.notSupported("effect", effect, effects);
}

function checkOperator(operator: string, value: string, at: Place): void {
  if (operator === "Exists") {
    if (value !== "") at.invalid("operator", value, "value must be empty when `operator` is 'Exists'");
  } else if (operator === "Equal" || operator === "") {
    const errors = labelValueErrors(value);
    if (errors.length > 0) at.invalid("operator", value, errors.join(";"));
  } else at.notSupported("operator", operator, operators);
}

const actions = ["DoNotSchedule", "ScheduleAnyway"];
const inclusions = ["Honor", "Ignore"];
const notPositive = "must be greater than zero";

/** How pods spread over nodes; `at` is the specification's place. */
export function checkSpreading(constraints: readonly TopologySpreadConstraint[], at: Place): void {
  for (const [i, constraint] of constraints.entries()) {
    const here = at.item("topologySpreadConstraints", i);
    checkConstraint(constraint, here);
    const { topologyKey, whenUnsatisfiable } = constraint;
    const again = constraints
      .slice(i + 1)
      .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable);
    if (again) here.duplicate("{topologyKey, whenUnsatisfiable}", `{${topologyKey}, ${whenUnsatisfiable}}`);
  }
}

function checkConstraint(constraint: TopologySpreadConstraint, at: Place): void {
  const { maxSkew, topologyKey, whenUnsatisfiable, nodeAffinityPolicy, nodeTaintsPolicy } = constraint;
  if (maxSkew <= 0) at.invalid("maxSkew", maxSkew, notPositive);
  if (topologyKey === "") at.required("topologyKey", "can not be empty");
  if (!actions.includes(whenUnsatisfiable)) at.notSupported("whenUnsatisfiable", whenUnsatisfiable, actions);
  checkMinDomains(constraint, at);
  if (nodeAffinityPolicy !== undefined && !inclusions.includes(nodeAffinityPolicy)) {
    at.notSupported("nodeAffinityPolicy", nodeAffinityPolicy, inclusions);
  }
  if (nodeTaintsPolicy !== undefined && !inclusions.includes(nodeTaintsPolicy)) {
    at.notSupported("nodeTaintsPolicy", nodeTaintsPolicy, inclusions);
  }
  checkMatchKeys(constraint, at);
  checkSelector(constraint.labelSelector, at.child("labelSelector"));
}

function checkMinDomains({ minDomains, whenUnsatisfiable }: TopologySpreadConstraint, at: Place): void {
  if (minDomains === undefined) return;
  if (minDomains <= 0) at.invalid("minDomains", minDomains, notPositive);
  if (whenUnsatisfiable !== "DoNotSchedule") {
    const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
    at.invalid("minDomains", minDomains, detail);
  }
}

function checkMatchKeys({ matchLabelKeys = [], labelSelector }: TopologySpreadConstraint, at: Place): void {
  if (matchLabelKeys.length === 0) return;
  if (labelSelector === undefined) {
    at.forbidden("matchLabelKeys", "must not be specified when labelSelector is not set");
  }
  const { matchLabels = {}, matchExpressions = [] } = labelSelector ?? {};
  for (const [i, key] of matchLabelKeys.entries()) {
    const here = at.item("matchLabelKeys", i);
    here.each("", key, qualifiedNameErrors(key));
    if (Object.hasOwn(matchLabels, key) || matchExpressions.some((expression) => expression.key === key)) {
      here.invalid("", key, "exists in both matchLabelKeys and labelSelector");
    }
  }
}

/** What has to be taken away before the pod is scheduled; `at` is the specification's place. */
export function checkSchedulingGates(gates: readonly { name: string }[], at: Place): void {
  const seen = new Set<string>();
  for (const [i, { name }] of gates.entries()) {
    const here = at.item("schedulingGates", i);
    here.each("", name, qualifiedNameErrors(name));
    if (seen.has(name)) here.duplicate("", name);
    seen.add(name);
  }
}
