import { conditions, defineKind, type ObjectOf } from "../../own/kind.ts";
import { Type } from "@atoll/machinery/schema/type";
import { fleetGroup } from "./group.ts";

/** Where a cluster is between being wanted and being gone. */
const phases = ["Pending", "Ready", "Disconnected", "Revoked", "Fenced", "Detaching"] as const;

const amounts = (description: string) =>
  Type.optional(Type.map(Type.string({ description: "Quantity." }), { description }));

/** `fleetclusters`: one attached cluster. */
export const FleetCluster = defineKind(
  {
    ...fleetGroup,
    kind: "FleetCluster",
    plural: "fleetclusters",
    shortNames: ["fc"],
    description: "A Kubernetes cluster that is attached, or about to be.",
    columns: [
      { name: "Phase", type: "string", jsonPath: ".status.phase" },
      { name: "Group", type: "string", jsonPath: ".spec.group" },
      { name: "Version", type: "string", jsonPath: ".status.version" },
      { name: "Nodes", type: "integer", jsonPath: ".status.nodes.total" },
      { name: "Violations", type: "integer", jsonPath: ".status.violations" },
      { name: "Seen", type: "date", jsonPath: ".status.lastSeen" },
      { name: "CPU", type: "string", jsonPath: ".status.capacity.cpu", priority: 1 },
      { name: "CPU-Used", type: "string", jsonPath: ".status.used.cpu", priority: 1 },
      { name: "Memory", type: "string", jsonPath: ".status.capacity.memory", priority: 1 },
      { name: "Memory-Used", type: "string", jsonPath: ".status.used.memory", priority: 1 },
      { name: "Agent", type: "string", jsonPath: ".status.agentVersion", priority: 1 },
      { name: "Reason", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].message', priority: 1 },
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    ],
  },
  {
    spec: Type.object(
      {
        group: Type.optional(Type.string({ description: "Its ClusterGroup; none: the organization alone." })),
        revoked: Type.optional(Type.boolean({ description: "Its agent is not let in any more." })),
        onDetach: Type.optional(
          Type.oneOf(["Remove", "Keep"], {
            description: "Whether what the agent made there goes when the cluster is detached.",
            default: "Remove",
          }),
        ),
      },
      { description: "What is wanted of the cluster." },
    ),
    status: Type.object(
      {
        phase: Type.optional(Type.oneOf(phases, { description: "Where the cluster is." })),
        namespace: Type.optional(Type.string({ description: "Its namespace on the hub." })),
        agentKey: Type.optional(Type.string({ description: "SHA-256 of the agent's public key, hexadecimal." })),
        instance: Type.optional(Type.string({ description: "The run of the agent that reported last." })),
        formerInstance: Type.optional(Type.string({ description: "The one before it." })),
        gateway: Type.optional(
          Type.string({
            description: "URL of the gateway at which its agent's tunnel ends, as other gateways reach it.",
          }),
        ),
        fencedKey: Type.optional(
          Type.string({ description: "The agentKey that two agents used; it is let in no more." }),
        ),
        version: Type.optional(Type.string({ description: "Kubernetes version, as v1.36.0." })),
        agentVersion: Type.optional(Type.string({ description: "Version of its agent." })),
        nodes: Type.optional(
          Type.object(
            {
              total: Type.integer({ description: "Nodes." }),
              ready: Type.integer({ description: "Nodes that are ready." }),
            },
            { description: "Its nodes." },
          ),
        ),
        capacity: amounts("Of all nodes."),
        requested: amounts("Asked for by the pods that are bound and not over, and how many they are."),
        used: amounts("Used on all nodes, as the cluster's metrics API says."),
        usageTime: Type.optional(Type.time({ description: "When so much was requested and used." })),
        usageProblem: Type.optional(Type.string({ description: "Why it is not known what is used." })),
        violations: Type.optional(Type.integer({ description: "Violations of policies found there." })),
        lastSeen: Type.optional(Type.time({ description: "When its agent reported last; all facts are of then." })),
        inventoryTime: Type.optional(
          Type.time({ description: "When its agent looked last at what its ClusterInventories tell." }),
        ),
        conditions,
      },
      { description: "What is known of the cluster." },
    ),
  },
);
export type FleetCluster = ObjectOf<typeof FleetCluster>;
