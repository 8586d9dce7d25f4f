// Made by tools/kinds/generate.ts from k8s.io/api/autoscaling/v2 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.autoscaling.v2";

/** The types of autoscaling/v2, in the notation of api/schemas.ts. */
export const facts = `
ContainerResourceMetricSource
  name string keep tag=1 required
  target MetricTarget keep tag=2 required
  container string keep tag=3 required

ContainerResourceMetricStatus
  name string keep tag=1 required
  current MetricValueStatus keep tag=2 required
  container string keep tag=3 required

CrossVersionObjectReference
  kind string keep tag=1 required
  name string keep tag=2 required
  apiVersion string omit tag=3

ExternalMetricSource
  metric MetricIdentifier keep tag=1 required
  target MetricTarget keep tag=2 required

ExternalMetricStatus
  metric MetricIdentifier keep tag=1 required
  current MetricValueStatus keep tag=2 required

HPAScalingPolicy
  type string keep tag=1 required
  value int32 keep tag=2 required
  periodSeconds int32 keep tag=3 required

HPAScalingRules
  stabilizationWindowSeconds int32 set tag=3
  selectPolicy string set tag=1
  policies []HPAScalingPolicy set tag=2 list=atomic
  tolerance Quantity set tag=4

HorizontalPodAutoscaler
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec HorizontalPodAutoscalerSpec keep tag=2 required
  status HorizontalPodAutoscalerStatus keep tag=3

HorizontalPodAutoscalerBehavior
  scaleUp HPAScalingRules set tag=1
  scaleDown HPAScalingRules set tag=2

HorizontalPodAutoscalerCondition
  type string keep tag=1 required
  status string keep tag=2 required
  lastTransitionTime Time keep tag=3
  reason string omit tag=4
  message string omit tag=5

HorizontalPodAutoscalerList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []HorizontalPodAutoscaler keep tag=2 required

HorizontalPodAutoscalerSpec
  scaleTargetRef CrossVersionObjectReference keep tag=1 required
  minReplicas int32 set tag=2
  maxReplicas int32 keep tag=3 required
  metrics []MetricSpec omit tag=4 list=atomic
  behavior HorizontalPodAutoscalerBehavior set tag=5

HorizontalPodAutoscalerStatus
  observedGeneration int64 set tag=1
  lastScaleTime Time set tag=2
  currentReplicas int32 omit tag=3
  desiredReplicas int32 keep tag=4 required
  currentMetrics []MetricStatus keep tag=5 list=atomic
  conditions []HorizontalPodAutoscalerCondition omit tag=6 list=map(type) patch=merge(type)

MetricIdentifier
  name string keep tag=1 required
  selector meta/v1.LabelSelector set tag=2

MetricSpec
  type string keep tag=1 required
  object ObjectMetricSource set tag=2
  pods PodsMetricSource set tag=3
  resource ResourceMetricSource set tag=4
  containerResource ContainerResourceMetricSource set tag=7
  external ExternalMetricSource set tag=5

MetricStatus
  type string keep tag=1 required
  object ObjectMetricStatus set tag=2
  pods PodsMetricStatus set tag=3
  resource ResourceMetricStatus set tag=4
  containerResource ContainerResourceMetricStatus set tag=7
  external ExternalMetricStatus set tag=5

MetricTarget
  type string keep tag=1 required
  value Quantity set tag=2
  averageValue Quantity set tag=3
  averageUtilization int32 set tag=4

MetricValueStatus
  value Quantity set tag=1
  averageValue Quantity set tag=2
  averageUtilization int32 set tag=3

ObjectMetricSource
  describedObject CrossVersionObjectReference keep tag=1 required
  target MetricTarget keep tag=2 required
  metric MetricIdentifier keep tag=3 required

ObjectMetricStatus
  metric MetricIdentifier keep tag=1 required
  current MetricValueStatus keep tag=2 required
  describedObject CrossVersionObjectReference keep tag=3 required

PodsMetricSource
  metric MetricIdentifier keep tag=1 required
  target MetricTarget keep tag=2 required

PodsMetricStatus
  metric MetricIdentifier keep tag=1 required
  current MetricValueStatus keep tag=2 required

ResourceMetricSource
  name string keep tag=1 required
  target MetricTarget keep tag=2 required

ResourceMetricStatus
  name string keep tag=1 required
  current MetricValueStatus keep tag=2 required
`;
