/**
 * HorizontalPodAutoscaler of both versions; what v1 says is checked in v2's form, as upstream checks its own.
 * Source: k8s.io/kubernetes/pkg/registry/autoscaling/horizontalpodautoscaler, pkg/apis/autoscaling/v2/defaults.go,
 * pkg/apis/autoscaling/validation
 */
import { type FieldErrors, Path } from "@atoll/machinery/field";
import type { ApiObject } from "@atoll/machinery/object";
import type {
  HorizontalPodAutoscaler,
  HPAScalingRules,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from "../builtin/autoscaling/v2.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { checkCounts } from "../core/podspec/owner.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";
import { checkAutoscaler } from "./rules.ts";
import { autoscalerToV2, fieldAnnotations } from "./storage.ts";

const defaultUtilization = 80;

/** The rules of HorizontalPodAutoscalers. */
export const horizontalPodAutoscaler: Strategy<HorizontalPodAutoscaler> = {
  fieldAnnotations,
  setDefaults(object) {
    object.spec.minReplicas ??= 1;
    if (object.apiVersion === "autoscaling/v2") setV2Defaults(object);
  },
  prepareForCreate(object) {
    object.status = emptyStatus(object);
  },
  validate: check,
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
  },
  validateUpdate: (object, _old, errors) => check(object, errors),
  status: {
    validateUpdate({ status }, _old, errors) {
      const at = new Place(errors, Path.of("status"));
      checkCounts(status, { counts: ["currentReplicas"], within: [], most: 0 }, at);
      // Upstream's spelling.
      if (status.desiredReplicas < 0) {
        at.invalid("desiredReplicasa", status.desiredReplicas, "must be greater than or equal to 0");
      }
    },
  },
  table: {
    columns: [
      nameColumn,
      column("Reference", "What is scaled."),
      column("Targets", "Measured values, and those wanted."),
      column("MinPods", "Fewest pods."),
      column("MaxPods", "Most pods."),
      column("Replicas", "Pods there are."),
      ageColumn,
    ],
    cells: (object, nowMs) => {
      const { metadata, spec, status } = inV2(object);
      return [
        metadata.name ?? "",
        `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`,
        targetsCell(spec.metrics ?? [], status.currentMetrics ?? []),
        spec.minReplicas === undefined ? "<unset>" : String(spec.minReplicas),
        spec.maxReplicas,
        status.currentReplicas ?? 0,
        age(metadata.creationTimestamp, nowMs),
      ];
    },
  },
};

function emptyStatus({ apiVersion }: HorizontalPodAutoscaler): HorizontalPodAutoscaler["status"] {
  if (apiVersion === "autoscaling/v2") return { desiredReplicas: 0, currentMetrics: null };
  return { currentReplicas: 0, desiredReplicas: 0 } as unknown as HorizontalPodAutoscaler["status"];
}

/** A copy in v2's form. */
function inV2(object: HorizontalPodAutoscaler): HorizontalPodAutoscaler {
  if (object.apiVersion === "autoscaling/v2") return object;
  return autoscalerToV2(structuredClone(object) as unknown as ApiObject) as unknown as HorizontalPodAutoscaler;
}

function check(object: HorizontalPodAutoscaler, errors: FieldErrors): void {
  checkAutoscaler(inV2(object), new Place(errors, Path.of("spec")));
}

function setV2Defaults({ spec }: HorizontalPodAutoscaler): void {
  if ((spec.metrics ?? []).length === 0) {
    const target = { type: "Utilization", averageUtilization: defaultUtilization };
    spec.metrics = [{ type: "Resource", resource: { name: "cpu", target } }];
  }
  if (spec.behavior === undefined) return;
  spec.behavior.scaleUp = withDefaults(spec.behavior.scaleUp, {
    stabilizationWindowSeconds: 0,
    policies: [
      { type: "Pods", value: 4, periodSeconds: 15 },
      { type: "Percent", value: 100, periodSeconds: 15 },
    ],
  });
  spec.behavior.scaleDown = withDefaults(spec.behavior.scaleDown, {
    policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
  });
}

function withDefaults(given: HPAScalingRules | undefined, rules: HPAScalingRules): HPAScalingRules {
  return { ...rules, selectPolicy: "Max", ...given };
}

const shownTargets = 2;

/** Source: formatHPAMetrics */
function targetsCell(metrics: readonly MetricSpec[], current: readonly MetricStatus[]): string {
  if (metrics.length === 0) return "<none>";
  const cells = metrics.slice(0, shownTargets).map((metric, i) => targetCell(metric, current[i]));
  const more = metrics.length - shownTargets;
  return cells.join(", ") + (more > 0 ? ` + ${more} more...` : "");
}

function targetCell(metric: MetricSpec, status: MetricStatus | undefined): string {
  const { object, pods, resource, containerResource, external } = metric;
  switch (metric.type) {
    case "External":
      return valueCell(external?.target, status?.external?.current, true);
    case "Pods":
      return valueCell(pods?.target, status?.pods?.current, false);
    case "Object":
      return valueCell(object?.target, status?.object?.current, true);
    case "Resource":
      return `${resource?.name}: ${shareCell(resource?.target, status?.resource?.current)}`;
    case "ContainerResource":
      return `${containerResource?.name}: ${shareCell(containerResource?.target, status?.containerResource?.current)}`;
    default:
      return "<unknown type>";
  }
}

const unknown = "<unknown>";

/** @param mark whether an average is marked as one */
function valueCell(target: MetricTarget | undefined, now: MetricValueStatus | undefined, mark: boolean): string {
  if (target?.averageValue !== undefined) {
    return `${now?.averageValue ?? unknown}/${target.averageValue}${mark ? " (avg)" : ""}`;
  }
  return `${now?.value ?? unknown}/${target?.value ?? unknown}`;
}

function shareCell(target: MetricTarget | undefined, now: MetricValueStatus | undefined): string {
  if (target?.averageValue !== undefined) return `${now?.averageValue ?? unknown}/${target.averageValue}`;
  const current = now?.averageUtilization === undefined ? unknown : `${now.averageUtilization}%`;
  return `${current}/${target?.averageUtilization === undefined ? "<auto>" : `${target.averageUtilization}%`}`;
}
