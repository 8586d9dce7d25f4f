import type { ObjectOf } from "../../own/kind.ts";
import { Type } from "@atoll/machinery/schema/type";
import { definePolicy, onlyEnforced } from "./policy.ts";

/** `quotapolicies`: how much each namespace may use. */
export const QuotaPolicy = definePolicy(
  {
    kind: "QuotaPolicy",
    plural: "quotapolicies",
    description: "How much each namespace may use, as a ResourceQuota there.",
    columns: [
      { name: "Size", type: "string", jsonPath: ".spec.size" },
      { name: "NearLimit", type: "integer", jsonPath: ".status.nearLimit" },
    ],
  },
  {
    size: Type.oneOf(["Small", "Medium", "Large", "Custom"], { description: "How much." }),
    hard: Type.optional(
      Type.map(Type.quantity({ description: "Quantity." }), {
        description: "For size Custom: limits as in a ResourceQuota.",
      }),
    ),
  },
  {
    "x-kubernetes-validations": [
      onlyEnforced,
      { rule: "(self.size == 'Custom') == has(self.hard)", message: "hard goes with size Custom, and only with it" },
    ],
  },
);
export type QuotaPolicy = ObjectOf<typeof QuotaPolicy>;
