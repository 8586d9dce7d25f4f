/**
 * The flow schemas and priority levels that every server has. Mandatory ones may not be changed; suggested ones are
 * made once, and changed by annotation only.
 * Source: k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap/default.go
 */
import type {
  FlowSchemaSpec,
  PriorityLevelConfigurationSpec,
  Subject,
} from "../builtin/flowcontrol.apiserver.k8s.io/v1.types.ts";

/** A name and its spec. */
export interface Named<T> {
  readonly name: string;
  readonly spec: T;
}

const user = (name: string): Subject => ({ kind: "User", user: { name } });
const group = (name: string): Subject => ({ kind: "Group", group: { name } });
const account = (namespace: string, name: string): Subject => ({
  kind: "ServiceAccount",
  serviceAccount: { namespace, name },
});
const everybody = [group("system:authenticated"), group("system:unauthenticated")];

const anyPath = { verbs: ["*"], nonResourceURLs: ["*"] };
const anyResource = { verbs: ["*"], apiGroups: ["*"], resources: ["*"], clusterScope: true, namespaces: ["*"] };

function schema(
  level: string,
  precedence: number,
  { method, rules }: { method?: "ByUser" | "ByNamespace"; rules: NonNullable<FlowSchemaSpec["rules"]> },
): FlowSchemaSpec {
  return {
    priorityLevelConfiguration: { name: level },
    matchingPrecedence: precedence,
    ...(method === undefined ? {} : { distinguisherMethod: { type: method } }),
    rules,
  };
}

const all = (...subjects: Subject[]) => ({ subjects, resourceRules: [anyResource], nonResourceRules: [anyPath] });

/** Priority levels that may not be changed. */
export const mandatoryPriorityLevels: readonly Named<PriorityLevelConfigurationSpec>[] = [
  { name: "exempt", spec: { type: "Exempt", exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } } },
  {
    name: "catch-all",
    spec: {
      type: "Limited",
      limited: { nominalConcurrencyShares: 5, limitResponse: { type: "Reject" }, lendablePercent: 0 },
    },
  },
];

/** Flow schemas that may not be changed. */
export const mandatoryFlowSchemas: readonly Named<FlowSchemaSpec>[] = [
  { name: "exempt", spec: schema("exempt", 1, { rules: [all(group("system:masters"))] }) },
  { name: "catch-all", spec: schema("catch-all", 10_000, { method: "ByUser", rules: [all(...everybody)] }) },
];

function queued(shares: number, lendable: number, [queues, handSize]: readonly [number, number]) {
  const queuing = { queues, handSize, queueLengthLimit: 50 };
  return {
    type: "Limited",
    limited: { nominalConcurrencyShares: shares, limitResponse: { type: "Queue", queuing }, lendablePercent: lendable },
  };
}

/** Priority levels a new server has besides. */
export const suggestedPriorityLevels: readonly Named<PriorityLevelConfigurationSpec>[] = [
  { name: "system", spec: queued(30, 33, [64, 6]) },
  { name: "node-high", spec: queued(40, 25, [64, 6]) },
  { name: "leader-election", spec: queued(10, 0, [16, 4]) },
  { name: "workload-high", spec: queued(40, 50, [128, 6]) },
  { name: "workload-low", spec: queued(100, 90, [128, 6]) },
  { name: "global-default", spec: queued(20, 50, [128, 6]) },
];

const resourceOf = (verbs: string[], apiGroups: string[], resources: string[], namespaces: string[]) => ({
  verbs,
  apiGroups,
  resources,
  namespaces,
});
const clusterWide = { clusterScope: true, namespaces: ["*"] };
const leaseVerbs = ["get", "create", "update"];

/** Flow schemas a new server has besides. */
export const suggestedFlowSchemas: readonly Named<FlowSchemaSpec>[] = [
  {
    name: "system-nodes",
    spec: schema("system", 500, { method: "ByUser", rules: [all(group("system:nodes"))] }),
  },
  {
    name: "system-node-high",
    spec: schema("node-high", 400, {
      method: "ByUser",
      rules: [
        {
          subjects: [group("system:nodes")],
          resourceRules: [
            { verbs: ["*"], apiGroups: [""], resources: ["nodes", "nodes/status"], ...clusterWide },
            resourceOf(["*"], ["coordination.k8s.io"], ["leases"], ["*"]),
          ],
        },
      ],
    }),
  },
  {
    name: "probes",
    spec: schema("exempt", 2, {
      rules: [
        {
          subjects: everybody,
          nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/healthz", "/readyz", "/livez"] }],
        },
      ],
    }),
  },
  {
    name: "system-leader-election",
    spec: schema("leader-election", 100, {
      method: "ByUser",
      rules: [
        {
          subjects: [
            user("system:kube-controller-manager"),
            user("system:kube-scheduler"),
            account("kube-system", "*"),
          ],
          resourceRules: [resourceOf(leaseVerbs, ["coordination.k8s.io"], ["leases"], ["*"])],
        },
      ],
    }),
  },
  {
    name: "endpoint-controller",
    spec: schema("workload-high", 150, {
      method: "ByUser",
      rules: [
        {
          subjects: [
            user("system:kube-controller-manager"),
            account("kube-system", "endpoint-controller"),
            account("kube-system", "endpointslicemirroring-controller"),
          ],
          resourceRules: [resourceOf(["get", "create", "update"], [""], ["endpoints"], ["*"])],
        },
      ],
    }),
  },
  {
    name: "workload-leader-election",
    spec: schema("leader-election", 200, {
      method: "ByUser",
      rules: [
        {
          subjects: [account("kube-system", "*")],
          resourceRules: [resourceOf(leaseVerbs, ["coordination.k8s.io"], ["leases"], ["*"])],
        },
      ],
    }),
  },
  {
    name: "kube-controller-manager",
    spec: schema("workload-high", 800, { method: "ByNamespace", rules: [all(user("system:kube-controller-manager"))] }),
  },
  {
    name: "kube-scheduler",
    spec: schema("workload-high", 800, { method: "ByNamespace", rules: [all(user("system:kube-scheduler"))] }),
  },
  {
    name: "kube-system-service-accounts",
    spec: schema("workload-high", 900, { method: "ByNamespace", rules: [all(account("kube-system", "*"))] }),
  },
  {
    name: "service-accounts",
    spec: schema("workload-low", 9_000, { method: "ByUser", rules: [all(group("system:serviceaccounts"))] }),
  },
  {
    name: "global-default",
    spec: schema("global-default", 9_900, { method: "ByUser", rules: [all(...everybody)] }),
  },
];
