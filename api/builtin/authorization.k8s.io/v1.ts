// Made by tools/kinds/generate.ts from k8s.io/api/authorization/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.authorization.v1";

/** The types of authorization.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
FieldSelectorAttributes
  rawSelector string omit
  requirements []meta/v1.FieldSelectorRequirement omit list=atomic

LabelSelectorAttributes
  rawSelector string omit
  requirements []meta/v1.LabelSelectorRequirement omit list=atomic

LocalSubjectAccessReview
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec SubjectAccessReviewSpec keep required
  status SubjectAccessReviewStatus keep

NonResourceAttributes
  path string omit
  verb string omit

NonResourceRule
  verbs []string keep required list=atomic
  nonResourceURLs []string omit list=atomic

ResourceAttributes
  namespace string omit
  verb string omit
  group string omit
  version string omit
  resource string omit
  subresource string omit
  name string omit
  fieldSelector FieldSelectorAttributes set
  labelSelector LabelSelectorAttributes set

ResourceRule
  verbs []string keep required list=atomic
  apiGroups []string omit list=atomic
  resources []string omit list=atomic
  resourceNames []string omit list=atomic

SelfSubjectAccessReview
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec SelfSubjectAccessReviewSpec keep required
  status SubjectAccessReviewStatus keep

SelfSubjectAccessReviewSpec
  resourceAttributes ResourceAttributes set
  nonResourceAttributes NonResourceAttributes set

SelfSubjectRulesReview
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec SelfSubjectRulesReviewSpec keep required
  status SubjectRulesReviewStatus keep

SelfSubjectRulesReviewSpec
  namespace string omit

SubjectAccessReview
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec SubjectAccessReviewSpec keep required
  status SubjectAccessReviewStatus keep

SubjectAccessReviewSpec
  resourceAttributes ResourceAttributes set
  nonResourceAttributes NonResourceAttributes set
  user string omit
  groups []string omit list=atomic
  extra map[][]string omit
  uid string omit

SubjectAccessReviewStatus
  allowed bool keep required
  denied bool omit
  reason string omit
  evaluationError string omit

SubjectRulesReviewStatus
  resourceRules []ResourceRule keep required list=atomic
  nonResourceRules []NonResourceRule keep required list=atomic
  incomplete bool keep required
  evaluationError string omit
`;
