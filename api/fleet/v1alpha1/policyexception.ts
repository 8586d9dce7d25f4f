import { conditions, defineKind, type ObjectOf } from "../../own/kind.ts";
import { Type } from "@atoll/machinery/schema/type";
import { fleetGroup } from "./group.ts";

/** `policyexceptions`: what a policy lets pass, for whom, until when. */
export const PolicyException = defineKind(
  {
    ...fleetGroup,
    kind: "PolicyException",
    plural: "policyexceptions",
    shortNames: ["polex"],
    description: "Objects that a policy lets pass until a day, and who answers for it.",
    columns: [
      { name: "Policy", type: "string", jsonPath: ".spec.policy" },
      { name: "Owner", type: "string", jsonPath: ".spec.owner" },
      { name: "Expires", type: "string", jsonPath: ".spec.expires" },
      { name: "Active", type: "string", jsonPath: '.status.conditions[?(@.type=="Active")].status' },
      { name: "Violating", type: "integer", jsonPath: ".status.violations" },
      { name: "Reason", type: "string", jsonPath: ".spec.reason", priority: 1 },
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    ],
  },
  {
    spec: Type.object(
      {
        policy: Type.string({
          description: "KIND/NAME of the policy.",
          pattern: "^(SecurityPolicy|ImagePolicy|CustomPolicy)/[a-z0-9][a-z0-9.-]*$",
        }),
        cluster: Type.optional(Type.string({ description: "Only on this FleetCluster." })),
        namespace: Type.string({ description: "The namespace of the objects.", minLength: 1, pattern: "^[a-z0-9-]+$" }),
        name: Type.optional(
          Type.string({
            description: "Beginning of the objects' names; empty: all of the namespace.",
            pattern: "^[a-z0-9.-]*$",
          }),
        ),
        owner: Type.string({ description: "Who answers for it.", minLength: 1 }),
        reason: Type.string({ description: "Why it is needed.", minLength: 1 }),
        expires: Type.time({ description: "When it ends." }),
      },
      { description: "What passes." },
    ),
    status: Type.object(
      {
        violations: Type.optional(
          Type.integer({
            description:
              "Objects that would break the policy today, were it not for this; 0: it is not needed any more. Absent: it does not hold, or no cluster has looked yet.",
          }),
        ),
        conditions,
      },
      { description: "Whether it holds, and is needed." },
    ),
  },
);
export type PolicyException = ObjectOf<typeof PolicyException>;
