/**
 * How a Job counts its Pods exactly once though they may vanish at any time and the controller may crash:
 *
 *   Pod ends, finalizer still on ──▶ its uid goes into status.uncountedTerminatedPods
 *                                ──▶ then its finalizer comes off
 *                                ──▶ then the uid goes, and the number rises, in one write
 *
 * Of an indexed Job, indexes that succeeded are kept as a set instead, which cannot count twice.
 * Source: k8s.io/kubernetes/pkg/controller/job/job_controller.go (trackJobStatusAndRemoveFinalizers); KEP-2307
 */
import type { Job, Pod } from "@atoll/client/builtin";
import { Indexes } from "./indexes.ts";
import { earlierFailures, hasFailed, indexOf, isIndexed, isLimitedPerIndex, isTracked } from "./pods.ts";
import { judge } from "./policy.ts";

/** What has been counted, and what is under way. */
export interface Count {
  /** Ended and done with. */
  readonly succeeded: number;
  readonly failed: number;
  /** Ended, but not done with: uids. */
  readonly uncountedSucceeded: readonly string[];
  readonly uncountedFailed: readonly string[];
  readonly succeededIndexes: Indexes;
  readonly failedIndexes: Indexes;
  /** Failures by index so far; only when they are limited by index. */
  readonly failuresOf: ReadonlyMap<number, number>;
  /** Pods whose end is in the status once that is stored: their finalizers may come off then. */
  readonly counted: readonly Pod[];
}

/** Ends taken into one status, so that it does not grow without bounds. Source: MaxUncountedPods */
const mostUncounted = 500;

/** Counts a Job's Pods. `failing`: the Job is to fail, and every Pod that is going counts as failed. */
export function count(job: Job, pods: readonly Pod[], failing: boolean): Count {
  const tracked = new Map(pods.filter(isTracked).map((pod) => [pod.metadata.uid ?? "", pod]));
  const { succeeded = [], failed = [] } = job.status?.uncountedTerminatedPods ?? {};
  const isHeld = (uid: string) => tracked.has(uid);
  const ends = endsOf(job, { tracked, failing, succeeded: succeeded.filter(isHeld), failed: failed.filter(isHeld) });
  const total = job.spec.completions ?? 0;
  const succeededIndexes = isIndexed(job) ? succeededBy(job, ends.counted, total) : Indexes.none;
  const failuresOf = isLimitedPerIndex(job) ? failuresByIndex(job, pods) : new Map<number, number>();
  const letGo = (uids: readonly string[]) => uids.length - uids.filter(isHeld).length;
  return {
    ...ends,
    succeeded: isIndexed(job) ? succeededIndexes.size : (job.status?.succeeded ?? 0) + letGo(succeeded),
    failed: (job.status?.failed ?? 0) + letGo(failed),
    succeededIndexes,
    failedIndexes: failedBy(job, { failuresOf, succeededIndexes, pods, total }),
    failuresOf,
  };
}

interface Tracked {
  readonly tracked: ReadonlyMap<string, Pod>;
  readonly failing: boolean;
  /** In the status already. */
  readonly succeeded: readonly string[];
  readonly failed: readonly string[];
}

type Ends = Pick<Count, "uncountedSucceeded" | "uncountedFailed" | "counted">;

function endsOf(job: Job, { tracked, failing, succeeded, failed }: Tracked): Ends {
  const uncountedSucceeded = [...succeeded];
  const uncountedFailed = [...failed];
  const known = new Set([...succeeded, ...failed]);
  const counted: Pod[] = [];
  for (const [uid, pod] of tracked) {
    const end = known.has(uid) ? "known" : endOf(job, pod, failing);
    if (end === undefined || uncountedSucceeded.length + uncountedFailed.length >= mostUncounted) continue;
    if (end === "succeeded") uncountedSucceeded.push(uid);
    if (end === "failed") uncountedFailed.push(uid);
    counted.push(pod);
  }
  return { uncountedSucceeded, uncountedFailed, counted };
}

/** How a Pod has ended; `apart` when that is counted by other means, or not at all. */
function endOf(job: Job, pod: Pod, failing: boolean): "succeeded" | "failed" | "apart" | undefined {
  const isGoing = pod.metadata.deletionTimestamp !== undefined;
  if (job.metadata.deletionTimestamp !== undefined) return "apart";
  if (pod.status?.phase === "Succeeded") return isIndexed(job) ? "apart" : "succeeded";
  if (!hasFailed(job, pod) && !(failing && isGoing)) return undefined;
  return judge(job, pod).action === "Ignore" ? "apart" : "failed";
}

function succeededBy(job: Job, counted: readonly Pod[], total: number): Indexes {
  const ended = counted.filter(({ status }) => status?.phase === "Succeeded");
  const indexes = ended.flatMap((pod) => indexOf(pod) ?? []).filter((index) => index < total);
  return Indexes.parse(job.status?.completedIndexes, total).with(indexes);
}

function failuresByIndex(job: Job, pods: readonly Pod[]): ReadonlyMap<number, number> {
  const failures = new Map<number, number>();
  for (const pod of pods) {
    const index = indexOf(pod);
    if (index === undefined) continue;
    const own = hasFailed(job, pod) && judge(job, pod).action !== "Ignore" ? 1 : 0;
    failures.set(index, Math.max(failures.get(index) ?? 0, earlierFailures(pod) + own));
  }
  return failures;
}

function failedBy(
  job: Job,
  {
    failuresOf,
    succeededIndexes,
    pods,
    total,
  }: Pick<Count, "failuresOf" | "succeededIndexes"> & { pods: readonly Pod[]; total: number },
): Indexes {
  const before = Indexes.parse(job.status?.failedIndexes, total);
  if (!isLimitedPerIndex(job)) return before;
  const limit = job.spec.backoffLimitPerIndex ?? 0;
  const spent = [...failuresOf].flatMap(([index, failures]) => (failures > limit ? [index] : []));
  const condemned = pods.flatMap((pod) => {
    const index = indexOf(pod);
    return index !== undefined && hasFailed(job, pod) && judge(job, pod).action === "FailIndex" ? [index] : [];
  });
  return before.with([...spent, ...condemned].filter((index) => index < total && !succeededIndexes.has(index)));
}
