import type { ObjectOf } from "../../own/kind.ts";
import { Type } from "@atoll/machinery/schema/type";
import { definePolicy, onlyEnforced } from "./policy.ts";

/** `accesspolicies`: who may do what. */
export const AccessPolicy = definePolicy(
  {
    kind: "AccessPolicy",
    plural: "accesspolicies",
    shortNames: ["access"],
    description: "Who may do what on the clusters, as RBAC there.",
  },
  {
    bindings: Type.list(
      Type.object({
        role: Type.string({
          description: "SCOPE.admin, SCOPE.edit or SCOPE.view, where SCOPE says for whom it is meant; or custom.",
          pattern: "^((organization|clustergroup|cluster|workspace|namespace)\\.(admin|edit|view)|custom)$",
        }),
        rules: Type.optional(
          Type.list(Type.any({ description: "A rule as in a ClusterRole." }), {
            description: "What role custom allows.",
            "x-kubernetes-list-type": "atomic",
          }),
        ),
        subjects: Type.list(
          Type.object({
            kind: Type.oneOf(["User", "Group", "ServiceAccount"], { description: "What the name is of." }),
            name: Type.string({ description: "As the identity provider says it.", minLength: 1, maxLength: 253 }),
            namespace: Type.optional(Type.string({ description: "Of a ServiceAccount." })),
          }),
          { description: "Who.", minItems: 1, maxItems: 50, "x-kubernetes-list-type": "atomic" },
        ),
      }),
      { description: "Roles and who has them.", minItems: 1, maxItems: 50, "x-kubernetes-list-type": "atomic" },
    ),
  },
  {
    "x-kubernetes-validations": [
      onlyEnforced,
      {
        rule: "self.bindings.all(b, (b.role == 'custom') == has(b.rules))",
        message: "rules go with role custom, and only with it",
      },
      {
        rule: "self.bindings.all(b, b.subjects.all(s, !s.name.startsWith('system:')))",
        message: "a subject must not be one of Kubernetes' own: no name that begins with system:",
      },
    ],
  },
);
export type AccessPolicy = ObjectOf<typeof AccessPolicy>;
