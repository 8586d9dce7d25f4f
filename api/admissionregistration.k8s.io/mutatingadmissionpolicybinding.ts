/** MutatingAdmissionPolicyBinding. Source: k8s.io/kubernetes/pkg/registry/admissionregistration/mutatingadmissionpolicybinding */
import { Path } from "@atoll/machinery/field";
import type { MutatingAdmissionPolicyBinding } from "../builtin/admissionregistration.k8s.io/v1.types.ts";
import { age } from "../cells.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";
import { bindingColumns, checkBinding, paramRefCell } from "./binding.ts";
import { setMatchDefaults } from "./matching.ts";

/** The rules of MutatingAdmissionPolicyBindings. */
export const mutatingAdmissionPolicyBinding: Strategy<MutatingAdmissionPolicyBinding> = {
  generation: true,
  setDefaults: ({ spec }) => setMatchDefaults(spec.matchResources),
  validate: ({ spec }, errors) => checkBinding(spec, new Place(errors, Path.of("spec"))),
  validateUpdate: (object, _, errors) => mutatingAdmissionPolicyBinding.validate?.(object, errors),
  table: {
    columns: bindingColumns,
    cells: ({ metadata, spec }, nowMs) => [
      metadata.name ?? "",
      spec.policyName ?? "",
      paramRefCell(spec.paramRef),
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};
