/** What a Job's status may become. Source: k8s.io/kubernetes/pkg/apis/batch/validation (validateJobStatus, validateJobStatusUpdate) */
import { type FieldErrors, Path } from "@atoll/machinery/field";
import type { Job, JobStatus } from "../builtin/batch/v1.types.ts";
import { checkCounts } from "../core/podspec/owner.ts";
import { Place } from "../core/podspec/place.ts";

const counts = ["active", "succeeded", "failed", "ready", "terminating"];

/** Numbers, and that a job ends once, one way, with the times that belong to it. */
export function checkJobStatus(object: Job, old: Job, errors: FieldErrors): void {
  const at = new Place(errors, Path.of("status"));
  const { status } = object;
  checkCounts(status, { counts, within: [], most: 0 }, at);
  if (status.ready !== undefined && status.ready > (status.active ?? 0)) {
    at.invalid("ready", status.ready, `must not be greater than active (${status.active ?? 0})`);
  }
  checkEnd(object, at);
  checkEndKept(status, old.status, at);
  checkUncounted(status, at);
}

function has({ conditions = [] }: JobStatus, wanted: string): boolean {
  return conditions.some(({ type, status }) => type === wanted && status === "True");
}

function checkEnd({ status }: Job, at: Place): void {
  const complete = has(status, "Complete");
  const failed = has(status, "Failed");
  if (complete && failed)
    at.invalid("conditions", status.conditions, "cannot set Complete=True and Failed=true conditions");
  if (complete && has(status, "FailureTarget")) {
    at.invalid("conditions", status.conditions, "cannot set Complete=True and FailureTarget=true conditions");
  }
  if (status.completionTime !== undefined && !complete) {
    at.invalid(
      "completionTime",
      status.completionTime,
      "cannot set completionTime when there is no Complete=True condition",
    );
  }
  if (complete && status.completionTime === undefined)
    at.required("completionTime", "completionTime is required for Complete jobs");
  if (!complete && !failed) return;
  if (status.startTime === undefined) at.required("startTime", "startTime is required for finished job");
  if ((status.active ?? 0) > 0) at.invalid("active", status.active, "active>0 is invalid for finished job");
  if ((status.terminating ?? 0) > 0)
    at.invalid("terminating", status.terminating, "terminating>0 is invalid for finished job");
}

/** What is over stays over. */
function checkEndKept(status: JobStatus, old: JobStatus, at: Place): void {
  for (const type of ["Complete", "Failed", "FailureTarget", "SuccessCriteriaMet"]) {
    if (has(old, type) && !has(status, type))
      at.invalid("conditions", status.conditions ?? null, `cannot disable the terminal ${type}=True condition`);
  }
  if (old.completionTime !== undefined && status.completionTime !== old.completionTime) {
    at.invalid("completionTime", status.completionTime ?? null, "field is immutable");
  }
}

/** Pods that are over but not yet counted are each named once. */
function checkUncounted({ uncountedTerminatedPods: pods }: JobStatus, at: Place): void {
  if (pods === undefined) return;
  const here = at.child("uncountedTerminatedPods");
  const seen = new Set<string>();
  for (const list of ["succeeded", "failed"] as const) {
    for (const [i, uid] of (pods[list] ?? []).entries()) {
      if (uid === "") here.item(list, i).invalid("", uid, "must not be empty");
      else if (seen.has(uid)) here.item(list, i).duplicate("", uid);
      seen.add(uid);
    }
  }
}
