/** ClusterRole. Source: k8s.io/kubernetes/pkg/registry/rbac/clusterrole, pkg/apis/rbac/validation (ValidateClusterRole) */
import { Path } from "@atoll/machinery/field";
import { nameRules } from "@atoll/machinery/names";
import type { AggregationRule, ClusterRole } from "../builtin/rbac.authorization.k8s.io/v1.types.ts";
import { Place } from "../core/podspec/place.ts";
import { checkSelector, isSelector } from "../core/podspec/selector.ts";
import type { Strategy } from "../kind.ts";
import { checkRule } from "./rules.ts";

/** The rules of ClusterRoles. */
export const clusterRole: Strategy<ClusterRole> = {
  revalidatesMetadata: true,
  nameErrors: nameRules.pathSegment,
  createOnUpdate: true,
  validate({ rules, aggregationRule }, errors) {
    const at = new Place(errors, Path.root);
    for (const [i, rule] of (rules ?? []).entries()) checkRule(rule, at.item("rules", i), false);
    if (aggregationRule !== undefined) checkAggregation(aggregationRule, at.child("aggregationRule"));
  },
  validateUpdate: (object, _, errors) => clusterRole.validate?.(object, errors),
};

function checkAggregation({ clusterRoleSelectors = [] }: AggregationRule, at: Place): void {
  if (clusterRoleSelectors.length === 0) {
    at.required("clusterRoleSelectors", "at least one clusterRoleSelector required if aggregationRule is non-nil");
  }
  for (const [i, selector] of clusterRoleSelectors.entries()) {
    const place = at.item("clusterRoleSelectors", i);
    checkSelector(selector, place);
    if (!isSelector(selector)) place.invalid("", selector, "invalid label selector.");
  }
}
