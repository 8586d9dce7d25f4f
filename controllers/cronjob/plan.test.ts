import assert from "node:assert/strict";
import test from "node:test";
import type { CronJobSpec, CronJobStatus, JobStatus } from "@atoll/api/builtin/batch/v1.types";
import type { CronJob, Job } from "@atoll/client/builtin";
import { deepFreeze } from "@atoll/machinery/equal";
import { plan } from "./plan.ts";

const at = (time: string) => Date.parse(`2026-01-01T${time}Z`);
const iso = (ms: number) => new Date(ms).toISOString().replace(".000Z", "Z");

function cronJob(spec: Partial<CronJobSpec> = {}, status: CronJobStatus = {}): CronJob {
  const template = { metadata: {}, spec: { template: { spec: { containers: [] } } } } as never;
  const metadata = { name: "c", namespace: "n", uid: "c", creationTimestamp: iso(at("00:00:00")) };
  const whole = { schedule: "0 * * * *", jobTemplate: template, ...spec };
  return deepFreeze({ apiVersion: "batch/v1", kind: "CronJob", metadata, spec: whole, status });
}

function job(name: string, end?: "Complete" | "Failed", startTime = iso(at("00:30:00"))): Job {
  const conditions =
    end === undefined ? [] : [{ type: end, status: "True", lastProbeTime: null, lastTransitionTime: startTime }];
  const status: JobStatus = { conditions, startTime, ...(end === "Complete" && { completionTime: startTime }) };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace: "n", uid: name },
    spec: {} as never,
    status,
  };
}

const made = (object: CronJob, jobs: Job[], time: string) => plan(object, jobs, at(time)).make?.job.metadata.name;
const nameFor = (time: string) => `c-${at(time) / 60_000}`;
const told = (object: CronJob, jobs: Job[], time: string) =>
  plan(object, jobs, at(time)).tell.map(({ reason }) => reason);

test("plan() makes a Job when its time has come, and waits for the next", () => {
  assert.equal(made(cronJob(), [], "00:59:59"), undefined);
  assert.equal(plan(cronJob(), [], at("00:59:59")).afterMs, 1_100);
  const due = plan(cronJob(), [], at("01:00:00"));
  assert.equal(due.make?.job.metadata.name, nameFor("01:00:00"));
  assert.equal(
    due.make?.job.metadata.annotations?.["batch.kubernetes.io/cronjob-scheduled-timestamp"],
    "2026-01-01T01:00:00Z",
  );
  assert.equal(due.afterMs, 3_600_100);
});

test("plan() makes the Job of a time once", () => {
  assert.equal(made(cronJob({}, { lastScheduleTime: iso(at("01:00:00")) }), [], "01:30:00"), undefined);
  assert.equal(made(cronJob(), [job(nameFor("01:00:00"))], "01:30:00"), undefined);
});

test("plan() makes up for the last time missed, not for each", () => {
  assert.equal(made(cronJob(), [], "05:30:00"), nameFor("05:00:00"));
  const everyMinute = cronJob({ schedule: "* * * * *" });
  assert.equal(made(everyMinute, [], "05:30:30"), nameFor("05:30:00"));
  assert.deepEqual(told(everyMinute, [], "05:30:30"), ["TooManyMissedTimes"]);
});

test("plan() does not make up for a time longer ago than the deadline", () => {
  assert.equal(made(cronJob({ startingDeadlineSeconds: 600 }), [], "01:05:00"), nameFor("01:00:00"));
  assert.equal(made(cronJob({ startingDeadlineSeconds: 600 }), [], "01:15:00"), undefined);
});

test("plan() heeds what is still running, as the policy says", () => {
  const running = [job("c-1")];
  assert.equal(made(cronJob(), running, "01:00:00"), nameFor("01:00:00"));
  const forbid = cronJob({ concurrencyPolicy: "Forbid" });
  assert.equal(made(forbid, running, "01:00:00"), undefined);
  assert.deepEqual(told(forbid, running, "01:00:00"), ["JobAlreadyActive"]);
  assert.equal(made(forbid, [job("c-1", "Complete")], "01:00:00"), nameFor("01:00:00"));
  const replacing = plan(cronJob({ concurrencyPolicy: "Replace" }), running, at("01:00:00"));
  assert.deepEqual(replacing.replace, running);
  assert.notEqual(replacing.make, undefined);
});

test("plan() makes nothing while suspended, or when it cannot read the schedule or zone", () => {
  assert.equal(made(cronJob({ suspend: true }), [], "01:00:00"), undefined);
  assert.deepEqual(told(cronJob({ schedule: "whenever" }), [], "01:00:00"), ["UnparseableSchedule"]);
  assert.deepEqual(told(cronJob({ timeZone: "Mars/Base" }), [], "01:00:00"), ["UnknownTimeZone"]);
});

test("plan() follows the clock of its time zone", () => {
  const object = cronJob({ schedule: "30 9 * * *", timeZone: "Asia/Kolkata" });
  assert.equal(made(object, [], "03:59:59"), undefined);
  const due = plan(object, [], at("04:00:00"));
  assert.equal(
    due.make?.job.metadata.annotations?.["batch.kubernetes.io/cronjob-scheduled-timestamp"],
    "2026-01-01T09:30:00+05:30",
  );
});

test("plan() forgets ended Jobs beyond its limits, the oldest first", () => {
  const jobs = [1, 2, 3, 4, 5].map((i) => job(`good-${i}`, "Complete", iso(at(`00:0${i}:00`))));
  const bad = [1, 2].map((i) => job(`bad-${i}`, "Failed", iso(at(`00:0${i}:00`))));
  const { forget } = plan(cronJob(), [...jobs, ...bad, job("runs")], at("00:30:00"));
  assert.deepEqual(
    forget.map(({ metadata }) => metadata.name),
    ["good-1", "good-2", "bad-1"],
  );
});

test("plan() tells which Jobs run, which ended, and when one last did well", () => {
  const status = { active: [{ kind: "Job", apiVersion: "batch/v1", name: "a", namespace: "n", uid: "a" }] };
  const after = plan(cronJob({}, status), [job("a", "Complete"), job("b")], at("00:31:00"));
  assert.deepEqual(
    after.status.active?.map(({ name }) => name),
    ["b"],
  );
  assert.equal(after.status.lastSuccessfulTime, iso(at("00:30:00")));
  assert.deepEqual(
    after.tell.map(({ note }) => note),
    ["Saw completed job: a, condition: Complete"],
  );
});
