// Made by tools/kinds/generate.ts from k8s.io/api/apps/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.apps.v1";

/** The types of apps/v1, in the notation of api/schemas.ts. */
export const facts = `
ControllerRevision
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  data RawExtension keep
  revision int64 keep required

ControllerRevisionList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []ControllerRevision keep required

DaemonSet
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec DaemonSetSpec keep
  status DaemonSetStatus keep

DaemonSetCondition
  type string keep required
  status string keep required
  lastTransitionTime Time keep
  reason string omit
  message string omit

DaemonSetList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []DaemonSet keep required

DaemonSetSpec
  selector meta/v1.LabelSelector keep required null
  template core/v1.PodTemplateSpec keep required
  updateStrategy DaemonSetUpdateStrategy keep
  minReadySeconds int32 omit
  revisionHistoryLimit int32 set

DaemonSetStatus
  currentNumberScheduled int32 keep required
  numberMisscheduled int32 keep required
  desiredNumberScheduled int32 keep required
  numberReady int32 keep required
  observedGeneration int64 omit
  updatedNumberScheduled int32 omit
  numberAvailable int32 omit
  numberUnavailable int32 omit
  collisionCount int32 set
  conditions []DaemonSetCondition omit list=map(type) patch=merge(type)

DaemonSetUpdateStrategy
  type DaemonSetUpdateStrategyType omit
  rollingUpdate RollingUpdateDaemonSet set

DaemonSetUpdateStrategyType enum=["OnDelete","RollingUpdate"]

Deployment
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec DeploymentSpec keep
  status DeploymentStatus keep

DeploymentCondition
  type string keep required
  status string keep required
  lastUpdateTime Time keep
  lastTransitionTime Time keep
  reason string omit
  message string omit

DeploymentList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []Deployment keep required

DeploymentSpec
  replicas int32 set
  selector meta/v1.LabelSelector keep required null
  template core/v1.PodTemplateSpec keep required
  strategy DeploymentStrategy keep patch=retainKeys
  minReadySeconds int32 omit
  revisionHistoryLimit int32 set
  paused bool omit
  progressDeadlineSeconds int32 set

DeploymentStatus
  observedGeneration int64 omit
  replicas int32 omit
  updatedReplicas int32 omit
  readyReplicas int32 omit
  availableReplicas int32 omit
  unavailableReplicas int32 omit
  terminatingReplicas int32 set
  conditions []DeploymentCondition omit list=map(type) patch=merge(type)
  collisionCount int32 set

DeploymentStrategy
  type DeploymentStrategyType omit
  rollingUpdate RollingUpdateDeployment set

DeploymentStrategyType enum=["Recreate","RollingUpdate"]

PodManagementPolicyType enum=["OrderedReady","Parallel"]

ReplicaSet
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec ReplicaSetSpec keep
  status ReplicaSetStatus keep

ReplicaSetCondition
  type string keep required
  status string keep required
  lastTransitionTime Time keep
  reason string omit
  message string omit

ReplicaSetList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []ReplicaSet keep required

ReplicaSetSpec
  replicas int32 set
  minReadySeconds int32 omit
  selector meta/v1.LabelSelector keep required null
  template core/v1.PodTemplateSpec keep

ReplicaSetStatus
  replicas int32 keep required
  fullyLabeledReplicas int32 omit
  readyReplicas int32 omit
  availableReplicas int32 omit
  terminatingReplicas int32 set
  observedGeneration int64 omit
  conditions []ReplicaSetCondition omit list=map(type) patch=merge(type)

RollingUpdateDaemonSet
  maxUnavailable IntOrString set
  maxSurge IntOrString set

RollingUpdateDeployment
  maxUnavailable IntOrString set
  maxSurge IntOrString set

RollingUpdateStatefulSetStrategy
  partition int32 set
  maxUnavailable IntOrString set

StatefulSet
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec StatefulSetSpec keep
  status StatefulSetStatus keep

StatefulSetCondition
  type string keep required
  status string keep required
  lastTransitionTime Time keep
  reason string omit
  message string omit

StatefulSetList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []StatefulSet keep required

StatefulSetOrdinals
  start int32 keep

StatefulSetPersistentVolumeClaimRetentionPolicy
  whenDeleted string omit
  whenScaled string omit

StatefulSetSpec
  replicas int32 set
  selector meta/v1.LabelSelector keep required null
  template core/v1.PodTemplateSpec keep required
  volumeClaimTemplates []core/v1.PersistentVolumeClaim omit list=atomic
  serviceName string keep
  podManagementPolicy PodManagementPolicyType omit
  updateStrategy StatefulSetUpdateStrategy keep
  revisionHistoryLimit int32 set
  minReadySeconds int32 omit
  persistentVolumeClaimRetentionPolicy StatefulSetPersistentVolumeClaimRetentionPolicy set
  ordinals StatefulSetOrdinals set

StatefulSetStatus
  observedGeneration int64 omit
  replicas int32 keep required
  readyReplicas int32 omit
  currentReplicas int32 omit
  updatedReplicas int32 omit
  currentRevision string omit
  updateRevision string omit
  collisionCount int32 set
  conditions []StatefulSetCondition omit list=map(type) patch=merge(type)
  availableReplicas int32 keep

StatefulSetUpdateStrategy
  type StatefulSetUpdateStrategyType omit
  rollingUpdate RollingUpdateStatefulSetStrategy set

StatefulSetUpdateStrategyType enum=["OnDelete","RollingUpdate"]
`;
