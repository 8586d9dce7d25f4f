/**
 * What all policies have in common: where they hold, how strictly, for which namespaces, and what came of it.
 */
import { conditions, defineKind, type OwnFacts } from "../../own/kind.ts";
import { type Facts, Type, type Typed } from "@atoll/machinery/schema/type";
import { fleetGroup } from "./group.ts";
import { labelSelector } from "./labels.ts";

const target = Type.object(
  {
    group: Type.optional(Type.string({ description: "A ClusterGroup, and the groups below it." })),
    cluster: Type.optional(Type.string({ description: "One FleetCluster." })),
    workspace: Type.optional(Type.string({ description: "The namespaces of a Workspace, on whatever clusters." })),
    namespace: Type.optional(
      Type.object(
        {
          cluster: Type.string({ description: "The FleetCluster." }),
          name: Type.string({ description: "The namespace there." }),
        },
        { description: "One namespace of one cluster." },
      ),
    ),
  },
  {
    description: "Where the policy holds. Empty: everywhere in the organization.",
    "x-kubernetes-validations": [
      {
        rule: "[has(self.group), has(self.cluster), has(self.workspace), has(self.__namespace__)].filter(x, x).size() <= 1",
        message: "name one of group, cluster, workspace, namespace, or none for the whole organization",
      },
    ],
  },
);

const enforcement = Type.optional(
  Type.oneOf(["Enforce", "Warn", "Audit"], {
    description: "Enforce refuses, Warn tells who asked, Audit only reports.",
    default: "Enforce",
  }),
);

/** What a policy's status says of one cluster. */
const clusterState = Type.object({
  name: Type.string({ description: "The FleetCluster." }),
  state: Type.oneOf(["Applied", "Pending", "Failed", "Unsupported"], { description: "How far it is there." }),
  reason: Type.string({ description: "Why it is not applied." }),
  generation: Type.integer({ description: "The policy's generation this is about." }),
  time: Type.time({ description: "When it became so." }),
});

/** What a QuotaPolicy's status says of one namespace. */
const nearness = Type.object({
  cluster: Type.string({ description: "The FleetCluster." }),
  namespace: Type.string({ description: "The namespace there." }),
  state: Type.string({ description: "How much of what it uses." }),
});

const status = Type.object(
  {
    observedGeneration: Type.optional(Type.integer({ description: "The generation this is about." })),
    level: Type.optional(Type.string({ description: "Where it is written, as organization or group prod." })),
    summary: Type.optional(Type.string({ description: "Clusters where it is applied, of all it is for: 3/3." })),
    violations: Type.optional(Type.integer({ description: "Objects that break it as they are." })),
    nearLimit: Type.optional(
      Type.integer({ description: "Of a QuotaPolicy: namespaces that use four fifths of a limit, or more." }),
    ),
    nearest: Type.optional(Type.list(nearness, { description: "Those namespaces, at most 100.", maxItems: 100 })),
    clusters: Type.optional(
      Type.list(clusterState, {
        description: "Each cluster it is for.",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
      }),
    ),
    conditions,
  },
  { description: "What came of the policy." },
);

const namespaceSelector = Type.optional(
  labelSelector("Only namespaces with these labels. Empty: all but those of the system."),
);

/** What names a kind of policy. */
export interface PolicyFacts {
  readonly kind: string;
  readonly plural: string;
  readonly shortNames?: readonly string[];
  readonly description: string;
  /** Beside those of every policy. */
  readonly columns?: OwnFacts["columns"];
}

/** For kinds that Kubernetes can only enforce, not warn of. */
export const onlyEnforced = {
  rule: "!has(self.enforcement) || self.enforcement == 'Enforce'",
  message: "Kubernetes has no warning or audit for what this policy is made of: enforcement must be Enforce",
};

/** Declares a kind of policy by what it has beyond the envelope. */
export function definePolicy<Fields extends Record<string, Typed>>(
  facts: PolicyFacts,
  fields: Fields,
  spec: Omit<Facts, "description"> = {},
) {
  const columns = [
    { name: "Level", type: "string", jsonPath: ".status.level" },
    { name: "Enforcement", type: "string", jsonPath: ".spec.enforcement" },
    { name: "Clusters", type: "string", jsonPath: ".status.summary" },
    { name: "Violations", type: "integer", jsonPath: ".status.violations" },
    ...(facts.columns ?? []),
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ] as const;
  return defineKind(
    { ...fleetGroup, ...facts, columns },
    {
      spec: Type.object(
        { target, enforcement, namespaceSelector, ...fields },
        { ...spec, description: "What the policy says, and where." },
      ),
      status,
    },
  );
}
