import type { ObjectOf } from "../../own/kind.ts";
import { Type } from "@atoll/machinery/schema/type";
import { definePolicy, onlyEnforced } from "./policy.ts";

const text = (description: string) =>
  Type.optional(Type.map(Type.string({ description: "Value.", maxLength: 1024 }), { description, maxProperties: 50 }));

/** `mutationpolicies`: what is filled in when objects are made. */
export const MutationPolicy = definePolicy(
  {
    kind: "MutationPolicy",
    plural: "mutationpolicies",
    description: "What is filled in when pods are made, by MutatingAdmissionPolicies.",
  },
  {
    labels: text("Labels that pods get unless they have them."),
    annotations: text("Annotations that pods get unless they have them."),
    podSecurityDefaults: Type.optional(
      Type.boolean({ description: "Pods that say nothing run as non-root with the runtime's seccomp profile." }),
    ),
  },
  {
    "x-kubernetes-validations": [
      onlyEnforced,
      {
        rule: "has(self.labels) || has(self.annotations) || has(self.podSecurityDefaults)",
        message: "say at least one of labels, annotations, podSecurityDefaults",
      },
    ],
  },
);
export type MutationPolicy = ObjectOf<typeof MutationPolicy>;
