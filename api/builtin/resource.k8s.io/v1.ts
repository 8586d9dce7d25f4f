// Made by tools/kinds/generate.ts from k8s.io/api/resource/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.resource.v1";

/** The types of resource.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
AllocatedDeviceStatus
  driver string keep tag=1 required
  pool string keep tag=2 required
  device string keep tag=3 required
  shareID string set tag=7
  conditions []meta/v1.Condition keep tag=4 list=map(type)
  data RawExtension set tag=5
  networkData NetworkDeviceData set tag=6

AllocationConfigSource enum=["FromClaim","FromClass"]

AllocationResult
  devices DeviceAllocationResult keep tag=1
  nodeSelector core/v1.NodeSelector set tag=3
  allocationTimestamp Time set tag=5

CELDeviceSelector
  expression string keep tag=1 required

CapacityRequestPolicy
  default Quantity keep tag=1 null
  validValues []Quantity omit tag=3 list=atomic
  validRange CapacityRequestPolicyRange set tag=4

CapacityRequestPolicyRange
  min Quantity set tag=1 required
  max Quantity set tag=2
  step Quantity set tag=3

CapacityRequirements
  requests map[]Quantity omit tag=1

Counter
  value Quantity keep tag=1 required

CounterSet
  name string keep tag=1 required
  counters map[]Counter omit tag=2 required

Device
  name string keep tag=1 required
  attributes map[]DeviceAttribute omit tag=2
  capacity map[]DeviceCapacity omit tag=3
  consumesCounters []DeviceCounterConsumption omit tag=4 list=atomic
  nodeName string set tag=5
  nodeSelector core/v1.NodeSelector set tag=6
  allNodes bool set tag=7
  taints []DeviceTaint omit tag=8 list=atomic
  bindsToNode bool set tag=9
  bindingConditions []string omit tag=10 list=atomic
  bindingFailureConditions []string omit tag=11 list=atomic
  allowMultipleAllocations bool set tag=12
  nodeAllocatableResourceMappings map[]NodeAllocatableResourceMapping omit tag=13

DeviceAllocationConfiguration
  source AllocationConfigSource keep tag=1 required
  requests []string omit tag=2 list=atomic
  opaque OpaqueDeviceConfiguration set tag=3.1

DeviceAllocationResult
  results []DeviceRequestAllocationResult omit tag=1 list=atomic
  config []DeviceAllocationConfiguration omit tag=2 list=atomic

DeviceAttribute
  int int64 set tag=2
  bool bool set tag=3
  string string set tag=4
  version string set tag=5
  ints []int64 omit tag=6 list=atomic
  bools []bool omit tag=7 list=atomic
  strings []string omit tag=8 list=atomic
  versions []string omit tag=9 list=atomic

DeviceCapacity
  value Quantity keep tag=1 required
  requestPolicy CapacityRequestPolicy set tag=2

DeviceClaim
  requests []DeviceRequest keep tag=1 list=atomic
  constraints []DeviceConstraint omit tag=2 list=atomic
  config []DeviceClaimConfiguration omit tag=3 list=atomic

DeviceClaimConfiguration
  requests []string omit tag=1 list=atomic
  opaque OpaqueDeviceConfiguration set tag=2.1

DeviceClass
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec DeviceClassSpec keep tag=2 required

DeviceClassConfiguration
  opaque OpaqueDeviceConfiguration set tag=1.1

DeviceClassList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []DeviceClass keep tag=2 required

DeviceClassSpec
  selectors []DeviceSelector omit tag=1 list=atomic
  config []DeviceClassConfiguration omit tag=2 list=atomic
  extendedResourceName string set tag=4

DeviceConfiguration
  opaque OpaqueDeviceConfiguration set tag=1

DeviceConstraint
  requests []string omit tag=1 list=atomic
  matchAttribute string set tag=2
  distinctAttribute string set tag=3

DeviceCounterConsumption
  counterSet string keep tag=1 required
  counters map[]Counter omit tag=2 required

DeviceRequest
  name string keep tag=1 required
  exactly ExactDeviceRequest set tag=2
  firstAvailable []DeviceSubRequest omit tag=3 list=atomic

DeviceRequestAllocationResult
  request string keep tag=1 required
  driver string keep tag=2 required
  pool string keep tag=3 required
  device string keep tag=4 required
  adminAccess bool set tag=5
  tolerations []DeviceToleration omit tag=6 list=atomic
  bindingConditions []string omit tag=7 list=atomic
  bindingFailureConditions []string omit tag=8 list=atomic
  shareID string set tag=9
  consumedCapacity map[]Quantity omit tag=10

DeviceSelector
  cel CELDeviceSelector set tag=1

DeviceSubRequest
  name string keep tag=1 required
  deviceClassName string keep tag=2 required
  selectors []DeviceSelector omit tag=3 list=atomic
  allocationMode string omit tag=4
  count int64 omit tag=5
  tolerations []DeviceToleration omit tag=6 list=atomic
  capacity CapacityRequirements set tag=7

DeviceTaint
  key string keep tag=1 required
  value string omit tag=2
  effect DeviceTaintEffect keep tag=3 required
  timeAdded Time set tag=4

DeviceTaintEffect enum=["NoExecute","NoSchedule","None"]

DeviceToleration
  key string omit tag=1
  operator DeviceTolerationOperator omit tag=2 default="Equal"
  value string omit tag=3
  effect DeviceTaintEffect omit tag=4
  tolerationSeconds int64 set tag=5

DeviceTolerationOperator enum=["Equal","Exists"]

ExactDeviceRequest
  deviceClassName string keep tag=1 required
  selectors []DeviceSelector omit tag=2 list=atomic
  allocationMode string omit tag=3
  count int64 omit tag=4
  adminAccess bool set tag=5
  tolerations []DeviceToleration omit tag=6 list=atomic
  capacity CapacityRequirements set tag=7

NetworkDeviceData
  interfaceName string omit tag=1
  ips []string omit tag=2 list=atomic
  hardwareAddress string omit tag=3

NodeAllocatableResourceMapping
  capacityKey string set tag=1
  allocationMultiplier Quantity set tag=2

OpaqueDeviceConfiguration
  driver string keep tag=1 required
  parameters RawExtension keep tag=2 required

ResourceClaim
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec ResourceClaimSpec keep tag=2 required
  status ResourceClaimStatus keep tag=3

ResourceClaimConsumerReference
  apiGroup string omit tag=1
  resource string keep tag=3 required
  name string keep tag=4 required
  uid string keep tag=5 required

ResourceClaimList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []ResourceClaim keep tag=2 required

ResourceClaimSpec
  devices DeviceClaim keep tag=1

ResourceClaimStatus
  allocation AllocationResult set tag=1
  reservedFor []ResourceClaimConsumerReference omit tag=2 list=map(uid) patch=merge(uid)
  devices []AllocatedDeviceStatus omit tag=4 list=map(driver,device,pool,shareID)

ResourceClaimTemplate
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec ResourceClaimTemplateSpec keep tag=2 required

ResourceClaimTemplateList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []ResourceClaimTemplate keep tag=2 required

ResourceClaimTemplateSpec
  metadata meta/v1.ObjectMeta keep tag=1
  spec ResourceClaimSpec keep tag=2 required

ResourcePool
  name string keep tag=1 required
  generation int64 keep tag=2 required
  resourceSliceCount int64 keep tag=3 required

ResourceSlice
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec ResourceSliceSpec keep tag=2 required

ResourceSliceList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []ResourceSlice keep tag=2 required

ResourceSliceSpec
  driver string keep tag=1 required
  pool ResourcePool keep tag=2 required
  nodeName string set tag=3
  nodeSelector core/v1.NodeSelector set tag=4
  allNodes bool set tag=5
  devices []Device omit tag=6 list=atomic
  perDeviceNodeSelection bool set tag=7
  sharedCounters []CounterSet omit tag=8 list=atomic
`;
