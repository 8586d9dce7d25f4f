// Made by tools/kinds/generate.ts from k8s.io/api/autoscaling/v2 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.autoscaling.v2";

/** The types of autoscaling/v2, in the notation of api/schemas.ts. */
export const facts = `
ContainerResourceMetricSource
  name string keep required
  target MetricTarget keep required
  container string keep required

ContainerResourceMetricStatus
  name string keep required
  current MetricValueStatus keep required
  container string keep required

CrossVersionObjectReference
  kind string keep required
  name string keep required
  apiVersion string omit

ExternalMetricSource
  metric MetricIdentifier keep required
  target MetricTarget keep required

ExternalMetricStatus
  metric MetricIdentifier keep required
  current MetricValueStatus keep required

HPAScalingPolicy
  type string keep required
  value int32 keep required
  periodSeconds int32 keep required

HPAScalingRules
  stabilizationWindowSeconds int32 set
  selectPolicy string set
  policies []HPAScalingPolicy omit list=atomic
  tolerance Quantity set

HorizontalPodAutoscaler
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec HorizontalPodAutoscalerSpec keep required
  status HorizontalPodAutoscalerStatus keep

HorizontalPodAutoscalerBehavior
  scaleUp HPAScalingRules set
  scaleDown HPAScalingRules set

HorizontalPodAutoscalerCondition
  type string keep required
  status string keep required
  lastTransitionTime Time keep
  reason string omit
  message string omit

HorizontalPodAutoscalerList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []HorizontalPodAutoscaler keep required

HorizontalPodAutoscalerSpec
  scaleTargetRef CrossVersionObjectReference keep required
  minReplicas int32 set
  maxReplicas int32 keep required
  metrics []MetricSpec omit list=atomic
  behavior HorizontalPodAutoscalerBehavior set

HorizontalPodAutoscalerStatus
  observedGeneration int64 set
  lastScaleTime Time set
  currentReplicas int32 omit
  desiredReplicas int32 keep required
  currentMetrics []MetricStatus keep list=atomic
  conditions []HorizontalPodAutoscalerCondition omit list=map(type) patch=merge(type)

MetricIdentifier
  name string keep required
  selector meta/v1.LabelSelector set

MetricSpec
  type string keep required
  object ObjectMetricSource set
  pods PodsMetricSource set
  resource ResourceMetricSource set
  containerResource ContainerResourceMetricSource set
  external ExternalMetricSource set

MetricStatus
  type string keep required
  object ObjectMetricStatus set
  pods PodsMetricStatus set
  resource ResourceMetricStatus set
  containerResource ContainerResourceMetricStatus set
  external ExternalMetricStatus set

MetricTarget
  type string keep required
  value Quantity set
  averageValue Quantity set
  averageUtilization int32 set

MetricValueStatus
  value Quantity set
  averageValue Quantity set
  averageUtilization int32 set

ObjectMetricSource
  describedObject CrossVersionObjectReference keep required
  target MetricTarget keep required
  metric MetricIdentifier keep required

ObjectMetricStatus
  metric MetricIdentifier keep required
  current MetricValueStatus keep required
  describedObject CrossVersionObjectReference keep required

PodsMetricSource
  metric MetricIdentifier keep required
  target MetricTarget keep required

PodsMetricStatus
  metric MetricIdentifier keep required
  current MetricValueStatus keep required

ResourceMetricSource
  name string keep required
  target MetricTarget keep required

ResourceMetricStatus
  name string keep required
  current MetricValueStatus keep required
`;
