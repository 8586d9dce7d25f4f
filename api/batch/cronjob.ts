/** CronJob. Source: k8s.io/kubernetes/pkg/registry/batch/cronjob/strategy.go, pkg/apis/batch/v1/defaults.go, pkg/apis/batch/validation */
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import type { CronJob } from "../builtin/batch/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { Place } from "../core/podspec/place.ts";
import { selectorCell, selectorColumn, templateCells, templateColumns } from "../core/podspec/template.ts";
import type { Strategy } from "../kind.ts";
import { setJobTemplateDefaults } from "./job.ts";
import { checkJobSpec } from "./jobspec.ts";
import { isTimeZone, scheduleError } from "./schedule.ts";
import { nameWarnings, templateWarnings } from "../core/podspec/warnings.ts";

const templatePath = Path.of("spec", "jobTemplate", "spec", "template");
/** A job's name adds eleven characters to it. */
const nameMax = 52;
const policies = ["Allow", "Forbid", "Replace"];
const none = "<none>";

/** The rules of CronJobs. */
export const cronJob: Strategy<CronJob> = {
  generation: true,
  warnings({ metadata, spec }, old) {
    if (old !== undefined && deepEqual(spec, old.spec)) return [];
    const named = old === undefined ? nameWarnings(metadata, "Pod names and hostnames") : [];
    return [...named, ...templateWarnings(spec.jobTemplate.spec.template, templatePath)];
  },
  setDefaults({ spec }) {
    spec.concurrencyPolicy ||= "Allow";
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    setJobTemplateDefaults(spec.jobTemplate.spec);
  },
  prepareForCreate(object) {
    object.status = {};
  },
  validate(object, errors) {
    const { name = "" } = object.metadata;
    if (name.length > nameMax) errors.invalid(Path.of("metadata", "name"), name, "must be no more than 52 characters");
    check(object, undefined, errors);
  },
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
  },
  validateUpdate: (object, old, errors) => check(object, old, errors),
  table: {
    columns: [
      nameColumn,
      column("Schedule", "When it runs, in cron's notation."),
      column("Timezone", "The zone of the schedule."),
      { ...column("Suspend", "Whether it is held."), type: "boolean" },
      { ...column("Active", "Jobs of it that run."), type: "integer" },
      column("Last Schedule", "How long ago it last ran."),
      ageColumn,
      ...templateColumns,
      selectorColumn,
    ],
    cells: ({ metadata, spec, status }, nowMs) => [
      metadata.name ?? "",
      spec.schedule,
      spec.timeZone ?? none,
      spec.suspend === true ? "True" : "False",
      status.active?.length ?? 0,
      status.lastScheduleTime === undefined ? none : age(status.lastScheduleTime, nowMs),
      age(metadata.creationTimestamp, nowMs),
      ...templateCells(spec.jobTemplate.spec.template),
      selectorCell(spec.jobTemplate.spec.selector),
    ],
  },
};

/** What stood there before is left alone: a zone inside a schedule was once let pass. */
function check({ spec }: CronJob, old: CronJob | undefined, errors: FieldErrors): void {
  const at = new Place(errors, Path.of("spec"));
  if (spec.schedule === "") at.required("schedule");
  else checkSchedule(spec.schedule, old?.spec.schedule, at);
  if (spec.timeZone !== undefined && spec.timeZone !== old?.spec.timeZone) checkTimeZone(spec.timeZone, at);
  at.nonNegative("startingDeadlineSeconds", spec.startingDeadlineSeconds);
  at.oneOf("concurrencyPolicy", spec.concurrencyPolicy, policies);
  const here = at.child("jobTemplate").child("spec");
  checkJobSpec(spec.jobTemplate.spec, here);
  const { selector, manualSelector } = spec.jobTemplate.spec;
  if (selector !== undefined) here.invalid("selector", selector, "`selector` will be auto-generated");
  if (manualSelector === true) here.notSupported("manualSelector", manualSelector, ["nil", "false"]);
  at.nonNegative("successfulJobsHistoryLimit", spec.successfulJobsHistoryLimit);
  at.nonNegative("failedJobsHistoryLimit", spec.failedJobsHistoryLimit);
}

function checkSchedule(schedule: string, old: string | undefined, at: Place): void {
  const error = scheduleError(schedule);
  if (error !== undefined) at.invalid("schedule", schedule, error);
  if (schedule.includes("TZ") && old?.includes("TZ") !== true) {
    at.invalid("schedule", schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
  }
}

function checkTimeZone(zone: string, at: Place): void {
  if (zone === "") at.invalid("timeZone", zone, "timeZone must be nil or non-empty string");
  else if (zone.toLowerCase() === "local") {
    at.invalid(
      "timeZone",
      zone,
      "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
    );
  } else if (!isTimeZone(zone)) at.invalid("timeZone", zone, `unknown time zone ${zone}`);
}
