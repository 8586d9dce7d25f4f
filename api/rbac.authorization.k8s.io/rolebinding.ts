/** RoleBinding. Source: k8s.io/kubernetes/pkg/registry/rbac/rolebinding, pkg/apis/rbac/validation (ValidateRoleBinding) */
import type { RoleBinding } from "../builtin/rbac.authorization.k8s.io/v1.types.ts";
import type { Strategy } from "../kind.ts";
import { bindingStrategy } from "./binding.ts";

/** The rules of RoleBindings. */
export const roleBinding: Strategy<RoleBinding> = bindingStrategy(["Role", "ClusterRole"], true);
