/**
 * SIG Multicluster's ClusterProfile, by which tools that know nothing of Atoll learn which clusters there are. For hubs on
 * which nobody installed the Cluster Inventory API's own definition: that is never replaced.
 * Source: kubernetes-sigs/cluster-inventory-api apis/v1alpha1, apis/v1alpha2; KEP-4322, KEP-2149
 */
import { Type } from "@atoll/machinery/schema/type";
import { conditions, defineKind, type ObjectOf } from "../own/kind.ts";

/** The label that says whose a profile is; its value is `spec.clusterManager.name`. */
export const managerLabel = "x-k8s.io/cluster-manager";
/** The label that profiles of one cluster have in common, whoever wrote them. */
export const memberLabel = "multicluster.x-k8s.io/inventory-member-id";

/** `clusterprofiles`: one cluster, as its manager describes it. */
export const ClusterProfile = defineKind(
  {
    group: "multicluster.x-k8s.io",
    version: "v1alpha1",
    alsoServed: ["v1alpha2"],
    kind: "ClusterProfile",
    plural: "clusterprofiles",
    namespaced: true,
    category: "multicluster",
    annotations: {
      "api-approved.kubernetes.io": "unapproved, the part of the Cluster Inventory API that Atoll writes",
    },
    description: "A cluster of an inventory, as its manager describes it.",
    columns: [
      { name: "Display Name", type: "string", jsonPath: ".spec.displayName" },
      { name: "Manager", type: "string", jsonPath: ".spec.clusterManager.name" },
      { name: "Version", type: "string", jsonPath: ".status.version.kubernetes" },
      {
        name: "Healthy",
        type: "string",
        jsonPath: '.status.conditions[?(@.type=="ControlPlaneHealthy")].status',
      },
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    ],
  },
  {
    spec: Type.object(
      {
        displayName: Type.optional(Type.string({ description: "Its name for people." })),
        clusterManager: Type.object(
          { name: Type.string({ description: "Name of the manager.", minLength: 1, maxLength: 63 }) },
          {
            description: "Who manages the cluster and writes this.",
            "x-kubernetes-validations": [{ rule: "self == oldSelf", message: "ClusterManager is immutable" }],
          },
        ),
      },
      { description: "Which cluster it is." },
    ),
    status: Type.object(
      {
        conditions,
        version: Type.optional(
          Type.object(
            { kubernetes: Type.optional(Type.string({ description: "Version of Kubernetes, as v1.36.0." })) },
            { description: "Its versions." },
          ),
        ),
        properties: Type.optional(
          Type.list(
            Type.object({
              name: Type.string({
                description: "A well-known name or one of the manager's.",
                minLength: 1,
                maxLength: 253,
              }),
              value: Type.string({ description: "Its value.", minLength: 1, maxLength: 1024 }),
              lastObservedTime: Type.optional(Type.time({ description: "When it was seen to be so." })),
            }),
            {
              description: "What it is like.",
              "x-kubernetes-list-type": "map",
              "x-kubernetes-list-map-keys": ["name"],
            },
          ),
        ),
      },
      { description: "What is known of the cluster." },
    ),
  },
);
/** A ClusterProfile. */
export type ClusterProfile = ObjectOf<typeof ClusterProfile>;
