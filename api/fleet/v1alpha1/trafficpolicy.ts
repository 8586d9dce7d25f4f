import type { ObjectOf } from "../../own/kind.ts";
import { Type } from "@atoll/machinery/schema/type";
import { labelSelector } from "./labels.ts";
import { definePolicy, onlyEnforced } from "./policy.ts";

/** What a traffic policy can be made of. */
const recipes = [
  "AllowAll",
  "AllowAllToPods",
  "AllowAllEgress",
  "DenyAll",
  "DenyAllToPods",
  "DenyAllEgress",
  "CustomIngress",
  "CustomEgress",
] as const;

/** `trafficpolicies`: who may talk to whom. */
export const TrafficPolicy = definePolicy(
  {
    kind: "TrafficPolicy",
    plural: "trafficpolicies",
    description: "Who may talk to whom, as NetworkPolicies in each namespace.",
  },
  {
    recipe: Type.oneOf(recipes, { description: "What is allowed or denied." }),
    podSelector: Type.optional(labelSelector("The pods it is about. Empty: all.")),
    rules: Type.optional(
      Type.list(Type.any({ description: "A rule as in a NetworkPolicy: from or to, and ports." }), {
        description: "For the custom recipes.",
        "x-kubernetes-list-type": "atomic",
      }),
    ),
  },
  {
    "x-kubernetes-validations": [
      onlyEnforced,
      {
        rule: "self.recipe.startsWith('Custom') == has(self.rules)",
        message: "rules go with CustomIngress and CustomEgress, and only with them",
      },
      {
        rule: "!has(self.podSelector) || self.recipe.endsWith('ToPods') || self.recipe.startsWith('Custom')",
        message: "podSelector goes with AllowAllToPods, DenyAllToPods, CustomIngress and CustomEgress",
      },
    ],
  },
);
export type TrafficPolicy = ObjectOf<typeof TrafficPolicy>;
