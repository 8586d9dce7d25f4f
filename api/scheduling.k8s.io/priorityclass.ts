/** PriorityClass. Source: k8s.io/kubernetes/pkg/registry/scheduling/priorityclass, pkg/apis/scheduling/validation */
import { Path } from "@atoll/machinery/field";
import type { PriorityClass } from "../builtin/scheduling.k8s.io/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import type { Strategy } from "../kind.ts";

const userMax = 1_000_000_000;
const policies = ["Never", "PreemptLowerPriority"];
const system: Readonly<Record<string, number>> = {
  "system-cluster-critical": 2_000_000_000,
  "system-node-critical": 2_000_001_000,
};

/** The rules of PriorityClasses. */
export const priorityClass: Strategy<PriorityClass> = {
  generation: true,
  setDefaults(object) {
    object.preemptionPolicy ??= "PreemptLowerPriority";
  },
  // Its generation stays what it is at first.
  specChanged: () => false,
  validate({ metadata, value, preemptionPolicy }, errors) {
    const name = metadata.name ?? "";
    if (name.startsWith("system-")) {
      if (system[name] !== value) {
        errors.forbidden(
          Path.of("metadata", "name"),
          "priority class names with 'system-' prefix are reserved for system use only",
        );
      }
    } else if (value > userMax) {
      errors.forbidden(Path.of("value"), `maximum allowed value of a user defined priority is ${userMax}`);
    }
    if (preemptionPolicy === "") errors.required(Path.of("preemptionPolicy"));
    else if (preemptionPolicy !== undefined && !policies.includes(preemptionPolicy)) {
      errors.notSupported(Path.of("preemptionPolicy"), preemptionPolicy, policies);
    }
  },
  validateUpdate(object, old, errors) {
    if (object.value !== old.value) errors.forbidden(Path.of("value"), "may not be changed in an update.");
    if (object.preemptionPolicy !== old.preemptionPolicy) {
      errors.invalid(Path.of("preemptionPolicy"), object.preemptionPolicy, "field is immutable");
    }
  },
  table: {
    columns: [
      nameColumn,
      { ...column("Value", "The priority its pods get."), type: "integer" },
      { ...column("Global-Default", "Whether pods that name no class get it."), type: "boolean" },
      ageColumn,
      column("PreemptionPolicy", "Whether its pods push others out."),
    ],
    cells: ({ metadata, value, globalDefault, preemptionPolicy }, nowMs) => [
      metadata.name ?? "",
      value,
      globalDefault ?? false,
      age(metadata.creationTimestamp, nowMs),
      preemptionPolicy ?? "",
    ],
  },
};
