/**
 * The arithmetic of a rolling update: how many Pods there may be, and how many must be available.
 * Source: k8s.io/kubernetes/pkg/controller/deployment/util/deployment_util.go
 */
import type { Deployment, ReplicaSet } from "@atoll/client/builtin";

/** The Pods a Deployment wants. */
export function wanted({ spec }: Deployment): number {
  return spec.replicas ?? 1;
}

/** The Pods a ReplicaSet is to have. */
export function sizeOf({ spec }: ReplicaSet): number {
  return spec.replicas ?? 1;
}

/** Sums a number over ReplicaSets. */
export function sum(all: readonly ReplicaSet[], of: (each: ReplicaSet) => number | undefined): number {
  return all.reduce((total, each) => total + (of(each) ?? 0), 0);
}

/** A number, or a percentage of `total`. */
function scaled(value: number | string | undefined, total: number, round: (value: number) => number): number {
  if (typeof value === "number") return value;
  const percent = /^(\d+)%$/.exec(value ?? "0%");
  return percent === null ? 0 : round((Number(percent[1]) * total) / 100);
}

/** Whether Pods are replaced little by little. */
export function isRolling({ spec }: Deployment): boolean {
  return spec.strategy?.type !== "Recreate";
}

/** Pods above the number wanted, and available ones below it, that a rolling update may cause. */
export function leeway(deployment: Deployment): { surge: number; unavailable: number } {
  if (!isRolling(deployment)) return { surge: 0, unavailable: 0 };
  const total = wanted(deployment);
  const { maxSurge, maxUnavailable } = deployment.spec.strategy?.rollingUpdate ?? {};
  const surge = scaled(maxSurge, total, Math.ceil);
  const unavailable = scaled(maxUnavailable, total, Math.floor);
  // Both 0 would never get anywhere.
  const least = surge === 0 && unavailable === 0 ? 1 : unavailable;
  return { surge, unavailable: total === 0 ? 0 : Math.min(least, total) };
}
