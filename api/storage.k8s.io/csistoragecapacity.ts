/** CSIStorageCapacity. Source: k8s.io/kubernetes/pkg/registry/storage/csistoragecapacity, pkg/apis/storage/validation */
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { dns1123SubdomainErrors } from "@atoll/machinery/names";
import type { CSIStorageCapacity } from "../builtin/storage.k8s.io/v1.types.ts";
import { checkSelector } from "../core/podspec/selector.ts";
import { Place, signOf } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";

/** The rules of CSIStorageCapacities. */
export const csiStorageCapacity: Strategy<CSIStorageCapacity> = {
  revalidatesMetadata: true,
  validate: check,
  validateUpdate(object, old, errors) {
    check(object, errors);
    for (const field of ["nodeTopology", "storageClassName"] as const) {
      if (deepEqual(object[field], old[field])) continue;
      errors.invalid(Path.of(field), object[field] ?? null, "field is immutable");
    }
  },
};

function check(object: CSIStorageCapacity, errors: FieldErrors): void {
  const at = new Place(errors, Path.root);
  at.each("storageClassName", object.storageClassName, dns1123SubdomainErrors(object.storageClassName));
  for (const field of ["capacity", "maximumVolumeSize"] as const) {
    const amount = object[field];
    if (amount !== undefined && signOf(amount) < 0) {
      at.invalid(field, amount, "must be greater than or equal to 0");
    }
  }
  checkSelector(object.nodeTopology, at.child("nodeTopology"));
}
