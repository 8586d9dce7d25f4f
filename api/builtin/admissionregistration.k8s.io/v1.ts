// Made by tools/kinds/generate.ts from k8s.io/api/admissionregistration/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.admissionregistration.v1";

/** The types of admissionregistration.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
ApplyConfiguration
  expression string omit tag=1

AuditAnnotation
  key string keep tag=1 required
  valueExpression string keep tag=2 required

ExpressionWarning
  fieldRef string keep tag=2 required
  warning string keep tag=3 required

FailurePolicyType enum=["Fail","Ignore"]

JSONPatch
  expression string omit tag=1

MatchCondition
  name string keep tag=1 required
  expression string keep tag=2 required

MatchPolicyType enum=["Equivalent","Exact"]

MatchResources map=atomic
  namespaceSelector meta/v1.LabelSelector set tag=1
  objectSelector meta/v1.LabelSelector set tag=2
  resourceRules []NamedRuleWithOperations omit tag=3 list=atomic
  excludeResourceRules []NamedRuleWithOperations omit tag=4 list=atomic
  matchPolicy MatchPolicyType set tag=7

MutatingAdmissionPolicy
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec MutatingAdmissionPolicySpec keep tag=2

MutatingAdmissionPolicyBinding
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec MutatingAdmissionPolicyBindingSpec keep tag=2

MutatingAdmissionPolicyBindingList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []MutatingAdmissionPolicyBinding keep tag=2 required

MutatingAdmissionPolicyBindingSpec
  policyName string omit tag=1
  paramRef ParamRef set tag=2
  matchResources MatchResources set tag=3

MutatingAdmissionPolicyList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []MutatingAdmissionPolicy keep tag=2 required

MutatingAdmissionPolicySpec
  paramKind ParamKind set tag=1
  matchConstraints MatchResources set tag=2
  variables []Variable omit tag=3 list=atomic
  mutations []Mutation omit tag=4 list=atomic
  failurePolicy FailurePolicyType set tag=5
  matchConditions []MatchCondition omit tag=6 list=map(name) patch=merge(name)
  reinvocationPolicy ReinvocationPolicyType omit tag=7

MutatingWebhook
  name string keep tag=1 required
  clientConfig WebhookClientConfig keep tag=2 required
  rules []RuleWithOperations omit tag=3 list=atomic
  failurePolicy FailurePolicyType set tag=4
  matchPolicy MatchPolicyType set tag=9
  namespaceSelector meta/v1.LabelSelector set tag=5
  objectSelector meta/v1.LabelSelector set tag=11
  sideEffects SideEffectClass keep tag=6 required null
  timeoutSeconds int32 set tag=7
  admissionReviewVersions []string keep tag=8 required list=atomic
  reinvocationPolicy ReinvocationPolicyType set tag=10
  matchConditions []MatchCondition omit tag=12 list=map(name) patch=merge(name)

MutatingWebhookConfiguration
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  webhooks []MutatingWebhook omit tag=2 list=map(name) patch=merge(name)

MutatingWebhookConfigurationList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []MutatingWebhookConfiguration keep tag=2 required

Mutation
  patchType PatchType keep tag=2 required
  applyConfiguration ApplyConfiguration set tag=3
  jsonPatch JSONPatch set tag=4

NamedRuleWithOperations map=atomic
  resourceNames []string omit tag=1 list=atomic
  operations []OperationType omit tag=2.1 list=atomic
  apiGroups []string omit tag=2.2.1 list=atomic
  apiVersions []string omit tag=2.2.2 list=atomic
  resources []string omit tag=2.2.3 list=atomic
  scope ScopeType set tag=2.2.4

OperationType enum=["*","CONNECT","CREATE","DELETE","UPDATE"]

ParamKind map=atomic
  apiVersion string omit tag=1
  kind string omit tag=2

ParamRef map=atomic
  name string omit tag=1
  namespace string omit tag=2
  selector meta/v1.LabelSelector set tag=3
  parameterNotFoundAction string set tag=4

PatchType enum=["ApplyConfiguration","JSONPatch"]

ReinvocationPolicyType enum=["IfNeeded","Never"]

Rule
  apiGroups []string omit tag=1 list=atomic
  apiVersions []string omit tag=2 list=atomic
  resources []string omit tag=3 list=atomic
  scope ScopeType set tag=4

RuleWithOperations
  operations []OperationType omit tag=1 list=atomic
  apiGroups []string omit tag=2.1 list=atomic
  apiVersions []string omit tag=2.2 list=atomic
  resources []string omit tag=2.3 list=atomic
  scope ScopeType set tag=2.4

ScopeType enum=["*","Cluster","Namespaced"]

ServiceReference
  namespace string keep tag=1 required
  name string keep tag=2 required
  path string set tag=3
  port int32 set tag=4

SideEffectClass enum=["None","NoneOnDryRun","Some","Unknown"]

TypeChecking
  expressionWarnings []ExpressionWarning omit tag=1 list=atomic

ValidatingAdmissionPolicy
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec ValidatingAdmissionPolicySpec keep tag=2
  status ValidatingAdmissionPolicyStatus keep tag=3

ValidatingAdmissionPolicyBinding
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec ValidatingAdmissionPolicyBindingSpec keep tag=2 required

ValidatingAdmissionPolicyBindingList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []ValidatingAdmissionPolicyBinding keep tag=2 required

ValidatingAdmissionPolicyBindingSpec
  policyName string omit tag=1 required
  paramRef ParamRef set tag=2
  matchResources MatchResources set tag=3
  validationActions []ValidationAction omit tag=4 required list=set

ValidatingAdmissionPolicyList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []ValidatingAdmissionPolicy keep tag=2 required

ValidatingAdmissionPolicySpec
  paramKind ParamKind set tag=1
  matchConstraints MatchResources set tag=2
  validations []Validation omit tag=3 list=atomic
  failurePolicy FailurePolicyType set tag=4
  auditAnnotations []AuditAnnotation omit tag=5 list=atomic
  matchConditions []MatchCondition omit tag=6 list=map(name) patch=merge(name)
  variables []Variable omit tag=7 list=map(name) patch=merge(name)

ValidatingAdmissionPolicyStatus
  observedGeneration int64 omit tag=1
  typeChecking TypeChecking set tag=2
  conditions []meta/v1.Condition omit tag=3 list=map(type)

ValidatingWebhook
  name string keep tag=1 required
  clientConfig WebhookClientConfig keep tag=2 required
  rules []RuleWithOperations omit tag=3 list=atomic
  failurePolicy FailurePolicyType set tag=4
  matchPolicy MatchPolicyType set tag=9
  namespaceSelector meta/v1.LabelSelector set tag=5
  objectSelector meta/v1.LabelSelector set tag=10
  sideEffects SideEffectClass keep tag=6 required null
  timeoutSeconds int32 set tag=7
  admissionReviewVersions []string keep tag=8 required list=atomic
  matchConditions []MatchCondition omit tag=11 list=map(name) patch=merge(name)

ValidatingWebhookConfiguration
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  webhooks []ValidatingWebhook omit tag=2 list=map(name) patch=merge(name)

ValidatingWebhookConfigurationList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []ValidatingWebhookConfiguration keep tag=2 required

Validation
  expression string keep tag=1 required
  message string omit tag=2
  reason string set tag=3
  messageExpression string omit tag=4

ValidationAction enum=["Audit","Deny","Warn"]

Variable map=atomic
  name string keep tag=1 required
  expression string keep tag=2 required

WebhookClientConfig
  url string set tag=3
  service ServiceReference set tag=1
  caBundle bytes omit tag=2
`;
