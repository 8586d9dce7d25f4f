import { conditions, defineKind, type ObjectOf } from "../../own/kind.ts";
import { Type } from "@atoll/machinery/schema/type";
import { fleetGroup } from "./group.ts";

/** `clustergroups`: clusters that are treated alike. Groups nest: what is written for a group holds for those below. */
export const ClusterGroup = defineKind(
  {
    ...fleetGroup,
    kind: "ClusterGroup",
    plural: "clustergroups",
    shortNames: ["cgrp"],
    description: "Clusters that are treated alike. Policies written for a group hold for the groups below it.",
    columns: [
      { name: "Parent", type: "string", jsonPath: ".spec.parent" },
      { name: "Clusters", type: "integer", jsonPath: ".status.clusters" },
      { name: "Ready", type: "integer", jsonPath: ".status.ready" },
      { name: "Violations", type: "integer", jsonPath: ".status.violations" },
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    ],
  },
  {
    spec: Type.object(
      {
        parent: Type.optional(Type.string({ description: "The group this one is below; none: the organization." })),
        description: Type.optional(Type.string({ description: "What the group is for.", maxLength: 1024 })),
      },
      { description: "Where the group stands." },
    ),
    status: Type.object(
      {
        clusters: Type.optional(Type.integer({ description: "Clusters in the group and below." })),
        ready: Type.optional(Type.integer({ description: "Those of them that are ready." })),
        violations: Type.optional(Type.integer({ description: "Violations found on them." })),
        conditions,
      },
      { description: "What is in the group." },
    ),
  },
);
export type ClusterGroup = ObjectOf<typeof ClusterGroup>;
