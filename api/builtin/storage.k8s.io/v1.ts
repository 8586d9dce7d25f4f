// Made by tools/kinds/generate.ts from k8s.io/api/storage/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.storage.v1";

/** The types of storage.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
CSIDriver
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec CSIDriverSpec keep tag=2 required

CSIDriverList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []CSIDriver keep tag=2 required

CSIDriverSpec
  attachRequired bool set tag=1
  podInfoOnMount bool set tag=2
  volumeLifecycleModes []string omit tag=3 list=set
  storageCapacity bool set tag=4
  fsGroupPolicy string set tag=5
  tokenRequests []TokenRequest omit tag=6 list=atomic
  requiresRepublish bool set tag=7
  seLinuxMount bool set tag=8
  nodeAllocatableUpdatePeriodSeconds int64 set tag=9
  serviceAccountTokenInSecrets bool set tag=10
  preventPodSchedulingIfMissing bool set tag=11

CSINode
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec CSINodeSpec keep tag=2 required

CSINodeDriver
  name string keep tag=1 required
  nodeID string keep tag=2 required
  topologyKeys []string keep tag=3 list=atomic
  allocatable VolumeNodeResources set tag=4

CSINodeList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []CSINode keep tag=2 required

CSINodeSpec
  drivers []CSINodeDriver keep tag=1 required list=map(name) patch=merge(name)

CSIStorageCapacity
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  nodeTopology meta/v1.LabelSelector set tag=2
  storageClassName string keep tag=3 required
  capacity Quantity set tag=4
  maximumVolumeSize Quantity set tag=5

CSIStorageCapacityList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []CSIStorageCapacity keep tag=2 required

StorageClass
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  provisioner string keep tag=2 required
  parameters map[]string omit tag=3
  reclaimPolicy core/v1.PersistentVolumeReclaimPolicy set tag=4
  mountOptions []string omit tag=5 list=atomic
  allowVolumeExpansion bool set tag=6
  volumeBindingMode VolumeBindingMode set tag=7
  allowedTopologies []core/v1.TopologySelectorTerm omit tag=8 list=atomic

StorageClassList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []StorageClass keep tag=2 required

TokenRequest
  audience string keep tag=1 required
  expirationSeconds int64 set tag=2

VolumeAttachment
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec VolumeAttachmentSpec keep tag=2 required
  status VolumeAttachmentStatus keep tag=3

VolumeAttachmentList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []VolumeAttachment keep tag=2 required

VolumeAttachmentSource
  persistentVolumeName string set tag=1
  inlineVolumeSpec core/v1.PersistentVolumeSpec set tag=2

VolumeAttachmentSpec
  attacher string keep tag=1 required
  source VolumeAttachmentSource keep tag=2 required
  nodeName string keep tag=3 required

VolumeAttachmentStatus
  attached bool keep tag=1 required
  attachmentMetadata map[]string omit tag=2
  attachError VolumeError set tag=3
  detachError VolumeError set tag=4

VolumeAttributesClass
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  driverName string keep tag=2 required
  parameters map[]string omit tag=3

VolumeAttributesClassList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []VolumeAttributesClass keep tag=2 required

VolumeBindingMode enum=["Immediate","WaitForFirstConsumer"]

VolumeError
  time Time keep tag=1
  message string omit tag=2
  errorCode int32 set tag=3

VolumeNodeResources
  count int32 set tag=1
`;
