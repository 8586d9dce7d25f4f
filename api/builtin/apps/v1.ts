// Made by tools/kinds/generate.ts from k8s.io/api/apps/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.apps.v1";

/** The types of apps/v1, in the notation of api/schemas.ts. */
export const facts = `
ControllerRevision
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  data RawExtension keep tag=2
  revision int64 keep tag=3 required

ControllerRevisionList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []ControllerRevision keep tag=2 required

DaemonSet
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec DaemonSetSpec keep tag=2
  status DaemonSetStatus keep tag=3

DaemonSetCondition
  type string keep tag=1 required
  status string keep tag=2 required
  lastTransitionTime Time keep tag=3
  reason string omit tag=4
  message string omit tag=5

DaemonSetList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []DaemonSet keep tag=2 required

DaemonSetSpec
  selector meta/v1.LabelSelector keep tag=1 required null
  template core/v1.PodTemplateSpec keep tag=2 required
  updateStrategy DaemonSetUpdateStrategy keep tag=3
  minReadySeconds int32 omit tag=4
  revisionHistoryLimit int32 set tag=6

DaemonSetStatus
  currentNumberScheduled int32 keep tag=1 required
  numberMisscheduled int32 keep tag=2 required
  desiredNumberScheduled int32 keep tag=3 required
  numberReady int32 keep tag=4 required
  observedGeneration int64 omit tag=5
  updatedNumberScheduled int32 omit tag=6
  numberAvailable int32 omit tag=7
  numberUnavailable int32 omit tag=8
  collisionCount int32 set tag=9
  conditions []DaemonSetCondition omit tag=10 list=map(type) patch=merge(type)

DaemonSetUpdateStrategy
  type DaemonSetUpdateStrategyType omit tag=1
  rollingUpdate RollingUpdateDaemonSet set tag=2

DaemonSetUpdateStrategyType enum=["OnDelete","RollingUpdate"]

Deployment
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec DeploymentSpec keep tag=2
  status DeploymentStatus keep tag=3

DeploymentCondition
  type string keep tag=1 required
  status string keep tag=2 required
  lastUpdateTime Time keep tag=6
  lastTransitionTime Time keep tag=7
  reason string omit tag=4
  message string omit tag=5

DeploymentList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []Deployment keep tag=2 required

DeploymentSpec
  replicas int32 set tag=1
  selector meta/v1.LabelSelector keep tag=2 required null
  template core/v1.PodTemplateSpec keep tag=3 required
  strategy DeploymentStrategy keep tag=4 patch=retainKeys
  minReadySeconds int32 omit tag=5
  revisionHistoryLimit int32 set tag=6
  paused bool omit tag=7
  progressDeadlineSeconds int32 set tag=9

DeploymentStatus
  observedGeneration int64 omit tag=1
  replicas int32 omit tag=2
  updatedReplicas int32 omit tag=3
  readyReplicas int32 omit tag=7
  availableReplicas int32 omit tag=4
  unavailableReplicas int32 omit tag=5
  terminatingReplicas int32 set tag=9
  conditions []DeploymentCondition omit tag=6 list=map(type) patch=merge(type)
  collisionCount int32 set tag=8

DeploymentStrategy
  type DeploymentStrategyType omit tag=1
  rollingUpdate RollingUpdateDeployment set tag=2

DeploymentStrategyType enum=["Recreate","RollingUpdate"]

PodManagementPolicyType enum=["OrderedReady","Parallel"]

ReplicaSet
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec ReplicaSetSpec keep tag=2
  status ReplicaSetStatus keep tag=3

ReplicaSetCondition
  type string keep tag=1 required
  status string keep tag=2 required
  lastTransitionTime Time keep tag=3
  reason string omit tag=4
  message string omit tag=5

ReplicaSetList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []ReplicaSet keep tag=2 required

ReplicaSetSpec
  replicas int32 set tag=1
  minReadySeconds int32 omit tag=4
  selector meta/v1.LabelSelector keep tag=2 required null
  template core/v1.PodTemplateSpec keep tag=3

ReplicaSetStatus
  replicas int32 keep tag=1 required
  fullyLabeledReplicas int32 omit tag=2
  readyReplicas int32 omit tag=4
  availableReplicas int32 omit tag=5
  terminatingReplicas int32 set tag=7
  observedGeneration int64 omit tag=3
  conditions []ReplicaSetCondition omit tag=6 list=map(type) patch=merge(type)

RollingUpdateDaemonSet
  maxUnavailable IntOrString set tag=1
  maxSurge IntOrString set tag=2

RollingUpdateDeployment
  maxUnavailable IntOrString set tag=1
  maxSurge IntOrString set tag=2

RollingUpdateStatefulSetStrategy
  partition int32 set tag=1
  maxUnavailable IntOrString set tag=2

StatefulSet
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec StatefulSetSpec keep tag=2
  status StatefulSetStatus keep tag=3

StatefulSetCondition
  type string keep tag=1 required
  status string keep tag=2 required
  lastTransitionTime Time keep tag=3
  reason string omit tag=4
  message string omit tag=5

StatefulSetList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []StatefulSet keep tag=2 required

StatefulSetOrdinals
  start int32 keep tag=1

StatefulSetPersistentVolumeClaimRetentionPolicy
  whenDeleted string omit tag=1
  whenScaled string omit tag=2

StatefulSetSpec
  replicas int32 set tag=1
  selector meta/v1.LabelSelector keep tag=2 required null
  template core/v1.PodTemplateSpec keep tag=3 required
  volumeClaimTemplates []core/v1.PersistentVolumeClaim omit tag=4 list=atomic
  serviceName string keep tag=5
  podManagementPolicy PodManagementPolicyType omit tag=6
  updateStrategy StatefulSetUpdateStrategy keep tag=7
  revisionHistoryLimit int32 set tag=8
  minReadySeconds int32 omit tag=9
  persistentVolumeClaimRetentionPolicy StatefulSetPersistentVolumeClaimRetentionPolicy set tag=10
  ordinals StatefulSetOrdinals set tag=11

StatefulSetStatus
  observedGeneration int64 omit tag=1
  replicas int32 keep tag=2 required
  readyReplicas int32 omit tag=3
  currentReplicas int32 omit tag=4
  updatedReplicas int32 omit tag=5
  currentRevision string omit tag=6
  updateRevision string omit tag=7
  collisionCount int32 set tag=9
  conditions []StatefulSetCondition omit tag=10 list=map(type) patch=merge(type)
  availableReplicas int32 keep tag=11

StatefulSetUpdateStrategy
  type StatefulSetUpdateStrategyType omit tag=1
  rollingUpdate RollingUpdateStatefulSetStrategy set tag=2

StatefulSetUpdateStrategyType enum=["OnDelete","RollingUpdate"]
`;
