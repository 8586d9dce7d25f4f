/** When a Pod has to end, and why: it is deleted, its time is over, or somebody else has said so. Pure. */
import type { Pod } from "@atoll/client/builtin";
import { graceSecondsOf } from "./plan.ts";
import { type Ending, isAlive, type PodWorld } from "./world.ts";

/** A Pod that is deleted at once still gets a moment. Source: the kubelet's minimum grace period */
const leastGraceSeconds = 1;

/** What is known besides. */
export interface EndingFacts {
  readonly nowMs: number;
  /** The API has the Pod no more. */
  readonly isRemoved: boolean;
}

/**
 * How a Pod is to end, if it is: once it ends, it may only be sooner.
 * @returns `wakeMs`: when its time is over, ms since the epoch; infinite when that is not to be waited for
 */
export function endingOf(
  pod: Pod,
  world: PodWorld,
  { nowMs, isRemoved }: EndingFacts,
): { readonly ending: Ending | undefined; readonly wakeMs: number } {
  const { metadata, spec } = pod;
  const never = { wakeMs: Number.POSITIVE_INFINITY };
  if (metadata.deletionTimestamp !== undefined || isRemoved) {
    const told = isRemoved ? leastGraceSeconds : (metadata.deletionGracePeriodSeconds ?? graceSecondsOf(pod));
    const deadlineMs = nowMs + Math.max(told, leastGraceSeconds) * 1000;
    // A second deletion may leave less time, never more.
    const { failure, deadlineMs: knownMs = deadlineMs } = world.ending ?? { failure: undefined };
    return { ending: { failure, deadlineMs: Math.min(deadlineMs, knownMs) }, ...never };
  }
  const ending = world.ending ?? verdictOf(pod, world, nowMs);
  if (spec.activeDeadlineSeconds === undefined) return { ending, ...never };
  const dueMs = world.sinceMs + spec.activeDeadlineSeconds * 1000;
  if (dueMs > nowMs) return { ending, wakeMs: dueMs };
  const message = "Pod was active on the node longer than the specified deadline";
  return { ending: ending ?? endingWith({ reason: "DeadlineExceeded", message }, pod, nowMs), ...never };
}

/** Somebody else has said that the Pod is over: what still runs of it ends. */
function verdictOf(pod: Pod, world: PodWorld, nowMs: number): Ending | undefined {
  const { phase, reason = "", message = "" } = pod.status;
  const isOver = phase === "Failed" || phase === "Succeeded";
  if (!isOver || ![...world.containers.values()].some(isAlive)) return undefined;
  return endingWith(phase === "Failed" ? { reason, message } : undefined, pod, nowMs);
}

/** An end with the Pod's own grace. */
function endingWith(failure: Ending["failure"], pod: Pod, nowMs: number): Ending {
  return { failure, deadlineMs: nowMs + graceSecondsOf(pod) * 1000 };
}
