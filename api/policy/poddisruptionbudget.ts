/** PodDisruptionBudget. Source: k8s.io/kubernetes/pkg/registry/policy/poddisruptionbudget, pkg/apis/policy/validation */
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { nameRules } from "@atoll/machinery/names";
import type { PodDisruptionBudget } from "../builtin/policy/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { checkAtMostAll, checkCounts, checkShare } from "../core/podspec/owner.ts";
import { Place } from "../core/podspec/place.ts";
import { checkSelector } from "../core/podspec/selector.ts";
import type { Strategy } from "../kind.ts";

const evictionPolicies = ["AlwaysAllow", "IfHealthyBudget"];
const counts = ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"];

/** The rules of PodDisruptionBudgets. */
export const podDisruptionBudget: Strategy<PodDisruptionBudget> = {
  generation: true,
  nameErrors: nameRules.pathSegment,
  prepareForCreate(object) {
    object.status = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
  },
  validate: check,
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
  },
  validateUpdate: (object, _old, errors) => check(object, errors),
  status: {
    validateUpdate({ status }, _old, errors) {
      checkCounts(status, { counts, within: [], most: 0 }, new Place(errors, Path.of("status")));
    },
  },
  table: {
    columns: [
      nameColumn,
      column("Min Available", "Pods that have to stay."),
      column("Max Unavailable", "Pods that may be gone."),
      { ...column("Allowed Disruptions", "Pods that may be evicted now."), type: "integer" },
      ageColumn,
    ],
    cells: ({ metadata, spec, status }, nowMs) => [
      metadata.name ?? "",
      String(spec.minAvailable ?? "N/A"),
      String(spec.maxUnavailable ?? "N/A"),
      status.disruptionsAllowed,
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};

function check({ spec }: PodDisruptionBudget, errors: FieldErrors): void {
  const at = new Place(errors, Path.of("spec"));
  if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
    at.invalid("", spec, "minAvailable and maxUnavailable cannot be both set");
  }
  for (const field of ["minAvailable", "maxUnavailable"] as const) {
    const share = spec[field];
    if (share === undefined) continue;
    checkShare(share, at, field);
    checkAtMostAll(share, at, field);
  }
  checkSelector(spec.selector, at.child("selector"));
  const { unhealthyPodEvictionPolicy: policy } = spec;
  if (policy !== undefined && !evictionPolicies.includes(policy)) {
    at.notSupported("unhealthyPodEvictionPolicy", policy, evictionPolicies);
  }
}
