/**
 * The resources of the built-in kinds, as discovery tells of them, and the order of their groups.
 * Source: the answers of kube-apiserver 1.36 under /api and /apis with its default flags
 */
import type { ResourceFacts, Subresource, Verb } from "./kind.ts";

/** What a row says beyond the usual: every verb, no short names, no categories, no subresources. */
interface Extras {
  readonly short?: readonly string[];
  readonly categories?: readonly string[];
  readonly verbs?: readonly Verb[];
  readonly sub?: readonly Subresource[];
  readonly singular?: string;
}

type Row = readonly [plural: string, kind: string, extras?: Extras];

/** The resources of one group and version. */
interface GroupRows {
  readonly group: string;
  readonly version: string;
  readonly namespaced: readonly Row[];
  readonly cluster: readonly Row[];
}

const everyVerb: readonly Verb[] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const readAndWrite: readonly Verb[] = ["get", "patch", "update"];
const all: readonly string[] = ["all"];
const extensions: readonly string[] = ["api-extensions"];

const status: Subresource = { name: "status", verbs: readAndWrite };
const scale: Subresource = {
  name: "scale",
  kind: { group: "autoscaling", version: "v1", kind: "Scale" },
  verbs: readAndWrite,
};

function core(name: string, kind: string, verbs: readonly Verb[]): Subresource {
  return { name, kind: { group: "", version: "v1", kind }, verbs };
}

function proxy(kind: string): Subresource {
  return core("proxy", kind, ["create", "delete", "get", "patch", "update"]);
}

const createOnly: Extras = { verbs: ["create"] };

const podSubresources: readonly Subresource[] = [
  core("attach", "PodAttachOptions", ["create", "get"]),
  core("binding", "Binding", ["create"]),
  { name: "ephemeralcontainers", verbs: readAndWrite },
  { name: "eviction", kind: { group: "policy", version: "v1", kind: "Eviction" }, verbs: ["create"] },
  core("exec", "PodExecOptions", ["create", "get"]),
  { name: "log", verbs: ["get"] },
  core("portforward", "PodPortForwardOptions", ["create", "get"]),
  proxy("PodProxyOptions"),
  { name: "resize", verbs: readAndWrite },
  status,
];

const token: Subresource = {
  name: "token",
  kind: { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" },
  verbs: ["create"],
};

const rows: readonly GroupRows[] = [
  {
    group: "",
    version: "v1",
    namespaced: [
      ["bindings", "Binding", createOnly],
      ["configmaps", "ConfigMap", { short: ["cm"] }],
      ["endpoints", "Endpoints", { short: ["ep"], singular: "endpoints" }],
      ["events", "Event", { short: ["ev"] }],
      ["limitranges", "LimitRange", { short: ["limits"] }],
      ["persistentvolumeclaims", "PersistentVolumeClaim", { short: ["pvc"], sub: [status] }],
      ["pods", "Pod", { short: ["po"], categories: all, sub: podSubresources }],
      ["podtemplates", "PodTemplate"],
      ["replicationcontrollers", "ReplicationController", { short: ["rc"], categories: all, sub: [scale, status] }],
      ["resourcequotas", "ResourceQuota", { short: ["quota"], sub: [status] }],
      ["secrets", "Secret"],
      ["serviceaccounts", "ServiceAccount", { short: ["sa"], sub: [token] }],
      ["services", "Service", { short: ["svc"], categories: all, sub: [proxy("ServiceProxyOptions"), status] }],
    ],
    cluster: [
      ["componentstatuses", "ComponentStatus", { short: ["cs"], verbs: ["get", "list"] }],
      [
        "namespaces",
        "Namespace",
        {
          short: ["ns"],
          verbs: ["create", "delete", "get", "list", "patch", "update", "watch"],
          sub: [{ name: "finalize", verbs: ["update"] }, status],
        },
      ],
      ["nodes", "Node", { short: ["no"], sub: [proxy("NodeProxyOptions"), status] }],
      ["persistentvolumes", "PersistentVolume", { short: ["pv"], sub: [status] }],
    ],
  },
  {
    group: "apiregistration.k8s.io",
    version: "v1",
    namespaced: [],
    cluster: [["apiservices", "APIService", { categories: extensions, sub: [status] }]],
  },
  {
    group: "apps",
    version: "v1",
    namespaced: [
      ["controllerrevisions", "ControllerRevision"],
      ["daemonsets", "DaemonSet", { short: ["ds"], categories: all, sub: [status] }],
      ["deployments", "Deployment", { short: ["deploy"], categories: all, sub: [scale, status] }],
      ["replicasets", "ReplicaSet", { short: ["rs"], categories: all, sub: [scale, status] }],
      ["statefulsets", "StatefulSet", { short: ["sts"], categories: all, sub: [scale, status] }],
    ],
    cluster: [],
  },
  { group: "events.k8s.io", version: "v1", namespaced: [["events", "Event", { short: ["ev"] }]], cluster: [] },
  {
    group: "authentication.k8s.io",
    version: "v1",
    namespaced: [],
    cluster: [
      ["selfsubjectreviews", "SelfSubjectReview", createOnly],
      ["tokenreviews", "TokenReview", createOnly],
    ],
  },
  {
    group: "authorization.k8s.io",
    version: "v1",
    namespaced: [["localsubjectaccessreviews", "LocalSubjectAccessReview", createOnly]],
    cluster: [
      ["selfsubjectaccessreviews", "SelfSubjectAccessReview", createOnly],
      ["selfsubjectrulesreviews", "SelfSubjectRulesReview", createOnly],
      ["subjectaccessreviews", "SubjectAccessReview", createOnly],
    ],
  },
  ...["v2", "v1"].map(
    (version): GroupRows => ({
      group: "autoscaling",
      version,
      namespaced: [
        ["horizontalpodautoscalers", "HorizontalPodAutoscaler", { short: ["hpa"], categories: all, sub: [status] }],
      ],
      cluster: [],
    }),
  ),
  {
    group: "batch",
    version: "v1",
    namespaced: [
      ["cronjobs", "CronJob", { short: ["cj"], categories: all, sub: [status] }],
      ["jobs", "Job", { categories: all, sub: [status] }],
    ],
    cluster: [],
  },
  {
    group: "certificates.k8s.io",
    version: "v1",
    namespaced: [],
    cluster: [
      [
        "certificatesigningrequests",
        "CertificateSigningRequest",
        { short: ["csr"], sub: [{ name: "approval", verbs: readAndWrite }, status] },
      ],
    ],
  },
  {
    group: "networking.k8s.io",
    version: "v1",
    namespaced: [
      ["ingresses", "Ingress", { short: ["ing"], sub: [status] }],
      ["networkpolicies", "NetworkPolicy", { short: ["netpol"] }],
    ],
    cluster: [
      ["ingressclasses", "IngressClass"],
      ["ipaddresses", "IPAddress", { short: ["ip"] }],
      ["servicecidrs", "ServiceCIDR", { sub: [status] }],
    ],
  },
  {
    group: "policy",
    version: "v1",
    namespaced: [["poddisruptionbudgets", "PodDisruptionBudget", { short: ["pdb"], sub: [status] }]],
    cluster: [],
  },
  {
    group: "rbac.authorization.k8s.io",
    version: "v1",
    namespaced: [
      ["rolebindings", "RoleBinding"],
      ["roles", "Role"],
    ],
    cluster: [
      ["clusterrolebindings", "ClusterRoleBinding"],
      ["clusterroles", "ClusterRole"],
    ],
  },
  {
    group: "storage.k8s.io",
    version: "v1",
    namespaced: [["csistoragecapacities", "CSIStorageCapacity"]],
    cluster: [
      ["csidrivers", "CSIDriver"],
      ["csinodes", "CSINode"],
      ["storageclasses", "StorageClass", { short: ["sc"] }],
      ["volumeattachments", "VolumeAttachment", { sub: [status] }],
      ["volumeattributesclasses", "VolumeAttributesClass", { short: ["vac"] }],
    ],
  },
  {
    group: "admissionregistration.k8s.io",
    version: "v1",
    namespaced: [],
    cluster: [
      ["mutatingadmissionpolicies", "MutatingAdmissionPolicy", { categories: extensions }],
      ["mutatingadmissionpolicybindings", "MutatingAdmissionPolicyBinding", { categories: extensions }],
      ["mutatingwebhookconfigurations", "MutatingWebhookConfiguration", { categories: extensions }],
      ["validatingadmissionpolicies", "ValidatingAdmissionPolicy", { categories: extensions, sub: [status] }],
      ["validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", { categories: extensions }],
      ["validatingwebhookconfigurations", "ValidatingWebhookConfiguration", { categories: extensions }],
    ],
  },
  {
    group: "apiextensions.k8s.io",
    version: "v1",
    namespaced: [],
    cluster: [
      [
        "customresourcedefinitions",
        "CustomResourceDefinition",
        { short: ["crd", "crds"], categories: extensions, sub: [status] },
      ],
    ],
  },
  {
    group: "scheduling.k8s.io",
    version: "v1",
    namespaced: [],
    cluster: [["priorityclasses", "PriorityClass", { short: ["pc"] }]],
  },
  { group: "coordination.k8s.io", version: "v1", namespaced: [["leases", "Lease"]], cluster: [] },
  { group: "node.k8s.io", version: "v1", namespaced: [], cluster: [["runtimeclasses", "RuntimeClass"]] },
  { group: "discovery.k8s.io", version: "v1", namespaced: [["endpointslices", "EndpointSlice"]], cluster: [] },
  {
    group: "resource.k8s.io",
    version: "v1",
    namespaced: [
      ["resourceclaims", "ResourceClaim", { sub: [status] }],
      ["resourceclaimtemplates", "ResourceClaimTemplate"],
    ],
    cluster: [
      ["deviceclasses", "DeviceClass"],
      ["resourceslices", "ResourceSlice"],
    ],
  },
  {
    group: "flowcontrol.apiserver.k8s.io",
    version: "v1",
    namespaced: [],
    cluster: [
      ["flowschemas", "FlowSchema", { sub: [status] }],
      ["prioritylevelconfigurations", "PriorityLevelConfiguration", { sub: [status] }],
    ],
  },
];

function factsOf({ group, version }: GroupRows, namespaced: boolean, [plural, kind, extras = {}]: Row): ResourceFacts {
  return {
    group,
    version,
    kind,
    plural,
    singular: extras.singular ?? kind.toLowerCase(),
    shortNames: extras.short ?? [],
    categories: extras.categories ?? [],
    namespaced,
    verbs: extras.verbs ?? everyVerb,
    subresources: extras.sub ?? [],
  };
}

/** Every resource of the built-in kinds, once for each version that serves it. */
export const builtinResources: readonly ResourceFacts[] = rows.flatMap((from) => [
  ...from.namespaced.map((row) => factsOf(from, true, row)),
  ...from.cluster.map((row) => factsOf(from, false, row)),
]);

/** How a group and version rank: larger comes first. */
export interface GroupPriority {
  /** groupPriorityMinimum of the version's APIService. */
  readonly group: number;
  /** Its versionPriority. */
  readonly version: number;
}

/**
 * Ranks of the built-in groups by `GROUP/VERSION`, `/v1` being the core's.
 * apiregistration.k8s.io has no APIService and comes first.
 * Source: k8s.io/kubernetes/pkg/controlplane (DefaultAPIServicePriorities)
 */
export const builtinPriorities: Readonly<Record<string, GroupPriority>> = {
  "/v1": { group: 18_000, version: 1 },
  "apps/v1": { group: 17_800, version: 15 },
  "events.k8s.io/v1": { group: 17_750, version: 15 },
  "authentication.k8s.io/v1": { group: 17_700, version: 15 },
  "authorization.k8s.io/v1": { group: 17_600, version: 15 },
  "autoscaling/v1": { group: 17_500, version: 15 },
  "autoscaling/v2": { group: 17_500, version: 30 },
  "batch/v1": { group: 17_400, version: 15 },
  "certificates.k8s.io/v1": { group: 17_300, version: 15 },
  "networking.k8s.io/v1": { group: 17_200, version: 15 },
  "policy/v1": { group: 17_100, version: 15 },
  "rbac.authorization.k8s.io/v1": { group: 17_000, version: 15 },
  "storage.k8s.io/v1": { group: 16_800, version: 15 },
  "apiextensions.k8s.io/v1": { group: 16_700, version: 15 },
  "admissionregistration.k8s.io/v1": { group: 16_700, version: 15 },
  "scheduling.k8s.io/v1": { group: 16_600, version: 15 },
  "coordination.k8s.io/v1": { group: 16_500, version: 15 },
  "node.k8s.io/v1": { group: 16_300, version: 15 },
  "discovery.k8s.io/v1": { group: 16_200, version: 15 },
  "resource.k8s.io/v1": { group: 16_200, version: 15 },
  "flowcontrol.apiserver.k8s.io/v1": { group: 16_100, version: 21 },
};

/** Rank of the versions of CustomResourceDefinitions. Source: crdregistration_controller.go */
export const customPriority: GroupPriority = { group: 1_000, version: 100 };
