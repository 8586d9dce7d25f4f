/**
 * What to do next for a Job: what its status says, which Pods to make, to delete, to let go. Pure.
 * Source: k8s.io/kubernetes/pkg/controller/job/job_controller.go (syncJob, manageJob)
 */
import type { JobCondition, JobStatus } from "@atoll/api/builtin/batch/v1.types";
import type { Job, Pod } from "@atoll/client/builtin";
import { formatTime } from "@atoll/machinery/clock";
import type { Happening } from "@atoll/runtime/events";
import { firstToGo } from "../pods/rank.ts";
import { isActive, isReady, isTerminating } from "../pods/state.ts";
import { backoffInMs } from "./backoff.ts";
import type { Count } from "./counting.ts";
import { count } from "./counting.ts";
import { Indexes } from "./indexes.ts";
import type { Target } from "./outcome.ts";
import { deadlineInMs, isFailing, isFinished, targetOf } from "./outcome.ts";
import type { Place } from "./pods.ts";
import { earlierFailures, hasFailed, indexOf, isIndexed, isLimitedPerIndex, isTracked, waitsForEnd } from "./pods.ts";

/** What to do, in this order. */
export interface Plan {
  readonly status: JobStatus;
  /** Pods whose finalizer may come off once the status is stored. */
  readonly release: readonly Pod[];
  readonly remove: readonly Pod[];
  readonly create: readonly Place[];
  /** When to look again, ms. */
  readonly afterMs: number | undefined;
  /** What to tell once the status is stored. */
  readonly tell: readonly Happening[];
}

/** Pods made or deleted in one go. Source: MaxPodCreateDeletePerSync */
const burst = 500;

interface Situation {
  readonly job: Job;
  readonly pods: readonly Pod[];
  readonly active: readonly Pod[];
  readonly terminating: readonly Pod[];
  readonly count: Count;
  readonly nowMs: number;
}

/** What to do next; `pods` are all the Job's, those that ended included. */
export function plan(job: Job, pods: readonly Pod[], nowMs: number): Plan {
  const idle = { status: job.status ?? {}, remove: [], create: [], afterMs: undefined, tell: [] };
  if (isFinished(job)) return { ...idle, release: pods.filter(isTracked) };
  const failing = isFailing(job);
  const first = count(job, pods, failing);
  const target = targetOf(job, { pods, count: first, nowMs });
  const counted = target?.type === "FailureTarget" && !failing ? count(job, pods, true) : first;
  const active = pods.filter(isActive);
  const situation = { job, pods, active, terminating: pods.filter(isTerminating), count: counted, nowMs };
  const deeds = target === undefined ? manage(situation) : { remove: active, create: [], afterMs: undefined };
  const { status, tell } = statusOf(situation, target, deeds.remove);
  const release = counted.counted.filter((pod) => mayRelease(situation, pod, target));
  return { ...deeds, status, release, tell };
}

type Deeds = Pick<Plan, "remove" | "create" | "afterMs">;

const nothing: Deeds = { remove: [], create: [], afterMs: undefined };

/** Brings the number of active Pods to what is wanted. */
function manage(situation: Situation): Deeds {
  const { job, active, terminating, nowMs } = situation;
  if (job.metadata.deletionTimestamp !== undefined) return nothing;
  if (job.spec.suspend === true) return { ...nothing, remove: active };
  const wanted = wantedActive(situation);
  const remove = surplus(situation, wanted);
  const deadline = deadlineInMs(job, nowMs);
  if (remove.length > 0) return { ...nothing, remove: remove.slice(0, burst), afterMs: deadline };
  const missing = wanted - active.length - (waitsForEnd(job) ? terminating.length : 0);
  if (missing <= 0) return { ...nothing, afterMs: deadline };
  const { create, afterMs } = places(situation, Math.min(missing, burst));
  return { ...nothing, create, afterMs: earliest(afterMs, deadline) };
}

function earliest(...delays: readonly (number | undefined)[]): number | undefined {
  const known = delays.filter((delay) => delay !== undefined);
  return known.length === 0 ? undefined : Math.max(0, Math.min(...known));
}

function wantedActive({ job, active, count: { succeeded, uncountedSucceeded, failedIndexes } }: Situation): number {
  const { parallelism = 1, completions } = job.spec;
  const done = succeeded + uncountedSucceeded.length;
  // Without a number of completions, the first success means that no new Pods are needed.
  if (completions === undefined) return done > 0 ? Math.min(active.length, parallelism) : parallelism;
  return Math.max(0, Math.min(completions - done - failedIndexes.size, parallelism));
}

/** Pods to delete: those with an index that is another's or none, then those worth least. */
function surplus({ job, active, nowMs }: Situation, wanted: number): readonly Pod[] {
  const ordered = firstToGo(active, active, nowMs);
  if (!isIndexed(job)) return ordered.slice(0, Math.max(0, active.length - wanted));
  const kept = new Map<number, Pod>();
  const superfluous: Pod[] = [];
  // The best of an index comes last.
  for (const pod of [...ordered].reverse()) {
    const index = indexOf(pod);
    if (index === undefined || index >= (job.spec.completions ?? 0) || kept.has(index)) superfluous.push(pod);
    else kept.set(index, pod);
  }
  const rest = ordered.filter((pod) => kept.get(indexOf(pod) ?? -1) === pod);
  return [...superfluous, ...rest.slice(0, Math.max(0, rest.length - wanted))];
}

/** What new Pods are for, those that may be made now; failures make them wait. */
function places(situation: Situation, missing: number): { create: readonly Place[]; afterMs: number | undefined } {
  const { job, pods, active, terminating, count: counted, nowMs } = situation;
  if (!isLimitedPerIndex(job)) {
    const waitMs = backoffInMs(job, pods, nowMs);
    if (waitMs > 0) return { create: [], afterMs: waitMs };
  }
  if (!isIndexed(job)) {
    const create = Array.from({ length: missing }, () => ({ index: undefined, failures: undefined }));
    return { create, afterMs: undefined };
  }
  const busy = [...active, ...(waitsForEnd(job) ? terminating : [])].flatMap((pod) => indexOf(pod) ?? []);
  const taken = Indexes.none.with(busy).with(all(counted.succeededIndexes, job)).with(all(counted.failedIndexes, job));
  const free = taken.missing(missing, job.spec.completions ?? 0);
  if (!isLimitedPerIndex(job))
    return { create: free.map((index) => ({ index, failures: undefined })), afterMs: undefined };
  const waits = new Map(
    free.map((index) => [
      index,
      backoffInMs(
        job,
        pods.filter((pod) => indexOf(pod) === index),
        nowMs,
      ),
    ]),
  );
  const now = free.filter((index) => waits.get(index) === 0);
  const later = [...waits.values()].filter((waitMs) => waitMs > 0);
  return {
    create: now.map((index) => ({ index, failures: counted.failuresOf.get(index) ?? 0 })),
    afterMs: earliest(...later),
  };
}

function all(indexes: Indexes, { spec }: Job): number[] {
  return Array.from({ length: spec.completions ?? 0 }, (_, i) => i).filter((i) => indexes.has(i));
}

/**
 * The last Pod to fail at an index holds how often it failed, and stays until a successor bears that number.
 */
function mayRelease({ job, pods, count: { failedIndexes } }: Situation, pod: Pod, target: Target | undefined): boolean {
  const index = indexOf(pod);
  if (target !== undefined || index === undefined || !isLimitedPerIndex(job) || !hasFailed(job, pod)) return true;
  if (failedIndexes.has(index) || job.metadata.deletionTimestamp !== undefined) return true;
  return pods.some((other) => indexOf(other) === index && earlierFailures(other) > earlierFailures(pod));
}

/** What the status says, and what has become of the Job that was not so before. */
function statusOf(
  situation: Situation,
  target: Target | undefined,
  remove: readonly Pod[],
): Pick<Plan, "status" | "tell"> {
  const { job, active, terminating, count: counted, nowMs } = situation;
  const removed = new Set(remove);
  const stays = active.filter((pod) => !removed.has(pod));
  const isOver = target !== undefined && isSettled(situation);
  const { conditions, tell } = conditionsOf(job, { target, isOver, nowMs });
  const resumed = job.spec.suspend !== true && (job.status?.startTime === undefined || isResuming(job));
  const startTime = resumed ? formatTime(nowMs) : job.status?.startTime;
  const completed = isOver && target.type === "SuccessCriteriaMet" ? { completionTime: formatTime(nowMs) } : {};
  const status: JobStatus = {
    ...(conditions.length > 0 && { conditions }),
    ...(startTime !== undefined && { startTime }),
    ...completed,
    ...(stays.length > 0 && { active: stays.length }),
    terminating: terminating.length + remove.length,
    ready: stays.filter(isReady).length,
    ...countsOf(job, counted),
  };
  return { status, tell };
}

function countsOf(job: Job, counted: Count): JobStatus {
  const { succeeded, failed, uncountedSucceeded, uncountedFailed, succeededIndexes, failedIndexes } = counted;
  return {
    ...(succeeded > 0 && { succeeded }),
    ...(failed > 0 && { failed }),
    ...(succeededIndexes.size > 0 && { completedIndexes: String(succeededIndexes) }),
    ...(isLimitedPerIndex(job) && { failedIndexes: String(failedIndexes) }),
    uncountedTerminatedPods: {
      ...(uncountedSucceeded.length > 0 && { succeeded: [...uncountedSucceeded] }),
      ...(uncountedFailed.length > 0 && { failed: [...uncountedFailed] }),
    },
  };
}

/** Every Pod has ended and been counted. */
function isSettled({ pods, active, terminating, count: { uncountedSucceeded, uncountedFailed } }: Situation): boolean {
  const busy = active.length + terminating.length + uncountedSucceeded.length + uncountedFailed.length;
  return busy === 0 && !pods.some(isTracked);
}

function isResuming({ status }: Job): boolean {
  return status?.conditions?.some(({ type, status: value }) => type === "Suspended" && value === "True") ?? false;
}

const finals = { FailureTarget: "Failed", SuccessCriteriaMet: "Complete" } as const;

function conditionsOf(
  job: Job,
  { target, isOver, nowMs }: { target: Target | undefined; isOver: boolean; nowMs: number },
): { conditions: JobCondition[]; tell: Happening[] } {
  const now = formatTime(nowMs);
  const conditions = [...(job.status?.conditions ?? [])];
  const tell: Happening[] = [];
  const set = (type: string, status: string, about: { reason: string; message: string }) => {
    const i = conditions.findIndex((condition) => condition.type === type);
    if (conditions[i]?.status === status) return false;
    const made = { type, status, lastProbeTime: now, lastTransitionTime: now, ...about };
    if (i < 0) conditions.push(made);
    else conditions[i] = made;
    return true;
  };
  if (target === undefined) return { conditions, tell: suspension(job, set) };
  const { type, reason, message } = target;
  set(type, "True", { reason, message });
  if (isOver && set(finals[type], "True", { reason, message })) {
    if (type === "FailureTarget") tell.push({ type: "Warning", reason, action: "Fail", note: message });
    else tell.push({ type: "Normal", reason: "Completed", action: "Complete", note: "Job completed" });
  }
  return { conditions, tell };
}

function suspension(
  job: Job,
  set: (type: string, status: string, about: { reason: string; message: string }) => boolean,
): Happening[] {
  if (job.spec.suspend === true) {
    const changed = set("Suspended", "True", { reason: "JobSuspended", message: "Job suspended" });
    return changed ? [{ type: "Normal", reason: "Suspended", action: "Suspend", note: "Job suspended" }] : [];
  }
  if (!isResuming(job)) return [];
  set("Suspended", "False", { reason: "JobResumed", message: "Job resumed" });
  return [{ type: "Normal", reason: "Resumed", action: "Resume", note: "Job resumed" }];
}
