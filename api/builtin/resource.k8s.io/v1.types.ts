// Made by tools/kinds/generate.ts from k8s.io/api/resource/v1 0.36. Do not edit.
import type { ObjectMeta } from "@atoll/machinery/object";
import type * as core from "../core/v1.types.ts";
import type * as meta from "../meta/v1.types.ts";

export type AllocatedDeviceStatus = {
  driver: string;
  pool: string;
  device: string;
  shareID?: string;
  conditions: meta.Condition[] | null;
  data?: unknown;
  networkData?: NetworkDeviceData;
};

/** One of "FromClaim", "FromClass". */
export type AllocationConfigSource = string;

export type AllocationResult = {
  devices: DeviceAllocationResult;
  nodeSelector?: core.NodeSelector;
  allocationTimestamp?: string;
};

export type CELDeviceSelector = {
  expression: string;
};

export type CapacityRequestPolicy = {
  default: string | null;
  validValues?: string[];
  validRange?: CapacityRequestPolicyRange;
};

export type CapacityRequestPolicyRange = {
  min?: string;
  max?: string;
  step?: string;
};

export type CapacityRequirements = {
  requests?: Record<string, string>;
};

export type Counter = {
  value: string;
};

export type CounterSet = {
  name: string;
  counters?: Record<string, Counter>;
};

export type Device = {
  name: string;
  attributes?: Record<string, DeviceAttribute>;
  capacity?: Record<string, DeviceCapacity>;
  consumesCounters?: DeviceCounterConsumption[];
  nodeName?: string;
  nodeSelector?: core.NodeSelector;
  allNodes?: boolean;
  taints?: DeviceTaint[];
  bindsToNode?: boolean;
  bindingConditions?: string[];
  bindingFailureConditions?: string[];
  allowMultipleAllocations?: boolean;
  nodeAllocatableResourceMappings?: Record<string, NodeAllocatableResourceMapping>;
};

export type DeviceAllocationConfiguration = {
  source: AllocationConfigSource;
  requests?: string[];
  opaque?: OpaqueDeviceConfiguration;
};

export type DeviceAllocationResult = {
  results?: DeviceRequestAllocationResult[];
  config?: DeviceAllocationConfiguration[];
};

export type DeviceAttribute = {
  int?: number;
  bool?: boolean;
  string?: string;
  version?: string;
  ints?: number[];
  bools?: boolean[];
  strings?: string[];
  versions?: string[];
};

export type DeviceCapacity = {
  value: string;
  requestPolicy?: CapacityRequestPolicy;
};

export type DeviceClaim = {
  requests: DeviceRequest[] | null;
  constraints?: DeviceConstraint[];
  config?: DeviceClaimConfiguration[];
};

export type DeviceClaimConfiguration = {
  requests?: string[];
  opaque?: OpaqueDeviceConfiguration;
};

export type DeviceClass = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  spec: DeviceClassSpec;
};

export type DeviceClassConfiguration = {
  opaque?: OpaqueDeviceConfiguration;
};

export type DeviceClassList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: DeviceClass[] | null;
};

export type DeviceClassSpec = {
  selectors?: DeviceSelector[];
  config?: DeviceClassConfiguration[];
  extendedResourceName?: string;
};

export type DeviceConfiguration = {
  opaque?: OpaqueDeviceConfiguration;
};

export type DeviceConstraint = {
  requests?: string[];
  matchAttribute?: string;
  distinctAttribute?: string;
};

export type DeviceCounterConsumption = {
  counterSet: string;
  counters?: Record<string, Counter>;
};

export type DeviceRequest = {
  name: string;
  exactly?: ExactDeviceRequest;
  firstAvailable?: DeviceSubRequest[];
};

export type DeviceRequestAllocationResult = {
  request: string;
  driver: string;
  pool: string;
  device: string;
  adminAccess?: boolean;
  tolerations?: DeviceToleration[];
  bindingConditions?: string[];
  bindingFailureConditions?: string[];
  shareID?: string;
  consumedCapacity?: Record<string, string>;
};

export type DeviceSelector = {
  cel?: CELDeviceSelector;
};

export type DeviceSubRequest = {
  name: string;
  deviceClassName: string;
  selectors?: DeviceSelector[];
  allocationMode?: string;
  count?: number;
  tolerations?: DeviceToleration[];
  capacity?: CapacityRequirements;
};

export type DeviceTaint = {
  key: string;
  value?: string;
  effect: DeviceTaintEffect;
  timeAdded?: string;
};

/** One of "NoExecute", "NoSchedule", "None". */
export type DeviceTaintEffect = string;

export type DeviceToleration = {
  key?: string;
  operator?: DeviceTolerationOperator;
  value?: string;
  effect?: DeviceTaintEffect;
  tolerationSeconds?: number;
};

/** One of "Equal", "Exists". */
export type DeviceTolerationOperator = string;

export type ExactDeviceRequest = {
  deviceClassName: string;
  selectors?: DeviceSelector[];
  allocationMode?: string;
  count?: number;
  adminAccess?: boolean;
  tolerations?: DeviceToleration[];
  capacity?: CapacityRequirements;
};

export type NetworkDeviceData = {
  interfaceName?: string;
  ips?: string[];
  hardwareAddress?: string;
};

export type NodeAllocatableResourceMapping = {
  capacityKey?: string;
  allocationMultiplier?: string;
};

export type OpaqueDeviceConfiguration = {
  driver: string;
  parameters: unknown;
};

export type ResourceClaim = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  spec: ResourceClaimSpec;
  status: ResourceClaimStatus;
};

export type ResourceClaimConsumerReference = {
  apiGroup?: string;
  resource: string;
  name: string;
  uid: string;
};

export type ResourceClaimList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: ResourceClaim[] | null;
};

export type ResourceClaimSpec = {
  devices: DeviceClaim;
};

export type ResourceClaimStatus = {
  allocation?: AllocationResult;
  reservedFor?: ResourceClaimConsumerReference[];
  devices?: AllocatedDeviceStatus[];
};

export type ResourceClaimTemplate = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  spec: ResourceClaimTemplateSpec;
};

export type ResourceClaimTemplateList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: ResourceClaimTemplate[] | null;
};

export type ResourceClaimTemplateSpec = {
  metadata: ObjectMeta;
  spec: ResourceClaimSpec;
};

export type ResourcePool = {
  name: string;
  generation: number;
  resourceSliceCount: number;
};

export type ResourceSlice = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  spec: ResourceSliceSpec;
};

export type ResourceSliceList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: ResourceSlice[] | null;
};

export type ResourceSliceSpec = {
  driver: string;
  pool: ResourcePool;
  nodeName?: string;
  nodeSelector?: core.NodeSelector;
  allNodes?: boolean;
  devices?: Device[];
  perDeviceNodeSelection?: boolean;
  sharedCounters?: CounterSet[];
};
