/**
 * Gathers the rules of ClusterRoles that say whose to gather.
 * Source: k8s.io/kubernetes/pkg/controller/clusterroleaggregation
 */
import { ClusterRole } from "@atoll/client/builtin";
import { keyOf } from "@atoll/client/resource";
import { deepEqual } from "@atoll/machinery/equal";
import { matchesLabels, selectorOf } from "@atoll/machinery/selectors/labels";
import { partOf, watching } from "@atoll/runtime/claims";
import type { Controller } from "@atoll/runtime/controller";
import { defineController, settled } from "@atoll/runtime/controller";

type Rule = NonNullable<ClusterRole["rules"]>[number];

/** The rules of all roles that a role's selectors mean, by name of the role, each rule once. */
function gathered(role: ClusterRole, roles: readonly ClusterRole[]): readonly Rule[] {
  const rules: Rule[] = [];
  for (const selector of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const labels = selectorOf(selector);
    if (labels === undefined) continue;
    const meant = roles.filter(
      (each) => each.metadata.name !== role.metadata.name && matchesLabels(labels, each.metadata.labels),
    );
    for (const rule of meant.sort(byName).flatMap((each) => each.rules ?? [])) {
      if (!rules.some((known) => deepEqual(known, rule))) rules.push(rule);
    }
  }
  return rules;
}

function byName(a: ClusterRole, b: ClusterRole): number {
  return (a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1;
}

/** Keeps the rules of ClusterRoles with an aggregationRule. */
export const clusterRoleController: Controller = defineController({
  name: "clusterrole-aggregation-controller",
  for: ClusterRole,
  reads: [
    // Whichever role changes, those that gather may have to.
    watching(ClusterRole, (_, cache) =>
      cache.list(ClusterRole).flatMap((role) => (role.aggregationRule === undefined ? [] : [keyOf(role)])),
    ),
  ],
  writes: [partOf(ClusterRole, "rules of those that gather", ({ object }) => "aggregationRule" in object)],
  async reconcile(key, { cache, client }) {
    const role = cache.get(ClusterRole, key);
    if (role?.aggregationRule === undefined || role.metadata.deletionTimestamp !== undefined) return settled;
    const rules = gathered(role, cache.list(ClusterRole));
    if (deepEqual(rules, role.rules ?? [])) return settled;
    await client.update({ ...role, rules: [...rules] });
    return settled;
  },
});
