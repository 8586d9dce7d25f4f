// Made by tools/kinds/generate.ts from k8s.io/api/scheduling/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.scheduling.v1";

/** The types of scheduling.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
PriorityClass
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  value int32 keep tag=2
  globalDefault bool omit tag=3
  description string omit tag=4
  preemptionPolicy core/v1.PreemptionPolicy set tag=5

PriorityClassList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []PriorityClass keep tag=2 required
`;
