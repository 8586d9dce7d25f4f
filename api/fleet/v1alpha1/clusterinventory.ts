import { defineKind, type ObjectOf } from "../../own/kind.ts";
import { Type } from "@atoll/machinery/schema/type";
import { fleetGroup } from "./group.ts";

/** How many things of one kind are told of one cluster. */
export const mostItems = 2000;

/**
 * `clusterinventories`: what a cluster has of one kind. In the cluster's namespace on the hub, one object for each kind, named
 * by its plural; only the agent writes them, and only when something is different.
 */
export const ClusterInventory = defineKind(
  {
    ...fleetGroup,
    kind: "ClusterInventory",
    plural: "clusterinventories",
    shortNames: ["inventory"],
    description: "What a cluster has of one kind, as its agent saw it. Written by the agent alone.",
    columns: [
      { name: "Kind", type: "string", jsonPath: ".spec.kind" },
      { name: "Total", type: "integer", jsonPath: ".spec.total" },
      { name: "Unhealthy", type: "integer", jsonPath: ".spec.unhealthy" },
      { name: "Problem", type: "string", jsonPath: ".spec.problem" },
      { name: "Changed", type: "date", jsonPath: ".spec.time" },
    ],
  },
  {
    spec: Type.object(
      {
        kind: Type.string({ description: "What the items are, as Deployment, or DeprecatedAPI.", maxLength: 63 }),
        time: Type.time({
          description: "When the items became so. When they were looked at last, the FleetCluster says.",
        }),
        total: Type.integer({ description: "How many there are." }),
        unhealthy: Type.integer({ description: "How many of them are not as they should be." }),
        problem: Type.optional(Type.string({ description: "Why they could not be looked at.", maxLength: 1024 })),
        items: Type.list(
          Type.object({
            namespace: Type.string({ description: "Namespace; empty for what is in none.", maxLength: 63 }),
            name: Type.string({ description: "Name.", maxLength: 253 }),
            version: Type.string({ description: "A node's kubelet, a workload's images.", maxLength: 512 }),
            state: Type.string({ description: "How it is, for people: 2/3 ready.", maxLength: 256 }),
            healthy: Type.boolean({ description: "Whether it is as it should be." }),
          }),
          {
            description: `What there is, unhealthy ones first where there are more than ${mostItems}.`,
            maxItems: mostItems,
            "x-kubernetes-list-type": "atomic",
          },
        ),
      },
      { description: "What was seen." },
    ),
    status: Type.object({}, { description: "Not used." }),
  },
);
export type ClusterInventory = ObjectOf<typeof ClusterInventory>;
