// Made by tools/kinds/generate.ts from k8s.io/api/autoscaling/v1 0.36. Do not edit.
import type { ObjectMeta } from "@atoll/machinery/object";
import type * as meta from "../meta/v1.types.ts";

export type ContainerResourceMetricSource = {
  name: string;
  targetAverageUtilization?: number;
  targetAverageValue?: string;
  container: string;
};

export type ContainerResourceMetricStatus = {
  name: string;
  currentAverageUtilization?: number;
  currentAverageValue: string;
  container: string;
};

export type CrossVersionObjectReference = {
  kind: string;
  name: string;
  apiVersion?: string;
};

export type ExternalMetricSource = {
  metricName: string;
  metricSelector?: meta.LabelSelector;
  targetValue?: string;
  targetAverageValue?: string;
};

export type ExternalMetricStatus = {
  metricName: string;
  metricSelector?: meta.LabelSelector;
  currentValue: string;
  currentAverageValue?: string;
};

export type HorizontalPodAutoscaler = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  spec: HorizontalPodAutoscalerSpec;
  status: HorizontalPodAutoscalerStatus;
};

export type HorizontalPodAutoscalerCondition = {
  type: string;
  status: string;
  lastTransitionTime: string | null;
  reason?: string;
  message?: string;
};

export type HorizontalPodAutoscalerList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: HorizontalPodAutoscaler[] | null;
};

export type HorizontalPodAutoscalerSpec = {
  scaleTargetRef: CrossVersionObjectReference;
  minReplicas?: number;
  maxReplicas: number;
  targetCPUUtilizationPercentage?: number;
};

export type HorizontalPodAutoscalerStatus = {
  observedGeneration?: number;
  lastScaleTime?: string;
  currentReplicas: number;
  desiredReplicas: number;
  currentCPUUtilizationPercentage?: number;
};

/** One of "ContainerResource", "External", "Object", "Pods", "Resource". */
export type MetricSourceType = string;

export type MetricSpec = {
  type: MetricSourceType;
  object?: ObjectMetricSource;
  pods?: PodsMetricSource;
  resource?: ResourceMetricSource;
  containerResource?: ContainerResourceMetricSource;
  external?: ExternalMetricSource;
};

export type MetricStatus = {
  type: MetricSourceType;
  object?: ObjectMetricStatus;
  pods?: PodsMetricStatus;
  resource?: ResourceMetricStatus;
  containerResource?: ContainerResourceMetricStatus;
  external?: ExternalMetricStatus;
};

export type ObjectMetricSource = {
  target: CrossVersionObjectReference;
  metricName: string;
  targetValue: string;
  selector?: meta.LabelSelector;
  averageValue?: string;
};

export type ObjectMetricStatus = {
  target: CrossVersionObjectReference;
  metricName: string;
  currentValue: string;
  selector?: meta.LabelSelector;
  averageValue?: string;
};

export type PodsMetricSource = {
  metricName: string;
  targetAverageValue: string;
  selector?: meta.LabelSelector;
};

export type PodsMetricStatus = {
  metricName: string;
  currentAverageValue: string;
  selector?: meta.LabelSelector;
};

export type ResourceMetricSource = {
  name: string;
  targetAverageUtilization?: number;
  targetAverageValue?: string;
};

export type ResourceMetricStatus = {
  name: string;
  currentAverageUtilization?: number;
  currentAverageValue: string;
};

export type Scale = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  spec: ScaleSpec;
  status: ScaleStatus;
};

export type ScaleSpec = {
  replicas?: number;
};

export type ScaleStatus = {
  replicas: number;
  selector?: string;
};
