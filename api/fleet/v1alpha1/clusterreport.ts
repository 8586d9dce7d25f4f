import { defineKind, type ObjectOf } from "../../own/kind.ts";
import { Type } from "@atoll/machinery/schema/type";
import { fleetGroup } from "./group.ts";

const amounts = (description: string) =>
  Type.map(Type.string({ description: "Quantity.", maxLength: 64 }), { description, maxProperties: 64 });
const name = Type.string({ description: "Name.", maxLength: 253 });

/** `clusterreports`: what a cluster's agent says of it. In the cluster's namespace on the hub; only the agent writes it. */
export const ClusterReport = defineKind(
  {
    ...fleetGroup,
    kind: "ClusterReport",
    plural: "clusterreports",
    description: "What a cluster's agent says of its cluster. Written by the agent alone.",
    columns: [
      { name: "Version", type: "string", jsonPath: ".spec.version" },
      { name: "Nodes", type: "integer", jsonPath: ".spec.nodes.total" },
      { name: "Violations", type: "integer", jsonPath: ".spec.violationsTotal" },
      { name: "Seen", type: "date", jsonPath: ".spec.time" },
    ],
  },
  {
    spec: Type.object(
      {
        time: Type.time({ description: "When this was found." }),
        instance: Type.string({ description: "Names one run of the agent.", maxLength: 64 }),
        agentVersion: Type.string({ description: "Version of the agent.", maxLength: 64 }),
        version: Type.string({ description: "Kubernetes version of the cluster.", maxLength: 64 }),
        nodes: Type.object(
          { total: Type.integer({ description: "Nodes." }), ready: Type.integer({ description: "Ready ones." }) },
          { description: "Its nodes." },
        ),
        capacity: amounts("Of all nodes together."),
        usage: Type.optional(
          Type.object(
            {
              time: Type.time({ description: "When this was so." }),
              requested: amounts("Asked for by the pods that are bound and not over, and how many they are."),
              used: Type.optional(amounts("Used on all nodes, as the cluster's metrics API says.")),
              problem: Type.optional(
                Type.string({ description: "Why it is not known what is used.", maxLength: 1024 }),
              ),
            },
            { description: "What of the capacity is asked for and used." },
          ),
        ),
        namespaces: Type.integer({ description: "Namespaces." }),
        inventoryTime: Type.optional(Type.time({ description: "When its ClusterInventories were looked at last." })),
        violations: Type.list(
          Type.object({
            policy: Type.string({ description: "KIND/NAME of the policy on the hub.", maxLength: 317 }),
            rule: Type.string({ description: "Which of its rules.", maxLength: 253 }),
            kind: name,
            namespace: name,
            name,
            message: Type.string({ description: "What is wrong with it.", maxLength: 1024 }),
          }),
          { description: "Objects that break a policy as they are, at most 500.", maxItems: 500 },
        ),
        violationsTotal: Type.integer({ description: "How many there are." }),
        violationsOf: Type.optional(
          Type.map(Type.integer({ description: "Objects that break it." }), {
            description: "How many there are of each policy, by KIND/NAME; those without any are left out.",
            maxProperties: 1000,
          }),
        ),
        exceptedOf: Type.optional(
          Type.map(Type.integer({ description: "Objects that would break the policy today." }), {
            description: "How many objects pass by each PolicyException alone, by the name of its match condition.",
            maxProperties: 1000,
          }),
        ),
      },
      { description: "What was found." },
    ),
    status: Type.object({}, { description: "Not used." }),
  },
);
export type ClusterReport = ObjectOf<typeof ClusterReport>;
