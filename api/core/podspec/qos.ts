/**
 * Quality of service: what a pod is promised of cpu and memory.
 * Source: k8s.io/kubernetes/pkg/apis/core/v1/helper/qos
 */
import { compareQuantities, parseQuantity } from "@atoll/machinery/quantity";
import type { PodSpec, ResourceRequirements } from "../../builtin/core/v1.types.ts";

const counted = ["cpu", "memory"] as const;

/** Guaranteed, Burstable or BestEffort. */
export function qosClassOf(spec: PodSpec): "Guaranteed" | "Burstable" | "BestEffort" {
  if (spec.resources !== undefined && hasAny(spec.resources)) return classOf([spec.resources]);
  return classOf([...(spec.initContainers ?? []), ...(spec.containers ?? [])].map(({ resources }) => resources ?? {}));
}

function classOf(all: readonly ResourceRequirements[]): "Guaranteed" | "Burstable" | "BestEffort" {
  if (!all.some(hasAny)) return "BestEffort";
  return all.every(isFixed) ? "Guaranteed" : "Burstable";
}

function hasAny({ requests = {}, limits = {} }: ResourceRequirements): boolean {
  return counted.some((name) => isPositive(requests[name]) || isPositive(limits[name]));
}

/** Both resources limited, and requested as much as limited. */
function isFixed({ requests = {}, limits = {} }: ResourceRequirements): boolean {
  return counted.every((name) => {
    const limit = limits[name];
    const request = requests[name] ?? limit;
    if (limit === undefined || request === undefined || !isPositive(limit)) return false;
    return compareQuantities(parseQuantity(request), parseQuantity(limit)) === 0;
  });
}

function isPositive(quantity: string | undefined): boolean {
  return quantity !== undefined && compareQuantities(parseQuantity(quantity), parseQuantity("0")) > 0;
}
