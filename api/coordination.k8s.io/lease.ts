/** Lease. Source: k8s.io/kubernetes/pkg/registry/coordination/lease, pkg/apis/coordination/validation */
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { qualifiedNameErrors } from "@atoll/machinery/names";
import type { Lease } from "../builtin/coordination.k8s.io/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";

/** The rules of Leases. */
export const lease: Strategy<Lease> = {
  createOnUpdate: true,
  validate: check,
  validateUpdate: (object, _, errors) => check(object, errors),
  table: {
    columns: [nameColumn, column("Holder", "Who holds it."), ageColumn],
    cells: ({ metadata, spec }, nowMs) => [
      metadata.name ?? "",
      spec.holderIdentity ?? "",
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};

function check({ spec }: Lease, errors: FieldErrors): void {
  const at = new Place(errors, Path.of("spec"));
  // An empty holder is how a leader gives its lease up.
  const { leaseDurationSeconds, leaseTransitions, strategy, preferredHolder } = spec;
  if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0) {
    at.invalid("leaseDurationSeconds", leaseDurationSeconds, "must be greater than 0");
  }
  at.nonNegative("leaseTransitions", leaseTransitions);
  if (strategy !== undefined) at.each("strategy", strategy, qualifiedNameErrors(strategy));
  if (preferredHolder && !strategy) at.forbidden("preferredHolder", "may only be specified if `strategy` is defined");
}
