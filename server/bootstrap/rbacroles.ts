/**
 * The ClusterRoles that Kubernetes users expect, and who has them from the start. Those of controllers stand apart.
 * Source: k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go
 */
import { account, type BindingFacts, events, group, on, onPaths, type RoleFacts, user } from "./rbacnotation.ts";

const certificates = "certificates.k8s.io";
const reviews = [
  on("authentication.k8s.io", "create", "tokenreviews"),
  on("authorization.k8s.io", "create", "subjectaccessreviews"),
];

const approver = (name: string, signer: string): RoleFacts => ({
  name: `system:${certificates}:${name}-approver`,
  rules: [on(certificates, "approve", "signers", `kubernetes.io/${signer}`)],
});

const requester = (name: string): RoleFacts => ({
  name: `system:${certificates}:certificatesigningrequests:${name}`,
  rules: [on(certificates, "create", `certificatesigningrequests/${name}`)],
});

/** What nodes may do, as far as it is the same for all of them. Source: NodeRules() */
export const nodeRules = [
  on("authentication.k8s.io", "create", "tokenreviews"),
  on("authorization.k8s.io", "create", "localsubjectaccessreviews subjectaccessreviews"),
  on("core", "read", "services"),
  on("core", "create read", "nodes"),
  on("core", "patch update", "nodes/status"),
  on("core", "patch update", "nodes"),
  on("core events.k8s.io", "create patch update", "events"),
  on("core", "read", "pods"),
  on("core", "create delete", "pods"),
  on("core", "patch update", "pods/status"),
  on("core", "create", "pods/eviction"),
  on("core", "read", "configmaps secrets"),
  on("core", "get", "persistentvolumeclaims persistentvolumes"),
  on("core", "get", "endpoints"),
  on(certificates, "create read", "certificatesigningrequests"),
  on("coordination.k8s.io", "create delete get patch update", "leases"),
  on("storage.k8s.io", "get", "volumeattachments"),
  on("core", "create", "serviceaccounts/token"),
  on("core", "get patch update", "persistentvolumeclaims/status"),
  on("storage.k8s.io", "read", "csidrivers"),
  on("storage.k8s.io", "create delete get patch update", "csinodes"),
  on("node.k8s.io", "read", "runtimeclasses"),
  on("resource.k8s.io", "get", "resourceclaims"),
  on("resource.k8s.io", "create delete deletecollection patch read update", "resourceslices"),
];

const workloadsToEdit = [
  on(
    "apps",
    "write",
    "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale",
  ),
  on("autoscaling", "write", "horizontalpodautoscalers"),
  on("batch", "write", "cronjobs jobs"),
  on(
    "extensions",
    "write",
    "daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale",
  ),
  on("policy", "write", "poddisruptionbudgets"),
  on("networking.k8s.io", "write", "ingresses networkpolicies"),
  on("coordination.k8s.io", "read write", "leases"),
  on("resource.k8s.io", "write", "resourceclaims resourceclaimtemplates"),
];

const workloadsToView = [
  on("discovery.k8s.io", "read", "endpointslices"),
  on(
    "apps",
    "read",
    "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status",
  ),
  on("autoscaling", "read", "horizontalpodautoscalers horizontalpodautoscalers/status"),
  on("batch", "read", "cronjobs cronjobs/status jobs jobs/status"),
  on(
    "extensions",
    "read",
    "daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale",
  ),
  on("policy", "read", "poddisruptionbudgets poddisruptionbudgets/status"),
  on("networking.k8s.io", "read", "ingresses ingresses/status networkpolicies"),
  on("resource.k8s.io", "read", "resourceclaims resourceclaims/status resourceclaimtemplates"),
];

/** For people: all, a namespace's admin, editor and viewer, each gathered from what adds to it. */
const forPeople: readonly RoleFacts[] = [
  { name: "cluster-admin", rules: [on("*", "*", "*"), onPaths("*", "*")] },
  { name: "admin", gathers: "admin" },
  { name: "edit", gathers: "edit", joins: "admin" },
  { name: "view", gathers: "view", joins: "edit" },
  {
    name: "system:aggregate-to-admin",
    joins: "admin",
    rules: [
      on("authorization.k8s.io", "create", "localsubjectaccessreviews"),
      on("rbac.authorization.k8s.io", "read write", "rolebindings roles"),
    ],
  },
  {
    name: "system:aggregate-to-edit",
    joins: "edit",
    rules: [
      on("core", "read", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy"),
      on("core", "impersonate", "serviceaccounts"),
      on("core", "write", "pods pods/attach pods/exec pods/portforward pods/proxy"),
      on("core", "create", "pods/eviction"),
      on(
        "core",
        "write",
        "configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy",
      ),
      on("core", "create", "serviceaccounts/token"),
      ...workloadsToEdit,
    ],
  },
  {
    name: "system:aggregate-to-view",
    joins: "view",
    rules: [
      on(
        "core",
        "read",
        "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status",
      ),
      on(
        "core",
        "read",
        "bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status",
      ),
      on("core", "read", "namespaces"),
      ...workloadsToView,
    ],
  },
];

/** What everybody may ask who is somebody, and what monitoring and account holders may. */
const forEverybody: readonly RoleFacts[] = [
  {
    name: "system:discovery",
    rules: [onPaths("get", "/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/")],
  },
  {
    name: "system:basic-user",
    rules: [
      on("authorization.k8s.io", "create", "selfsubjectaccessreviews selfsubjectrulesreviews"),
      on("authentication.k8s.io", "create", "selfsubjectreviews"),
    ],
  },
  { name: "system:public-info-viewer", rules: [onPaths("get", "/healthz /livez /readyz /version /version/")] },
  {
    name: "system:monitoring",
    rules: [onPaths("get", "/healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/*")],
  },
  {
    name: "system:service-account-issuer-discovery",
    rules: [onPaths("get", "/.well-known/openid-configuration /openid/v1/jwks")],
  },
];

const scheduler: RoleFacts = {
  name: "system:kube-scheduler",
  rules: [
    events,
    on("coordination.k8s.io", "create", "leases"),
    on("coordination.k8s.io", "get update", "leases", "kube-scheduler"),
    on("core", "read", "nodes"),
    on("core", "delete read", "pods"),
    on("core", "create", "bindings pods/binding"),
    on("core", "patch update", "pods/status"),
    on("core", "read", "replicationcontrollers services"),
    on("apps extensions", "read", "replicasets"),
    on("apps", "read", "statefulsets"),
    on("policy", "read", "poddisruptionbudgets"),
    on("core", "read", "persistentvolumeclaims persistentvolumes"),
    ...reviews,
    on("storage.k8s.io", "read", "csinodes"),
    on("core", "read", "namespaces"),
    on("storage.k8s.io", "read", "csidrivers"),
    on("storage.k8s.io", "read", "csistoragecapacities"),
    on("storage.k8s.io", "read", "volumeattachments"),
    on("resource.k8s.io", "read", "deviceclasses resourceslices"),
    on("resource.k8s.io", "patch read update", "resourceclaims"),
    on("resource.k8s.io", "patch update", "resourceclaims/status"),
  ],
};

const controllerManager: RoleFacts = {
  name: "system:kube-controller-manager",
  rules: [
    events,
    on("coordination.k8s.io", "create", "leases"),
    on("coordination.k8s.io", "get update", "leases", "kube-controller-manager"),
    on("core", "create", "secrets serviceaccounts"),
    on("core", "delete", "secrets"),
    on("core", "get", "configmaps namespaces secrets serviceaccounts"),
    on("core", "update", "secrets serviceaccounts"),
    ...reviews,
    on("*", "list watch", "*"),
    on("core", "create", "serviceaccounts/token"),
  ],
};

/** For parts of a cluster that run beside the server. */
const forParts: readonly RoleFacts[] = [
  scheduler,
  controllerManager,
  { name: "system:node", rules: nodeRules },
  { name: "system:node-bootstrapper", rules: [on(certificates, "create read", "certificatesigningrequests")] },
  {
    name: "system:node-problem-detector",
    rules: [on("core", "get", "nodes"), on("core", "patch", "nodes/status"), events],
  },
  {
    name: "system:node-proxier",
    rules: [
      on("core", "list watch", "endpoints services"),
      on("core", "read", "nodes"),
      events,
      on("discovery.k8s.io", "list watch", "endpointslices"),
      on("networking.k8s.io", "list watch", "servicecidrs"),
    ],
  },
  {
    name: "system:kubelet-api-admin",
    rules: [
      on("core", "read", "nodes"),
      on("core", "proxy", "nodes"),
      on(
        "core",
        "*",
        "nodes/checkpoint nodes/configz nodes/healthz nodes/log nodes/metrics nodes/pods nodes/proxy nodes/spec nodes/stats",
      ),
    ],
  },
  { name: "system:auth-delegator", rules: reviews },
  { name: "system:kube-aggregator", rules: [on("core", "read", "endpoints services")] },
  {
    name: "system:kube-dns",
    rules: [on("core", "list watch", "endpoints services"), on("discovery.k8s.io", "list watch", "endpointslices")],
  },
  {
    name: "system:heapster",
    rules: [on("core", "read", "events namespaces nodes pods"), on("extensions", "read", "deployments")],
  },
  {
    name: "system:persistent-volume-provisioner",
    rules: [
      on("core", "create delete read", "persistentvolumes"),
      on("core", "read update", "persistentvolumeclaims"),
      on("storage.k8s.io", "read", "storageclasses"),
      on("core", "watch", "events"),
      events,
    ],
  },
  {
    name: "system:volume-scheduler",
    rules: [
      on("core", "patch read update", "persistentvolumes"),
      on("storage.k8s.io", "read", "storageclasses"),
      on("core", "patch read update", "persistentvolumeclaims"),
    ],
  },
  requester("nodeclient"),
  requester("selfnodeclient"),
  approver("legacy-unknown", "legacy-unknown"),
  approver("kubelet-serving", "kubelet-serving"),
  approver("kube-apiserver-client", "kube-apiserver-client"),
  approver("kube-apiserver-client-kubelet", "kube-apiserver-client-kubelet"),
];

/** Every ClusterRole but those of controllers. */
export const clusterRoles: readonly RoleFacts[] = [...forPeople, ...forEverybody, ...forParts];

const authenticated = group("system:authenticated");

/** Who has them from the start. */
export const clusterRoleBindings: readonly BindingFacts[] = [
  { name: "cluster-admin", subjects: [group("system:masters")] },
  { name: "system:monitoring", subjects: [group("system:monitoring")] },
  { name: "system:discovery", subjects: [authenticated] },
  { name: "system:basic-user", subjects: [authenticated] },
  { name: "system:public-info-viewer", subjects: [authenticated, group("system:unauthenticated")] },
  { name: "system:node-proxier", subjects: [user("system:kube-proxy")] },
  { name: "system:kube-controller-manager", subjects: [user("system:kube-controller-manager")] },
  { name: "system:kube-dns", subjects: [account("kube-dns")] },
  { name: "system:kube-scheduler", subjects: [user("system:kube-scheduler")] },
  { name: "system:volume-scheduler", subjects: [user("system:kube-scheduler")] },
  // The Node authorizer decides about nodes; the binding is there for those who add to it.
  { name: "system:node", subjects: [] },
  { name: "system:service-account-issuer-discovery", subjects: [group("system:serviceaccounts")] },
];
