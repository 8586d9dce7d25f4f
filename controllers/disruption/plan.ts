/**
 * How many Pods of a budget may be disrupted, and what its status says. Pure.
 * Source: k8s.io/kubernetes/pkg/controller/disruption/disruption.go
 */
import type { PodDisruptionBudgetStatus } from "@atoll/api/builtin/policy/v1.types";
import type { Pod, PodDisruptionBudget } from "@atoll/client/builtin";
import { formatTime, parseTime } from "@atoll/machinery/clock";
import { isReady } from "../pods/state.ts";

/** An eviction that was let through and is not seen as a deletion for so long has not happened, ms. */
const deletionTimeoutMs = 120_000;

/** The world that a status is made for. */
export interface World {
  readonly budget: PodDisruptionBudget;
  /** Those that the budget selects. */
  readonly pods: readonly Pod[];
  /** How many Pods those who own these want; not asked for where the budget counts Pods. */
  readonly scale: number;
  readonly nowMs: number;
}

/** Whether the budget is relative to how many Pods their owners want. */
export function isRelative({ spec }: PodDisruptionBudget): boolean {
  return spec.maxUnavailable !== undefined || typeof spec.minAvailable === "string";
}

/** What the status says, and when to look again though nothing changes, ms; undefined: not. */
export function summarise(world: World): {
  readonly status: PodDisruptionBudgetStatus;
  readonly afterMs: number | undefined;
  /** Pods whose eviction was let through, and that are there still. */
  readonly undeleted: readonly Pod[];
} {
  const { budget, pods, nowMs } = world;
  const { disrupted, undeleted, afterMs } = disruptedPods(world);
  const counts = pods.filter(({ metadata: { name = "", deletionTimestamp } }) => {
    return deletionTimestamp === undefined && disrupted[name] === undefined;
  });
  const currentHealthy = counts.filter(isReady).length;
  const { expectedPods, desiredHealthy } = wanted(world);
  const disruptionsAllowed = expectedPods <= 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy);
  const generation = budget.metadata.generation ?? 0;
  const status = {
    disruptionsAllowed,
    currentHealthy,
    desiredHealthy,
    expectedPods,
    ...(generation > 0 && { observedGeneration: generation }),
    ...(Object.keys(disrupted).length > 0 && { disruptedPods: disrupted }),
  };
  const verdict =
    disruptionsAllowed > 0
      ? { status: "True", reason: "SufficientPods", message: "" }
      : { status: "False", reason: "InsufficientPods", message: "" };
  return { status: withVerdict(budget, status, { ...verdict, nowMs }), afterMs, undeleted };
}

/** The status of a budget that cannot be reckoned: nothing may go. */
export function failedStatus(budget: PodDisruptionBudget, message: string, nowMs: number): PodDisruptionBudgetStatus {
  const status = { ...budget.status, disruptionsAllowed: 0 };
  return withVerdict(budget, status, { status: "False", reason: "SyncFailed", message, nowMs });
}

interface Verdict {
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly nowMs: number;
}

const conditionType = "DisruptionAllowed";

function withVerdict(
  { status: before }: PodDisruptionBudget,
  status: PodDisruptionBudgetStatus,
  { nowMs, ...verdict }: Verdict,
): PodDisruptionBudgetStatus {
  const old = before?.conditions?.find(({ type }) => type === conditionType);
  const others = (before?.conditions ?? []).filter(({ type }) => type !== conditionType);
  const lastTransitionTime =
    old?.status === verdict.status ? (old.lastTransitionTime ?? formatTime(nowMs)) : formatTime(nowMs);
  const { observedGeneration } = status;
  const seen = observedGeneration === undefined ? {} : { observedGeneration };
  return { ...status, conditions: [...others, { type: conditionType, ...verdict, ...seen, lastTransitionTime }] };
}

function wanted({ budget: { spec }, pods, scale }: World): { expectedPods: number; desiredHealthy: number } {
  const { maxUnavailable, minAvailable } = spec;
  if (maxUnavailable !== undefined) {
    return { expectedPods: scale, desiredHealthy: Math.max(0, scale - share(maxUnavailable, scale)) };
  }
  if (typeof minAvailable === "string") return { expectedPods: scale, desiredHealthy: share(minAvailable, scale) };
  if (minAvailable === undefined) return { expectedPods: 0, desiredHealthy: 0 };
  return { expectedPods: pods.length, desiredHealthy: Number(minAvailable) };
}

/** A number, or a percentage of a whole, rounded up. */
function share(value: number | string, whole: number): number {
  const percent = typeof value === "string" ? /^(\d+)%$/.exec(value) : null;
  return percent === null ? Number(value) || 0 : Math.ceil((Number(percent[1]) * whole) / 100);
}

/** Evictions that were let through and whose Pods are not being deleted yet, but may still be. */
function disruptedPods({ budget, pods, nowMs }: World) {
  const before = budget.status?.disruptedPods ?? {};
  const disrupted: Record<string, string> = {};
  const undeleted: Pod[] = [];
  const delays: number[] = [];
  for (const pod of pods) {
    const { name = "", deletionTimestamp } = pod.metadata;
    const since = before[name];
    if (since === undefined || deletionTimestamp !== undefined) continue;
    const leftMs = parseTime(since) + deletionTimeoutMs - nowMs;
    if (leftMs < 0) {
      undeleted.push(pod);
      continue;
    }
    disrupted[name] = since;
    delays.push(leftMs + 1);
  }
  return { disrupted, undeleted, afterMs: delays.length === 0 ? undefined : Math.min(...delays) };
}
