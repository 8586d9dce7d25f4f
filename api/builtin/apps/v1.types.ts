// Made by tools/kinds/generate.ts from k8s.io/api/apps/v1 0.36. Do not edit.
import type { ObjectMeta } from "@atoll/machinery/object";
import type * as core from "../core/v1.types.ts";
import type * as meta from "../meta/v1.types.ts";

export type ControllerRevision = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  data: unknown;
  revision: number;
};

export type ControllerRevisionList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: ControllerRevision[] | null;
};

export type DaemonSet = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  spec: DaemonSetSpec;
  status: DaemonSetStatus;
};

export type DaemonSetCondition = {
  type: string;
  status: string;
  lastTransitionTime: string | null;
  reason?: string;
  message?: string;
};

export type DaemonSetList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: DaemonSet[] | null;
};

export type DaemonSetSpec = {
  selector: meta.LabelSelector | null;
  template: core.PodTemplateSpec;
  updateStrategy: DaemonSetUpdateStrategy;
  minReadySeconds?: number;
  revisionHistoryLimit?: number;
};

export type DaemonSetStatus = {
  currentNumberScheduled: number;
  numberMisscheduled: number;
  desiredNumberScheduled: number;
  numberReady: number;
  observedGeneration?: number;
  updatedNumberScheduled?: number;
  numberAvailable?: number;
  numberUnavailable?: number;
  collisionCount?: number;
  conditions?: DaemonSetCondition[];
};

export type DaemonSetUpdateStrategy = {
  type?: DaemonSetUpdateStrategyType;
  rollingUpdate?: RollingUpdateDaemonSet;
};

/** One of "OnDelete", "RollingUpdate". */
export type DaemonSetUpdateStrategyType = string;

export type Deployment = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  spec: DeploymentSpec;
  status: DeploymentStatus;
};

export type DeploymentCondition = {
  type: string;
  status: string;
  lastUpdateTime: string | null;
  lastTransitionTime: string | null;
  reason?: string;
  message?: string;
};

export type DeploymentList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: Deployment[] | null;
};

export type DeploymentSpec = {
  replicas?: number;
  selector: meta.LabelSelector | null;
  template: core.PodTemplateSpec;
  strategy: DeploymentStrategy;
  minReadySeconds?: number;
  revisionHistoryLimit?: number;
  paused?: boolean;
  progressDeadlineSeconds?: number;
};

export type DeploymentStatus = {
  observedGeneration?: number;
  replicas?: number;
  updatedReplicas?: number;
  readyReplicas?: number;
  availableReplicas?: number;
  unavailableReplicas?: number;
  terminatingReplicas?: number;
  conditions?: DeploymentCondition[];
  collisionCount?: number;
};

export type DeploymentStrategy = {
  type?: DeploymentStrategyType;
  rollingUpdate?: RollingUpdateDeployment;
};

/** One of "Recreate", "RollingUpdate". */
export type DeploymentStrategyType = string;

/** One of "OrderedReady", "Parallel". */
export type PodManagementPolicyType = string;

export type ReplicaSet = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  spec: ReplicaSetSpec;
  status: ReplicaSetStatus;
};

export type ReplicaSetCondition = {
  type: string;
  status: string;
  lastTransitionTime: string | null;
  reason?: string;
  message?: string;
};

export type ReplicaSetList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: ReplicaSet[] | null;
};

export type ReplicaSetSpec = {
  replicas?: number;
  minReadySeconds?: number;
  selector: meta.LabelSelector | null;
  template: core.PodTemplateSpec;
};

export type ReplicaSetStatus = {
  replicas: number;
  fullyLabeledReplicas?: number;
  readyReplicas?: number;
  availableReplicas?: number;
  terminatingReplicas?: number;
  observedGeneration?: number;
  conditions?: ReplicaSetCondition[];
};

export type RollingUpdateDaemonSet = {
  maxUnavailable?: number | string;
  maxSurge?: number | string;
};

export type RollingUpdateDeployment = {
  maxUnavailable?: number | string;
  maxSurge?: number | string;
};

export type RollingUpdateStatefulSetStrategy = {
  partition?: number;
  maxUnavailable?: number | string;
};

export type StatefulSet = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  spec: StatefulSetSpec;
  status: StatefulSetStatus;
};

export type StatefulSetCondition = {
  type: string;
  status: string;
  lastTransitionTime: string | null;
  reason?: string;
  message?: string;
};

export type StatefulSetList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: StatefulSet[] | null;
};

export type StatefulSetOrdinals = {
  start: number;
};

export type StatefulSetPersistentVolumeClaimRetentionPolicy = {
  whenDeleted?: string;
  whenScaled?: string;
};

export type StatefulSetSpec = {
  replicas?: number;
  selector: meta.LabelSelector | null;
  template: core.PodTemplateSpec;
  volumeClaimTemplates?: core.PersistentVolumeClaim[];
  serviceName: string;
  podManagementPolicy?: PodManagementPolicyType;
  updateStrategy: StatefulSetUpdateStrategy;
  revisionHistoryLimit?: number;
  minReadySeconds?: number;
  persistentVolumeClaimRetentionPolicy?: StatefulSetPersistentVolumeClaimRetentionPolicy;
  ordinals?: StatefulSetOrdinals;
};

export type StatefulSetStatus = {
  observedGeneration?: number;
  replicas: number;
  readyReplicas?: number;
  currentReplicas?: number;
  updatedReplicas?: number;
  currentRevision?: string;
  updateRevision?: string;
  collisionCount?: number;
  conditions?: StatefulSetCondition[];
  availableReplicas: number;
};

export type StatefulSetUpdateStrategy = {
  type?: StatefulSetUpdateStrategyType;
  rollingUpdate?: RollingUpdateStatefulSetStrategy;
};

/** One of "OnDelete", "RollingUpdate". */
export type StatefulSetUpdateStrategyType = string;
