// Made by tools/kinds/generate.ts from k8s.io/api/policy/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.policy.v1";

/** The types of policy/v1, in the notation of api/schemas.ts. */
export const facts = `
Eviction
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  deleteOptions meta/v1.DeleteOptions set

PodDisruptionBudget
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec PodDisruptionBudgetSpec keep
  status PodDisruptionBudgetStatus keep

PodDisruptionBudgetList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []PodDisruptionBudget keep required

PodDisruptionBudgetSpec
  minAvailable IntOrString set
  selector meta/v1.LabelSelector set patch=replace
  maxUnavailable IntOrString set
  unhealthyPodEvictionPolicy UnhealthyPodEvictionPolicyType set

PodDisruptionBudgetStatus
  observedGeneration int64 omit
  disruptedPods map[]Time omit
  disruptionsAllowed int32 keep
  currentHealthy int32 keep
  desiredHealthy int32 keep
  expectedPods int32 keep
  conditions []meta/v1.Condition omit list=map(type) patch=merge(type)

UnhealthyPodEvictionPolicyType enum=["AlwaysAllow","IfHealthyBudget"]
`;
