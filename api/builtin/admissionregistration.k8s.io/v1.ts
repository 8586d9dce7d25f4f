// Made by tools/kinds/generate.ts from k8s.io/api/admissionregistration/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.admissionregistration.v1";

/** The types of admissionregistration.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
ApplyConfiguration
  expression string omit

AuditAnnotation
  key string keep required
  valueExpression string keep required

ExpressionWarning
  fieldRef string keep required
  warning string keep required

FailurePolicyType enum=["Fail","Ignore"]

JSONPatch
  expression string omit

MatchCondition
  name string keep required
  expression string keep required

MatchPolicyType enum=["Equivalent","Exact"]

MatchResources map=atomic
  namespaceSelector meta/v1.LabelSelector set
  objectSelector meta/v1.LabelSelector set
  resourceRules []NamedRuleWithOperations omit list=atomic
  excludeResourceRules []NamedRuleWithOperations omit list=atomic
  matchPolicy MatchPolicyType set

MutatingAdmissionPolicy
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec MutatingAdmissionPolicySpec keep

MutatingAdmissionPolicyBinding
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec MutatingAdmissionPolicyBindingSpec keep

MutatingAdmissionPolicyBindingList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []MutatingAdmissionPolicyBinding keep required

MutatingAdmissionPolicyBindingSpec
  policyName string omit
  paramRef ParamRef set
  matchResources MatchResources set

MutatingAdmissionPolicyList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []MutatingAdmissionPolicy keep required

MutatingAdmissionPolicySpec
  paramKind ParamKind set
  matchConstraints MatchResources set
  variables []Variable omit list=atomic
  mutations []Mutation omit list=atomic
  failurePolicy FailurePolicyType set
  matchConditions []MatchCondition omit list=map(name) patch=merge(name)
  reinvocationPolicy ReinvocationPolicyType omit

MutatingWebhook
  name string keep required
  clientConfig WebhookClientConfig keep required
  rules []RuleWithOperations omit list=atomic
  failurePolicy FailurePolicyType set
  matchPolicy MatchPolicyType set
  namespaceSelector meta/v1.LabelSelector set
  objectSelector meta/v1.LabelSelector set
  sideEffects SideEffectClass keep required null
  timeoutSeconds int32 set
  admissionReviewVersions []string keep required list=atomic
  reinvocationPolicy ReinvocationPolicyType set
  matchConditions []MatchCondition omit list=map(name) patch=merge(name)

MutatingWebhookConfiguration
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  webhooks []MutatingWebhook omit list=map(name) patch=merge(name)

MutatingWebhookConfigurationList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []MutatingWebhookConfiguration keep required

Mutation
  patchType PatchType keep required
  applyConfiguration ApplyConfiguration set
  jsonPatch JSONPatch set

NamedRuleWithOperations map=atomic
  resourceNames []string omit list=atomic
  operations []OperationType omit list=atomic
  apiGroups []string omit list=atomic
  apiVersions []string omit list=atomic
  resources []string omit list=atomic
  scope ScopeType set

OperationType enum=["*","CONNECT","CREATE","DELETE","UPDATE"]

ParamKind map=atomic
  apiVersion string omit
  kind string omit

ParamRef map=atomic
  name string omit
  namespace string omit
  selector meta/v1.LabelSelector set
  parameterNotFoundAction string set

PatchType enum=["ApplyConfiguration","JSONPatch"]

ReinvocationPolicyType enum=["IfNeeded","Never"]

Rule
  apiGroups []string omit list=atomic
  apiVersions []string omit list=atomic
  resources []string omit list=atomic
  scope ScopeType set

RuleWithOperations
  operations []OperationType omit list=atomic
  apiGroups []string omit list=atomic
  apiVersions []string omit list=atomic
  resources []string omit list=atomic
  scope ScopeType set

ScopeType enum=["*","Cluster","Namespaced"]

ServiceReference
  namespace string keep required
  name string keep required
  path string set
  port int32 set

SideEffectClass enum=["None","NoneOnDryRun","Some","Unknown"]

TypeChecking
  expressionWarnings []ExpressionWarning omit list=atomic

ValidatingAdmissionPolicy
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec ValidatingAdmissionPolicySpec keep
  status ValidatingAdmissionPolicyStatus keep

ValidatingAdmissionPolicyBinding
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec ValidatingAdmissionPolicyBindingSpec keep required

ValidatingAdmissionPolicyBindingList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []ValidatingAdmissionPolicyBinding keep required

ValidatingAdmissionPolicyBindingSpec
  policyName string omit required
  paramRef ParamRef set
  matchResources MatchResources set
  validationActions []ValidationAction omit required list=set

ValidatingAdmissionPolicyList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []ValidatingAdmissionPolicy keep required

ValidatingAdmissionPolicySpec
  paramKind ParamKind set
  matchConstraints MatchResources set
  validations []Validation omit list=atomic
  failurePolicy FailurePolicyType set
  auditAnnotations []AuditAnnotation omit list=atomic
  matchConditions []MatchCondition omit list=map(name) patch=merge(name)
  variables []Variable omit list=map(name) patch=merge(name)

ValidatingAdmissionPolicyStatus
  observedGeneration int64 omit
  typeChecking TypeChecking set
  conditions []meta/v1.Condition omit list=map(type)

ValidatingWebhook
  name string keep required
  clientConfig WebhookClientConfig keep required
  rules []RuleWithOperations omit list=atomic
  failurePolicy FailurePolicyType set
  matchPolicy MatchPolicyType set
  namespaceSelector meta/v1.LabelSelector set
  objectSelector meta/v1.LabelSelector set
  sideEffects SideEffectClass keep required null
  timeoutSeconds int32 set
  admissionReviewVersions []string keep required list=atomic
  matchConditions []MatchCondition omit list=map(name) patch=merge(name)

ValidatingWebhookConfiguration
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  webhooks []ValidatingWebhook omit list=map(name) patch=merge(name)

ValidatingWebhookConfigurationList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []ValidatingWebhookConfiguration keep required

Validation
  expression string keep required
  message string omit
  reason string set
  messageExpression string omit

ValidationAction enum=["Audit","Deny","Warn"]

Variable map=atomic
  name string keep required
  expression string keep required

WebhookClientConfig
  url string set
  service ServiceReference set
  caBundle bytes omit
`;
