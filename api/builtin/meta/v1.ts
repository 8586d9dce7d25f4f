// Made by tools/kinds/generate.ts from k8s.io/apimachinery/pkg/apis/meta/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.apimachinery.pkg.apis.meta.v1";

/** The types of meta/v1, in the notation of api/schemas.ts. */
export const facts = `
APIGroup
  kind string omit
  apiVersion string omit
  name string keep required
  versions []GroupVersionForDiscovery keep required list=atomic
  preferredVersion GroupVersionForDiscovery keep
  serverAddressByClientCIDRs []ServerAddressByClientCIDR omit list=atomic

APIGroupList
  kind string omit
  apiVersion string omit
  groups []APIGroup keep required list=atomic

APIResource
  name string keep required
  singularName string keep required
  namespaced bool keep required
  group string omit
  version string omit
  kind string keep required
  verbs []string keep required
  shortNames []string omit list=atomic
  categories []string omit list=atomic
  storageVersionHash string omit

APIResourceList
  kind string omit
  apiVersion string omit
  groupVersion string keep required
  resources []APIResource keep required list=atomic

APIVersions
  kind string omit
  apiVersion string omit
  versions []string keep required list=atomic
  serverAddressByClientCIDRs []ServerAddressByClientCIDR keep required list=atomic

Condition
  type string keep required
  status string keep required
  observedGeneration int64 omit
  lastTransitionTime Time keep required
  reason string keep required
  message string keep required

CreateOptions
  kind string omit
  apiVersion string omit
  dryRun []string omit list=atomic
  fieldManager string omit
  fieldValidation string omit

DeleteOptions
  kind string omit
  apiVersion string omit
  gracePeriodSeconds int64 set
  preconditions Preconditions set
  orphanDependents bool set
  propagationPolicy string set
  dryRun []string omit list=atomic
  ignoreStoreReadErrorWithClusterBreakingPotential bool set

FieldSelectorRequirement
  key string keep required
  operator string keep required
  values []string omit list=atomic

GetOptions
  kind string omit
  apiVersion string omit
  resourceVersion string omit

GroupVersionForDiscovery
  groupVersion string keep required
  version string keep required

LabelSelector map=atomic
  matchLabels map[]string omit
  matchExpressions []LabelSelectorRequirement omit list=atomic

LabelSelectorRequirement
  key string keep required
  operator string keep required
  values []string omit list=atomic

ListMeta
  selfLink string omit
  resourceVersion string omit
  continue string omit
  remainingItemCount int64 set
  shardInfo ShardInfo set

ListOptions
  kind string omit
  apiVersion string omit
  labelSelector string omit
  fieldSelector string omit
  watch bool omit
  allowWatchBookmarks bool omit
  resourceVersion string omit
  resourceVersionMatch string omit
  timeoutSeconds int64 set
  limit int64 omit
  continue string omit
  sendInitialEvents bool set
  shardSelector string omit

ManagedFieldsEntry
  manager string omit
  operation string omit
  apiVersion string omit
  time Time set
  fieldsType string omit
  fieldsV1 FieldsV1 set
  subresource string omit

ObjectMeta
  name string omit
  generateName string omit
  namespace string omit
  selfLink string omit
  uid string omit
  resourceVersion string omit
  generation int64 omit
  creationTimestamp Time omit
  deletionTimestamp Time set
  deletionGracePeriodSeconds int64 set
  labels map[]string omit
  annotations map[]string omit
  ownerReferences []OwnerReference omit list=map(uid) patch=merge(uid)
  finalizers []string omit list=set patch=merge
  managedFields []ManagedFieldsEntry omit list=atomic

OwnerReference map=atomic
  apiVersion string keep required
  kind string keep required
  name string keep required
  uid string keep required
  controller bool set
  blockOwnerDeletion bool set

PartialObjectMetadata
  kind string omit
  apiVersion string omit
  metadata ObjectMeta keep

PartialObjectMetadataList
  kind string omit
  apiVersion string omit
  metadata ListMeta keep
  items []PartialObjectMetadata keep required

PatchOptions
  kind string omit
  apiVersion string omit
  dryRun []string omit list=atomic
  force bool set
  fieldManager string omit
  fieldValidation string omit

Preconditions
  uid string set
  resourceVersion string set

ServerAddressByClientCIDR
  clientCIDR string keep required
  serverAddress string keep required

ShardInfo
  selector string keep required

Status
  kind string omit
  apiVersion string omit
  metadata ListMeta keep
  status string omit
  message string omit
  reason string omit
  details StatusDetails set
  code int32 omit

StatusCause
  reason string omit
  message string omit
  field string omit

StatusDetails
  name string omit
  group string omit
  kind string omit
  uid string omit
  causes []StatusCause omit list=atomic
  retryAfterSeconds int32 omit

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
  dryRun []string omit list=atomic
  fieldManager string omit
  fieldValidation string omit

WatchEvent
  type string keep required
  object RawExtension keep required
`;
