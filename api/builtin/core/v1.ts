// Made by tools/kinds/generate.ts from k8s.io/api/core/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.core.v1";

/** The types of core/v1, in the notation of api/schemas.ts. */
export const facts = `
AWSElasticBlockStoreVolumeSource
  volumeID string keep tag=1 required
  fsType string omit tag=2
  partition int32 omit tag=3
  readOnly bool omit tag=4

Affinity
  nodeAffinity NodeAffinity set tag=1
  podAffinity PodAffinity set tag=2
  podAntiAffinity PodAntiAffinity set tag=3

AppArmorProfile
  type AppArmorProfileType keep tag=1 required
  localhostProfile string set tag=2

AppArmorProfileType enum=["Localhost","RuntimeDefault","Unconfined"]

AttachedVolume
  name string keep tag=1 required
  devicePath string keep tag=2 required

AvoidPods
  preferAvoidPods []PreferAvoidPodsEntry omit tag=1 list=atomic

AzureDataDiskCachingMode enum=["None","ReadOnly","ReadWrite"]

AzureDataDiskKind enum=["Dedicated","Managed","Shared"]

AzureDiskVolumeSource
  diskName string keep tag=1 required
  diskURI string keep tag=2 required
  cachingMode AzureDataDiskCachingMode set tag=3 default="ReadWrite"
  fsType string set tag=4 default="ext4"
  readOnly bool set tag=5 default=false
  kind AzureDataDiskKind set tag=6 default="Shared"

AzureFilePersistentVolumeSource
  secretName string keep tag=1 required
  shareName string keep tag=2 required
  readOnly bool omit tag=3
  secretNamespace string keep tag=4 null

AzureFileVolumeSource
  secretName string keep tag=1 required
  shareName string keep tag=2 required
  readOnly bool omit tag=3

Binding
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  target ObjectReference keep tag=2 required

CSIPersistentVolumeSource
  driver string keep tag=1 required
  volumeHandle string keep tag=2 required
  readOnly bool omit tag=3
  fsType string omit tag=4
  volumeAttributes map[]string omit tag=5
  controllerPublishSecretRef SecretReference set tag=6
  nodeStageSecretRef SecretReference set tag=7
  nodePublishSecretRef SecretReference set tag=8
  controllerExpandSecretRef SecretReference set tag=9
  nodeExpandSecretRef SecretReference set tag=10

CSIVolumeSource
  driver string keep tag=1 required
  readOnly bool set tag=2
  fsType string set tag=3
  volumeAttributes map[]string omit tag=4
  nodePublishSecretRef LocalObjectReference set tag=5

Capabilities
  add []string omit tag=1 list=atomic
  drop []string omit tag=2 list=atomic

CephFSPersistentVolumeSource
  monitors []string keep tag=1 required list=atomic
  path string omit tag=2
  user string omit tag=3
  secretFile string omit tag=4
  secretRef SecretReference set tag=5
  readOnly bool omit tag=6

CephFSVolumeSource
  monitors []string keep tag=1 required list=atomic
  path string omit tag=2
  user string omit tag=3
  secretFile string omit tag=4
  secretRef LocalObjectReference set tag=5
  readOnly bool omit tag=6

CinderPersistentVolumeSource
  volumeID string keep tag=1 required
  fsType string omit tag=2
  readOnly bool omit tag=3
  secretRef SecretReference set tag=4

CinderVolumeSource
  volumeID string keep tag=1 required
  fsType string omit tag=2
  readOnly bool omit tag=3
  secretRef LocalObjectReference set tag=4

ClaimResourceStatus enum=["ControllerResizeInProgress","ControllerResizeInfeasible","NodeResizeInProgress","NodeResizeInfeasible","NodeResizePending"]

ClientIPConfig
  timeoutSeconds int32 set tag=1

ClusterTrustBundleProjection
  name string set tag=1
  signerName string set tag=2
  labelSelector meta/v1.LabelSelector set tag=3
  optional bool set tag=5
  path string keep tag=4 required

ComponentCondition
  type string keep tag=1 required
  status string keep tag=2 required
  message string omit tag=3
  error string omit tag=4

ComponentStatus
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  conditions []ComponentCondition omit tag=2 list=map(type) patch=merge(type)

ComponentStatusList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []ComponentStatus keep tag=2 required

ConfigMap
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  immutable bool set tag=4
  data map[]string omit tag=2
  binaryData map[]bytes omit tag=3

ConfigMapEnvSource
  name string omit tag=1.1 default=""
  optional bool set tag=2

ConfigMapKeySelector map=atomic
  name string omit tag=1.1 default=""
  key string keep tag=2 required
  optional bool set tag=3

ConfigMapList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []ConfigMap keep tag=2 required

ConfigMapNodeConfigSource
  namespace string keep tag=1 required
  name string keep tag=2 required
  uid string omit tag=3
  resourceVersion string omit tag=4
  kubeletConfigKey string keep tag=5 required

ConfigMapProjection
  name string omit tag=1.1 default=""
  items []KeyToPath omit tag=2 list=atomic
  optional bool set tag=4

ConfigMapVolumeSource
  name string omit tag=1.1 default=""
  items []KeyToPath omit tag=2 list=atomic
  defaultMode int32 set tag=3
  optional bool set tag=4

Container
  name string keep tag=1 required
  image string omit tag=2
  command []string omit tag=3 list=atomic
  args []string omit tag=4 list=atomic
  workingDir string omit tag=5
  ports []ContainerPort omit tag=6 list=map(containerPort,protocol) patch=merge(containerPort)
  envFrom []EnvFromSource omit tag=19 list=atomic
  env []EnvVar omit tag=7 list=map(name) patch=merge(name)
  resources ResourceRequirements keep tag=8
  resizePolicy []ContainerResizePolicy omit tag=23 list=atomic
  restartPolicy string set tag=24
  restartPolicyRules []ContainerRestartRule omit tag=25 list=atomic
  volumeMounts []VolumeMount omit tag=9 list=map(mountPath) patch=merge(mountPath)
  volumeDevices []VolumeDevice omit tag=21 list=map(devicePath) patch=merge(devicePath)
  livenessProbe Probe set tag=10
  readinessProbe Probe set tag=11
  startupProbe Probe set tag=22
  lifecycle Lifecycle set tag=12
  terminationMessagePath string omit tag=13
  terminationMessagePolicy TerminationMessagePolicy omit tag=20
  imagePullPolicy PullPolicy omit tag=14
  securityContext SecurityContext set tag=15
  stdin bool omit tag=16
  stdinOnce bool omit tag=17
  tty bool omit tag=18

ContainerExtendedResourceRequest
  containerName string keep tag=1 required
  resourceName string keep tag=2 required
  requestName string keep tag=3 required

ContainerImage
  names []string keep tag=1 list=atomic
  sizeBytes int64 omit tag=2

ContainerPort
  name string omit tag=1
  hostPort int32 omit tag=2
  containerPort int32 keep tag=3 required
  protocol Protocol omit tag=4 default="TCP"
  hostIP string omit tag=5

ContainerResizePolicy
  resourceName string keep tag=1 required
  restartPolicy string keep tag=2 required

ContainerRestartRule
  action string omit tag=1 required
  exitCodes ContainerRestartRuleOnExitCodes set tag=2

ContainerRestartRuleOnExitCodes
  operator string omit tag=1 required
  values []int32 omit tag=2 list=set

ContainerState
  waiting ContainerStateWaiting set tag=1
  running ContainerStateRunning set tag=2
  terminated ContainerStateTerminated set tag=3

ContainerStateRunning
  startedAt Time keep tag=1

ContainerStateTerminated
  exitCode int32 keep tag=1 required
  signal int32 omit tag=2
  reason string omit tag=3
  message string omit tag=4
  startedAt Time keep tag=5
  finishedAt Time keep tag=6
  containerID string omit tag=7

ContainerStateWaiting
  reason string omit tag=1
  message string omit tag=2

ContainerStatus
  name string keep tag=1 required
  state ContainerState keep tag=2
  lastState ContainerState keep tag=3
  ready bool keep tag=4 required
  restartCount int32 keep tag=5 required
  image string keep tag=6 required
  imageID string keep tag=7 required
  containerID string omit tag=8
  started bool set tag=9
  allocatedResources map[]Quantity omit tag=10
  resources ResourceRequirements set tag=11
  volumeMounts []VolumeMountStatus omit tag=12 list=map(mountPath) patch=merge(mountPath)
  user ContainerUser set tag=13
  allocatedResourcesStatus []ResourceStatus omit tag=14 list=map(name) patch=merge(name)
  stopSignal Signal set tag=15

ContainerUser
  linux LinuxContainerUser set tag=1

DNSPolicy enum=["ClusterFirst","ClusterFirstWithHostNet","Default","None"]

DaemonEndpoint
  Port int32 keep tag=1 required

DownwardAPIProjection
  items []DownwardAPIVolumeFile omit tag=1 list=atomic

DownwardAPIVolumeFile
  path string keep tag=1 required
  fieldRef ObjectFieldSelector set tag=2
  resourceFieldRef ResourceFieldSelector set tag=3
  mode int32 set tag=4

DownwardAPIVolumeSource
  items []DownwardAPIVolumeFile omit tag=1 list=atomic
  defaultMode int32 set tag=2

EmptyDirVolumeSource
  medium string omit tag=1
  sizeLimit Quantity set tag=2

EndpointAddress map=atomic
  ip string keep tag=1 required
  hostname string omit tag=3
  nodeName string set tag=4
  targetRef ObjectReference set tag=2

EndpointPort map=atomic
  name string omit tag=1
  port int32 keep tag=2 required
  protocol Protocol omit tag=3
  appProtocol string set tag=4

EndpointSubset
  addresses []EndpointAddress omit tag=1 list=atomic
  notReadyAddresses []EndpointAddress omit tag=2 list=atomic
  ports []EndpointPort omit tag=3 list=atomic

Endpoints
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  subsets []EndpointSubset omit tag=2 list=atomic

EndpointsList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []Endpoints keep tag=2 required

EnvFromSource
  prefix string omit tag=1
  configMapRef ConfigMapEnvSource set tag=2
  secretRef SecretEnvSource set tag=3

EnvVar
  name string keep tag=1 required
  value string omit tag=2
  valueFrom EnvVarSource set tag=3

EnvVarSource
  fieldRef ObjectFieldSelector set tag=1
  resourceFieldRef ResourceFieldSelector set tag=2
  configMapKeyRef ConfigMapKeySelector set tag=3
  secretKeyRef SecretKeySelector set tag=4
  fileKeyRef FileKeySelector set tag=5

EphemeralContainer
  name string keep tag=1.1 required
  image string omit tag=1.2
  command []string omit tag=1.3 list=atomic
  args []string omit tag=1.4 list=atomic
  workingDir string omit tag=1.5
  ports []ContainerPort omit tag=1.6 list=map(containerPort,protocol) patch=merge(containerPort)
  envFrom []EnvFromSource omit tag=1.19 list=atomic
  env []EnvVar omit tag=1.7 list=map(name) patch=merge(name)
  resources ResourceRequirements keep tag=1.8
  resizePolicy []ContainerResizePolicy omit tag=1.23 list=atomic
  restartPolicy string set tag=1.24
  restartPolicyRules []ContainerRestartRule omit tag=1.25 list=atomic
  volumeMounts []VolumeMount omit tag=1.9 list=map(mountPath) patch=merge(mountPath)
  volumeDevices []VolumeDevice omit tag=1.21 list=map(devicePath) patch=merge(devicePath)
  livenessProbe Probe set tag=1.10
  readinessProbe Probe set tag=1.11
  startupProbe Probe set tag=1.22
  lifecycle Lifecycle set tag=1.12
  terminationMessagePath string omit tag=1.13
  terminationMessagePolicy TerminationMessagePolicy omit tag=1.20
  imagePullPolicy PullPolicy omit tag=1.14
  securityContext SecurityContext set tag=1.15
  stdin bool omit tag=1.16
  stdinOnce bool omit tag=1.17
  tty bool omit tag=1.18
  targetContainerName string omit tag=2

EphemeralContainerCommon
  name string keep tag=1 required
  image string omit tag=2
  command []string omit tag=3 list=atomic
  args []string omit tag=4 list=atomic
  workingDir string omit tag=5
  ports []ContainerPort omit tag=6 list=map(containerPort,protocol) patch=merge(containerPort)
  envFrom []EnvFromSource omit tag=19 list=atomic
  env []EnvVar omit tag=7 list=map(name) patch=merge(name)
  resources ResourceRequirements keep tag=8
  resizePolicy []ContainerResizePolicy omit tag=23 list=atomic
  restartPolicy string set tag=24
  restartPolicyRules []ContainerRestartRule omit tag=25 list=atomic
  volumeMounts []VolumeMount omit tag=9 list=map(mountPath) patch=merge(mountPath)
  volumeDevices []VolumeDevice omit tag=21 list=map(devicePath) patch=merge(devicePath)
  livenessProbe Probe set tag=10
  readinessProbe Probe set tag=11
  startupProbe Probe set tag=22
  lifecycle Lifecycle set tag=12
  terminationMessagePath string omit tag=13
  terminationMessagePolicy TerminationMessagePolicy omit tag=20
  imagePullPolicy PullPolicy omit tag=14
  securityContext SecurityContext set tag=15
  stdin bool omit tag=16
  stdinOnce bool omit tag=17
  tty bool omit tag=18

EphemeralVolumeSource
  volumeClaimTemplate PersistentVolumeClaimTemplate set tag=1

Event
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1 required
  involvedObject ObjectReference keep tag=2 required
  reason string omit tag=3
  message string omit tag=4
  source EventSource keep tag=5
  firstTimestamp Time keep tag=6
  lastTimestamp Time keep tag=7
  count int32 omit tag=8
  type string omit tag=9
  eventTime MicroTime keep tag=10
  series EventSeries set tag=11
  action string omit tag=12
  related ObjectReference set tag=13
  reportingComponent string keep tag=14
  reportingInstance string keep tag=15

EventList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []Event keep tag=2 required

EventSeries
  count int32 omit tag=1
  lastObservedTime MicroTime keep tag=2

EventSource
  component string omit tag=1
  host string omit tag=2

ExecAction
  command []string omit tag=1 list=atomic

FCVolumeSource
  targetWWNs []string omit tag=1 list=atomic
  lun int32 set tag=2
  fsType string omit tag=3
  readOnly bool omit tag=4
  wwids []string omit tag=5 list=atomic

FileKeySelector map=atomic
  volumeName string keep tag=1 required
  path string keep tag=2 required
  key string keep tag=3 required
  optional bool set tag=4 default=false

FlexPersistentVolumeSource
  driver string keep tag=1 required
  fsType string omit tag=2
  secretRef SecretReference set tag=3
  readOnly bool omit tag=4
  options map[]string omit tag=5

FlexVolumeSource
  driver string keep tag=1 required
  fsType string omit tag=2
  secretRef LocalObjectReference set tag=3
  readOnly bool omit tag=4
  options map[]string omit tag=5

FlockerVolumeSource
  datasetName string omit tag=1
  datasetUUID string omit tag=2

GCEPersistentDiskVolumeSource
  pdName string keep tag=1 required
  fsType string omit tag=2
  partition int32 omit tag=3
  readOnly bool omit tag=4

GRPCAction
  port int32 keep tag=1 required
  service string keep tag=2 null default=""

GitRepoVolumeSource
  repository string keep tag=1 required
  revision string omit tag=2
  directory string omit tag=3

GlusterfsPersistentVolumeSource
  endpoints string keep tag=1 required
  path string keep tag=2 required
  readOnly bool omit tag=3
  endpointsNamespace string set tag=4

GlusterfsVolumeSource
  endpoints string keep tag=1 required
  path string keep tag=2 required
  readOnly bool omit tag=3

HTTPGetAction
  path string omit tag=1
  port IntOrString keep tag=2 required
  host string omit tag=3
  scheme URIScheme omit tag=4
  httpHeaders []HTTPHeader omit tag=5 list=atomic

HTTPHeader
  name string keep tag=1 required
  value string keep tag=2 required

HostAlias
  ip string keep tag=1 required
  hostnames []string omit tag=2 list=atomic

HostIP
  ip string keep tag=1 required

HostPathType enum=["","BlockDevice","CharDevice","Directory","DirectoryOrCreate","File","FileOrCreate","Socket"]

HostPathVolumeSource
  path string keep tag=1 required
  type HostPathType set tag=2

IPFamily enum=["","IPv4","IPv6"]

IPFamilyPolicy enum=["PreferDualStack","RequireDualStack","SingleStack"]

ISCSIPersistentVolumeSource
  targetPortal string keep tag=1 required
  iqn string keep tag=2 required
  lun int32 keep tag=3 required
  iscsiInterface string omit tag=4 default="default"
  fsType string omit tag=5
  readOnly bool omit tag=6
  portals []string omit tag=7 list=atomic
  chapAuthDiscovery bool omit tag=8
  chapAuthSession bool omit tag=11
  secretRef SecretReference set tag=10
  initiatorName string set tag=12

ISCSIVolumeSource
  targetPortal string keep tag=1 required
  iqn string keep tag=2 required
  lun int32 keep tag=3 required
  iscsiInterface string omit tag=4 default="default"
  fsType string omit tag=5
  readOnly bool omit tag=6
  portals []string omit tag=7 list=atomic
  chapAuthDiscovery bool omit tag=8
  chapAuthSession bool omit tag=11
  secretRef LocalObjectReference set tag=10
  initiatorName string set tag=12

ImageVolumeSource
  reference string omit tag=1
  pullPolicy PullPolicy omit tag=2

ImageVolumeStatus
  imageRef string omit tag=1 required

KeyToPath
  key string keep tag=1 required
  path string keep tag=2 required
  mode int32 set tag=3

Lifecycle
  postStart LifecycleHandler set tag=1
  preStop LifecycleHandler set tag=2
  stopSignal Signal set tag=3

LifecycleHandler
  exec ExecAction set tag=1
  httpGet HTTPGetAction set tag=2
  tcpSocket TCPSocketAction set tag=3
  sleep SleepAction set tag=4

LimitRange
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec LimitRangeSpec keep tag=2

LimitRangeItem
  type string keep tag=1 required
  max map[]Quantity omit tag=2
  min map[]Quantity omit tag=3
  default map[]Quantity omit tag=4
  defaultRequest map[]Quantity omit tag=5
  maxLimitRequestRatio map[]Quantity omit tag=6

LimitRangeList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []LimitRange keep tag=2 required

LimitRangeSpec
  limits []LimitRangeItem keep tag=1 required list=atomic

LinuxContainerUser
  uid int64 keep tag=1 required
  gid int64 keep tag=2 required
  supplementalGroups []int64 omit tag=3 list=atomic

LoadBalancerIngress
  ip string omit tag=1
  hostname string omit tag=2
  ipMode string set tag=3
  ports []PortStatus omit tag=4 list=atomic

LoadBalancerStatus
  ingress []LoadBalancerIngress omit tag=1 list=atomic

LocalObjectReference map=atomic
  name string omit tag=1 default=""

LocalVolumeSource
  path string keep tag=1 required
  fsType string set tag=2

ModifyVolumeStatus
  targetVolumeAttributesClassName string omit tag=1
  status PersistentVolumeClaimModifyVolumeStatus keep tag=2 required

MountPropagationMode enum=["Bidirectional","HostToContainer","None"]

NFSVolumeSource
  server string keep tag=1 required
  path string keep tag=2 required
  readOnly bool omit tag=3

Namespace
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec NamespaceSpec keep tag=2
  status NamespaceStatus keep tag=3

NamespaceCondition
  type string keep tag=1 required
  status string keep tag=2 required
  lastTransitionTime Time keep tag=4
  reason string omit tag=5
  message string omit tag=6

NamespaceList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []Namespace keep tag=2 required

NamespacePhase enum=["Active","Terminating"]

NamespaceSpec
  finalizers []string omit tag=1 list=atomic

NamespaceStatus
  phase NamespacePhase omit tag=1
  conditions []NamespaceCondition omit tag=2 list=map(type) patch=merge(type)

Node
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec NodeSpec keep tag=2
  status NodeStatus keep tag=3

NodeAddress
  type string keep tag=1 required
  address string keep tag=2 required

NodeAffinity
  requiredDuringSchedulingIgnoredDuringExecution NodeSelector set tag=1
  preferredDuringSchedulingIgnoredDuringExecution []PreferredSchedulingTerm omit tag=2 list=atomic

NodeAllocatableResourceClaimStatus
  resourceClaimName string keep tag=1 required
  containers []string omit tag=2 list=set
  resources map[]Quantity keep tag=3 required

NodeCondition
  type string keep tag=1 required
  status string keep tag=2 required
  lastHeartbeatTime Time keep tag=3
  lastTransitionTime Time keep tag=4
  reason string omit tag=5
  message string omit tag=6

NodeConfigSource
  configMap ConfigMapNodeConfigSource set tag=2

NodeConfigStatus
  assigned NodeConfigSource set tag=1
  active NodeConfigSource set tag=2
  lastKnownGood NodeConfigSource set tag=3
  error string omit tag=4

NodeDaemonEndpoints
  kubeletEndpoint DaemonEndpoint keep tag=1

NodeFeatures
  supplementalGroupsPolicy bool set tag=1

NodeInclusionPolicy enum=["Honor","Ignore"]

NodeList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []Node keep tag=2 required

NodePhase enum=["Pending","Running","Terminated"]

NodeProxyOptions
  kind string omit
  apiVersion string omit
  path string omit tag=1

NodeRuntimeHandler
  name string keep tag=1
  features NodeRuntimeHandlerFeatures set tag=2

NodeRuntimeHandlerFeatures
  recursiveReadOnlyMounts bool set tag=1
  userNamespaces bool set tag=2

NodeSelector map=atomic
  nodeSelectorTerms []NodeSelectorTerm keep tag=1 required list=atomic

NodeSelectorOperator enum=["DoesNotExist","Exists","Gt","In","Lt","NotIn"]

NodeSelectorRequirement
  key string keep tag=1 required
  operator NodeSelectorOperator keep tag=2 required
  values []string omit tag=3 list=atomic

NodeSelectorTerm map=atomic
  matchExpressions []NodeSelectorRequirement omit tag=1 list=atomic
  matchFields []NodeSelectorRequirement omit tag=2 list=atomic

NodeSpec
  podCIDR string omit tag=1
  podCIDRs []string omit tag=7 list=set patch=merge
  providerID string omit tag=3
  unschedulable bool omit tag=4
  taints []Taint omit tag=5 list=atomic
  configSource NodeConfigSource set tag=6
  externalID string omit tag=2

NodeStatus
  capacity map[]Quantity omit tag=1
  allocatable map[]Quantity omit tag=2
  phase NodePhase omit tag=3
  conditions []NodeCondition omit tag=4 list=map(type) patch=merge(type)
  addresses []NodeAddress omit tag=5 list=map(type) patch=merge(type)
  daemonEndpoints NodeDaemonEndpoints keep tag=6
  nodeInfo NodeSystemInfo keep tag=7
  images []ContainerImage omit tag=8 list=atomic
  volumesInUse []string omit tag=9 list=atomic
  volumesAttached []AttachedVolume omit tag=10 list=atomic
  config NodeConfigStatus set tag=11
  runtimeHandlers []NodeRuntimeHandler omit tag=12 list=atomic
  features NodeFeatures set tag=13
  declaredFeatures []string omit tag=14 list=atomic

NodeSwapStatus
  capacity int64 set tag=1

NodeSystemInfo
  machineID string keep tag=1 required
  systemUUID string keep tag=2 required
  bootID string keep tag=3 required
  kernelVersion string keep tag=4 required
  osImage string keep tag=5 required
  containerRuntimeVersion string keep tag=6 required
  kubeletVersion string keep tag=7 required
  kubeProxyVersion string keep tag=8 required
  operatingSystem string keep tag=9 required
  architecture string keep tag=10 required
  swap NodeSwapStatus set tag=11

ObjectFieldSelector map=atomic
  apiVersion string omit tag=1
  fieldPath string keep tag=2 required

ObjectReference map=atomic
  kind string omit tag=1
  namespace string omit tag=2
  name string omit tag=3
  uid string omit tag=4
  apiVersion string omit tag=5
  resourceVersion string omit tag=6
  fieldPath string omit tag=7

PersistentVolume
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec PersistentVolumeSpec keep tag=2
  status PersistentVolumeStatus keep tag=3

PersistentVolumeAccessMode enum=["ReadOnlyMany","ReadWriteMany","ReadWriteOnce","ReadWriteOncePod"]

PersistentVolumeClaim
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec PersistentVolumeClaimSpec keep tag=2
  status PersistentVolumeClaimStatus keep tag=3

PersistentVolumeClaimCondition
  type string keep tag=1 required
  status string keep tag=2 required
  lastProbeTime Time keep tag=3
  lastTransitionTime Time keep tag=4
  reason string omit tag=5
  message string omit tag=6

PersistentVolumeClaimList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []PersistentVolumeClaim keep tag=2 required

PersistentVolumeClaimModifyVolumeStatus enum=["InProgress","Infeasible","Pending"]

PersistentVolumeClaimPhase enum=["Bound","Lost","Pending"]

PersistentVolumeClaimSpec
  accessModes []PersistentVolumeAccessMode omit tag=1 list=atomic
  selector meta/v1.LabelSelector set tag=4
  resources VolumeResourceRequirements keep tag=2
  volumeName string omit tag=3
  storageClassName string set tag=5
  volumeMode PersistentVolumeMode set tag=6
  dataSource TypedLocalObjectReference set tag=7
  dataSourceRef TypedObjectReference set tag=8
  volumeAttributesClassName string set tag=9

PersistentVolumeClaimStatus
  phase PersistentVolumeClaimPhase omit tag=1
  accessModes []PersistentVolumeAccessMode omit tag=2 list=atomic
  capacity map[]Quantity omit tag=3
  conditions []PersistentVolumeClaimCondition omit tag=4 list=map(type) patch=merge(type)
  allocatedResources map[]Quantity omit tag=5
  allocatedResourceStatuses map[]ClaimResourceStatus omit tag=7 map=granular
  currentVolumeAttributesClassName string set tag=8
  modifyVolumeStatus ModifyVolumeStatus set tag=9

PersistentVolumeClaimTemplate
  metadata meta/v1.ObjectMeta keep tag=1
  spec PersistentVolumeClaimSpec keep tag=2 required

PersistentVolumeClaimVolumeSource
  claimName string keep tag=1 required
  readOnly bool omit tag=2

PersistentVolumeList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []PersistentVolume keep tag=2 required

PersistentVolumeMode enum=["Block","Filesystem"]

PersistentVolumePhase enum=["Available","Bound","Failed","Pending","Released"]

PersistentVolumeReclaimPolicy enum=["Delete","Recycle","Retain"]

PersistentVolumeSource
  gcePersistentDisk GCEPersistentDiskVolumeSource set tag=1
  awsElasticBlockStore AWSElasticBlockStoreVolumeSource set tag=2
  hostPath HostPathVolumeSource set tag=3
  glusterfs GlusterfsPersistentVolumeSource set tag=4
  nfs NFSVolumeSource set tag=5
  rbd RBDPersistentVolumeSource set tag=6
  iscsi ISCSIPersistentVolumeSource set tag=7
  cinder CinderPersistentVolumeSource set tag=8
  cephfs CephFSPersistentVolumeSource set tag=9
  fc FCVolumeSource set tag=10
  flocker FlockerVolumeSource set tag=11
  flexVolume FlexPersistentVolumeSource set tag=12
  azureFile AzureFilePersistentVolumeSource set tag=13
  vsphereVolume VsphereVirtualDiskVolumeSource set tag=14
  quobyte QuobyteVolumeSource set tag=15
  azureDisk AzureDiskVolumeSource set tag=16
  photonPersistentDisk PhotonPersistentDiskVolumeSource set tag=17
  portworxVolume PortworxVolumeSource set tag=18
  scaleIO ScaleIOPersistentVolumeSource set tag=19
  local LocalVolumeSource set tag=20
  storageos StorageOSPersistentVolumeSource set tag=21
  csi CSIPersistentVolumeSource set tag=22

PersistentVolumeSpec
  capacity map[]Quantity omit tag=1
  gcePersistentDisk GCEPersistentDiskVolumeSource set tag=2.1
  awsElasticBlockStore AWSElasticBlockStoreVolumeSource set tag=2.2
  hostPath HostPathVolumeSource set tag=2.3
  glusterfs GlusterfsPersistentVolumeSource set tag=2.4
  nfs NFSVolumeSource set tag=2.5
  rbd RBDPersistentVolumeSource set tag=2.6
  iscsi ISCSIPersistentVolumeSource set tag=2.7
  cinder CinderPersistentVolumeSource set tag=2.8
  cephfs CephFSPersistentVolumeSource set tag=2.9
  fc FCVolumeSource set tag=2.10
  flocker FlockerVolumeSource set tag=2.11
  flexVolume FlexPersistentVolumeSource set tag=2.12
  azureFile AzureFilePersistentVolumeSource set tag=2.13
  vsphereVolume VsphereVirtualDiskVolumeSource set tag=2.14
  quobyte QuobyteVolumeSource set tag=2.15
  azureDisk AzureDiskVolumeSource set tag=2.16
  photonPersistentDisk PhotonPersistentDiskVolumeSource set tag=2.17
  portworxVolume PortworxVolumeSource set tag=2.18
  scaleIO ScaleIOPersistentVolumeSource set tag=2.19
  local LocalVolumeSource set tag=2.20
  storageos StorageOSPersistentVolumeSource set tag=2.21
  csi CSIPersistentVolumeSource set tag=2.22
  accessModes []PersistentVolumeAccessMode omit tag=3 list=atomic
  claimRef ObjectReference set tag=4 map=granular
  persistentVolumeReclaimPolicy PersistentVolumeReclaimPolicy omit tag=5
  storageClassName string omit tag=6
  mountOptions []string omit tag=7 list=atomic
  volumeMode PersistentVolumeMode set tag=8
  nodeAffinity VolumeNodeAffinity set tag=9
  volumeAttributesClassName string set tag=10

PersistentVolumeStatus
  phase PersistentVolumePhase omit tag=1
  message string omit tag=2
  reason string omit tag=3
  lastPhaseTransitionTime Time set tag=4

PhotonPersistentDiskVolumeSource
  pdID string keep tag=1 required
  fsType string omit tag=2

Pod
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec PodSpec keep tag=2
  status PodStatus keep tag=3

PodAffinity
  requiredDuringSchedulingIgnoredDuringExecution []PodAffinityTerm omit tag=1 list=atomic
  preferredDuringSchedulingIgnoredDuringExecution []WeightedPodAffinityTerm omit tag=2 list=atomic

PodAffinityTerm
  labelSelector meta/v1.LabelSelector set tag=1
  namespaces []string omit tag=2 list=atomic
  topologyKey string keep tag=3 required
  namespaceSelector meta/v1.LabelSelector set tag=4
  matchLabelKeys []string omit tag=5 list=atomic
  mismatchLabelKeys []string omit tag=6 list=atomic

PodAntiAffinity
  requiredDuringSchedulingIgnoredDuringExecution []PodAffinityTerm omit tag=1 list=atomic
  preferredDuringSchedulingIgnoredDuringExecution []WeightedPodAffinityTerm omit tag=2 list=atomic

PodAttachOptions
  kind string omit
  apiVersion string omit
  stdin bool omit tag=1
  stdout bool omit tag=2
  stderr bool omit tag=3
  tty bool omit tag=4
  container string omit tag=5

PodCertificateProjection
  signerName string omit tag=1 required
  keyType string omit tag=2 required
  maxExpirationSeconds int32 set tag=3
  credentialBundlePath string omit tag=4
  keyPath string omit tag=5
  certificateChainPath string omit tag=6
  userAnnotations map[]string omit tag=7

PodCondition
  type string keep tag=1 required
  observedGeneration int64 omit tag=7
  status string keep tag=2 required
  lastProbeTime Time keep tag=3
  lastTransitionTime Time keep tag=4
  reason string omit tag=5
  message string omit tag=6

PodDNSConfig
  nameservers []string omit tag=1 list=atomic
  searches []string omit tag=2 list=atomic
  options []PodDNSConfigOption omit tag=3 list=atomic

PodDNSConfigOption
  name string omit tag=1
  value string set tag=2

PodExecOptions
  kind string omit
  apiVersion string omit
  stdin bool omit tag=1
  stdout bool omit tag=2
  stderr bool omit tag=3
  tty bool omit tag=4
  container string omit tag=5
  command []string keep tag=6 required list=atomic

PodExtendedResourceClaimStatus
  requestMappings []ContainerExtendedResourceRequest keep tag=1 required list=atomic
  resourceClaimName string keep tag=2 required

PodFSGroupChangePolicy enum=["Always","OnRootMismatch"]

PodIP
  ip string keep tag=1 required

PodList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []Pod keep tag=2 required

PodLogOptions
  kind string omit
  apiVersion string omit
  container string omit tag=1
  follow bool omit tag=2
  previous bool omit tag=3
  sinceSeconds int64 set tag=4
  sinceTime Time set tag=5
  timestamps bool omit tag=6
  tailLines int64 set tag=7
  limitBytes int64 set tag=8
  insecureSkipTLSVerifyBackend bool omit tag=9
  stream string set tag=10

PodOS
  name string keep tag=1 required

PodPhase enum=["Failed","Pending","Running","Succeeded","Unknown"]

PodPortForwardOptions
  kind string omit
  apiVersion string omit
  ports []int32 omit tag=1 list=atomic

PodProxyOptions
  kind string omit
  apiVersion string omit
  path string omit tag=1

PodQOSClass enum=["BestEffort","Burstable","Guaranteed"]

PodReadinessGate
  conditionType string keep tag=1 required

PodResourceClaim
  name string keep tag=1 required
  resourceClaimName string set tag=3
  resourceClaimTemplateName string set tag=4

PodResourceClaimStatus
  name string keep tag=1 required
  resourceClaimName string set tag=2

PodSchedulingGate
  name string keep tag=1 required

PodSchedulingGroup
  podGroupName string set tag=1

PodSecurityContext
  seLinuxOptions SELinuxOptions set tag=1
  windowsOptions WindowsSecurityContextOptions set tag=8
  runAsUser int64 set tag=2
  runAsGroup int64 set tag=6
  runAsNonRoot bool set tag=3
  supplementalGroups []int64 omit tag=4 list=atomic
  supplementalGroupsPolicy SupplementalGroupsPolicy set tag=12
  fsGroup int64 set tag=5
  sysctls []Sysctl omit tag=7 list=atomic
  fsGroupChangePolicy PodFSGroupChangePolicy set tag=9
  seccompProfile SeccompProfile set tag=10
  appArmorProfile AppArmorProfile set tag=11
  seLinuxChangePolicy string set tag=13

PodSignature
  podController meta/v1.OwnerReference set tag=1

PodSpec
  volumes []Volume omit tag=1 list=map(name) patch=merge,retainKeys(name)
  initContainers []Container omit tag=20 list=map(name) patch=merge(name)
  containers []Container keep tag=2 required list=map(name) patch=merge(name)
  ephemeralContainers []EphemeralContainer omit tag=34 list=map(name) patch=merge(name)
  restartPolicy RestartPolicy omit tag=3
  terminationGracePeriodSeconds int64 set tag=4
  activeDeadlineSeconds int64 set tag=5
  dnsPolicy DNSPolicy omit tag=6
  nodeSelector map[]string omit tag=7 map=atomic
  serviceAccountName string omit tag=8
  serviceAccount string omit tag=9
  automountServiceAccountToken bool set tag=21
  nodeName string omit tag=10
  hostNetwork bool omit tag=11
  hostPID bool omit tag=12
  hostIPC bool omit tag=13
  shareProcessNamespace bool set tag=27
  securityContext PodSecurityContext set tag=14
  imagePullSecrets []LocalObjectReference omit tag=15 list=map(name) patch=merge(name)
  hostname string omit tag=16
  subdomain string omit tag=17
  affinity Affinity set tag=18
  schedulerName string omit tag=19
  tolerations []Toleration omit tag=22 list=atomic
  hostAliases []HostAlias omit tag=23 list=map(ip) patch=merge(ip)
  priorityClassName string omit tag=24
  priority int32 set tag=25
  dnsConfig PodDNSConfig set tag=26
  readinessGates []PodReadinessGate omit tag=28 list=atomic
  runtimeClassName string set tag=29
  enableServiceLinks bool set tag=30
  preemptionPolicy PreemptionPolicy set tag=31
  overhead map[]Quantity omit tag=32
  topologySpreadConstraints []TopologySpreadConstraint omit tag=33 list=map(topologyKey,whenUnsatisfiable) patch=merge(topologyKey)
  setHostnameAsFQDN bool set tag=35
  os PodOS set tag=36
  hostUsers bool set tag=37
  schedulingGates []PodSchedulingGate omit tag=38 list=map(name) patch=merge(name)
  resourceClaims []PodResourceClaim omit tag=39 list=map(name) patch=merge,retainKeys(name)
  resources ResourceRequirements set tag=40
  hostnameOverride string set tag=41
  schedulingGroup PodSchedulingGroup set tag=43

PodStatus
  observedGeneration int64 omit tag=17
  phase PodPhase omit tag=1
  conditions []PodCondition omit tag=2 list=map(type) patch=merge(type)
  message string omit tag=3
  reason string omit tag=4
  nominatedNodeName string omit tag=11
  hostIP string omit tag=5
  hostIPs []HostIP omit tag=16 list=atomic patch=merge(ip)
  podIP string omit tag=6
  podIPs []PodIP omit tag=12 list=map(ip) patch=merge(ip)
  startTime Time set tag=7
  initContainerStatuses []ContainerStatus omit tag=10 list=atomic
  containerStatuses []ContainerStatus omit tag=8 list=atomic
  qosClass PodQOSClass omit tag=9
  ephemeralContainerStatuses []ContainerStatus omit tag=13 list=atomic
  resize string omit tag=14
  resourceClaimStatuses []PodResourceClaimStatus omit tag=15 list=map(name) patch=merge,retainKeys(name)
  extendedResourceClaimStatus PodExtendedResourceClaimStatus set tag=18
  allocatedResources map[]Quantity omit tag=19
  resources ResourceRequirements set tag=20
  nodeAllocatableResourceClaimStatuses []NodeAllocatableResourceClaimStatus omit tag=21 list=atomic

PodStatusResult
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  status PodStatus keep tag=2

PodTemplate
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  template PodTemplateSpec keep tag=2

PodTemplateList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []PodTemplate keep tag=2 required

PodTemplateSpec
  metadata meta/v1.ObjectMeta keep tag=1
  spec PodSpec keep tag=2

PortStatus
  port int32 keep tag=1 required
  protocol Protocol keep tag=2 required
  error string set tag=3

PortworxVolumeSource
  volumeID string keep tag=1 required
  fsType string omit tag=2
  readOnly bool omit tag=3

Preconditions
  uid string set tag=1

PreemptionPolicy enum=["Never","PreemptLowerPriority"]

PreferAvoidPodsEntry
  podSignature PodSignature keep tag=1 required
  evictionTime Time keep tag=2
  reason string omit tag=3
  message string omit tag=4

PreferredSchedulingTerm
  weight int32 keep tag=1 required
  preference NodeSelectorTerm keep tag=2 required

Probe
  exec ExecAction set tag=1.1
  httpGet HTTPGetAction set tag=1.2
  tcpSocket TCPSocketAction set tag=1.3
  grpc GRPCAction set tag=1.4
  initialDelaySeconds int32 omit tag=2
  timeoutSeconds int32 omit tag=3
  periodSeconds int32 omit tag=4
  successThreshold int32 omit tag=5
  failureThreshold int32 omit tag=6
  terminationGracePeriodSeconds int64 set tag=7

ProbeHandler
  exec ExecAction set tag=1
  httpGet HTTPGetAction set tag=2
  tcpSocket TCPSocketAction set tag=3
  grpc GRPCAction set tag=4

ProcMountType enum=["Default","Unmasked"]

ProjectedVolumeSource
  sources []VolumeProjection keep tag=1 list=atomic
  defaultMode int32 set tag=2

Protocol enum=["SCTP","TCP","UDP"]

PullPolicy enum=["Always","IfNotPresent","Never"]

QuobyteVolumeSource
  registry string keep tag=1 required
  volume string keep tag=2 required
  readOnly bool omit tag=3
  user string omit tag=4
  group string omit tag=5
  tenant string omit tag=6

RBDPersistentVolumeSource
  monitors []string keep tag=1 required list=atomic
  image string keep tag=2 required
  fsType string omit tag=3
  pool string omit tag=4 default="rbd"
  user string omit tag=5 default="admin"
  keyring string omit tag=6 default="/etc/ceph/keyring"
  secretRef SecretReference set tag=7
  readOnly bool omit tag=8

RBDVolumeSource
  monitors []string keep tag=1 required list=atomic
  image string keep tag=2 required
  fsType string omit tag=3
  pool string omit tag=4 default="rbd"
  user string omit tag=5 default="admin"
  keyring string omit tag=6 default="/etc/ceph/keyring"
  secretRef LocalObjectReference set tag=7
  readOnly bool omit tag=8

RangeAllocation
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  range string keep tag=2 required
  data bytes keep tag=3 required

ReplicationController
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec ReplicationControllerSpec keep tag=2
  status ReplicationControllerStatus keep tag=3

ReplicationControllerCondition
  type string keep tag=1 required
  status string keep tag=2 required
  lastTransitionTime Time keep tag=3
  reason string omit tag=4
  message string omit tag=5

ReplicationControllerList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []ReplicationController keep tag=2 required

ReplicationControllerSpec
  replicas int32 set tag=1 default=1
  minReadySeconds int32 omit tag=4 default=0
  selector map[]string omit tag=2 map=atomic
  template PodTemplateSpec set tag=3

ReplicationControllerStatus
  replicas int32 keep tag=1 required
  fullyLabeledReplicas int32 omit tag=2
  readyReplicas int32 omit tag=4
  availableReplicas int32 omit tag=5
  observedGeneration int64 omit tag=3
  conditions []ReplicationControllerCondition omit tag=6 list=map(type) patch=merge(type)

ResourceClaim
  name string keep tag=1 required
  request string omit tag=2

ResourceFieldSelector map=atomic
  containerName string omit tag=1
  resource string keep tag=2 required
  divisor Quantity keep tag=3

ResourceHealth
  resourceID string keep tag=1 required
  health string omit tag=2
  message string set tag=6

ResourceQuota
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec ResourceQuotaSpec keep tag=2
  status ResourceQuotaStatus keep tag=3

ResourceQuotaList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []ResourceQuota keep tag=2 required

ResourceQuotaScope enum=["BestEffort","CrossNamespacePodAffinity","NotBestEffort","NotTerminating","PriorityClass","Terminating","VolumeAttributesClass"]

ResourceQuotaSpec
  hard map[]Quantity omit tag=1
  scopes []ResourceQuotaScope omit tag=2 list=atomic
  scopeSelector ScopeSelector set tag=3

ResourceQuotaStatus
  hard map[]Quantity omit tag=1
  used map[]Quantity omit tag=2

ResourceRequirements
  limits map[]Quantity omit tag=1
  requests map[]Quantity omit tag=2
  claims []ResourceClaim omit tag=3 list=map(name)

ResourceStatus
  name string keep tag=1 required
  resources []ResourceHealth omit tag=2 list=map(resourceID)

RestartPolicy enum=["Always","Never","OnFailure"]

SELinuxOptions
  user string omit tag=1
  role string omit tag=2
  type string omit tag=3
  level string omit tag=4

ScaleIOPersistentVolumeSource
  gateway string keep tag=1 required
  system string keep tag=2 required
  secretRef SecretReference keep tag=3 required null
  sslEnabled bool omit tag=4
  protectionDomain string omit tag=5
  storagePool string omit tag=6
  storageMode string omit tag=7 default="ThinProvisioned"
  volumeName string omit tag=8
  fsType string omit tag=9 default="xfs"
  readOnly bool omit tag=10

ScaleIOVolumeSource
  gateway string keep tag=1 required
  system string keep tag=2 required
  secretRef LocalObjectReference keep tag=3 required null
  sslEnabled bool omit tag=4
  protectionDomain string omit tag=5
  storagePool string omit tag=6
  storageMode string omit tag=7 default="ThinProvisioned"
  volumeName string omit tag=8
  fsType string omit tag=9 default="xfs"
  readOnly bool omit tag=10

ScopeSelector map=atomic
  matchExpressions []ScopedResourceSelectorRequirement omit tag=1 list=atomic

ScopeSelectorOperator enum=["DoesNotExist","Exists","In","NotIn"]

ScopedResourceSelectorRequirement
  scopeName ResourceQuotaScope keep tag=1 required
  operator ScopeSelectorOperator keep tag=2 required
  values []string omit tag=3 list=atomic

SeccompProfile
  type SeccompProfileType keep tag=1 required
  localhostProfile string set tag=2

SeccompProfileType enum=["Localhost","RuntimeDefault","Unconfined"]

Secret
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  immutable bool set tag=5
  data map[]bytes omit tag=2
  stringData map[]string omit tag=4
  type string omit tag=3

SecretEnvSource
  name string omit tag=1.1 default=""
  optional bool set tag=2

SecretKeySelector map=atomic
  name string omit tag=1.1 default=""
  key string keep tag=2 required
  optional bool set tag=3

SecretList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []Secret keep tag=2 required

SecretProjection
  name string omit tag=1.1 default=""
  items []KeyToPath omit tag=2 list=atomic
  optional bool set tag=4

SecretReference map=atomic
  name string omit tag=1
  namespace string omit tag=2

SecretVolumeSource
  secretName string omit tag=1
  items []KeyToPath omit tag=2 list=atomic
  defaultMode int32 set tag=3
  optional bool set tag=4

SecurityContext
  capabilities Capabilities set tag=1
  privileged bool set tag=2
  seLinuxOptions SELinuxOptions set tag=3
  windowsOptions WindowsSecurityContextOptions set tag=10
  runAsUser int64 set tag=4
  runAsGroup int64 set tag=8
  runAsNonRoot bool set tag=5
  readOnlyRootFilesystem bool set tag=6
  allowPrivilegeEscalation bool set tag=7
  procMount ProcMountType set tag=9
  seccompProfile SeccompProfile set tag=11
  appArmorProfile AppArmorProfile set tag=12

SerializedReference
  kind string omit
  apiVersion string omit
  reference ObjectReference keep tag=1

Service
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec ServiceSpec keep tag=2
  status ServiceStatus keep tag=3

ServiceAccount
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  secrets []ObjectReference omit tag=2 list=map(name) patch=merge(name)
  imagePullSecrets []LocalObjectReference omit tag=3 list=atomic
  automountServiceAccountToken bool set tag=4

ServiceAccountList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []ServiceAccount keep tag=2 required

ServiceAccountTokenProjection
  audience string omit tag=1
  expirationSeconds int64 set tag=2
  path string keep tag=3 required

ServiceAffinity enum=["ClientIP","None"]

ServiceExternalTrafficPolicy enum=["Cluster","Local"]

ServiceInternalTrafficPolicy enum=["Cluster","Local"]

ServiceList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []Service keep tag=2 required

ServicePort
  name string omit tag=1
  protocol Protocol omit tag=2 default="TCP"
  appProtocol string set tag=6
  port int32 keep tag=3 required
  targetPort IntOrString keep tag=4
  nodePort int32 omit tag=5

ServiceProxyOptions
  kind string omit
  apiVersion string omit
  path string omit tag=1

ServiceSpec
  ports []ServicePort omit tag=1 list=map(port,protocol) patch=merge(port)
  selector map[]string omit tag=2 map=atomic
  clusterIP string omit tag=3
  clusterIPs []string omit tag=18 list=atomic
  type ServiceType omit tag=4
  externalIPs []string omit tag=5 list=atomic
  sessionAffinity ServiceAffinity omit tag=7
  loadBalancerIP string omit tag=8
  loadBalancerSourceRanges []string omit tag=9 list=atomic
  externalName string omit tag=10
  externalTrafficPolicy ServiceExternalTrafficPolicy omit tag=11
  healthCheckNodePort int32 omit tag=12
  publishNotReadyAddresses bool omit tag=13
  sessionAffinityConfig SessionAffinityConfig set tag=14
  ipFamilies []IPFamily omit tag=19 list=atomic
  ipFamilyPolicy IPFamilyPolicy set tag=17
  allocateLoadBalancerNodePorts bool set tag=20
  loadBalancerClass string set tag=21
  internalTrafficPolicy ServiceInternalTrafficPolicy set tag=22
  trafficDistribution string set tag=23

ServiceStatus
  loadBalancer LoadBalancerStatus keep tag=1
  conditions []meta/v1.Condition omit tag=2 list=map(type) patch=merge(type)

ServiceType enum=["ClusterIP","ExternalName","LoadBalancer","NodePort"]

SessionAffinityConfig
  clientIP ClientIPConfig set tag=1

Signal enum=["SIGABRT","SIGALRM","SIGBUS","SIGCHLD","SIGCLD","SIGCONT","SIGFPE","SIGHUP","SIGILL","SIGINT","SIGIO","SIGIOT","SIGKILL","SIGPIPE","SIGPOLL","SIGPROF","SIGPWR","SIGQUIT","SIGRTMAX","SIGRTMAX-1","SIGRTMAX-10","SIGRTMAX-11","SIGRTMAX-12","SIGRTMAX-13","SIGRTMAX-14","SIGRTMAX-2","SIGRTMAX-3","SIGRTMAX-4","SIGRTMAX-5","SIGRTMAX-6","SIGRTMAX-7","SIGRTMAX-8","SIGRTMAX-9","SIGRTMIN","SIGRTMIN+1","SIGRTMIN+10","SIGRTMIN+11","SIGRTMIN+12","SIGRTMIN+13","SIGRTMIN+14","SIGRTMIN+15","SIGRTMIN+2","SIGRTMIN+3","SIGRTMIN+4","SIGRTMIN+5","SIGRTMIN+6","SIGRTMIN+7","SIGRTMIN+8","SIGRTMIN+9","SIGSEGV","SIGSTKFLT","SIGSTOP","SIGSYS","SIGTERM","SIGTRAP","SIGTSTP","SIGTTIN","SIGTTOU","SIGURG","SIGUSR1","SIGUSR2","SIGVTALRM","SIGWINCH","SIGXCPU","SIGXFSZ"]

SleepAction
  seconds int64 keep tag=1 required

StorageOSPersistentVolumeSource
  volumeName string omit tag=1
  volumeNamespace string omit tag=2
  fsType string omit tag=3
  readOnly bool omit tag=4
  secretRef ObjectReference set tag=5

StorageOSVolumeSource
  volumeName string omit tag=1
  volumeNamespace string omit tag=2
  fsType string omit tag=3
  readOnly bool omit tag=4
  secretRef LocalObjectReference set tag=5

SupplementalGroupsPolicy enum=["Merge","Strict"]

Sysctl
  name string keep tag=1 required
  value string keep tag=2 required

TCPSocketAction
  port IntOrString keep tag=1 required
  host string omit tag=2

Taint
  key string keep tag=1 required
  value string omit tag=2
  effect TaintEffect keep tag=3 required
  timeAdded Time set tag=4

TaintEffect enum=["NoExecute","NoSchedule","PreferNoSchedule"]

TerminationMessagePolicy enum=["FallbackToLogsOnError","File"]

Toleration
  key string omit tag=1
  operator TolerationOperator omit tag=2
  value string omit tag=3
  effect TaintEffect omit tag=4
  tolerationSeconds int64 set tag=5

TolerationOperator enum=["Equal","Exists","Gt","Lt"]

TopologySelectorLabelRequirement
  key string keep tag=1 required
  values []string keep tag=2 required list=atomic

TopologySelectorTerm map=atomic
  matchLabelExpressions []TopologySelectorLabelRequirement omit tag=1 list=atomic

TopologySpreadConstraint
  maxSkew int32 keep tag=1 required
  topologyKey string keep tag=2 required
  whenUnsatisfiable UnsatisfiableConstraintAction keep tag=3 required
  labelSelector meta/v1.LabelSelector set tag=4
  minDomains int32 set tag=5
  nodeAffinityPolicy NodeInclusionPolicy set tag=6
  nodeTaintsPolicy NodeInclusionPolicy set tag=7
  matchLabelKeys []string omit tag=8 list=atomic

TypedLocalObjectReference map=atomic
  apiGroup string keep tag=1 null
  kind string keep tag=2 required
  name string keep tag=3 required

TypedObjectReference
  apiGroup string keep tag=1 null
  kind string keep tag=2 required
  name string keep tag=3 required
  namespace string set tag=4

URIScheme enum=["HTTP","HTTPS"]

UnsatisfiableConstraintAction enum=["DoNotSchedule","ScheduleAnyway"]

Volume
  name string keep tag=1 required
  hostPath HostPathVolumeSource set tag=2.1
  emptyDir EmptyDirVolumeSource set tag=2.2
  gcePersistentDisk GCEPersistentDiskVolumeSource set tag=2.3
  awsElasticBlockStore AWSElasticBlockStoreVolumeSource set tag=2.4
  gitRepo GitRepoVolumeSource set tag=2.5
  secret SecretVolumeSource set tag=2.6
  nfs NFSVolumeSource set tag=2.7
  iscsi ISCSIVolumeSource set tag=2.8
  glusterfs GlusterfsVolumeSource set tag=2.9
  persistentVolumeClaim PersistentVolumeClaimVolumeSource set tag=2.10
  rbd RBDVolumeSource set tag=2.11
  flexVolume FlexVolumeSource set tag=2.12
  cinder CinderVolumeSource set tag=2.13
  cephfs CephFSVolumeSource set tag=2.14
  flocker FlockerVolumeSource set tag=2.15
  downwardAPI DownwardAPIVolumeSource set tag=2.16
  fc FCVolumeSource set tag=2.17
  azureFile AzureFileVolumeSource set tag=2.18
  configMap ConfigMapVolumeSource set tag=2.19
  vsphereVolume VsphereVirtualDiskVolumeSource set tag=2.20
  quobyte QuobyteVolumeSource set tag=2.21
  azureDisk AzureDiskVolumeSource set tag=2.22
  photonPersistentDisk PhotonPersistentDiskVolumeSource set tag=2.23
  projected ProjectedVolumeSource set tag=2.26
  portworxVolume PortworxVolumeSource set tag=2.24
  scaleIO ScaleIOVolumeSource set tag=2.25
  storageos StorageOSVolumeSource set tag=2.27
  csi CSIVolumeSource set tag=2.28
  ephemeral EphemeralVolumeSource set tag=2.29
  image ImageVolumeSource set tag=2.30

VolumeDevice
  name string keep tag=1 required
  devicePath string keep tag=2 required

VolumeMount
  name string keep tag=1 required
  readOnly bool omit tag=2
  recursiveReadOnly string set tag=7
  mountPath string keep tag=3 required
  subPath string omit tag=4
  mountPropagation MountPropagationMode set tag=5
  subPathExpr string omit tag=6

VolumeMountStatus
  name string keep tag=1 required
  mountPath string keep tag=2 required
  readOnly bool omit tag=3
  recursiveReadOnly string set tag=4
  volumeStatus VolumeStatus set tag=5

VolumeNodeAffinity
  required NodeSelector set tag=1

VolumeProjection
  secret SecretProjection set tag=1
  downwardAPI DownwardAPIProjection set tag=2
  configMap ConfigMapProjection set tag=3
  serviceAccountToken ServiceAccountTokenProjection set tag=4
  clusterTrustBundle ClusterTrustBundleProjection set tag=5
  podCertificate PodCertificateProjection set tag=6

VolumeResourceRequirements
  limits map[]Quantity omit tag=1
  requests map[]Quantity omit tag=2

VolumeSource
  hostPath HostPathVolumeSource set tag=1
  emptyDir EmptyDirVolumeSource set tag=2
  gcePersistentDisk GCEPersistentDiskVolumeSource set tag=3
  awsElasticBlockStore AWSElasticBlockStoreVolumeSource set tag=4
  gitRepo GitRepoVolumeSource set tag=5
  secret SecretVolumeSource set tag=6
  nfs NFSVolumeSource set tag=7
  iscsi ISCSIVolumeSource set tag=8
  glusterfs GlusterfsVolumeSource set tag=9
  persistentVolumeClaim PersistentVolumeClaimVolumeSource set tag=10
  rbd RBDVolumeSource set tag=11
  flexVolume FlexVolumeSource set tag=12
  cinder CinderVolumeSource set tag=13
  cephfs CephFSVolumeSource set tag=14
  flocker FlockerVolumeSource set tag=15
  downwardAPI DownwardAPIVolumeSource set tag=16
  fc FCVolumeSource set tag=17
  azureFile AzureFileVolumeSource set tag=18
  configMap ConfigMapVolumeSource set tag=19
  vsphereVolume VsphereVirtualDiskVolumeSource set tag=20
  quobyte QuobyteVolumeSource set tag=21
  azureDisk AzureDiskVolumeSource set tag=22
  photonPersistentDisk PhotonPersistentDiskVolumeSource set tag=23
  projected ProjectedVolumeSource set tag=26
  portworxVolume PortworxVolumeSource set tag=24
  scaleIO ScaleIOVolumeSource set tag=25
  storageos StorageOSVolumeSource set tag=27
  csi CSIVolumeSource set tag=28
  ephemeral EphemeralVolumeSource set tag=29
  image ImageVolumeSource set tag=30

VolumeStatus
  image ImageVolumeStatus set tag=1

VsphereVirtualDiskVolumeSource
  volumePath string keep tag=1 required
  fsType string omit tag=2
  storagePolicyName string omit tag=3
  storagePolicyID string omit tag=4

WeightedPodAffinityTerm
  weight int32 keep tag=1 required
  podAffinityTerm PodAffinityTerm keep tag=2 required

WindowsSecurityContextOptions
  gmsaCredentialSpecName string set tag=1
  gmsaCredentialSpec string set tag=2
  runAsUserName string set tag=3
  hostProcess bool set tag=4
`;
