// Made by tools/kinds/generate.ts from k8s.io/api/rbac/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.rbac.v1";

/** The types of rbac.authorization.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
AggregationRule
  clusterRoleSelectors []meta/v1.LabelSelector omit list=atomic

ClusterRole
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  rules []PolicyRule keep list=atomic
  aggregationRule AggregationRule set

ClusterRoleBinding
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  subjects []Subject omit list=atomic
  roleRef RoleRef keep required

ClusterRoleBindingList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []ClusterRoleBinding keep required

ClusterRoleList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []ClusterRole keep required

PolicyRule
  verbs []string keep required list=atomic
  apiGroups []string omit list=atomic
  resources []string omit list=atomic
  resourceNames []string omit list=atomic
  nonResourceURLs []string omit list=atomic

Role
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  rules []PolicyRule keep list=atomic

RoleBinding
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  subjects []Subject omit list=atomic
  roleRef RoleRef keep required

RoleBindingList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []RoleBinding keep required

RoleList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []Role keep required

RoleRef map=atomic
  apiGroup string keep
  kind string keep required
  name string keep required

Subject map=atomic
  kind string keep required
  apiGroup string omit
  name string keep required
  namespace string omit
`;
