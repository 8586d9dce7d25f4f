// Made by tools/kinds/generate.ts from k8s.io/api/resource/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.resource.v1";

/** The types of resource.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
AllocatedDeviceStatus
  driver string keep required
  pool string keep required
  device string keep required
  shareID string set
  conditions []meta/v1.Condition keep list=map(type)
  data RawExtension set
  networkData NetworkDeviceData set

AllocationConfigSource enum=["FromClaim","FromClass"]

AllocationResult
  devices DeviceAllocationResult keep
  nodeSelector core/v1.NodeSelector set
  allocationTimestamp Time set

CELDeviceSelector
  expression string keep required

CapacityRequestPolicy
  default Quantity keep null
  validValues []Quantity omit list=atomic
  validRange CapacityRequestPolicyRange set

CapacityRequestPolicyRange
  min Quantity set required
  max Quantity set
  step Quantity set

CapacityRequirements
  requests map[]Quantity omit

Counter
  value Quantity keep required

CounterSet
  name string keep required
  counters map[]Counter omit required

Device
  name string keep required
  attributes map[]DeviceAttribute omit
  capacity map[]DeviceCapacity omit
  consumesCounters []DeviceCounterConsumption omit list=atomic
  nodeName string set
  nodeSelector core/v1.NodeSelector set
  allNodes bool set
  taints []DeviceTaint omit list=atomic
  bindsToNode bool set
  bindingConditions []string omit list=atomic
  bindingFailureConditions []string omit list=atomic
  allowMultipleAllocations bool set
  nodeAllocatableResourceMappings map[]NodeAllocatableResourceMapping omit

DeviceAllocationConfiguration
  source AllocationConfigSource keep required
  requests []string omit list=atomic
  opaque OpaqueDeviceConfiguration set

DeviceAllocationResult
  results []DeviceRequestAllocationResult omit list=atomic
  config []DeviceAllocationConfiguration omit list=atomic

DeviceAttribute
  int int64 set
  bool bool set
  string string set
  version string set
  ints []int64 omit list=atomic
  bools []bool omit list=atomic
  strings []string omit list=atomic
  versions []string omit list=atomic

DeviceCapacity
  value Quantity keep required
  requestPolicy CapacityRequestPolicy set

DeviceClaim
  requests []DeviceRequest keep list=atomic
  constraints []DeviceConstraint omit list=atomic
  config []DeviceClaimConfiguration omit list=atomic

DeviceClaimConfiguration
  requests []string omit list=atomic
  opaque OpaqueDeviceConfiguration set

DeviceClass
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec DeviceClassSpec keep required

DeviceClassConfiguration
  opaque OpaqueDeviceConfiguration set

DeviceClassList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []DeviceClass keep required

DeviceClassSpec
  selectors []DeviceSelector omit list=atomic
  config []DeviceClassConfiguration omit list=atomic
  extendedResourceName string set

DeviceConfiguration
  opaque OpaqueDeviceConfiguration set

DeviceConstraint
  requests []string omit list=atomic
  matchAttribute string set
  distinctAttribute string set

DeviceCounterConsumption
  counterSet string keep required
  counters map[]Counter omit required

DeviceRequest
  name string keep required
  exactly ExactDeviceRequest set
  firstAvailable []DeviceSubRequest omit list=atomic

DeviceRequestAllocationResult
  request string keep required
  driver string keep required
  pool string keep required
  device string keep required
  adminAccess bool set
  tolerations []DeviceToleration omit list=atomic
  bindingConditions []string omit list=atomic
  bindingFailureConditions []string omit list=atomic
  shareID string set
  consumedCapacity map[]Quantity omit

DeviceSelector
  cel CELDeviceSelector set

DeviceSubRequest
  name string keep required
  deviceClassName string keep required
  selectors []DeviceSelector omit list=atomic
  allocationMode string omit
  count int64 omit
  tolerations []DeviceToleration omit list=atomic
  capacity CapacityRequirements set

DeviceTaint
  key string keep required
  value string omit
  effect DeviceTaintEffect keep required
  timeAdded Time set

DeviceTaintEffect enum=["NoExecute","NoSchedule","None"]

DeviceToleration
  key string omit
  operator DeviceTolerationOperator omit default="Equal"
  value string omit
  effect DeviceTaintEffect omit
  tolerationSeconds int64 set

DeviceTolerationOperator enum=["Equal","Exists"]

ExactDeviceRequest
  deviceClassName string keep required
  selectors []DeviceSelector omit list=atomic
  allocationMode string omit
  count int64 omit
  adminAccess bool set
  tolerations []DeviceToleration omit list=atomic
  capacity CapacityRequirements set

NetworkDeviceData
  interfaceName string omit
  ips []string omit list=atomic
  hardwareAddress string omit

NodeAllocatableResourceMapping
  capacityKey string set
  allocationMultiplier Quantity set

OpaqueDeviceConfiguration
  driver string keep required
  parameters RawExtension keep required

ResourceClaim
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec ResourceClaimSpec keep required
  status ResourceClaimStatus keep

ResourceClaimConsumerReference
  apiGroup string omit
  resource string keep required
  name string keep required
  uid string keep required

ResourceClaimList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []ResourceClaim keep required

ResourceClaimSpec
  devices DeviceClaim keep

ResourceClaimStatus
  allocation AllocationResult set
  reservedFor []ResourceClaimConsumerReference omit list=map(uid) patch=merge(uid)
  devices []AllocatedDeviceStatus omit list=map(driver,device,pool,shareID)

ResourceClaimTemplate
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec ResourceClaimTemplateSpec keep required

ResourceClaimTemplateList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []ResourceClaimTemplate keep required

ResourceClaimTemplateSpec
  metadata meta/v1.ObjectMeta keep
  spec ResourceClaimSpec keep required

ResourcePool
  name string keep required
  generation int64 keep required
  resourceSliceCount int64 keep required

ResourceSlice
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec ResourceSliceSpec keep required

ResourceSliceList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []ResourceSlice keep required

ResourceSliceSpec
  driver string keep required
  pool ResourcePool keep required
  nodeName string set
  nodeSelector core/v1.NodeSelector set
  allNodes bool set
  devices []Device omit list=atomic
  perDeviceNodeSelection bool set
  sharedCounters []CounterSet omit list=atomic
`;
