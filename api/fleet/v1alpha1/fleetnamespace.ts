import { conditions, defineKind, type ObjectOf } from "../../own/kind.ts";
import { Type } from "@atoll/machinery/schema/type";
import { fleetGroup } from "./group.ts";

/** `fleetnamespaces`: a namespace on several clusters. */
export const FleetNamespace = defineKind(
  {
    ...fleetGroup,
    kind: "FleetNamespace",
    plural: "fleetnamespaces",
    shortNames: ["fns"],
    description: "A namespace on several clusters that belongs to a workspace.",
    columns: [
      { name: "Workspace", type: "string", jsonPath: ".spec.workspace" },
      { name: "Clusters", type: "string", jsonPath: ".status.summary" },
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    ],
  },
  {
    spec: Type.object(
      {
        workspace: Type.string({ description: "Its Workspace.", minLength: 1 }),
        namespace: Type.optional(Type.string({ description: "Its name on the clusters; default: this object's." })),
        labels: Type.optional(
          Type.map(Type.string({ description: "Value." }), { description: "Labels it has there." }),
        ),
        clusters: Type.optional(
          Type.list(Type.string({ description: "A FleetCluster." }), {
            description: "The clusters it is on.",
            "x-kubernetes-list-type": "set",
          }),
        ),
        group: Type.optional(Type.string({ description: "A ClusterGroup: all clusters in it and below." })),
      },
      { description: "Which namespace, and where." },
    ),
    status: Type.object(
      { summary: Type.optional(Type.string({ description: "Clusters that have it, of all it is for." })), conditions },
      { description: "How far it is." },
    ),
  },
);
export type FleetNamespace = ObjectOf<typeof FleetNamespace>;
