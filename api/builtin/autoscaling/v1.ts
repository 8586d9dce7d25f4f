// Made by tools/kinds/generate.ts from k8s.io/api/autoscaling/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.autoscaling.v1";

/** The types of autoscaling/v1, in the notation of api/schemas.ts. */
export const facts = `
ContainerResourceMetricSource
  name string keep tag=1 required
  targetAverageUtilization int32 set tag=2
  targetAverageValue Quantity set tag=3
  container string keep tag=5 required

ContainerResourceMetricStatus
  name string keep tag=1 required
  currentAverageUtilization int32 set tag=2
  currentAverageValue Quantity keep tag=3 required
  container string keep tag=4 required

CrossVersionObjectReference map=atomic
  kind string keep tag=1 required
  name string keep tag=2 required
  apiVersion string omit tag=3

ExternalMetricSource
  metricName string keep tag=1 required
  metricSelector meta/v1.LabelSelector set tag=2
  targetValue Quantity set tag=3
  targetAverageValue Quantity set tag=4

ExternalMetricStatus
  metricName string keep tag=1 required
  metricSelector meta/v1.LabelSelector set tag=2
  currentValue Quantity keep tag=3 required
  currentAverageValue Quantity set tag=4

HorizontalPodAutoscaler
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec HorizontalPodAutoscalerSpec keep tag=2 required
  status HorizontalPodAutoscalerStatus keep tag=3

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
  targetCPUUtilizationPercentage int32 set tag=4

HorizontalPodAutoscalerStatus
  observedGeneration int64 set tag=1
  lastScaleTime Time set tag=2
  currentReplicas int32 keep tag=3 required
  desiredReplicas int32 keep tag=4 required
  currentCPUUtilizationPercentage int32 set tag=5

MetricSourceType enum=["ContainerResource","External","Object","Pods","Resource"]

MetricSpec
  type MetricSourceType keep tag=1 required
  object ObjectMetricSource set tag=2
  pods PodsMetricSource set tag=3
  resource ResourceMetricSource set tag=4
  containerResource ContainerResourceMetricSource set tag=7
  external ExternalMetricSource set tag=5

MetricStatus
  type MetricSourceType keep tag=1 required
  object ObjectMetricStatus set tag=2
  pods PodsMetricStatus set tag=3
  resource ResourceMetricStatus set tag=4
  containerResource ContainerResourceMetricStatus set tag=7
  external ExternalMetricStatus set tag=5

ObjectMetricSource
  target CrossVersionObjectReference keep tag=1 required
  metricName string keep tag=2 required
  targetValue Quantity keep tag=3 required
  selector meta/v1.LabelSelector set tag=4
  averageValue Quantity set tag=5

ObjectMetricStatus
  target CrossVersionObjectReference keep tag=1 required
  metricName string keep tag=2 required
  currentValue Quantity keep tag=3 required
  selector meta/v1.LabelSelector set tag=4
  averageValue Quantity set tag=5

PodsMetricSource
  metricName string keep tag=1 required
  targetAverageValue Quantity keep tag=2 required
  selector meta/v1.LabelSelector set tag=3

PodsMetricStatus
  metricName string keep tag=1 required
  currentAverageValue Quantity keep tag=2 required
  selector meta/v1.LabelSelector set tag=3

ResourceMetricSource
  name string keep tag=1 required
  targetAverageUtilization int32 set tag=2
  targetAverageValue Quantity set tag=3

ResourceMetricStatus
  name string keep tag=1 required
  currentAverageUtilization int32 set tag=2
  currentAverageValue Quantity keep tag=3 required

Scale
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec ScaleSpec keep tag=2
  status ScaleStatus keep tag=3

ScaleSpec
  replicas int32 omit tag=1 default=0

ScaleStatus
  replicas int32 keep tag=1 required
  selector string omit tag=2
`;
