/** Label selectors. Source: k8s.io/apimachinery/pkg/apis/meta/v1/validation (ValidateLabelSelector) */
import { labelValueErrors, qualifiedNameErrors } from "@atoll/machinery/names";
import { checkLabels } from "@atoll/machinery/objectmeta";
import type { LabelSelector, LabelSelectorRequirement } from "../../builtin/meta/v1.types.ts";
import type { Place } from "./place.ts";

/** A selector that is there has valid labels and expressions. */
export function checkSelector(selector: LabelSelector | null | undefined, at: Place): void {
  if (selector === undefined || selector === null) return;
  if (selector.matchLabels !== undefined) checkLabels(selector.matchLabels, at.path.child("matchLabels"), at.errors);
  for (const [i, requirement] of (selector.matchExpressions ?? []).entries()) {
    checkRequirement(requirement, at.item("matchExpressions", i));
  }
}

function checkRequirement({ key, operator, values = [] }: LabelSelectorRequirement, at: Place): void {
  switch (operator) {
    case "In":
    case "NotIn":
      if (values.length === 0) at.required("values", "must be specified when `operator` is 'In' or 'NotIn'");
      break;
    case "Exists":
    case "DoesNotExist":
      if (values.length > 0) {
        at.forbidden("values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
      }
      break;
    default:
      at.invalid("operator", operator, "not a valid selector operator");
  }
  at.each("key", key, qualifiedNameErrors(key));
  for (const [i, value] of values.entries()) at.item("values", i).each("", value, labelValueErrors(value));
}

const operators: ReadonlySet<string> = new Set(["In", "NotIn", "Exists", "DoesNotExist"]);

/** Whether it can be made a selector at all. Source: LabelSelectorAsSelector, which also checks keys and values */
export function isSelector(selector: LabelSelector | null | undefined): boolean {
  if (selector === undefined || selector === null) return true;
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (qualifiedNameErrors(key).length > 0 || labelValueErrors(value).length > 0) return false;
  }
  return (selector.matchExpressions ?? []).every(isRequirement);
}

function isRequirement({ key, operator, values = [] }: LabelSelectorRequirement): boolean {
  if (!operators.has(operator) || qualifiedNameErrors(key).length > 0) return false;
  const listed = operator === "In" || operator === "NotIn";
  return listed === values.length > 0 && values.every((value) => labelValueErrors(value).length === 0);
}
