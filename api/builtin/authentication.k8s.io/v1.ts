// Made by tools/kinds/generate.ts from k8s.io/api/authentication/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.authentication.v1";

/** The types of authentication.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
BoundObjectReference
  kind string omit tag=1
  apiVersion string omit tag=2
  name string omit tag=3
  uid string omit tag=4

SelfSubjectReview
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  status SelfSubjectReviewStatus keep tag=2

SelfSubjectReviewStatus
  userInfo UserInfo keep tag=1

TokenRequest
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec TokenRequestSpec keep tag=2
  status TokenRequestStatus keep tag=3

TokenRequestSpec
  audiences []string keep tag=1 list=atomic
  expirationSeconds int64 keep tag=4 null
  boundObjectRef BoundObjectReference keep tag=3 null

TokenRequestStatus
  token string keep tag=1
  expirationTimestamp Time keep tag=2

TokenReview
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec TokenReviewSpec keep tag=2 required
  status TokenReviewStatus keep tag=3

TokenReviewSpec
  token string omit tag=1 required
  audiences []string omit tag=2 list=atomic

TokenReviewStatus
  authenticated bool omit tag=1
  user UserInfo keep tag=2
  audiences []string omit tag=4 list=atomic
  error string omit tag=3

UserInfo
  username string omit tag=1
  uid string omit tag=2
  groups []string omit tag=3 list=atomic
  extra map[][]string omit tag=4
`;
