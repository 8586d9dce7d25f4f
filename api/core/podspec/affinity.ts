/** Which nodes and neighbours a pod wants. Source: pkg/apis/core/validation (validateAffinity) */
import {
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  labelValueErrors,
  qualifiedNameErrors,
} from "@atoll/machinery/names";
import type {
  Affinity,
  NodeAffinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
} from "../../builtin/core/v1.types.ts";
import type { LabelSelector } from "../../builtin/meta/v1.types.ts";
import type { Place } from "./place.ts";
import { checkSelector } from "./selector.ts";

const required = "requiredDuringSchedulingIgnoredDuringExecution";
const preferred = "preferredDuringSchedulingIgnoredDuringExecution";
const weightMax = 100;

/** All three kinds of affinity. */
export function checkAffinity({ nodeAffinity, podAffinity, podAntiAffinity }: Affinity, at: Place): void {
  if (nodeAffinity !== undefined) checkNodeAffinity(nodeAffinity, at.child("nodeAffinity"));
  if (podAffinity !== undefined) checkPodAffinity(podAffinity, at.child("podAffinity"));
  if (podAntiAffinity !== undefined) checkPodAffinity(podAntiAffinity, at.child("podAntiAffinity"));
}

function checkWeight(weight: number, at: Place): void {
  if (weight <= 0 || weight > weightMax) at.invalid("weight", weight, "must be in the range 1-100");
}

function checkNodeAffinity(affinity: NodeAffinity, at: Place): void {
  if (affinity[required] !== undefined) checkNodeSelector(affinity[required], at.child(required));
  for (const [i, { weight, preference }] of (affinity[preferred] ?? []).entries()) {
    const here = at.item(preferred, i);
    checkWeight(weight, here);
    checkTerm(preference, { values: false }, here.child("preference"));
  }
}

/** Terms of which one has to fit. Source: ValidateNodeSelector */
export function checkNodeSelector({ nodeSelectorTerms }: NodeSelector, at: Place): void {
  const terms = nodeSelectorTerms ?? [];
  if (terms.length === 0) at.required("nodeSelectorTerms", "must have at least one node selector term");
  for (const [i, term] of terms.entries()) checkTerm(term, { values: true }, at.item("nodeSelectorTerms", i));
}

/** @param values whether values have to be label values; a preference that never fits does no harm */
function checkTerm({ matchExpressions, matchFields }: NodeSelectorTerm, rules: { values: boolean }, at: Place): void {
  for (const [i, requirement] of (matchExpressions ?? []).entries()) {
    checkRequirement(requirement, rules, at.item("matchExpressions", i));
  }
  for (const [i, requirement] of (matchFields ?? []).entries()) {
    checkFieldRequirement(requirement, at.item("matchFields", i));
  }
}

const badOperator = "not a valid selector operator";

function checkRequirement(requirement: NodeSelectorRequirement, rules: { values: boolean }, at: Place): void {
  const { key, values = [] } = requirement;
  checkOperator(requirement, at);
  at.each("key", key, qualifiedNameErrors(key));
  if (!rules.values) return;
  for (const [i, value] of values.entries()) at.item("values", i).each("", value, labelValueErrors(value));
}

function checkOperator({ operator, values = [] }: NodeSelectorRequirement, at: Place): void {
  switch (operator) {
    case "In":
    case "NotIn":
      if (values.length === 0) at.required("values", "must be specified when `operator` is 'In' or 'NotIn'");
      return;
    case "Exists":
    case "DoesNotExist":
      if (values.length > 0) {
        at.forbidden("values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
      }
      return;
    case "Gt":
    case "Lt":
      if (values.length !== 1) at.required("values", "must be specified single value when `operator` is 'Lt' or 'Gt'");
      return;
    default:
      at.invalid("operator", operator, badOperator);
  }
}

function checkFieldRequirement({ key, operator, values = [] }: NodeSelectorRequirement, at: Place): void {
  if (operator !== "In" && operator !== "NotIn") at.invalid("operator", operator, badOperator);
  else if (values.length !== 1) {
    at.required("values", "must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
  }
  if (key !== "metadata.name") return at.invalid("key", key, "not a valid field selector key");
  for (const [i, value] of values.entries()) at.item("values", i).each("", value, dns1123SubdomainErrors(value));
}

function checkPodAffinity(affinity: PodAffinity, at: Place): void {
  for (const [i, term] of (affinity[required] ?? []).entries()) checkPodTerm(term, at.item(required, i));
  for (const [i, { weight, podAffinityTerm }] of (affinity[preferred] ?? []).entries()) {
    const here = at.item(preferred, i);
    checkWeight(weight, here);
    checkPodTerm(podAffinityTerm, here.child("podAffinityTerm"));
  }
}

function checkPodTerm(term: PodAffinityTerm, at: Place): void {
  checkSelector(term.labelSelector, at.child("labelSelector"));
  checkSelector(term.namespaceSelector, at.child("namespaceSelector"));
  for (const name of term.namespaces ?? []) at.each("namespace", name, dns1123LabelErrors(name));
  checkLabelKeys(term, at);
  if (term.topologyKey === "") at.required("topologyKey", "can not be empty");
  at.each("topologyKey", term.topologyKey, qualifiedNameErrors(term.topologyKey));
}

function checkLabelKeys(
  { matchLabelKeys = [], mismatchLabelKeys = [], labelSelector }: PodAffinityTerm,
  at: Place,
): void {
  checkKeys(matchLabelKeys, labelSelector, [at, "matchLabelKeys"]);
  checkKeys(mismatchLabelKeys, labelSelector, [at, "mismatchLabelKeys"]);
  for (const [i, key] of matchLabelKeys.entries()) {
    if (mismatchLabelKeys.includes(key)) {
      at.item("matchLabelKeys", i).invalid("", key, "exists in both matchLabelKeys and mismatchLabelKeys");
    }
  }
}

function checkKeys(keys: readonly string[], selector: LabelSelector | undefined, [at, field]: [Place, string]): void {
  if (keys.length === 0) return;
  if (selector === undefined) return at.forbidden(field, "must not be specified when labelSelector is not set");
  for (const [i, key] of keys.entries()) at.item(field, i).each("", key, qualifiedNameErrors(key));
}
