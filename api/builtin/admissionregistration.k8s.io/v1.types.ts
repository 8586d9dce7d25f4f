// Made by tools/kinds/generate.ts from k8s.io/api/admissionregistration/v1 0.36. Do not edit.
import type { ObjectMeta } from "@atoll/machinery/object";
import type * as meta from "../meta/v1.types.ts";

export type ApplyConfiguration = {
  expression?: string;
};

export type AuditAnnotation = {
  key: string;
  valueExpression: string;
};

export type ExpressionWarning = {
  fieldRef: string;
  warning: string;
};

/** One of "Fail", "Ignore". */
export type FailurePolicyType = string;

export type JSONPatch = {
  expression?: string;
};

export type MatchCondition = {
  name: string;
  expression: string;
};

/** One of "Equivalent", "Exact". */
export type MatchPolicyType = string;

export type MatchResources = {
  namespaceSelector?: meta.LabelSelector;
  objectSelector?: meta.LabelSelector;
  resourceRules?: NamedRuleWithOperations[];
  excludeResourceRules?: NamedRuleWithOperations[];
  matchPolicy?: MatchPolicyType;
};

export type MutatingAdmissionPolicy = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  spec: MutatingAdmissionPolicySpec;
};

export type MutatingAdmissionPolicyBinding = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  spec: MutatingAdmissionPolicyBindingSpec;
};

export type MutatingAdmissionPolicyBindingList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: MutatingAdmissionPolicyBinding[] | null;
};

export type MutatingAdmissionPolicyBindingSpec = {
  policyName?: string;
  paramRef?: ParamRef;
  matchResources?: MatchResources;
};

export type MutatingAdmissionPolicyList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: MutatingAdmissionPolicy[] | null;
};

export type MutatingAdmissionPolicySpec = {
  paramKind?: ParamKind;
  matchConstraints?: MatchResources;
  variables?: Variable[];
  mutations?: Mutation[];
  failurePolicy?: FailurePolicyType;
  matchConditions?: MatchCondition[];
  reinvocationPolicy?: ReinvocationPolicyType;
};

export type MutatingWebhook = {
  name: string;
  clientConfig: WebhookClientConfig;
  rules?: RuleWithOperations[];
  failurePolicy?: FailurePolicyType;
  matchPolicy?: MatchPolicyType;
  namespaceSelector?: meta.LabelSelector;
  objectSelector?: meta.LabelSelector;
  sideEffects: SideEffectClass | null;
  timeoutSeconds?: number;
  admissionReviewVersions: string[] | null;
  reinvocationPolicy?: ReinvocationPolicyType;
  matchConditions?: MatchCondition[];
};

export type MutatingWebhookConfiguration = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  webhooks?: MutatingWebhook[];
};

export type MutatingWebhookConfigurationList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: MutatingWebhookConfiguration[] | null;
};

export type Mutation = {
  patchType: PatchType;
  applyConfiguration?: ApplyConfiguration;
  jsonPatch?: JSONPatch;
};

export type NamedRuleWithOperations = {
  resourceNames?: string[];
  operations?: OperationType[];
  apiGroups?: string[];
  apiVersions?: string[];
  resources?: string[];
  scope?: ScopeType;
};

/** One of "*", "CONNECT", "CREATE", "DELETE", "UPDATE". */
export type OperationType = string;

export type ParamKind = {
  apiVersion?: string;
  kind?: string;
};

export type ParamRef = {
  name?: string;
  namespace?: string;
  selector?: meta.LabelSelector;
  parameterNotFoundAction?: string;
};

/** One of "ApplyConfiguration", "JSONPatch". */
export type PatchType = string;

/** One of "IfNeeded", "Never". */
export type ReinvocationPolicyType = string;

export type Rule = {
  apiGroups?: string[];
  apiVersions?: string[];
  resources?: string[];
  scope?: ScopeType;
};

export type RuleWithOperations = {
  operations?: OperationType[];
  apiGroups?: string[];
  apiVersions?: string[];
  resources?: string[];
  scope?: ScopeType;
};

/** One of "*", "Cluster", "Namespaced". */
export type ScopeType = string;

export type ServiceReference = {
  namespace: string;
  name: string;
  path?: string;
  port?: number;
};

/** One of "None", "NoneOnDryRun", "Some", "Unknown". */
export type SideEffectClass = string;

export type TypeChecking = {
  expressionWarnings?: ExpressionWarning[];
};

export type ValidatingAdmissionPolicy = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  spec: ValidatingAdmissionPolicySpec;
  status: ValidatingAdmissionPolicyStatus;
};

export type ValidatingAdmissionPolicyBinding = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  spec: ValidatingAdmissionPolicyBindingSpec;
};

export type ValidatingAdmissionPolicyBindingList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: ValidatingAdmissionPolicyBinding[] | null;
};

export type ValidatingAdmissionPolicyBindingSpec = {
  policyName?: string;
  paramRef?: ParamRef;
  matchResources?: MatchResources;
  validationActions?: ValidationAction[];
};

export type ValidatingAdmissionPolicyList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: ValidatingAdmissionPolicy[] | null;
};

export type ValidatingAdmissionPolicySpec = {
  paramKind?: ParamKind;
  matchConstraints?: MatchResources;
  validations?: Validation[];
  failurePolicy?: FailurePolicyType;
  auditAnnotations?: AuditAnnotation[];
  matchConditions?: MatchCondition[];
  variables?: Variable[];
};

export type ValidatingAdmissionPolicyStatus = {
  observedGeneration?: number;
  typeChecking?: TypeChecking;
  conditions?: meta.Condition[];
};

export type ValidatingWebhook = {
  name: string;
  clientConfig: WebhookClientConfig;
  rules?: RuleWithOperations[];
  failurePolicy?: FailurePolicyType;
  matchPolicy?: MatchPolicyType;
  namespaceSelector?: meta.LabelSelector;
  objectSelector?: meta.LabelSelector;
  sideEffects: SideEffectClass | null;
  timeoutSeconds?: number;
  admissionReviewVersions: string[] | null;
  matchConditions?: MatchCondition[];
};

export type ValidatingWebhookConfiguration = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  webhooks?: ValidatingWebhook[];
};

export type ValidatingWebhookConfigurationList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: ValidatingWebhookConfiguration[] | null;
};

export type Validation = {
  expression: string;
  message?: string;
  reason?: string;
  messageExpression?: string;
};

/** One of "Audit", "Deny", "Warn". */
export type ValidationAction = string;

export type Variable = {
  name: string;
  expression: string;
};

export type WebhookClientConfig = {
  url?: string;
  service?: ServiceReference;
  caBundle?: string;
};
