// Made by tools/kinds/generate.ts from k8s.io/api/coordination/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.coordination.v1";

/** The types of coordination.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
Lease
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec LeaseSpec keep

LeaseList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []Lease keep required

LeaseSpec
  holderIdentity string set
  leaseDurationSeconds int32 set
  acquireTime MicroTime set
  renewTime MicroTime set
  leaseTransitions int32 set
  strategy string set
  preferredHolder string set
`;
