// Made by tools/kinds/generate.ts from k8s.io/api/authentication/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.authentication.v1";

/** The types of authentication.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
BoundObjectReference
  kind string omit
  apiVersion string omit
  name string omit
  uid string omit

SelfSubjectReview
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  status SelfSubjectReviewStatus keep

SelfSubjectReviewStatus
  userInfo UserInfo keep

TokenRequest
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec TokenRequestSpec keep
  status TokenRequestStatus keep

TokenRequestSpec
  audiences []string keep list=atomic
  expirationSeconds int64 keep null
  boundObjectRef BoundObjectReference keep null

TokenRequestStatus
  token string keep
  expirationTimestamp Time keep

TokenReview
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec TokenReviewSpec keep required
  status TokenReviewStatus keep

TokenReviewSpec
  token string omit required
  audiences []string omit list=atomic

TokenReviewStatus
  authenticated bool omit
  user UserInfo keep
  audiences []string omit list=atomic
  error string omit

UserInfo
  username string omit
  uid string omit
  groups []string omit list=atomic
  extra map[][]string omit
`;
