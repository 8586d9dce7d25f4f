// Made by tools/kinds/generate.ts from k8s.io/api/coordination/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.coordination.v1";

/** The types of coordination.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
Lease
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec LeaseSpec keep tag=2

LeaseList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []Lease keep tag=2 required

LeaseSpec
  holderIdentity string set tag=1
  leaseDurationSeconds int32 set tag=2
  acquireTime MicroTime set tag=3
  renewTime MicroTime set tag=4
  leaseTransitions int32 set tag=5
  strategy string set tag=6
  preferredHolder string set tag=7
`;
