// Made by tools/kinds/generate.ts from k8s.io/api/core/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.core.v1";

/** The types of core/v1, in the notation of api/schemas.ts. */
export const facts = `
AWSElasticBlockStoreVolumeSource
  volumeID string keep required
  fsType string omit
  partition int32 omit
  readOnly bool omit

Affinity
  nodeAffinity NodeAffinity set
  podAffinity PodAffinity set
  podAntiAffinity PodAntiAffinity set

AppArmorProfile
  type AppArmorProfileType keep required
  localhostProfile string set

AppArmorProfileType enum=["Localhost","RuntimeDefault","Unconfined"]

AttachedVolume
  name string keep required
  devicePath string keep required

AvoidPods
  preferAvoidPods []PreferAvoidPodsEntry omit list=atomic

AzureDataDiskCachingMode enum=["None","ReadOnly","ReadWrite"]

AzureDataDiskKind enum=["Dedicated","Managed","Shared"]

AzureDiskVolumeSource
  diskName string keep required
  diskURI string keep required
  cachingMode AzureDataDiskCachingMode set default="ReadWrite"
  fsType string set default="ext4"
  readOnly bool set default=false
  kind AzureDataDiskKind set default="Shared"

AzureFilePersistentVolumeSource
  secretName string keep required
  shareName string keep required
  readOnly bool omit
  secretNamespace string keep null

AzureFileVolumeSource
  secretName string keep required
  shareName string keep required
  readOnly bool omit

Binding
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  target ObjectReference keep required

CSIPersistentVolumeSource
  driver string keep required
  volumeHandle string keep required
  readOnly bool omit
  fsType string omit
  volumeAttributes map[]string omit
  controllerPublishSecretRef SecretReference set
  nodeStageSecretRef SecretReference set
  nodePublishSecretRef SecretReference set
  controllerExpandSecretRef SecretReference set
  nodeExpandSecretRef SecretReference set

CSIVolumeSource
  driver string keep required
  readOnly bool set
  fsType string set
  volumeAttributes map[]string omit
  nodePublishSecretRef LocalObjectReference set

Capabilities
  add []string omit list=atomic
  drop []string omit list=atomic

CephFSPersistentVolumeSource
  monitors []string keep required list=atomic
  path string omit
  user string omit
  secretFile string omit
  secretRef SecretReference set
  readOnly bool omit

CephFSVolumeSource
  monitors []string keep required list=atomic
  path string omit
  user string omit
  secretFile string omit
  secretRef LocalObjectReference set
  readOnly bool omit

CinderPersistentVolumeSource
  volumeID string keep required
  fsType string omit
  readOnly bool omit
  secretRef SecretReference set

CinderVolumeSource
  volumeID string keep required
  fsType string omit
  readOnly bool omit
  secretRef LocalObjectReference set

ClaimResourceStatus enum=["ControllerResizeInProgress","ControllerResizeInfeasible","NodeResizeInProgress","NodeResizeInfeasible","NodeResizePending"]

ClientIPConfig
  timeoutSeconds int32 set

ClusterTrustBundleProjection
  name string set
  signerName string set
  labelSelector meta/v1.LabelSelector set
  optional bool set
  path string keep required

ComponentCondition
  type string keep required
  status string keep required
  message string omit
  error string omit

ComponentStatus
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  conditions []ComponentCondition omit list=map(type) patch=merge(type)

ComponentStatusList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []ComponentStatus keep required

ConfigMap
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  immutable bool set
  data map[]string omit
  binaryData map[]bytes omit

ConfigMapEnvSource
  name string omit default=""
  optional bool set

ConfigMapKeySelector map=atomic
  name string omit default=""
  key string keep required
  optional bool set

ConfigMapList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []ConfigMap keep required

ConfigMapNodeConfigSource
  namespace string keep required
  name string keep required
  uid string omit
  resourceVersion string omit
  kubeletConfigKey string keep required

ConfigMapProjection
  name string omit default=""
  items []KeyToPath omit list=atomic
  optional bool set

ConfigMapVolumeSource
  name string omit default=""
  items []KeyToPath omit list=atomic
  defaultMode int32 set
  optional bool set

Container
  name string keep required
  image string omit
  command []string omit list=atomic
  args []string omit list=atomic
  workingDir string omit
  ports []ContainerPort omit list=map(containerPort,protocol) patch=merge(containerPort)
  envFrom []EnvFromSource omit list=atomic
  env []EnvVar omit list=map(name) patch=merge(name)
  resources ResourceRequirements keep
  resizePolicy []ContainerResizePolicy omit list=atomic
  restartPolicy string set
  restartPolicyRules []ContainerRestartRule omit list=atomic
  volumeMounts []VolumeMount omit list=map(mountPath) patch=merge(mountPath)
  volumeDevices []VolumeDevice omit list=map(devicePath) patch=merge(devicePath)
  livenessProbe Probe set
  readinessProbe Probe set
  startupProbe Probe set
  lifecycle Lifecycle set
  terminationMessagePath string omit
  terminationMessagePolicy TerminationMessagePolicy omit
  imagePullPolicy PullPolicy omit
  securityContext SecurityContext set
  stdin bool omit
  stdinOnce bool omit
  tty bool omit

ContainerExtendedResourceRequest
  containerName string keep required
  resourceName string keep required
  requestName string keep required

ContainerImage
  names []string keep list=atomic
  sizeBytes int64 omit

ContainerPort
  name string omit
  hostPort int32 omit
  containerPort int32 keep required
  protocol Protocol omit default="TCP"
  hostIP string omit

ContainerResizePolicy
  resourceName string keep required
  restartPolicy string keep required

ContainerRestartRule
  action string omit required
  exitCodes ContainerRestartRuleOnExitCodes set

ContainerRestartRuleOnExitCodes
  operator string omit required
  values []int32 omit list=set

ContainerState
  waiting ContainerStateWaiting set
  running ContainerStateRunning set
  terminated ContainerStateTerminated set

ContainerStateRunning
  startedAt Time keep

ContainerStateTerminated
  exitCode int32 keep required
  signal int32 omit
  reason string omit
  message string omit
  startedAt Time keep
  finishedAt Time keep
  containerID string omit

ContainerStateWaiting
  reason string omit
  message string omit

ContainerStatus
  name string keep required
  state ContainerState keep
  lastState ContainerState keep
  ready bool keep required
  restartCount int32 keep required
  image string keep required
  imageID string keep required
  containerID string omit
  started bool set
  allocatedResources map[]Quantity omit
  resources ResourceRequirements set
  volumeMounts []VolumeMountStatus omit list=map(mountPath) patch=merge(mountPath)
  user ContainerUser set
  allocatedResourcesStatus []ResourceStatus omit list=map(name) patch=merge(name)
  stopSignal Signal set

ContainerUser
  linux LinuxContainerUser set

DNSPolicy enum=["ClusterFirst","ClusterFirstWithHostNet","Default","None"]

DaemonEndpoint
  Port int32 keep required

DownwardAPIProjection
  items []DownwardAPIVolumeFile omit list=atomic

DownwardAPIVolumeFile
  path string keep required
  fieldRef ObjectFieldSelector set
  resourceFieldRef ResourceFieldSelector set
  mode int32 set

DownwardAPIVolumeSource
  items []DownwardAPIVolumeFile omit list=atomic
  defaultMode int32 set

EmptyDirVolumeSource
  medium string omit
  sizeLimit Quantity set

EndpointAddress map=atomic
  ip string keep required
  hostname string omit
  nodeName string set
  targetRef ObjectReference set

EndpointPort map=atomic
  name string omit
  port int32 keep required
  protocol Protocol omit
  appProtocol string set

EndpointSubset
  addresses []EndpointAddress omit list=atomic
  notReadyAddresses []EndpointAddress omit list=atomic
  ports []EndpointPort omit list=atomic

Endpoints
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  subsets []EndpointSubset omit list=atomic

EndpointsList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []Endpoints keep required

EnvFromSource
  prefix string omit
  configMapRef ConfigMapEnvSource set
  secretRef SecretEnvSource set

EnvVar
  name string keep required
  value string omit
  valueFrom EnvVarSource set

EnvVarSource
  fieldRef ObjectFieldSelector set
  resourceFieldRef ResourceFieldSelector set
  configMapKeyRef ConfigMapKeySelector set
  secretKeyRef SecretKeySelector set
  fileKeyRef FileKeySelector set

EphemeralContainer
  name string keep required
  image string omit
  command []string omit list=atomic
  args []string omit list=atomic
  workingDir string omit
  ports []ContainerPort omit list=map(containerPort,protocol) patch=merge(containerPort)
  envFrom []EnvFromSource omit list=atomic
  env []EnvVar omit list=map(name) patch=merge(name)
  resources ResourceRequirements keep
  resizePolicy []ContainerResizePolicy omit list=atomic
  restartPolicy string set
  restartPolicyRules []ContainerRestartRule omit list=atomic
  volumeMounts []VolumeMount omit list=map(mountPath) patch=merge(mountPath)
  volumeDevices []VolumeDevice omit list=map(devicePath) patch=merge(devicePath)
  livenessProbe Probe set
  readinessProbe Probe set
  startupProbe Probe set
  lifecycle Lifecycle set
  terminationMessagePath string omit
  terminationMessagePolicy TerminationMessagePolicy omit
  imagePullPolicy PullPolicy omit
  securityContext SecurityContext set
  stdin bool omit
  stdinOnce bool omit
  tty bool omit
  targetContainerName string omit

EphemeralContainerCommon
  name string keep required
  image string omit
  command []string omit list=atomic
  args []string omit list=atomic
  workingDir string omit
  ports []ContainerPort omit list=map(containerPort,protocol) patch=merge(containerPort)
  envFrom []EnvFromSource omit list=atomic
  env []EnvVar omit list=map(name) patch=merge(name)
  resources ResourceRequirements keep
  resizePolicy []ContainerResizePolicy omit list=atomic
  restartPolicy string set
  restartPolicyRules []ContainerRestartRule omit list=atomic
  volumeMounts []VolumeMount omit list=map(mountPath) patch=merge(mountPath)
  volumeDevices []VolumeDevice omit list=map(devicePath) patch=merge(devicePath)
  livenessProbe Probe set
  readinessProbe Probe set
  startupProbe Probe set
  lifecycle Lifecycle set
  terminationMessagePath string omit
  terminationMessagePolicy TerminationMessagePolicy omit
  imagePullPolicy PullPolicy omit
  securityContext SecurityContext set
  stdin bool omit
  stdinOnce bool omit
  tty bool omit

EphemeralVolumeSource
  volumeClaimTemplate PersistentVolumeClaimTemplate set

Event
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep required
  involvedObject ObjectReference keep required
  reason string omit
  message string omit
  source EventSource keep
  firstTimestamp Time keep
  lastTimestamp Time keep
  count int32 omit
  type string omit
  eventTime MicroTime keep
  series EventSeries set
  action string omit
  related ObjectReference set
  reportingComponent string keep
  reportingInstance string keep

EventList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []Event keep required

EventSeries
  count int32 omit
  lastObservedTime MicroTime keep

EventSource
  component string omit
  host string omit

ExecAction
  command []string omit list=atomic

FCVolumeSource
  targetWWNs []string omit list=atomic
  lun int32 set
  fsType string omit
  readOnly bool omit
  wwids []string omit list=atomic

FileKeySelector map=atomic
  volumeName string keep required
  path string keep required
  key string keep required
  optional bool set default=false

FlexPersistentVolumeSource
  driver string keep required
  fsType string omit
  secretRef SecretReference set
  readOnly bool omit
  options map[]string omit

FlexVolumeSource
  driver string keep required
  fsType string omit
  secretRef LocalObjectReference set
  readOnly bool omit
  options map[]string omit

FlockerVolumeSource
  datasetName string omit
  datasetUUID string omit

GCEPersistentDiskVolumeSource
  pdName string keep required
  fsType string omit
  partition int32 omit
  readOnly bool omit

GRPCAction
  port int32 keep required
  service string keep null default=""

GitRepoVolumeSource
  repository string keep required
  revision string omit
  directory string omit

GlusterfsPersistentVolumeSource
  endpoints string keep required
  path string keep required
  readOnly bool omit
  endpointsNamespace string set

GlusterfsVolumeSource
  endpoints string keep required
  path string keep required
  readOnly bool omit

HTTPGetAction
  path string omit
  port IntOrString keep required
  host string omit
  scheme URIScheme omit
  httpHeaders []HTTPHeader omit list=atomic

HTTPHeader
  name string keep required
  value string keep required

HostAlias
  ip string keep required
  hostnames []string omit list=atomic

HostIP
  ip string keep required

HostPathType enum=["","BlockDevice","CharDevice","Directory","DirectoryOrCreate","File","FileOrCreate","Socket"]

HostPathVolumeSource
  path string keep required
  type HostPathType set

IPFamily enum=["","IPv4","IPv6"]

IPFamilyPolicy enum=["PreferDualStack","RequireDualStack","SingleStack"]

ISCSIPersistentVolumeSource
  targetPortal string keep required
  iqn string keep required
  lun int32 keep required
  iscsiInterface string omit default="default"
  fsType string omit
  readOnly bool omit
  portals []string omit list=atomic
  chapAuthDiscovery bool omit
  chapAuthSession bool omit
  secretRef SecretReference set
  initiatorName string set

ISCSIVolumeSource
  targetPortal string keep required
  iqn string keep required
  lun int32 keep required
  iscsiInterface string omit default="default"
  fsType string omit
  readOnly bool omit
  portals []string omit list=atomic
  chapAuthDiscovery bool omit
  chapAuthSession bool omit
  secretRef LocalObjectReference set
  initiatorName string set

ImageVolumeSource
  reference string omit
  pullPolicy PullPolicy omit

ImageVolumeStatus
  imageRef string omit required

KeyToPath
  key string keep required
  path string keep required
  mode int32 set

Lifecycle
  postStart LifecycleHandler set
  preStop LifecycleHandler set
  stopSignal Signal set

LifecycleHandler
  exec ExecAction set
  httpGet HTTPGetAction set
  tcpSocket TCPSocketAction set
  sleep SleepAction set

LimitRange
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec LimitRangeSpec keep

LimitRangeItem
  type string keep required
  max map[]Quantity omit
  min map[]Quantity omit
  default map[]Quantity omit
  defaultRequest map[]Quantity omit
  maxLimitRequestRatio map[]Quantity omit

LimitRangeList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []LimitRange keep required

LimitRangeSpec
  limits []LimitRangeItem keep required list=atomic

LinuxContainerUser
  uid int64 keep required
  gid int64 keep required
  supplementalGroups []int64 omit list=atomic

LoadBalancerIngress
  ip string omit
  hostname string omit
  ipMode string set
  ports []PortStatus omit list=atomic

LoadBalancerStatus
  ingress []LoadBalancerIngress omit list=atomic

LocalObjectReference map=atomic
  name string omit default=""

LocalVolumeSource
  path string keep required
  fsType string set

ModifyVolumeStatus
  targetVolumeAttributesClassName string omit
  status PersistentVolumeClaimModifyVolumeStatus keep required

MountPropagationMode enum=["Bidirectional","HostToContainer","None"]

NFSVolumeSource
  server string keep required
  path string keep required
  readOnly bool omit

Namespace
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec NamespaceSpec keep
  status NamespaceStatus keep

NamespaceCondition
  type string keep required
  status string keep required
  lastTransitionTime Time keep
  reason string omit
  message string omit

NamespaceList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []Namespace keep required

NamespacePhase enum=["Active","Terminating"]

NamespaceSpec
  finalizers []string omit list=atomic

NamespaceStatus
  phase NamespacePhase omit
  conditions []NamespaceCondition omit list=map(type) patch=merge(type)

Node
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec NodeSpec keep
  status NodeStatus keep

NodeAddress
  type string keep required
  address string keep required

NodeAffinity
  requiredDuringSchedulingIgnoredDuringExecution NodeSelector set
  preferredDuringSchedulingIgnoredDuringExecution []PreferredSchedulingTerm omit list=atomic

NodeAllocatableResourceClaimStatus
  resourceClaimName string keep required
  containers []string omit list=set
  resources map[]Quantity keep required

NodeCondition
  type string keep required
  status string keep required
  lastHeartbeatTime Time keep
  lastTransitionTime Time keep
  reason string omit
  message string omit

NodeConfigSource
  configMap ConfigMapNodeConfigSource set

NodeConfigStatus
  assigned NodeConfigSource set
  active NodeConfigSource set
  lastKnownGood NodeConfigSource set
  error string omit

NodeDaemonEndpoints
  kubeletEndpoint DaemonEndpoint keep

NodeFeatures
  supplementalGroupsPolicy bool set

NodeInclusionPolicy enum=["Honor","Ignore"]

NodeList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []Node keep required

NodePhase enum=["Pending","Running","Terminated"]

NodeProxyOptions
  kind string omit
  apiVersion string omit
  path string omit

NodeRuntimeHandler
  name string keep
  features NodeRuntimeHandlerFeatures set

NodeRuntimeHandlerFeatures
  recursiveReadOnlyMounts bool set
  userNamespaces bool set

NodeSelector map=atomic
  nodeSelectorTerms []NodeSelectorTerm keep required list=atomic

NodeSelectorOperator enum=["DoesNotExist","Exists","Gt","In","Lt","NotIn"]

NodeSelectorRequirement
  key string keep required
  operator NodeSelectorOperator keep required
  values []string omit list=atomic

NodeSelectorTerm map=atomic
  matchExpressions []NodeSelectorRequirement omit list=atomic
  matchFields []NodeSelectorRequirement omit list=atomic

NodeSpec
  podCIDR string omit
  podCIDRs []string omit list=set patch=merge
  providerID string omit
  unschedulable bool omit
  taints []Taint omit list=atomic
  configSource NodeConfigSource set
  externalID string omit

NodeStatus
  capacity map[]Quantity omit
  allocatable map[]Quantity omit
  phase NodePhase omit
  conditions []NodeCondition omit list=map(type) patch=merge(type)
  addresses []NodeAddress omit list=map(type) patch=merge(type)
  daemonEndpoints NodeDaemonEndpoints keep
  nodeInfo NodeSystemInfo keep
  images []ContainerImage omit list=atomic
  volumesInUse []string omit list=atomic
  volumesAttached []AttachedVolume omit list=atomic
  config NodeConfigStatus set
  runtimeHandlers []NodeRuntimeHandler omit list=atomic
  features NodeFeatures set
  declaredFeatures []string omit list=atomic

NodeSwapStatus
  capacity int64 set

NodeSystemInfo
  machineID string keep required
  systemUUID string keep required
  bootID string keep required
  kernelVersion string keep required
  osImage string keep required
  containerRuntimeVersion string keep required
  kubeletVersion string keep required
  kubeProxyVersion string keep required
  operatingSystem string keep required
  architecture string keep required
  swap NodeSwapStatus set

ObjectFieldSelector map=atomic
  apiVersion string omit
  fieldPath string keep required

ObjectReference map=atomic
  kind string omit
  namespace string omit
  name string omit
  uid string omit
  apiVersion string omit
  resourceVersion string omit
  fieldPath string omit

PersistentVolume
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec PersistentVolumeSpec keep
  status PersistentVolumeStatus keep

PersistentVolumeAccessMode enum=["ReadOnlyMany","ReadWriteMany","ReadWriteOnce","ReadWriteOncePod"]

PersistentVolumeClaim
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec PersistentVolumeClaimSpec keep
  status PersistentVolumeClaimStatus keep

PersistentVolumeClaimCondition
  type string keep required
  status string keep required
  lastProbeTime Time keep
  lastTransitionTime Time keep
  reason string omit
  message string omit

PersistentVolumeClaimList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []PersistentVolumeClaim keep required

PersistentVolumeClaimModifyVolumeStatus enum=["InProgress","Infeasible","Pending"]

PersistentVolumeClaimPhase enum=["Bound","Lost","Pending"]

PersistentVolumeClaimSpec
  accessModes []PersistentVolumeAccessMode omit list=atomic
  selector meta/v1.LabelSelector set
  resources VolumeResourceRequirements keep
  volumeName string omit
  storageClassName string set
  volumeMode PersistentVolumeMode set
  dataSource TypedLocalObjectReference set
  dataSourceRef TypedObjectReference set
  volumeAttributesClassName string set

PersistentVolumeClaimStatus
  phase PersistentVolumeClaimPhase omit
  accessModes []PersistentVolumeAccessMode omit list=atomic
  capacity map[]Quantity omit
  conditions []PersistentVolumeClaimCondition omit list=map(type) patch=merge(type)
  allocatedResources map[]Quantity omit
  allocatedResourceStatuses map[]ClaimResourceStatus omit map=granular
  currentVolumeAttributesClassName string set
  modifyVolumeStatus ModifyVolumeStatus set

PersistentVolumeClaimTemplate
  metadata meta/v1.ObjectMeta keep
  spec PersistentVolumeClaimSpec keep required

PersistentVolumeClaimVolumeSource
  claimName string keep required
  readOnly bool omit

PersistentVolumeList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []PersistentVolume keep required

PersistentVolumeMode enum=["Block","Filesystem"]

PersistentVolumePhase enum=["Available","Bound","Failed","Pending","Released"]

PersistentVolumeReclaimPolicy enum=["Delete","Recycle","Retain"]

PersistentVolumeSource
  gcePersistentDisk GCEPersistentDiskVolumeSource set
  awsElasticBlockStore AWSElasticBlockStoreVolumeSource set
  hostPath HostPathVolumeSource set
  glusterfs GlusterfsPersistentVolumeSource set
  nfs NFSVolumeSource set
  rbd RBDPersistentVolumeSource set
  iscsi ISCSIPersistentVolumeSource set
  cinder CinderPersistentVolumeSource set
  cephfs CephFSPersistentVolumeSource set
  fc FCVolumeSource set
  flocker FlockerVolumeSource set
  flexVolume FlexPersistentVolumeSource set
  azureFile AzureFilePersistentVolumeSource set
  vsphereVolume VsphereVirtualDiskVolumeSource set
  quobyte QuobyteVolumeSource set
  azureDisk AzureDiskVolumeSource set
  photonPersistentDisk PhotonPersistentDiskVolumeSource set
  portworxVolume PortworxVolumeSource set
  scaleIO ScaleIOPersistentVolumeSource set
  local LocalVolumeSource set
  storageos StorageOSPersistentVolumeSource set
  csi CSIPersistentVolumeSource set

PersistentVolumeSpec
  capacity map[]Quantity omit
  gcePersistentDisk GCEPersistentDiskVolumeSource set
  awsElasticBlockStore AWSElasticBlockStoreVolumeSource set
  hostPath HostPathVolumeSource set
  glusterfs GlusterfsPersistentVolumeSource set
  nfs NFSVolumeSource set
  rbd RBDPersistentVolumeSource set
  iscsi ISCSIPersistentVolumeSource set
  cinder CinderPersistentVolumeSource set
  cephfs CephFSPersistentVolumeSource set
  fc FCVolumeSource set
  flocker FlockerVolumeSource set
  flexVolume FlexPersistentVolumeSource set
  azureFile AzureFilePersistentVolumeSource set
  vsphereVolume VsphereVirtualDiskVolumeSource set
  quobyte QuobyteVolumeSource set
  azureDisk AzureDiskVolumeSource set
  photonPersistentDisk PhotonPersistentDiskVolumeSource set
  portworxVolume PortworxVolumeSource set
  scaleIO ScaleIOPersistentVolumeSource set
  local LocalVolumeSource set
  storageos StorageOSPersistentVolumeSource set
  csi CSIPersistentVolumeSource set
  accessModes []PersistentVolumeAccessMode omit list=atomic
  claimRef ObjectReference set map=granular
  persistentVolumeReclaimPolicy PersistentVolumeReclaimPolicy omit
  storageClassName string omit
  mountOptions []string omit list=atomic
  volumeMode PersistentVolumeMode set
  nodeAffinity VolumeNodeAffinity set
  volumeAttributesClassName string set

PersistentVolumeStatus
  phase PersistentVolumePhase omit
  message string omit
  reason string omit
  lastPhaseTransitionTime Time set

PhotonPersistentDiskVolumeSource
  pdID string keep required
  fsType string omit

Pod
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec PodSpec keep
  status PodStatus keep

PodAffinity
  requiredDuringSchedulingIgnoredDuringExecution []PodAffinityTerm omit list=atomic
  preferredDuringSchedulingIgnoredDuringExecution []WeightedPodAffinityTerm omit list=atomic

PodAffinityTerm
  labelSelector meta/v1.LabelSelector set
  namespaces []string omit list=atomic
  topologyKey string keep required
  namespaceSelector meta/v1.LabelSelector set
  matchLabelKeys []string omit list=atomic
  mismatchLabelKeys []string omit list=atomic

PodAntiAffinity
  requiredDuringSchedulingIgnoredDuringExecution []PodAffinityTerm omit list=atomic
  preferredDuringSchedulingIgnoredDuringExecution []WeightedPodAffinityTerm omit list=atomic

PodAttachOptions
  kind string omit
  apiVersion string omit
  stdin bool omit
  stdout bool omit
  stderr bool omit
  tty bool omit
  container string omit

PodCertificateProjection
  signerName string omit required
  keyType string omit required
  maxExpirationSeconds int32 set
  credentialBundlePath string omit
  keyPath string omit
  certificateChainPath string omit
  userAnnotations map[]string omit

PodCondition
  type string keep required
  observedGeneration int64 omit
  status string keep required
  lastProbeTime Time keep
  lastTransitionTime Time keep
  reason string omit
  message string omit

PodDNSConfig
  nameservers []string omit list=atomic
  searches []string omit list=atomic
  options []PodDNSConfigOption omit list=atomic

PodDNSConfigOption
  name string omit
  value string set

PodExecOptions
  kind string omit
  apiVersion string omit
  stdin bool omit
  stdout bool omit
  stderr bool omit
  tty bool omit
  container string omit
  command []string keep required list=atomic

PodExtendedResourceClaimStatus
  requestMappings []ContainerExtendedResourceRequest keep required list=atomic
  resourceClaimName string keep required

PodFSGroupChangePolicy enum=["Always","OnRootMismatch"]

PodIP
  ip string keep required

PodList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []Pod keep required

PodLogOptions
  kind string omit
  apiVersion string omit
  container string omit
  follow bool omit
  previous bool omit
  sinceSeconds int64 set
  sinceTime Time set
  timestamps bool omit
  tailLines int64 set
  limitBytes int64 set
  insecureSkipTLSVerifyBackend bool omit
  stream string set

PodOS
  name string keep required

PodPhase enum=["Failed","Pending","Running","Succeeded","Unknown"]

PodPortForwardOptions
  kind string omit
  apiVersion string omit
  ports []int32 omit list=atomic

PodProxyOptions
  kind string omit
  apiVersion string omit
  path string omit

PodQOSClass enum=["BestEffort","Burstable","Guaranteed"]

PodReadinessGate
  conditionType string keep required

PodResourceClaim
  name string keep required
  resourceClaimName string set
  resourceClaimTemplateName string set

PodResourceClaimStatus
  name string keep required
  resourceClaimName string set

PodSchedulingGate
  name string keep required

PodSchedulingGroup
  podGroupName string set

PodSecurityContext
  seLinuxOptions SELinuxOptions set
  windowsOptions WindowsSecurityContextOptions set
  runAsUser int64 set
  runAsGroup int64 set
  runAsNonRoot bool set
  supplementalGroups []int64 omit list=atomic
  supplementalGroupsPolicy SupplementalGroupsPolicy set
  fsGroup int64 set
  sysctls []Sysctl omit list=atomic
  fsGroupChangePolicy PodFSGroupChangePolicy set
  seccompProfile SeccompProfile set
  appArmorProfile AppArmorProfile set
  seLinuxChangePolicy string set

PodSignature
  podController meta/v1.OwnerReference set

PodSpec
  volumes []Volume omit list=map(name) patch=merge,retainKeys(name)
  initContainers []Container omit list=map(name) patch=merge(name)
  containers []Container keep required list=map(name) patch=merge(name)
  ephemeralContainers []EphemeralContainer omit list=map(name) patch=merge(name)
  restartPolicy RestartPolicy omit
  terminationGracePeriodSeconds int64 set
  activeDeadlineSeconds int64 set
  dnsPolicy DNSPolicy omit
  nodeSelector map[]string omit map=atomic
  serviceAccountName string omit
  serviceAccount string omit
  automountServiceAccountToken bool set
  nodeName string omit
  hostNetwork bool omit
  hostPID bool omit
  hostIPC bool omit
  shareProcessNamespace bool set
  securityContext PodSecurityContext set
  imagePullSecrets []LocalObjectReference omit list=map(name) patch=merge(name)
  hostname string omit
  subdomain string omit
  affinity Affinity set
  schedulerName string omit
  tolerations []Toleration omit list=atomic
  hostAliases []HostAlias omit list=map(ip) patch=merge(ip)
  priorityClassName string omit
  priority int32 set
  dnsConfig PodDNSConfig set
  readinessGates []PodReadinessGate omit list=atomic
  runtimeClassName string set
  enableServiceLinks bool set
  preemptionPolicy PreemptionPolicy set
  overhead map[]Quantity omit
  topologySpreadConstraints []TopologySpreadConstraint omit list=map(topologyKey,whenUnsatisfiable) patch=merge(topologyKey)
  setHostnameAsFQDN bool set
  os PodOS set
  hostUsers bool set
  schedulingGates []PodSchedulingGate omit list=map(name) patch=merge(name)
  resourceClaims []PodResourceClaim omit list=map(name) patch=merge,retainKeys(name)
  resources ResourceRequirements set
  hostnameOverride string set
  schedulingGroup PodSchedulingGroup set

PodStatus
  observedGeneration int64 omit
  phase PodPhase omit
  conditions []PodCondition omit list=map(type) patch=merge(type)
  message string omit
  reason string omit
  nominatedNodeName string omit
  hostIP string omit
  hostIPs []HostIP omit list=atomic patch=merge(ip)
  podIP string omit
  podIPs []PodIP omit list=map(ip) patch=merge(ip)
  startTime Time set
  initContainerStatuses []ContainerStatus omit list=atomic
  containerStatuses []ContainerStatus omit list=atomic
  qosClass PodQOSClass omit
  ephemeralContainerStatuses []ContainerStatus omit list=atomic
  resize string omit
  resourceClaimStatuses []PodResourceClaimStatus omit list=map(name) patch=merge,retainKeys(name)
  extendedResourceClaimStatus PodExtendedResourceClaimStatus set
  allocatedResources map[]Quantity omit
  resources ResourceRequirements set
  nodeAllocatableResourceClaimStatuses []NodeAllocatableResourceClaimStatus omit list=atomic

PodStatusResult
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  status PodStatus keep

PodTemplate
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  template PodTemplateSpec keep

PodTemplateList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []PodTemplate keep required

PodTemplateSpec
  metadata meta/v1.ObjectMeta keep
  spec PodSpec keep

PortStatus
  port int32 keep required
  protocol Protocol keep required
  error string set

PortworxVolumeSource
  volumeID string keep required
  fsType string omit
  readOnly bool omit

Preconditions
  uid string set

PreemptionPolicy enum=["Never","PreemptLowerPriority"]

PreferAvoidPodsEntry
  podSignature PodSignature keep required
  evictionTime Time keep
  reason string omit
  message string omit

PreferredSchedulingTerm
  weight int32 keep required
  preference NodeSelectorTerm keep required

Probe
  exec ExecAction set
  httpGet HTTPGetAction set
  tcpSocket TCPSocketAction set
  grpc GRPCAction set
  initialDelaySeconds int32 omit
  timeoutSeconds int32 omit
  periodSeconds int32 omit
  successThreshold int32 omit
  failureThreshold int32 omit
  terminationGracePeriodSeconds int64 set

ProbeHandler
  exec ExecAction set
  httpGet HTTPGetAction set
  tcpSocket TCPSocketAction set
  grpc GRPCAction set

ProcMountType enum=["Default","Unmasked"]

ProjectedVolumeSource
  sources []VolumeProjection keep list=atomic
  defaultMode int32 set

Protocol enum=["SCTP","TCP","UDP"]

PullPolicy enum=["Always","IfNotPresent","Never"]

QuobyteVolumeSource
  registry string keep required
  volume string keep required
  readOnly bool omit
  user string omit
  group string omit
  tenant string omit

RBDPersistentVolumeSource
  monitors []string keep required list=atomic
  image string keep required
  fsType string omit
  pool string omit default="rbd"
  user string omit default="admin"
  keyring string omit default="/etc/ceph/keyring"
  secretRef SecretReference set
  readOnly bool omit

RBDVolumeSource
  monitors []string keep required list=atomic
  image string keep required
  fsType string omit
  pool string omit default="rbd"
  user string omit default="admin"
  keyring string omit default="/etc/ceph/keyring"
  secretRef LocalObjectReference set
  readOnly bool omit

RangeAllocation
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  range string keep required
  data bytes keep required

ReplicationController
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec ReplicationControllerSpec keep
  status ReplicationControllerStatus keep

ReplicationControllerCondition
  type string keep required
  status string keep required
  lastTransitionTime Time keep
  reason string omit
  message string omit

ReplicationControllerList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []ReplicationController keep required

ReplicationControllerSpec
  replicas int32 set default=1
  minReadySeconds int32 omit default=0
  selector map[]string omit map=atomic
  template PodTemplateSpec set

ReplicationControllerStatus
  replicas int32 keep required
  fullyLabeledReplicas int32 omit
  readyReplicas int32 omit
  availableReplicas int32 omit
  observedGeneration int64 omit
  conditions []ReplicationControllerCondition omit list=map(type) patch=merge(type)

ResourceClaim
  name string keep required
  request string omit

ResourceFieldSelector map=atomic
  containerName string omit
  resource string keep required
  divisor Quantity keep

ResourceHealth
  resourceID string keep required
  health string omit
  message string set

ResourceQuota
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec ResourceQuotaSpec keep
  status ResourceQuotaStatus keep

ResourceQuotaList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []ResourceQuota keep required

ResourceQuotaScope enum=["BestEffort","CrossNamespacePodAffinity","NotBestEffort","NotTerminating","PriorityClass","Terminating","VolumeAttributesClass"]

ResourceQuotaSpec
  hard map[]Quantity omit
  scopes []ResourceQuotaScope omit list=atomic
  scopeSelector ScopeSelector set

ResourceQuotaStatus
  hard map[]Quantity omit
  used map[]Quantity omit

ResourceRequirements
  limits map[]Quantity omit
  requests map[]Quantity omit
  claims []ResourceClaim omit list=map(name)

ResourceStatus
  name string keep required
  resources []ResourceHealth omit list=map(resourceID)

RestartPolicy enum=["Always","Never","OnFailure"]

SELinuxOptions
  user string omit
  role string omit
  type string omit
  level string omit

ScaleIOPersistentVolumeSource
  gateway string keep required
  system string keep required
  secretRef SecretReference keep required null
  sslEnabled bool omit
  protectionDomain string omit
  storagePool string omit
  storageMode string omit default="ThinProvisioned"
  volumeName string omit
  fsType string omit default="xfs"
  readOnly bool omit

ScaleIOVolumeSource
  gateway string keep required
  system string keep required
  secretRef LocalObjectReference keep required null
  sslEnabled bool omit
  protectionDomain string omit
  storagePool string omit
  storageMode string omit default="ThinProvisioned"
  volumeName string omit
  fsType string omit default="xfs"
  readOnly bool omit

ScopeSelector map=atomic
  matchExpressions []ScopedResourceSelectorRequirement omit list=atomic

ScopeSelectorOperator enum=["DoesNotExist","Exists","In","NotIn"]

ScopedResourceSelectorRequirement
  scopeName ResourceQuotaScope keep required
  operator ScopeSelectorOperator keep required
  values []string omit list=atomic

SeccompProfile
  type SeccompProfileType keep required
  localhostProfile string set

SeccompProfileType enum=["Localhost","RuntimeDefault","Unconfined"]

Secret
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  immutable bool set
  data map[]bytes omit
  stringData map[]string omit
  type string omit

SecretEnvSource
  name string omit default=""
  optional bool set

SecretKeySelector map=atomic
  name string omit default=""
  key string keep required
  optional bool set

SecretList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []Secret keep required

SecretProjection
  name string omit default=""
  items []KeyToPath omit list=atomic
  optional bool set

SecretReference map=atomic
  name string omit
  namespace string omit

SecretVolumeSource
  secretName string omit
  items []KeyToPath omit list=atomic
  defaultMode int32 set
  optional bool set

SecurityContext
  capabilities Capabilities set
  privileged bool set
  seLinuxOptions SELinuxOptions set
  windowsOptions WindowsSecurityContextOptions set
  runAsUser int64 set
  runAsGroup int64 set
  runAsNonRoot bool set
  readOnlyRootFilesystem bool set
  allowPrivilegeEscalation bool set
  procMount ProcMountType set
  seccompProfile SeccompProfile set
  appArmorProfile AppArmorProfile set

SerializedReference
  kind string omit
  apiVersion string omit
  reference ObjectReference keep

Service
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec ServiceSpec keep
  status ServiceStatus keep

ServiceAccount
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  secrets []ObjectReference omit list=map(name) patch=merge(name)
  imagePullSecrets []LocalObjectReference omit list=atomic
  automountServiceAccountToken bool set

ServiceAccountList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []ServiceAccount keep required

ServiceAccountTokenProjection
  audience string omit
  expirationSeconds int64 set
  path string keep required

ServiceAffinity enum=["ClientIP","None"]

ServiceExternalTrafficPolicy enum=["Cluster","Local"]

ServiceInternalTrafficPolicy enum=["Cluster","Local"]

ServiceList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []Service keep required

ServicePort
  name string omit
  protocol Protocol omit default="TCP"
  appProtocol string set
  port int32 keep required
  targetPort IntOrString keep
  nodePort int32 omit

ServiceProxyOptions
  kind string omit
  apiVersion string omit
  path string omit

ServiceSpec
  ports []ServicePort omit list=map(port,protocol) patch=merge(port)
  selector map[]string omit map=atomic
  clusterIP string omit
  clusterIPs []string omit list=atomic
  type ServiceType omit
  externalIPs []string omit list=atomic
  sessionAffinity ServiceAffinity omit
  loadBalancerIP string omit
  loadBalancerSourceRanges []string omit list=atomic
  externalName string omit
  externalTrafficPolicy ServiceExternalTrafficPolicy omit
  healthCheckNodePort int32 omit
  publishNotReadyAddresses bool omit
  sessionAffinityConfig SessionAffinityConfig set
  ipFamilies []IPFamily omit list=atomic
  ipFamilyPolicy IPFamilyPolicy set
  allocateLoadBalancerNodePorts bool set
  loadBalancerClass string set
  internalTrafficPolicy ServiceInternalTrafficPolicy set
  trafficDistribution string set

ServiceStatus
  loadBalancer LoadBalancerStatus keep
  conditions []meta/v1.Condition omit list=map(type) patch=merge(type)

ServiceType enum=["ClusterIP","ExternalName","LoadBalancer","NodePort"]

SessionAffinityConfig
  clientIP ClientIPConfig set

Signal enum=["SIGABRT","SIGALRM","SIGBUS","SIGCHLD","SIGCLD","SIGCONT","SIGFPE","SIGHUP","SIGILL","SIGINT","SIGIO","SIGIOT","SIGKILL","SIGPIPE","SIGPOLL","SIGPROF","SIGPWR","SIGQUIT","SIGRTMAX","SIGRTMAX-1","SIGRTMAX-10","SIGRTMAX-11","SIGRTMAX-12","SIGRTMAX-13","SIGRTMAX-14","SIGRTMAX-2","SIGRTMAX-3","SIGRTMAX-4","SIGRTMAX-5","SIGRTMAX-6","SIGRTMAX-7","SIGRTMAX-8","SIGRTMAX-9","SIGRTMIN","SIGRTMIN+1","SIGRTMIN+10","SIGRTMIN+11","SIGRTMIN+12","SIGRTMIN+13","SIGRTMIN+14","SIGRTMIN+15","SIGRTMIN+2","SIGRTMIN+3","SIGRTMIN+4","SIGRTMIN+5","SIGRTMIN+6","SIGRTMIN+7","SIGRTMIN+8","SIGRTMIN+9","SIGSEGV","SIGSTKFLT","SIGSTOP","SIGSYS","SIGTERM","SIGTRAP","SIGTSTP","SIGTTIN","SIGTTOU","SIGURG","SIGUSR1","SIGUSR2","SIGVTALRM","SIGWINCH","SIGXCPU","SIGXFSZ"]

SleepAction
  seconds int64 keep required

StorageOSPersistentVolumeSource
  volumeName string omit
  volumeNamespace string omit
  fsType string omit
  readOnly bool omit
  secretRef ObjectReference set

StorageOSVolumeSource
  volumeName string omit
  volumeNamespace string omit
  fsType string omit
  readOnly bool omit
  secretRef LocalObjectReference set

SupplementalGroupsPolicy enum=["Merge","Strict"]

Sysctl
  name string keep required
  value string keep required

TCPSocketAction
  port IntOrString keep required
  host string omit

Taint
  key string keep required
  value string omit
  effect TaintEffect keep required
  timeAdded Time set

TaintEffect enum=["NoExecute","NoSchedule","PreferNoSchedule"]

TerminationMessagePolicy enum=["FallbackToLogsOnError","File"]

Toleration
  key string omit
  operator TolerationOperator omit
  value string omit
  effect TaintEffect omit
  tolerationSeconds int64 set

TolerationOperator enum=["Equal","Exists","Gt","Lt"]

TopologySelectorLabelRequirement
  key string keep required
  values []string keep required list=atomic

TopologySelectorTerm map=atomic
  matchLabelExpressions []TopologySelectorLabelRequirement omit list=atomic

TopologySpreadConstraint
  maxSkew int32 keep required
  topologyKey string keep required
  whenUnsatisfiable UnsatisfiableConstraintAction keep required
  labelSelector meta/v1.LabelSelector set
  minDomains int32 set
  nodeAffinityPolicy NodeInclusionPolicy set
  nodeTaintsPolicy NodeInclusionPolicy set
  matchLabelKeys []string omit list=atomic

TypedLocalObjectReference map=atomic
  apiGroup string keep null
  kind string keep required
  name string keep required

TypedObjectReference
  apiGroup string keep null
  kind string keep required
  name string keep required
  namespace string set

URIScheme enum=["HTTP","HTTPS"]

UnsatisfiableConstraintAction enum=["DoNotSchedule","ScheduleAnyway"]

Volume
  name string keep required
  hostPath HostPathVolumeSource set
  emptyDir EmptyDirVolumeSource set
  gcePersistentDisk GCEPersistentDiskVolumeSource set
  awsElasticBlockStore AWSElasticBlockStoreVolumeSource set
  gitRepo GitRepoVolumeSource set
  secret SecretVolumeSource set
  nfs NFSVolumeSource set
  iscsi ISCSIVolumeSource set
  glusterfs GlusterfsVolumeSource set
  persistentVolumeClaim PersistentVolumeClaimVolumeSource set
  rbd RBDVolumeSource set
  flexVolume FlexVolumeSource set
  cinder CinderVolumeSource set
  cephfs CephFSVolumeSource set
  flocker FlockerVolumeSource set
  downwardAPI DownwardAPIVolumeSource set
  fc FCVolumeSource set
  azureFile AzureFileVolumeSource set
  configMap ConfigMapVolumeSource set
  vsphereVolume VsphereVirtualDiskVolumeSource set
  quobyte QuobyteVolumeSource set
  azureDisk AzureDiskVolumeSource set
  photonPersistentDisk PhotonPersistentDiskVolumeSource set
  projected ProjectedVolumeSource set
  portworxVolume PortworxVolumeSource set
  scaleIO ScaleIOVolumeSource set
  storageos StorageOSVolumeSource set
  csi CSIVolumeSource set
  ephemeral EphemeralVolumeSource set
  image ImageVolumeSource set

VolumeDevice
  name string keep required
  devicePath string keep required

VolumeMount
  name string keep required
  readOnly bool omit
  recursiveReadOnly string set
  mountPath string keep required
  subPath string omit
  mountPropagation MountPropagationMode set
  subPathExpr string omit

VolumeMountStatus
  name string keep required
  mountPath string keep required
  readOnly bool omit
  recursiveReadOnly string set
  volumeStatus VolumeStatus set

VolumeNodeAffinity
  required NodeSelector set

VolumeProjection
  secret SecretProjection set
  downwardAPI DownwardAPIProjection set
  configMap ConfigMapProjection set
  serviceAccountToken ServiceAccountTokenProjection set
  clusterTrustBundle ClusterTrustBundleProjection set
  podCertificate PodCertificateProjection set

VolumeResourceRequirements
  limits map[]Quantity omit
  requests map[]Quantity omit

VolumeSource
  hostPath HostPathVolumeSource set
  emptyDir EmptyDirVolumeSource set
  gcePersistentDisk GCEPersistentDiskVolumeSource set
  awsElasticBlockStore AWSElasticBlockStoreVolumeSource set
  gitRepo GitRepoVolumeSource set
  secret SecretVolumeSource set
  nfs NFSVolumeSource set
  iscsi ISCSIVolumeSource set
  glusterfs GlusterfsVolumeSource set
  persistentVolumeClaim PersistentVolumeClaimVolumeSource set
  rbd RBDVolumeSource set
  flexVolume FlexVolumeSource set
  cinder CinderVolumeSource set
  cephfs CephFSVolumeSource set
  flocker FlockerVolumeSource set
  downwardAPI DownwardAPIVolumeSource set
  fc FCVolumeSource set
  azureFile AzureFileVolumeSource set
  configMap ConfigMapVolumeSource set
  vsphereVolume VsphereVirtualDiskVolumeSource set
  quobyte QuobyteVolumeSource set
  azureDisk AzureDiskVolumeSource set
  photonPersistentDisk PhotonPersistentDiskVolumeSource set
  projected ProjectedVolumeSource set
  portworxVolume PortworxVolumeSource set
  scaleIO ScaleIOVolumeSource set
  storageos StorageOSVolumeSource set
  csi CSIVolumeSource set
  ephemeral EphemeralVolumeSource set
  image ImageVolumeSource set

VolumeStatus
  image ImageVolumeStatus set

VsphereVirtualDiskVolumeSource
  volumePath string keep required
  fsType string omit
  storagePolicyName string omit
  storagePolicyID string omit

WeightedPodAffinityTerm
  weight int32 keep required
  podAffinityTerm PodAffinityTerm keep required

WindowsSecurityContextOptions
  gmsaCredentialSpecName string set
  gmsaCredentialSpec string set
  runAsUserName string set
  hostProcess bool set
`;
