/** Scopes that select by a name. Source: k8s.io/kubernetes/pkg/apis/core/v1/helper (ScopedResourceSelectorRequirementsAsSelector) */
import type { ScopedResourceSelectorRequirement } from "../../builtin/core/v1.types.ts";

/** @param names what the object has; an object may have several, or none */
export function selects(
  { operator, values = [] }: ScopedResourceSelectorRequirement,
  names: readonly string[],
): boolean {
  switch (operator) {
    case "Exists":
      return names.length > 0;
    case "DoesNotExist":
      return names.length === 0;
    case "In":
      return names.some((name) => values.includes(name));
    case "NotIn":
      return names.length === 0 || names.some((name) => !values.includes(name));
    default:
      return false;
  }
}
