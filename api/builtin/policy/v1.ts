// Made by tools/kinds/generate.ts from k8s.io/api/policy/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.policy.v1";

/** The types of policy/v1, in the notation of api/schemas.ts. */
export const facts = `
Eviction
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  deleteOptions meta/v1.DeleteOptions set tag=2

PodDisruptionBudget
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec PodDisruptionBudgetSpec keep tag=2
  status PodDisruptionBudgetStatus keep tag=3

PodDisruptionBudgetList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []PodDisruptionBudget keep tag=2 required

PodDisruptionBudgetSpec
  minAvailable IntOrString set tag=1
  selector meta/v1.LabelSelector set tag=2 patch=replace
  maxUnavailable IntOrString set tag=3
  unhealthyPodEvictionPolicy UnhealthyPodEvictionPolicyType set tag=4

PodDisruptionBudgetStatus
  observedGeneration int64 omit tag=1
  disruptedPods map[]Time omit tag=2
  disruptionsAllowed int32 keep tag=3
  currentHealthy int32 keep tag=4
  desiredHealthy int32 keep tag=5
  expectedPods int32 keep tag=6
  conditions []meta/v1.Condition omit tag=7 list=map(type) patch=merge(type)

UnhealthyPodEvictionPolicyType enum=["AlwaysAllow","IfHealthyBudget"]
`;
