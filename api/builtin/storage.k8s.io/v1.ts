// Made by tools/kinds/generate.ts from k8s.io/api/storage/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.storage.v1";

/** The types of storage.k8s.io/v1, in the notation of api/schemas.ts. */
export const facts = `
CSIDriver
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec CSIDriverSpec keep required

CSIDriverList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []CSIDriver keep required

CSIDriverSpec
  attachRequired bool set
  podInfoOnMount bool set
  volumeLifecycleModes []string omit list=set
  storageCapacity bool set
  fsGroupPolicy string set
  tokenRequests []TokenRequest omit list=atomic
  requiresRepublish bool set
  seLinuxMount bool set
  nodeAllocatableUpdatePeriodSeconds int64 set
  serviceAccountTokenInSecrets bool set
  preventPodSchedulingIfMissing bool set

CSINode
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec CSINodeSpec keep required

CSINodeDriver
  name string keep required
  nodeID string keep required
  topologyKeys []string keep list=atomic
  allocatable VolumeNodeResources set

CSINodeList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []CSINode keep required

CSINodeSpec
  drivers []CSINodeDriver keep required list=map(name) patch=merge(name)

CSIStorageCapacity
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  nodeTopology meta/v1.LabelSelector set
  storageClassName string keep required
  capacity Quantity set
  maximumVolumeSize Quantity set

CSIStorageCapacityList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []CSIStorageCapacity keep required

StorageClass
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  provisioner string keep required
  parameters map[]string omit
  reclaimPolicy core/v1.PersistentVolumeReclaimPolicy set
  mountOptions []string omit list=atomic
  allowVolumeExpansion bool set
  volumeBindingMode VolumeBindingMode set
  allowedTopologies []core/v1.TopologySelectorTerm omit list=atomic

StorageClassList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []StorageClass keep required

TokenRequest
  audience string keep required
  expirationSeconds int64 set

VolumeAttachment
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec VolumeAttachmentSpec keep required
  status VolumeAttachmentStatus keep

VolumeAttachmentList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []VolumeAttachment keep required

VolumeAttachmentSource
  persistentVolumeName string set
  inlineVolumeSpec core/v1.PersistentVolumeSpec set

VolumeAttachmentSpec
  attacher string keep required
  source VolumeAttachmentSource keep required
  nodeName string keep required

VolumeAttachmentStatus
  attached bool keep required
  attachmentMetadata map[]string omit
  attachError VolumeError set
  detachError VolumeError set

VolumeAttributesClass
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  driverName string keep required
  parameters map[]string omit

VolumeAttributesClassList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []VolumeAttributesClass keep required

VolumeBindingMode enum=["Immediate","WaitForFirstConsumer"]

VolumeError
  time Time keep
  message string omit
  errorCode int32 set

VolumeNodeResources
  count int32 set
`;
