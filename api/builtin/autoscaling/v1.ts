// Made by tools/kinds/generate.ts from k8s.io/api/autoscaling/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.autoscaling.v1";

/** The types of autoscaling/v1, in the notation of api/schemas.ts. */
export const facts = `
ContainerResourceMetricSource
  name string keep required
  targetAverageUtilization int32 set
  targetAverageValue Quantity set
  container string keep required

ContainerResourceMetricStatus
  name string keep required
  currentAverageUtilization int32 set
  currentAverageValue Quantity keep required
  container string keep required

CrossVersionObjectReference map=atomic
  kind string keep required
  name string keep required
  apiVersion string omit

ExternalMetricSource
  metricName string keep required
  metricSelector meta/v1.LabelSelector set
  targetValue Quantity set
  targetAverageValue Quantity set

ExternalMetricStatus
  metricName string keep required
  metricSelector meta/v1.LabelSelector set
  currentValue Quantity keep required
  currentAverageValue Quantity set

HorizontalPodAutoscaler
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec HorizontalPodAutoscalerSpec keep required
  status HorizontalPodAutoscalerStatus keep

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
  targetCPUUtilizationPercentage int32 set

HorizontalPodAutoscalerStatus
  observedGeneration int64 set
  lastScaleTime Time set
  currentReplicas int32 keep required
  desiredReplicas int32 keep required
  currentCPUUtilizationPercentage int32 set

MetricSourceType enum=["ContainerResource","External","Object","Pods","Resource"]

MetricSpec
  type MetricSourceType keep required
  object ObjectMetricSource set
  pods PodsMetricSource set
  resource ResourceMetricSource set
  containerResource ContainerResourceMetricSource set
  external ExternalMetricSource set

MetricStatus
  type MetricSourceType keep required
  object ObjectMetricStatus set
  pods PodsMetricStatus set
  resource ResourceMetricStatus set
  containerResource ContainerResourceMetricStatus set
  external ExternalMetricStatus set

ObjectMetricSource
  target CrossVersionObjectReference keep required
  metricName string keep required
  targetValue Quantity keep required
  selector meta/v1.LabelSelector set
  averageValue Quantity set

ObjectMetricStatus
  target CrossVersionObjectReference keep required
  metricName string keep required
  currentValue Quantity keep required
  selector meta/v1.LabelSelector set
  averageValue Quantity set

PodsMetricSource
  metricName string keep required
  targetAverageValue Quantity keep required
  selector meta/v1.LabelSelector set

PodsMetricStatus
  metricName string keep required
  currentAverageValue Quantity keep required
  selector meta/v1.LabelSelector set

ResourceMetricSource
  name string keep required
  targetAverageUtilization int32 set
  targetAverageValue Quantity set

ResourceMetricStatus
  name string keep required
  currentAverageUtilization int32 set
  currentAverageValue Quantity keep required

Scale
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec ScaleSpec keep
  status ScaleStatus keep

ScaleSpec
  replicas int32 omit default=0

ScaleStatus
  replicas int32 keep required
  selector string omit
`;
