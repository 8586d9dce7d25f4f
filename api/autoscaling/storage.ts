/**
 * HorizontalPodAutoscalers of autoscaling/v1 are stored as autoscaling/v2. What v1 has no field for travels in
 * annotations, so that an update through v1 loses nothing.
 * Source: k8s.io/kubernetes/pkg/apis/autoscaling/v1/conversion.go, pkg/apis/autoscaling/annotations.go
 */
import type { ApiObject } from "@atoll/machinery/object";
import { type Metric, metricFromV2, metricStatusToV2, metricToV2 } from "./metrics.ts";

const prefix = "autoscaling.alpha.kubernetes.io/";
const metricsKey = `${prefix}metrics`;
const currentMetricsKey = `${prefix}current-metrics`;
const conditionsKey = `${prefix}conditions`;
const behaviorKey = `${prefix}behavior`;
/** Annotations in which v1 keeps what only v2 has fields for. */
export const fieldAnnotations: readonly string[] = [metricsKey, currentMetricsKey, conditionsKey, behaviorKey];

/** What v1's absent metrics mean. */
const defaultUtilization = 80;

type Plain = Record<string, unknown>;

function plain(value: unknown): Plain {
  return typeof value === "object" && value !== null ? (value as Plain) : {};
}

function list(value: unknown): readonly Metric[] {
  return Array.isArray(value) ? value.map((item) => plain(item)) : [];
}

/** What an annotation holds. Anyone may write annotations: text that is no JSON counts as none. */
function annotated(object: ApiObject, key: string): unknown {
  const text = object.metadata.annotations?.[key];
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function withAnnotations(object: ApiObject, added: Readonly<Record<string, string>>): ApiObject {
  const { annotations: old, ...metadata } = object.metadata;
  const kept = Object.entries(old ?? {}).filter(([key]) => !fieldAnnotations.includes(key));
  const annotations = Object.fromEntries([...kept, ...Object.entries(added)]);
  return { ...object, metadata: Object.keys(annotations).length === 0 ? metadata : { ...metadata, annotations } };
}

/** The behavior annotation spells fields as Go does: `ScaleUp`, `StabilizationWindowSeconds`. */
function respelled(value: unknown, respell: (name: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => respelled(item, respell));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(entries.map(([name, inner]) => [respell(name), respelled(inner, respell)]));
}

const upper = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);
const lower = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

function isCpu(metric: Metric): boolean {
  return metric["type"] === "Resource" && plain(metric["resource"])["name"] === "cpu";
}

function cpuUtilization(metric: Metric, at: "target" | "current"): unknown {
  return isCpu(metric) ? plain(plain(metric["resource"])[at])["averageUtilization"] : undefined;
}

function cpuMetric(averageUtilization: unknown): Metric {
  return { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization } } };
}

function specToV2(object: ApiObject): Plain {
  const { targetCPUUtilizationPercentage: cpu, ...spec } = plain(object["spec"]);
  const metrics = list(annotated(object, metricsKey)).map(metricToV2);
  if (cpu !== undefined) metrics.push(cpuMetric(cpu));
  if (metrics.length === 0) metrics.push(cpuMetric(defaultUtilization));
  const behavior = annotated(object, behaviorKey);
  return { ...spec, metrics, ...(behavior === undefined ? {} : { behavior: respelled(behavior, lower) }) };
}

function statusToV2(object: ApiObject): Plain {
  const { currentCPUUtilizationPercentage: cpu, currentReplicas, ...status } = plain(object["status"]);
  const told = annotated(object, currentMetricsKey);
  const fromCpu =
    cpu === undefined ? null : [{ type: "Resource", resource: { name: "cpu", current: { averageUtilization: cpu } } }];
  const conditions = annotated(object, conditionsKey);
  return {
    ...status,
    ...(currentReplicas === 0 || currentReplicas === undefined ? {} : { currentReplicas }),
    currentMetrics: told === undefined ? fromCpu : list(told).map(metricStatusToV2),
    ...(Array.isArray(conditions) ? { conditions } : {}),
  };
}

/** The stored form: autoscaling/v2. */
export function autoscalerToV2(object: ApiObject): ApiObject {
  const made = { ...object, apiVersion: "autoscaling/v2", spec: specToV2(object), status: statusToV2(object) };
  return withAnnotations(made, {});
}

function annotationsOf(spec: Plain, status: Plain): Record<string, string> {
  const added: Record<string, string> = {};
  const metrics = list(spec["metrics"]).filter((metric) => cpuUtilization(metric, "target") === undefined);
  const current = list(status["currentMetrics"]);
  const conditions = list(status["conditions"]);
  if (metrics.length > 0) added[metricsKey] = JSON.stringify(metrics.map((metric) => metricFromV2(metric, false)));
  if (current.length > 0)
    added[currentMetricsKey] = JSON.stringify(current.map((metric) => metricFromV2(metric, true)));
  if (conditions.length > 0) added[conditionsKey] = JSON.stringify(conditions);
  if (spec["behavior"] !== undefined) added[behaviorKey] = JSON.stringify(respelled(spec["behavior"], upper));
  return added;
}

/** The form of autoscaling/v1. */
export function autoscalerFromV2(object: ApiObject): ApiObject {
  const { metrics, behavior: _behavior, ...spec } = plain(object["spec"]);
  const { currentMetrics, conditions: _conditions, ...status } = plain(object["status"]);
  const current = list(currentMetrics).map((metric) => cpuUtilization(metric, "current"));
  const targets = list(metrics).map((metric) => cpuUtilization(metric, "target"));
  const wanted = targets.find((value) => value !== undefined);
  const seen = current.find((value) => value !== undefined);
  const made: ApiObject = {
    ...object,
    apiVersion: "autoscaling/v1",
    spec: { ...spec, ...(wanted === undefined ? {} : { targetCPUUtilizationPercentage: wanted }) },
    status: { currentReplicas: 0, ...status, ...(seen === undefined ? {} : { currentCPUUtilizationPercentage: seen }) },
  };
  return withAnnotations(made, annotationsOf(plain(object["spec"]), plain(object["status"])));
}
