/**
 * Whether a CronJob is due, what stands in the way, and which old Jobs to forget. Pure.
 * Source: k8s.io/kubernetes/pkg/controller/cronjob (cronjob_controllerv2.go, utils.go)
 */
import type { CronJobStatus } from "@atoll/api/builtin/batch/v1.types";
import type { ObjectReference } from "@atoll/api/builtin/core/v1.types";
import type { CronJob, Job } from "@atoll/client/builtin";
import { CronJob as CronJobKind } from "@atoll/client/builtin";
import type { Given } from "@atoll/client/client";
import { formatTime, parseTime } from "@atoll/machinery/clock";
import { controllerReference } from "@atoll/runtime/children";
import type { Happening } from "@atoll/runtime/events";
import { isFinished, trueCondition } from "../job/outcome.ts";
import type { Schedule } from "./schedule.ts";
import { parseSchedule, ScheduleInvalid } from "./schedule.ts";
import type { Zone } from "./zone.ts";
import { zoneOf } from "./zone.ts";

/** What to do, in this order. */
export interface Plan {
  /** Without the Job that is to be made. */
  readonly status: CronJobStatus;
  readonly forget: readonly Job[];
  /** Running Jobs that the new one replaces. */
  readonly replace: readonly Job[];
  readonly make: { readonly job: Given<Job>; readonly atMs: number } | undefined;
  readonly afterMs: number | undefined;
  readonly tell: readonly Happening[];
}

const scheduledAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";
/** Times missed from which on it is worth a warning. */
const manyMissed = 100;
/** After a time has come, for clocks that are not quite alike, ms. */
const slackMs = 100;

/** What to do next for a CronJob with these Jobs. */
export function plan(cronJob: CronJob, jobs: readonly Job[], nowMs: number): Plan {
  const { status, tell } = statusOf(cronJob, jobs);
  const forget = surplus(cronJob, jobs);
  const rest = { status, forget, replace: [], make: undefined, afterMs: undefined, tell };
  if (cronJob.metadata.deletionTimestamp !== undefined || cronJob.spec.suspend === true) return rest;
  const timing = timingOf(cronJob);
  if ("type" in timing) return { ...rest, tell: [...tell, timing] };
  const due = dueTime(cronJob, timing, nowMs);
  const next = timing.schedule.next(nowMs, timing.zone);
  const afterMs = next === undefined ? undefined : next - nowMs + slackMs;
  const missed = due.missed > manyMissed ? [tooManyMissed] : [];
  const waiting = { ...rest, afterMs, tell: [...tell, ...missed] };
  if (due.atMs === undefined) return waiting;
  return { ...waiting, ...start(cronJob, { jobs, atMs: due.atMs, nowMs, zone: timing.zone, told: waiting.tell }) };
}

const tooManyMissed: Happening = {
  type: "Warning",
  reason: "TooManyMissedTimes",
  action: "Schedule",
  note: "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew",
};

interface Timing {
  readonly schedule: Schedule;
  readonly zone: Zone;
}

function timingOf({ spec }: CronJob): Timing | Happening {
  const trouble = (reason: string, note: string): Happening => ({ type: "Warning", reason, action: "Schedule", note });
  const zone = zoneOf(spec.timeZone ?? "UTC");
  if (zone === undefined) return trouble("UnknownTimeZone", `invalid timeZone: ${JSON.stringify(spec.timeZone)}`);
  try {
    return { schedule: parseSchedule(spec.schedule), zone };
  } catch (error) {
    if (!(error instanceof ScheduleInvalid)) throw error;
    return trouble("UnparseableSchedule", `unparseable schedule: ${JSON.stringify(spec.schedule)} : ${error.message}`);
  }
}

/** The last time that has come since the last start, and how many came. */
function dueTime(
  { spec, status, metadata }: CronJob,
  { schedule, zone }: Timing,
  nowMs: number,
): { atMs: number | undefined; missed: number } {
  const lastMs = parseTime(status?.lastScheduleTime ?? metadata.creationTimestamp ?? "");
  const deadlineMs = (spec.startingDeadlineSeconds ?? Number.POSITIVE_INFINITY) * 1000;
  let atMs: number | undefined;
  let missed = 0;
  let next = schedule.next(Math.max(lastMs, nowMs - deadlineMs), zone);
  for (; next !== undefined && next <= nowMs; next = schedule.next(next, zone)) {
    atMs = next;
    missed++;
    // After a year off there is no point in counting minutes one by one.
    if (missed > manyMissed) next = Math.max(next, lastBefore(schedule, zone, nowMs) - 1);
  }
  return { atMs, missed };
}

/** A time at most, but shortly before the last that has come. */
function lastBefore(schedule: Schedule, zone: Zone, nowMs: number): number {
  for (let backMs = 60_000; ; backMs *= 4) {
    const found = schedule.next(nowMs - backMs, zone);
    if (found === undefined || found <= nowMs) return found ?? nowMs;
  }
}

interface Start {
  readonly jobs: readonly Job[];
  readonly atMs: number;
  readonly nowMs: number;
  readonly zone: Zone;
  readonly told: readonly Happening[];
}

function start(cronJob: CronJob, { jobs, atMs, nowMs, zone, told }: Start): Pick<Plan, "make" | "replace" | "tell"> {
  const { startingDeadlineSeconds, concurrencyPolicy = "Allow" } = cronJob.spec;
  const nothing = { make: undefined, replace: [], tell: told };
  const job = jobFor(cronJob, atMs, zone);
  const isMade = jobs.some(({ metadata }) => metadata.name === job.metadata.name);
  if (isMade || cronJob.status?.lastScheduleTime === formatTime(atMs)) return nothing;
  if (startingDeadlineSeconds !== undefined && atMs + startingDeadlineSeconds * 1000 < nowMs) {
    const note = `Missed scheduled time to start a job: ${formatTime(atMs)}`;
    return { ...nothing, tell: [...told, { type: "Warning", reason: "MissSchedule", action: "Schedule", note }] };
  }
  const active = jobs.filter((each) => !isFinished(each));
  if (concurrencyPolicy === "Forbid" && active.length > 0) {
    const note = "Not starting job because prior execution is running and concurrency policy is Forbid";
    return { ...nothing, tell: [...told, { type: "Normal", reason: "JobAlreadyActive", action: "Schedule", note }] };
  }
  return { make: { job, atMs }, replace: concurrencyPolicy === "Replace" ? active : [], tell: told };
}

/** The Job of a scheduled time: named after it, so that it cannot be made twice. */
function jobFor(cronJob: CronJob, atMs: number, zone: Zone): Given<Job> {
  const { name = "", namespace } = cronJob.metadata;
  const { metadata, spec } = cronJob.spec.jobTemplate;
  const annotations = { ...metadata?.annotations, [scheduledAnnotation]: withOffset(atMs, zone) };
  return {
    metadata: {
      name: `${name}-${Math.floor(atMs / 60_000)}`,
      ...(namespace !== undefined && { namespace }),
      ...(metadata?.labels !== undefined && { labels: metadata.labels }),
      annotations,
      ownerReferences: [controllerReference(CronJobKind, cronJob.metadata)],
    },
    spec,
  };
}

/** RFC 3339 by the zone's own clock. */
function withOffset(atMs: number, zone: Zone): string {
  const offsetMinutes = zone.offsetMs(atMs) / 60_000;
  if (offsetMinutes === 0) return formatTime(atMs);
  const wall = formatTime(atMs + offsetMinutes * 60_000).slice(0, 19);
  const [hours, minutes] = [Math.floor(Math.abs(offsetMinutes) / 60), Math.abs(offsetMinutes) % 60];
  const pad = (value: number) => String(value).padStart(2, "0");
  return `${wall}${offsetMinutes < 0 ? "-" : "+"}${pad(hours)}:${pad(minutes)}`;
}

/** Ended Jobs beyond those that are kept to look at, the oldest first. */
function surplus({ spec }: CronJob, jobs: readonly Job[]): readonly Job[] {
  const limits = [
    { type: "Complete", limit: spec.successfulJobsHistoryLimit ?? 3 },
    { type: "Failed", limit: spec.failedJobsHistoryLimit ?? 1 },
  ];
  return limits.flatMap(({ type, limit }) => {
    const ended = jobs.filter(
      (job) => trueCondition(job, type) !== undefined && job.metadata.deletionTimestamp === undefined,
    );
    const sorted = [...ended].sort((a, b) => (startOf(a) < startOf(b) ? -1 : 1));
    return sorted.slice(0, Math.max(0, ended.length - limit));
  });
}

function startOf({ status, metadata }: Job): string {
  return `${status?.startTime ?? ""} ${metadata.name}`;
}

function statusOf(cronJob: CronJob, jobs: readonly Job[]): { status: CronJobStatus; tell: readonly Happening[] } {
  const { active: before = [], lastScheduleTime, lastSuccessfulTime } = cronJob.status ?? {};
  const active = jobs.filter((job) => !isFinished(job)).map(referenceTo);
  const successes = jobs
    .filter((job) => trueCondition(job, "Complete") !== undefined)
    .flatMap(({ status }) => status.completionTime ?? []);
  const last = [lastSuccessfulTime, ...successes]
    .filter((time) => time !== undefined)
    .sort()
    .at(-1);
  const ended = jobs.filter((job) => isFinished(job) && before.some(({ uid }) => uid === job.metadata.uid));
  const tell = ended.map((job): Happening => {
    const how = trueCondition(job, "Complete") === undefined ? "Failed" : "Complete";
    const note = `Saw completed job: ${job.metadata.name}, condition: ${how}`;
    return { type: "Normal", reason: "SawCompletedJob", action: "Observe", note };
  });
  const sorted = [...active].sort((a, b) => ((a.name ?? "") < (b.name ?? "") ? -1 : 1));
  return {
    status: {
      ...(sorted.length > 0 && { active: sorted }),
      ...(lastScheduleTime !== undefined && { lastScheduleTime }),
      ...(last !== undefined && { lastSuccessfulTime: last }),
    },
    tell,
  };
}

/** A reference to a Job, for status.active. Without its revision, which would have to follow each change of the Job. */
export function referenceTo({ metadata }: Job): ObjectReference {
  const { name = "", namespace = "", uid = "" } = metadata;
  return { kind: "Job", apiVersion: "batch/v1", name, namespace, uid };
}
