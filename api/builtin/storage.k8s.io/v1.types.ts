// Made by tools/kinds/generate.ts from k8s.io/api/storage/v1 0.36. Do not edit.
import type { ObjectMeta } from "@atoll/machinery/object";
import type * as core from "../core/v1.types.ts";
import type * as meta from "../meta/v1.types.ts";

export type CSIDriver = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  spec: CSIDriverSpec;
};

export type CSIDriverList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: CSIDriver[] | null;
};

export type CSIDriverSpec = {
  attachRequired?: boolean;
  podInfoOnMount?: boolean;
  volumeLifecycleModes?: string[];
  storageCapacity?: boolean;
  fsGroupPolicy?: string;
  tokenRequests?: TokenRequest[];
  requiresRepublish?: boolean;
  seLinuxMount?: boolean;
  nodeAllocatableUpdatePeriodSeconds?: number;
  serviceAccountTokenInSecrets?: boolean;
  preventPodSchedulingIfMissing?: boolean;
};

export type CSINode = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  spec: CSINodeSpec;
};

export type CSINodeDriver = {
  name: string;
  nodeID: string;
  topologyKeys: string[] | null;
  allocatable?: VolumeNodeResources;
};

export type CSINodeList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: CSINode[] | null;
};

export type CSINodeSpec = {
  drivers: CSINodeDriver[] | null;
};

export type CSIStorageCapacity = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  nodeTopology?: meta.LabelSelector;
  storageClassName: string;
  capacity?: string;
  maximumVolumeSize?: string;
};

export type CSIStorageCapacityList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: CSIStorageCapacity[] | null;
};

export type StorageClass = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  provisioner: string;
  parameters?: Record<string, string>;
  reclaimPolicy?: core.PersistentVolumeReclaimPolicy;
  mountOptions?: string[];
  allowVolumeExpansion?: boolean;
  volumeBindingMode?: VolumeBindingMode;
  allowedTopologies?: core.TopologySelectorTerm[];
};

export type StorageClassList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: StorageClass[] | null;
};

export type TokenRequest = {
  audience: string;
  expirationSeconds?: number;
};

export type VolumeAttachment = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  spec: VolumeAttachmentSpec;
  status: VolumeAttachmentStatus;
};

export type VolumeAttachmentList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: VolumeAttachment[] | null;
};

export type VolumeAttachmentSource = {
  persistentVolumeName?: string;
  inlineVolumeSpec?: core.PersistentVolumeSpec;
};

export type VolumeAttachmentSpec = {
  attacher: string;
  source: VolumeAttachmentSource;
  nodeName: string;
};

export type VolumeAttachmentStatus = {
  attached: boolean;
  attachmentMetadata?: Record<string, string>;
  attachError?: VolumeError;
  detachError?: VolumeError;
};

export type VolumeAttributesClass = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  driverName: string;
  parameters?: Record<string, string>;
};

export type VolumeAttributesClassList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: VolumeAttributesClass[] | null;
};

/** One of "Immediate", "WaitForFirstConsumer". */
export type VolumeBindingMode = string;

export type VolumeError = {
  time: string | null;
  message?: string;
  errorCode?: number;
};

export type VolumeNodeResources = {
  count?: number;
};
