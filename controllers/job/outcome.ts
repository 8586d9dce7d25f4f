/**
 * Whether a Job has come to its end, and by what. Pure.
 * Source: k8s.io/kubernetes/pkg/controller/job/job_controller.go (syncJob)
 */
import type { JobCondition } from "@atoll/api/builtin/batch/v1.types";
import type { Job, Pod } from "@atoll/client/builtin";
import { parseTime } from "@atoll/machinery/clock";
import { isActive } from "../pods/state.ts";
import type { Count } from "./counting.ts";
import { hasFailed, isLimitedPerIndex, isTracked } from "./pods.ts";
import { enough, judge } from "./policy.ts";

/** What a Job is heading for: `FailureTarget` then `Failed`, or `SuccessCriteriaMet` then `Complete`. */
export interface Target {
  readonly type: "FailureTarget" | "SuccessCriteriaMet";
  readonly reason: string;
  readonly message: string;
}

const noLimit = 2 ** 31 - 1;

/** A condition that is true. */
export function trueCondition(job: Job, type: string): JobCondition | undefined {
  return job.status?.conditions?.find((condition) => condition.type === type && condition.status === "True");
}

/** Whether a Job has ended, for good. */
export function isFinished(job: Job): boolean {
  return trueCondition(job, "Complete") !== undefined || trueCondition(job, "Failed") !== undefined;
}

/** Whether the Job was told before that it will fail. */
export function isFailing(job: Job): boolean {
  return trueCondition(job, "FailureTarget") !== undefined;
}

/** What the Job is heading for; undefined while it goes on. */
export function targetOf(
  job: Job,
  { pods, count, nowMs }: { pods: readonly Pod[]; count: Count; nowMs: number },
): Target | undefined {
  const told = toldTarget(job);
  if (told !== undefined) return told;
  const failure = failureOf(job, { pods, count, nowMs });
  if (failure !== undefined) return { type: "FailureTarget", ...failure };
  const policy = enough(job, count.succeededIndexes);
  if (policy !== undefined) return { type: "SuccessCriteriaMet", reason: "SuccessPolicy", message: policy };
  if (!isDone(job, pods, count)) return undefined;
  return {
    type: "SuccessCriteriaMet",
    reason: "CompletionsReached",
    message: "Reached expected number of succeeded pods",
  };
}

function toldTarget(job: Job): Target | undefined {
  for (const type of ["FailureTarget", "SuccessCriteriaMet"] as const) {
    const told = trueCondition(job, type);
    if (told !== undefined) return { type, reason: told.reason ?? "", message: told.message ?? "" };
  }
  return undefined;
}

function isDone({ spec }: Job, pods: readonly Pod[], count: Count): boolean {
  const active = pods.filter(isActive).length;
  const succeeded = count.succeeded + count.uncountedSucceeded.length;
  if (spec.completions === undefined) return succeeded > 0 && active === 0;
  return succeeded >= spec.completions && active === 0;
}

function failureOf(
  job: Job,
  { pods, count, nowMs }: { pods: readonly Pod[]; count: Count; nowMs: number },
): { reason: string; message: string } | undefined {
  const verdicts = pods.filter((pod) => isTracked(pod) && hasFailed(job, pod)).map((pod) => judge(job, pod));
  const fatal = verdicts.find(({ action }) => action === "FailJob");
  if (fatal !== undefined) return { reason: "PodFailurePolicy", message: fatal.message };
  if (isBeyondLimit(job, pods, count)) {
    return { reason: "BackoffLimitExceeded", message: "Job has reached the specified backoff limit" };
  }
  const leftMs = deadlineInMs(job, nowMs);
  if (leftMs !== undefined && leftMs <= 0) {
    return { reason: "DeadlineExceeded", message: "Job was active longer than specified deadline" };
  }
  return isLimitedPerIndex(job) ? failureByIndexes(job, count) : undefined;
}

function isBeyondLimit({ spec }: Job, pods: readonly Pod[], { failed, uncountedFailed }: Count): boolean {
  const limit = spec.backoffLimit ?? (spec.backoffLimitPerIndex === undefined ? 6 : noLimit);
  if (failed + uncountedFailed.length > limit) return true;
  if (spec.template.spec?.restartPolicy !== "OnFailure") return false;
  const running = pods.filter(({ status }) => status?.phase === "Running" || status?.phase === "Pending");
  const restarts = running.reduce((sum, pod) => sum + restartsOf(pod), 0);
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

function restartsOf({ status }: Pod): number {
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return all.reduce((sum, { restartCount }) => sum + restartCount, 0);
}

function failureByIndexes(
  { spec }: Job,
  { failedIndexes, succeededIndexes }: Count,
): { reason: string; message: string } | undefined {
  const failed = failedIndexes.size;
  if (spec.maxFailedIndexes !== undefined && failed > spec.maxFailedIndexes) {
    const message = "Job has exceeded the specified maximal number of failed indexes";
    return { reason: "MaxFailedIndexesExceeded", message };
  }
  const isOver = failed > 0 && failed + succeededIndexes.size >= (spec.completions ?? 0);
  return isOver ? { reason: "FailedIndexes", message: "Job has failed indexes" } : undefined;
}

/** How long until the Job's own deadline, ms; undefined when it has none or does not run. */
export function deadlineInMs({ spec, status }: Job, nowMs: number): number | undefined {
  if (spec.activeDeadlineSeconds === undefined || spec.suspend === true || status?.startTime === undefined)
    return undefined;
  return parseTime(status.startTime) + spec.activeDeadlineSeconds * 1000 - nowMs;
}
