// Made by tools/kinds/generate.ts from k8s.io/api/flowcontrol/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.flowcontrol.v1";

/** The types of flowcontrol.apiserver.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
ExemptPriorityLevelConfiguration
  nominalConcurrencyShares int32 set tag=1
  lendablePercent int32 set tag=2

FlowDistinguisherMethod
  type string keep tag=1 required

FlowSchema
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec FlowSchemaSpec keep tag=2
  status FlowSchemaStatus keep tag=3

FlowSchemaCondition
  type string omit tag=1
  status string omit tag=2
  lastTransitionTime Time keep tag=3
  reason string omit tag=4
  message string omit tag=5

FlowSchemaList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []FlowSchema keep tag=2 required

FlowSchemaSpec
  priorityLevelConfiguration PriorityLevelConfigurationReference keep tag=1 required
  matchingPrecedence int32 keep tag=2
  distinguisherMethod FlowDistinguisherMethod set tag=3
  rules []PolicyRulesWithSubjects omit tag=4 list=atomic

FlowSchemaStatus
  conditions []FlowSchemaCondition omit tag=1 list=map(type) patch=merge(type)

GroupSubject
  name string keep tag=1 required

LimitResponse
  type string keep tag=1 required
  queuing QueuingConfiguration set tag=2

LimitedPriorityLevelConfiguration
  nominalConcurrencyShares int32 keep tag=1 null
  limitResponse LimitResponse keep tag=2
  lendablePercent int32 set tag=3
  borrowingLimitPercent int32 set tag=4

NonResourcePolicyRule
  verbs []string keep tag=1 required list=set
  nonResourceURLs []string keep tag=6 required list=set

PolicyRulesWithSubjects
  subjects []Subject keep tag=1 required list=atomic
  resourceRules []ResourcePolicyRule omit tag=2 list=atomic
  nonResourceRules []NonResourcePolicyRule omit tag=3 list=atomic

PriorityLevelConfiguration
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec PriorityLevelConfigurationSpec keep tag=2
  status PriorityLevelConfigurationStatus keep tag=3

PriorityLevelConfigurationCondition
  type string omit tag=1
  status string omit tag=2
  lastTransitionTime Time keep tag=3
  reason string omit tag=4
  message string omit tag=5

PriorityLevelConfigurationList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []PriorityLevelConfiguration keep tag=2 required

PriorityLevelConfigurationReference
  name string keep tag=1 required

PriorityLevelConfigurationSpec
  type string keep tag=1 required
  limited LimitedPriorityLevelConfiguration set tag=2
  exempt ExemptPriorityLevelConfiguration set tag=3

PriorityLevelConfigurationStatus
  conditions []PriorityLevelConfigurationCondition omit tag=1 list=map(type) patch=merge(type)

QueuingConfiguration
  queues int32 keep tag=1
  handSize int32 keep tag=2
  queueLengthLimit int32 keep tag=3

ResourcePolicyRule
  verbs []string keep tag=1 required list=set
  apiGroups []string keep tag=2 required list=set
  resources []string keep tag=3 required list=set
  clusterScope bool omit tag=4
  namespaces []string keep tag=5 list=set

ServiceAccountSubject
  namespace string keep tag=1 required
  name string keep tag=2 required

Subject
  kind string keep tag=1 required
  user UserSubject set tag=2
  group GroupSubject set tag=3
  serviceAccount ServiceAccountSubject set tag=4

UserSubject
  name string keep tag=1 required
`;
