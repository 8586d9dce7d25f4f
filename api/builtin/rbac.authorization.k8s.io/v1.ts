// Made by tools/kinds/generate.ts from k8s.io/api/rbac/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.rbac.v1";

/** The types of rbac.authorization.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
AggregationRule
  clusterRoleSelectors []meta/v1.LabelSelector omit tag=1 list=atomic

ClusterRole
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  rules []PolicyRule keep tag=2 list=atomic
  aggregationRule AggregationRule set tag=3

ClusterRoleBinding
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  subjects []Subject omit tag=2 list=atomic
  roleRef RoleRef keep tag=3 required

ClusterRoleBindingList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []ClusterRoleBinding keep tag=2 required

ClusterRoleList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []ClusterRole keep tag=2 required

PolicyRule
  verbs []string keep tag=1 required list=atomic
  apiGroups []string omit tag=2 list=atomic
  resources []string omit tag=3 list=atomic
  resourceNames []string omit tag=4 list=atomic
  nonResourceURLs []string omit tag=5 list=atomic

Role
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  rules []PolicyRule keep tag=2 list=atomic

RoleBinding
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  subjects []Subject omit tag=2 list=atomic
  roleRef RoleRef keep tag=3 required

RoleBindingList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []RoleBinding keep tag=2 required

RoleList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []Role keep tag=2 required

RoleRef map=atomic
  apiGroup string keep tag=1
  kind string keep tag=2 required
  name string keep tag=3 required

Subject map=atomic
  kind string keep tag=1 required
  apiGroup string omit tag=2
  name string keep tag=3 required
  namespace string omit tag=4
`;
