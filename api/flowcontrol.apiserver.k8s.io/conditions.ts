/** Conditions of both kinds. Source: k8s.io/kubernetes/pkg/apis/flowcontrol/validation (ValidateFlowSchemaStatus) */
import type { Place } from "../core/podspec/place.ts";

/** Each condition has a type of its own; `at` is the status. */
export function checkConditionTypes(conditions: readonly { type?: string }[] = [], at: Place): void {
  const types = conditions.map(({ type = "" }) => type);
  for (const [i, type] of types.entries()) {
    const place = at.item("conditions", i);
    if (type === "") place.required("type");
    else if (types.indexOf(type) < i) place.duplicate("type", type);
  }
}
