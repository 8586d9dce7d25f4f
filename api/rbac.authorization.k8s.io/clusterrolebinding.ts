/** ClusterRoleBinding. Source: k8s.io/kubernetes/pkg/registry/rbac/clusterrolebinding, pkg/apis/rbac/validation (ValidateClusterRoleBinding) */
import type { ClusterRoleBinding } from "../builtin/rbac.authorization.k8s.io/v1.types.ts";
import type { Strategy } from "../kind.ts";
import { bindingStrategy } from "./binding.ts";

/** The rules of ClusterRoleBindings. */
export const clusterRoleBinding: Strategy<ClusterRoleBinding> = bindingStrategy(["ClusterRole"], false);
