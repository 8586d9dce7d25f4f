/**
 * The ClusterRoles of upstream's controllers, each bound to the service account of its name in kube-system.
 * Source: k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy/controller_policy.go
 */
import type { PolicyRule } from "@atoll/api/builtin/rbac.authorization.k8s.io/v1.types";
import { account, type BindingFacts, events, on, type RoleFacts } from "./rbacnotation.ts";

const prefix = "system:controller:";
const storage = "storage.k8s.io";
const resource = "resource.k8s.io";
const certificates = "certificates.k8s.io";
const deployments = "apps extensions";
const signers =
  "kubernetes.io/kube-apiserver-client kubernetes.io/kube-apiserver-client-kubelet kubernetes.io/kubelet-serving kubernetes.io/legacy-unknown";

const workloads: Readonly<Record<string, readonly PolicyRule[]>> = {
  "cronjob-controller": [
    on("batch", "read update", "cronjobs"),
    on("batch", "create delete patch read update", "jobs"),
    on("batch", "update", "cronjobs/status"),
    on("batch", "update", "cronjobs/finalizers"),
    on("core", "delete list watch", "pods"),
    events,
  ],
  "daemon-set-controller": [
    on(deployments, "read", "daemonsets"),
    on(deployments, "update", "daemonsets/status"),
    on(deployments, "update", "daemonsets/finalizers"),
    on("core", "list watch", "nodes"),
    on("core", "create delete list patch watch", "pods"),
    on("core", "create", "pods/binding"),
    on("apps", "create delete patch read update", "controllerrevisions"),
    events,
  ],
  "deployment-controller": [
    on(deployments, "read update", "deployments"),
    on(deployments, "update", "deployments/status"),
    on(deployments, "update", "deployments/finalizers"),
    on(deployments, "create delete patch read update", "replicasets"),
    on("core", "read update", "pods"),
    events,
  ],
  "job-controller": [
    on("batch", "patch read update", "jobs"),
    on("batch", "update", "jobs/status"),
    on("batch", "update", "jobs/finalizers"),
    on("core", "create delete list patch watch", "pods"),
    events,
  ],
  "replicaset-controller": [
    on(deployments, "read update", "replicasets"),
    on(deployments, "update", "replicasets/status"),
    on(deployments, "update", "replicasets/finalizers"),
    on("core", "create delete list patch watch", "pods"),
    events,
  ],
  "replication-controller": [
    on("core", "read update", "replicationcontrollers"),
    on("core", "update", "replicationcontrollers/status"),
    on("core", "update", "replicationcontrollers/finalizers"),
    on("core", "create delete list patch watch", "pods"),
    events,
  ],
  "statefulset-controller": [
    on("core", "list watch", "pods"),
    on("apps", "read", "statefulsets"),
    on("apps", "update", "statefulsets/status"),
    on("apps", "update", "statefulsets/finalizers"),
    on("core", "create delete get patch update", "pods"),
    on("apps", "create delete patch read update", "controllerrevisions"),
    on("core", "create read", "persistentvolumeclaims"),
    on("core", "delete update", "persistentvolumeclaims"),
    on("core", "update", "pods/finalizers"),
    events,
  ],
  "disruption-controller": [
    on(deployments, "read", "deployments"),
    on(deployments, "read", "replicasets"),
    on("core", "read", "replicationcontrollers"),
    on("policy", "read", "poddisruptionbudgets"),
    on("apps", "read", "statefulsets"),
    on("policy", "update", "poddisruptionbudgets/status"),
    on("core", "patch update", "pods/status"),
    on("*", "get", "*/scale"),
    events,
  ],
  "horizontal-pod-autoscaler": [
    on("autoscaling", "read", "horizontalpodautoscalers"),
    on("autoscaling", "update", "horizontalpodautoscalers/status"),
    on("*", "get update", "*/scale"),
    on("core", "list watch", "pods"),
    on("metrics.k8s.io", "list watch", "pods"),
    on("custom.metrics.k8s.io", "list watch get", "*"),
    on("external.metrics.k8s.io", "list watch get", "*"),
    events,
  ],
  "ttl-after-finished-controller": [on("batch", "delete read", "jobs"), events],
};

const networks: Readonly<Record<string, readonly PolicyRule[]>> = {
  "endpoint-controller": [
    on("core", "read", "pods services"),
    on("core", "create delete read update", "endpoints"),
    on("core", "create", "endpoints/restricted"),
    events,
  ],
  "endpointslice-controller": [
    on("core", "read", "nodes pods services"),
    on("core", "update", "services/finalizers"),
    on("discovery.k8s.io", "create delete read update", "endpointslices"),
    events,
  ],
  "endpointslicemirroring-controller": [
    on("core", "read", "endpoints services"),
    on("core", "update", "services/finalizers"),
    on("core", "update", "endpoints/finalizers"),
    on("discovery.k8s.io", "create delete read update", "endpointslices"),
    events,
  ],
  "route-controller": [on("core", "list watch", "nodes"), on("core", "patch", "nodes/status"), events],
  "service-controller": [
    on("core", "read", "services"),
    on("core", "patch update", "services/status"),
    on("core", "list watch", "nodes"),
    events,
  ],
  "service-cidrs-controller": [
    on("networking.k8s.io", "patch read update", "servicecidrs"),
    on("networking.k8s.io", "patch update", "servicecidrs/finalizers"),
    on("networking.k8s.io", "patch update", "servicecidrs/status"),
    on("networking.k8s.io", "read", "ipaddresses"),
    events,
  ],
};

const volumes: Readonly<Record<string, readonly PolicyRule[]>> = {
  "attachdetach-controller": [
    on("core", "list watch", "persistentvolumeclaims persistentvolumes"),
    on("core", "read", "nodes"),
    on("core", "patch update", "nodes/status"),
    on("core", "list watch", "pods"),
    events,
    on(storage, "create delete read", "volumeattachments"),
    on(storage, "read", "csidrivers"),
    on(storage, "read", "csinodes"),
  ],
  "ephemeral-volume-controller": [
    on("core", "read", "pods"),
    on("core", "update", "pods/finalizers"),
    on("core", "create read", "persistentvolumeclaims"),
    events,
  ],
  "expand-controller": [
    on("core", "patch read update", "persistentvolumes"),
    on("core", "patch update", "persistentvolumeclaims/status"),
    on("core", "read", "persistentvolumeclaims"),
    events,
  ],
  "persistent-volume-binder": [
    on("core", "create delete read update", "persistentvolumes"),
    on("core", "update", "persistentvolumes/status"),
    on("core", "read update", "persistentvolumeclaims"),
    on("core", "update", "persistentvolumeclaims/status"),
    on("core", "create delete read", "pods"),
    on(storage, "read", "storageclasses"),
    on("core", "list watch", "nodes"),
    events,
    on("core", "watch", "events"),
  ],
  "pv-protection-controller": [on("core", "read update", "persistentvolumes"), events],
  "pvc-protection-controller": [
    on("core", "read update", "persistentvolumeclaims"),
    on("core", "read", "pods"),
    events,
  ],
  "selinux-warning-controller": [
    events,
    on("core", "read", "persistentvolumeclaims persistentvolumes pods"),
    on(storage, "read", "csidrivers"),
  ],
  "volumeattributesclass-protection-controller": [
    on("core", "read", "persistentvolumeclaims"),
    on("core", "read", "persistentvolumes"),
    on(storage, "read update", "volumeattributesclasses"),
    events,
  ],
};

const cluster: Readonly<Record<string, readonly PolicyRule[]>> = {
  "certificate-controller": [
    on(certificates, "delete read", "certificatesigningrequests"),
    on(certificates, "update", "certificatesigningrequests/approval certificatesigningrequests/status"),
    on(certificates, "approve", "signers", "kubernetes.io/kube-apiserver-client-kubelet"),
    on(certificates, "sign", "signers", signers),
    on("authorization.k8s.io", "create", "subjectaccessreviews"),
    events,
  ],
  "clusterrole-aggregation-controller": [on("rbac.authorization.k8s.io", "escalate patch read update", "clusterroles")],
  "device-taint-eviction-controller": [
    on("core", "delete read", "pods"),
    on("core", "patch update", "pods/status"),
    on(resource, "read", "deviceclasses devicetaintrules resourceclaims resourceslices"),
    events,
  ],
  "generic-garbage-collector": [on("*", "delete patch read update", "*"), events],
  "legacy-service-account-token-cleaner": [
    on("core", "get", "configmaps", "kube-apiserver-legacy-service-account-token-tracking"),
    on("core", "delete patch", "secrets"),
  ],
  "namespace-controller": [
    on("core", "delete read", "namespaces"),
    on("core", "update", "namespaces/finalize namespaces/status"),
    on("*", "delete deletecollection read", "*"),
  ],
  "node-controller": [
    on("core", "delete patch read update", "nodes"),
    on("core", "patch update", "nodes/status"),
    on("core", "patch update", "pods/status"),
    on("core", "delete read", "pods"),
    events,
  ],
  "pod-garbage-collector": [
    on("core", "delete list watch", "pods"),
    on("core", "read", "nodes"),
    on("core", "patch", "pods/status"),
  ],
  "resource-claim-controller": [
    on("core", "read", "pods"),
    on("core", "update", "pods/finalizers"),
    on(resource, "create delete read", "resourceclaims"),
    on(resource, "patch update", "resourceclaims resourceclaims/status"),
    on("core", "patch update", "pods/status"),
    events,
  ],
  "resourcequota-controller": [on("*", "list watch", "*"), on("core", "update", "resourcequotas/status"), events],
  "root-ca-cert-publisher": [on("core", "create update", "configmaps"), events],
  "service-account-controller": [on("core", "create", "serviceaccounts"), events],
  "ttl-controller": [on("core", "list patch update watch", "nodes"), events],
  "validatingadmissionpolicy-status-controller": [
    on("admissionregistration.k8s.io", "read", "validatingadmissionpolicies"),
    on("admissionregistration.k8s.io", "get patch update", "validatingadmissionpolicies/status"),
    events,
  ],
};

const all = Object.entries({ ...workloads, ...networks, ...volumes, ...cluster });

/** The roles, as `system:controller:NAME`. */
export const controllerRoles: readonly RoleFacts[] = all.map(([name, rules]) => ({ name: prefix + name, rules }));

/** Their bindings. */
export const controllerRoleBindings: readonly BindingFacts[] = all.map(([name]) => ({
  name: prefix + name,
  subjects: [account(name)],
}));
