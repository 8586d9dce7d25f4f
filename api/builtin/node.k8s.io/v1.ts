// Made by tools/kinds/generate.ts from k8s.io/api/node/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.node.v1";

/** The types of node.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
Overhead
  podFixed map[]Quantity omit

RuntimeClass
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  handler string keep required
  overhead Overhead set
  scheduling Scheduling set

RuntimeClassList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []RuntimeClass keep required

Scheduling
  nodeSelector map[]string omit map=atomic
  tolerations []core/v1.Toleration omit list=atomic
`;
