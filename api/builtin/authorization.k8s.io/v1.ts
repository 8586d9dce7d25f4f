// Made by tools/kinds/generate.ts from k8s.io/api/authorization/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.authorization.v1";

/** The types of authorization.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
FieldSelectorAttributes
  rawSelector string omit tag=1
  requirements []meta/v1.FieldSelectorRequirement omit tag=2 list=atomic

LabelSelectorAttributes
  rawSelector string omit tag=1
  requirements []meta/v1.LabelSelectorRequirement omit tag=2 list=atomic

LocalSubjectAccessReview
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec SubjectAccessReviewSpec keep tag=2 required
  status SubjectAccessReviewStatus keep tag=3

NonResourceAttributes
  path string omit tag=1
  verb string omit tag=2

NonResourceRule
  verbs []string keep tag=1 required list=atomic
  nonResourceURLs []string omit tag=2 list=atomic

ResourceAttributes
  namespace string omit tag=1
  verb string omit tag=2
  group string omit tag=3
  version string omit tag=4
  resource string omit tag=5
  subresource string omit tag=6
  name string omit tag=7
  fieldSelector FieldSelectorAttributes set tag=8
  labelSelector LabelSelectorAttributes set tag=9

ResourceRule
  verbs []string keep tag=1 required list=atomic
  apiGroups []string omit tag=2 list=atomic
  resources []string omit tag=3 list=atomic
  resourceNames []string omit tag=4 list=atomic

SelfSubjectAccessReview
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec SelfSubjectAccessReviewSpec keep tag=2 required
  status SubjectAccessReviewStatus keep tag=3

SelfSubjectAccessReviewSpec
  resourceAttributes ResourceAttributes set tag=1
  nonResourceAttributes NonResourceAttributes set tag=2

SelfSubjectRulesReview
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec SelfSubjectRulesReviewSpec keep tag=2 required
  status SubjectRulesReviewStatus keep tag=3

SelfSubjectRulesReviewSpec
  namespace string omit tag=1

SubjectAccessReview
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec SubjectAccessReviewSpec keep tag=2 required
  status SubjectAccessReviewStatus keep tag=3

SubjectAccessReviewSpec
  resourceAttributes ResourceAttributes set tag=1
  nonResourceAttributes NonResourceAttributes set tag=2
  user string omit tag=3
  groups []string omit tag=4 list=atomic
  extra map[][]string omit tag=5
  uid string omit tag=6

SubjectAccessReviewStatus
  allowed bool keep tag=1 required
  denied bool omit tag=4
  reason string omit tag=2
  evaluationError string omit tag=3

SubjectRulesReviewStatus
  resourceRules []ResourceRule keep tag=1 required list=atomic
  nonResourceRules []NonResourceRule keep tag=2 required list=atomic
  incomplete bool keep tag=3 required
  evaluationError string omit tag=4
`;
