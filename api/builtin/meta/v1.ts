// Made by tools/kinds/generate.ts from k8s.io/apimachinery/pkg/apis/meta/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.apimachinery.pkg.apis.meta.v1";

/** The types of meta/v1, in the notation of api/schemas.ts. */
export const facts = `
APIGroup
  kind string omit
  apiVersion string omit
  name string keep tag=1 required
  versions []GroupVersionForDiscovery keep tag=2 required list=atomic
  preferredVersion GroupVersionForDiscovery keep tag=3
  serverAddressByClientCIDRs []ServerAddressByClientCIDR omit tag=4 list=atomic

APIGroupList
  kind string omit
  apiVersion string omit
  groups []APIGroup keep tag=1 required list=atomic

APIResource
  name string keep tag=1 required
  singularName string keep tag=6 required
  namespaced bool keep tag=2 required
  group string omit tag=8
  version string omit tag=9
  kind string keep tag=3 required
  verbs []string keep tag=4 required
  shortNames []string omit tag=5 list=atomic
  categories []string omit tag=7 list=atomic
  storageVersionHash string omit tag=10

APIResourceList
  kind string omit
  apiVersion string omit
  groupVersion string keep tag=1 required
  resources []APIResource keep tag=2 required list=atomic

APIVersions
  kind string omit
  apiVersion string omit
  versions []string keep tag=1 required list=atomic
  serverAddressByClientCIDRs []ServerAddressByClientCIDR keep tag=2 required list=atomic

Condition
  type string keep tag=1 required
  status string keep tag=2 required
  observedGeneration int64 omit tag=3
  lastTransitionTime Time keep tag=4 required
  reason string keep tag=5 required
  message string keep tag=6 required

CreateOptions
  kind string omit
  apiVersion string omit
  dryRun []string omit tag=1 list=atomic
  fieldManager string omit tag=3
  fieldValidation string omit tag=4

DeleteOptions
  kind string omit
  apiVersion string omit
  gracePeriodSeconds int64 set tag=1
  preconditions Preconditions set tag=2
  orphanDependents bool set tag=3
  propagationPolicy string set tag=4
  dryRun []string omit tag=5 list=atomic
  ignoreStoreReadErrorWithClusterBreakingPotential bool set tag=6

FieldSelectorRequirement
  key string keep tag=1 required
  operator string keep tag=2 required
  values []string omit tag=3 list=atomic

GetOptions
  kind string omit
  apiVersion string omit
  resourceVersion string omit tag=1

GroupVersionForDiscovery
  groupVersion string keep tag=1 required
  version string keep tag=2 required

LabelSelector map=atomic
  matchLabels map[]string omit tag=1
  matchExpressions []LabelSelectorRequirement omit tag=2 list=atomic

LabelSelectorRequirement
  key string keep tag=1 required
  operator string keep tag=2 required
  values []string omit tag=3 list=atomic

ListMeta
  selfLink string omit tag=1
  resourceVersion string omit tag=2
  continue string omit tag=3
  remainingItemCount int64 set tag=4
  shardInfo ShardInfo set tag=5

ListOptions
  kind string omit
  apiVersion string omit
  labelSelector string omit tag=1
  fieldSelector string omit tag=2
  watch bool omit tag=3
  allowWatchBookmarks bool omit tag=9
  resourceVersion string omit tag=4
  resourceVersionMatch string omit tag=10
  timeoutSeconds int64 set tag=5
  limit int64 omit tag=7
  continue string omit tag=8
  sendInitialEvents bool set tag=11
  shardSelector string omit tag=15

ManagedFieldsEntry
  manager string omit tag=1
  operation string omit tag=2
  apiVersion string omit tag=3
  time Time set tag=4
  fieldsType string omit tag=6
  fieldsV1 FieldsV1 set tag=7
  subresource string omit tag=8

ObjectMeta
  name string omit tag=1
  generateName string omit tag=2
  namespace string omit tag=3
  selfLink string omit tag=4
  uid string omit tag=5
  resourceVersion string omit tag=6
  generation int64 omit tag=7
  creationTimestamp Time omit tag=8
  deletionTimestamp Time set tag=9
  deletionGracePeriodSeconds int64 set tag=10
  labels map[]string omit tag=11
  annotations map[]string omit tag=12
  ownerReferences []OwnerReference omit tag=13 list=map(uid) patch=merge(uid)
  finalizers []string omit tag=14 list=set patch=merge
  managedFields []ManagedFieldsEntry omit tag=17 list=atomic

OwnerReference map=atomic
  apiVersion string keep tag=5 required
  kind string keep tag=1 required
  name string keep tag=3 required
  uid string keep tag=4 required
  controller bool set tag=6
  blockOwnerDeletion bool set tag=7

PartialObjectMetadata
  kind string omit
  apiVersion string omit
  metadata ObjectMeta keep tag=1

PartialObjectMetadataList
  kind string omit
  apiVersion string omit
  metadata ListMeta keep tag=1
  items []PartialObjectMetadata keep tag=2 required

PatchOptions
  kind string omit
  apiVersion string omit
  dryRun []string omit tag=1 list=atomic
  force bool set tag=2
  fieldManager string omit tag=3
  fieldValidation string omit tag=4

Preconditions
  uid string set tag=1
  resourceVersion string set tag=2

ServerAddressByClientCIDR
  clientCIDR string keep tag=1 required
  serverAddress string keep tag=2 required

ShardInfo
  selector string keep tag=1 required

Status
  kind string omit
  apiVersion string omit
  metadata ListMeta keep tag=1
  status string omit tag=2
  message string omit tag=3
  reason string omit tag=4
  details StatusDetails set tag=5
  code int32 omit tag=6

StatusCause
  reason string omit tag=1
  message string omit tag=2
  field string omit tag=3

StatusDetails
  name string omit tag=1
  group string omit tag=2
  kind string omit tag=3
  uid string omit tag=6
  causes []StatusCause omit tag=4 list=atomic
  retryAfterSeconds int32 omit tag=5

Table
  kind string omit
  apiVersion string omit
  metadata ListMeta keep
  columnDefinitions []TableColumnDefinition keep required list=atomic
  rows []TableRow keep required list=atomic

TableColumnDefinition
  name string keep required
  type string keep required
  format string keep required
  description string keep required
  priority int32 keep required

TableRow
  cells []any keep required list=atomic
  conditions []TableRowCondition omit list=atomic
  object RawExtension keep

TableRowCondition
  type string keep required
  status string keep required
  reason string omit
  message string omit

UpdateOptions
  kind string omit
  apiVersion string omit
  dryRun []string omit tag=1 list=atomic
  fieldManager string omit tag=2
  fieldValidation string omit tag=3

WatchEvent
  type string keep tag=1 required
  object RawExtension keep tag=2 required
`;
