/**
 * The Roles that Kubernetes users expect in the system's own namespaces, and who has them.
 * Source: k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy/namespace_policy.go
 */
import { account, type BindingFacts, events, on, type RoleFacts, user } from "./rbacnotation.ts";

/** Roles and bindings of one namespace. */
export interface NamespacePolicy {
  readonly namespace: string;
  readonly roles: readonly RoleFacts[];
  readonly bindings: readonly BindingFacts[];
}

const manager = user("system:kube-controller-manager");
const scheduler = user("system:kube-scheduler");
const signer = "system:controller:bootstrap-signer";

const leaderLocking = (name: string): RoleFacts => ({
  name: `system::leader-locking-${name}`,
  rules: [on("core", "watch", "configmaps"), on("core", "get update", "configmaps", name)],
});

/** All of them. */
export const namespacePolicies: readonly NamespacePolicy[] = [
  {
    namespace: "kube-system",
    roles: [
      {
        name: "extension-apiserver-authentication-reader",
        rules: [on("core", "read", "configmaps", "extension-apiserver-authentication")],
      },
      { name: signer, rules: [on("core", "read", "secrets")] },
      { name: "system:controller:cloud-provider", rules: [on("core", "create read", "configmaps")] },
      { name: "system:controller:token-cleaner", rules: [on("core", "delete read", "secrets"), events] },
      leaderLocking("kube-controller-manager"),
      leaderLocking("kube-scheduler"),
    ],
    bindings: [
      {
        name: "system::extension-apiserver-authentication-reader",
        role: "extension-apiserver-authentication-reader",
        subjects: [manager, scheduler],
      },
      {
        name: "system::leader-locking-kube-controller-manager",
        subjects: [manager, account("kube-controller-manager")],
      },
      { name: "system::leader-locking-kube-scheduler", subjects: [scheduler, account("kube-scheduler")] },
      { name: signer, subjects: [account("bootstrap-signer")] },
      { name: "system:controller:cloud-provider", subjects: [account("cloud-provider")] },
      { name: "system:controller:token-cleaner", subjects: [account("token-cleaner")] },
    ],
  },
  {
    namespace: "kube-public",
    roles: [
      {
        name: signer,
        rules: [on("core", "read", "configmaps"), on("core", "update", "configmaps", "cluster-info"), events],
      },
    ],
    bindings: [{ name: signer, subjects: [account("bootstrap-signer")] }],
  },
];
