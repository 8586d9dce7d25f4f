/** ValidatingAdmissionPolicyBinding. Source: k8s.io/kubernetes/pkg/registry/admissionregistration/validatingadmissionpolicybinding */
import { Path } from "@atoll/machinery/field";
import type { ValidatingAdmissionPolicyBinding } from "../builtin/admissionregistration.k8s.io/v1.types.ts";
import { age } from "../cells.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";
import { bindingColumns, checkBinding, paramRefCell } from "./binding.ts";
import { setMatchDefaults } from "./matching.ts";

const actions = ["Deny", "Warn", "Audit"];

/** The rules of ValidatingAdmissionPolicyBindings. */
export const validatingAdmissionPolicyBinding: Strategy<ValidatingAdmissionPolicyBinding> = {
  generation: true,
  setDefaults: ({ spec }) => setMatchDefaults(spec.matchResources),
  validate({ spec }, errors) {
    const at = new Place(errors, Path.of("spec"));
    checkBinding(spec, at);
    checkActions(spec.validationActions ?? [], at);
  },
  validateUpdate: (object, _, errors) => validatingAdmissionPolicyBinding.validate?.(object, errors),
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

function checkActions(given: readonly string[], at: Place): void {
  if (given.length === 0) at.required("validationActions", "at least one validation action is required");
  for (const [i, action] of given.entries()) {
    const place = at.item("validationActions", i);
    if (!actions.includes(action)) place.notSupported("", action, actions);
    if (given.indexOf(action) < i) place.duplicate("", action);
  }
  if (given.includes("Deny") && given.includes("Warn")) {
    const why =
      "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)";
    at.invalid("validationActions", given, why);
  }
}
