// Made by tools/kinds/generate.ts from k8s.io/api/node/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.node.v1";

/** The types of node.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
Overhead
  podFixed map[]Quantity omit tag=1

RuntimeClass
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  handler string keep tag=2 required
  overhead Overhead set tag=3
  scheduling Scheduling set tag=4

RuntimeClassList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []RuntimeClass keep tag=2 required

Scheduling
  nodeSelector map[]string omit tag=1 map=atomic
  tolerations []core/v1.Toleration omit tag=2 list=atomic
`;
