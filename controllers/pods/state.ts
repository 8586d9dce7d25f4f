/**
 * What a Pod's status says to those who count Pods.
 * Source: k8s.io/kubernetes/pkg/api/v1/pod/util.go; k8s.io/kubernetes/pkg/controller/controller_utils.go
 */
import type { PodCondition } from "@atoll/api/builtin/core/v1.types";
import type { Pod } from "@atoll/client/builtin";
import { parseTime } from "@atoll/machinery/clock";

/** Has run to its end, well or badly. */
export function isFinished({ status }: Pod): boolean {
  return status?.phase === "Succeeded" || status?.phase === "Failed";
}

/** Counts: neither finished nor being deleted. */
export function isActive(pod: Pod): boolean {
  return !isFinished(pod) && pod.metadata.deletionTimestamp === undefined;
}

/** Is being deleted, but has not ended yet. */
export function isTerminating(pod: Pod): boolean {
  return !isFinished(pod) && pod.metadata.deletionTimestamp !== undefined;
}

/** A condition of a Pod. */
export function conditionOf({ status }: Pod, type: string): PodCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

/** Says that it can serve. */
export function isReady(pod: Pod): boolean {
  return conditionOf(pod, "Ready")?.status === "True";
}

/**
 * When a Pod will have been ready for long enough, ms since the epoch; undefined while it is not ready.
 * In the past: it is available.
 */
function availableAtMs(pod: Pod, minReadySeconds: number): number | undefined {
  const ready = conditionOf(pod, "Ready");
  if (ready?.status !== "True") return undefined;
  if (minReadySeconds === 0) return 0;
  const sinceMs = parseTime(ready.lastTransitionTime ?? "");
  return Number.isNaN(sinceMs) ? undefined : sinceMs + minReadySeconds * 1000;
}

/** Has been ready for minReadySeconds. */
export function isAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  const atMs = availableAtMs(pod, minReadySeconds);
  return atMs !== undefined && atMs <= nowMs;
}

/** How long until the next of these Pods becomes available, ms; undefined when none is about to. */
export function nextAvailableInMs(pods: readonly Pod[], minReadySeconds: number, nowMs: number): number | undefined {
  const delays = pods.flatMap((pod) => {
    const atMs = availableAtMs(pod, minReadySeconds);
    return atMs === undefined || atMs <= nowMs ? [] : [atMs - nowMs];
  });
  return delays.length === 0 ? undefined : Math.min(...delays);
}

/** When a Pod ended, ms since the epoch; the best that can be known. */
export function endedAtMs({ status, metadata }: Pod): number {
  const ends = (status?.containerStatuses ?? []).map(({ state }) => parseTime(state?.terminated?.finishedAt ?? ""));
  const known = ends.filter((end) => !Number.isNaN(end));
  if (known.length > 0) return Math.max(...known);
  const ready = status?.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime;
  const guesses = [ready, metadata.deletionTimestamp, metadata.creationTimestamp].map((time) => parseTime(time ?? ""));
  return guesses.find((guess) => !Number.isNaN(guess)) ?? 0;
}
