// Made by tools/kinds/generate.ts from k8s.io/api/flowcontrol/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.flowcontrol.v1";

/** The types of flowcontrol.apiserver.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
ExemptPriorityLevelConfiguration
  nominalConcurrencyShares int32 set
  lendablePercent int32 set

FlowDistinguisherMethod
  type string keep required

FlowSchema
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec FlowSchemaSpec keep
  status FlowSchemaStatus keep

FlowSchemaCondition
  type string omit
  status string omit
  lastTransitionTime Time keep
  reason string omit
  message string omit

FlowSchemaList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []FlowSchema keep required

FlowSchemaSpec
  priorityLevelConfiguration PriorityLevelConfigurationReference keep required
  matchingPrecedence int32 keep
  distinguisherMethod FlowDistinguisherMethod set
  rules []PolicyRulesWithSubjects omit list=atomic

FlowSchemaStatus
  conditions []FlowSchemaCondition omit list=map(type) patch=merge(type)

GroupSubject
  name string keep required

LimitResponse
  type string keep required
  queuing QueuingConfiguration set

LimitedPriorityLevelConfiguration
  nominalConcurrencyShares int32 keep null
  limitResponse LimitResponse keep
  lendablePercent int32 set
  borrowingLimitPercent int32 set

NonResourcePolicyRule
  verbs []string keep required list=set
  nonResourceURLs []string keep required list=set

PolicyRulesWithSubjects
  subjects []Subject keep required list=atomic
  resourceRules []ResourcePolicyRule omit list=atomic
  nonResourceRules []NonResourcePolicyRule omit list=atomic

PriorityLevelConfiguration
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec PriorityLevelConfigurationSpec keep
  status PriorityLevelConfigurationStatus keep

PriorityLevelConfigurationCondition
  type string omit
  status string omit
  lastTransitionTime Time keep
  reason string omit
  message string omit

PriorityLevelConfigurationList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []PriorityLevelConfiguration keep required

PriorityLevelConfigurationReference
  name string keep required

PriorityLevelConfigurationSpec
  type string keep required
  limited LimitedPriorityLevelConfiguration set
  exempt ExemptPriorityLevelConfiguration set

PriorityLevelConfigurationStatus
  conditions []PriorityLevelConfigurationCondition omit list=map(type) patch=merge(type)

QueuingConfiguration
  queues int32 keep
  handSize int32 keep
  queueLengthLimit int32 keep

ResourcePolicyRule
  verbs []string keep required list=set
  apiGroups []string keep required list=set
  resources []string keep required list=set
  clusterScope bool omit
  namespaces []string keep list=set

ServiceAccountSubject
  namespace string keep required
  name string keep required

Subject
  kind string keep required
  user UserSubject set
  group GroupSubject set
  serviceAccount ServiceAccountSubject set

UserSubject
  name string keep required
`;
