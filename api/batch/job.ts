/** Job. Source: k8s.io/kubernetes/pkg/registry/batch/job/strategy.go, pkg/apis/batch/v1/defaults.go, pkg/apis/batch/validation */
import { parseTime } from "@atoll/machinery/clock";
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { dns1123LabelErrors, labelValueErrors } from "@atoll/machinery/names";
import { matchesLabels, selectorOf } from "@atoll/machinery/selectors/labels";
import type { Job, JobSpec } from "../builtin/batch/v1.types.ts";
import { age, ageColumn, column, humanDuration, nameColumn } from "../cells.ts";
import { checkSelected } from "../core/podspec/owner.ts";
import { Place } from "../core/podspec/place.ts";
import { checkSelector, isSelector } from "../core/podspec/selector.ts";
import {
  selectorCell,
  selectorColumn,
  setTemplateDefaults,
  templateCells,
  templateColumns,
} from "../core/podspec/template.ts";
import { nameWarnings, templateWarnings } from "../core/podspec/warnings.ts";
import type { Strategy } from "../kind.ts";
import { checkJobSpec } from "./jobspec.ts";
import { checkJobStatus } from "./status.ts";

const specPath = Path.of("spec");
const backoffLimit = 6;
const backoffLimitMax = 2 ** 31 - 1;
const uidLabels = ["controller-uid", "batch.kubernetes.io/controller-uid"] as const;
const nameLabels = ["job-name", "batch.kubernetes.io/job-name"] as const;

/** The rules of Jobs. */
export const job: Strategy<Job> = {
  generation: true,
  warnings({ metadata, spec }, old) {
    if (old !== undefined && deepEqual(spec, old.spec)) return [];
    const named = old === undefined ? nameWarnings(metadata, "Pod names and hostnames") : [];
    return [...named, ...templateWarnings(spec.template, specPath.child("template"))];
  },
  revalidatesMetadata: true,
  defaultPropagation: "Orphan",
  setDefaults(object) {
    setJobDefaults(object.spec);
    const { labels } = object.spec.template.metadata;
    if (labels !== undefined && Object.keys(object.metadata.labels ?? {}).length === 0) {
      object.metadata.labels = { ...labels };
    }
  },
  prepareForCreate(object) {
    if (object.spec.manualSelector !== true) generateSelector(object);
    object.status = {};
  },
  validate: (object, errors) => checkJob(object, errors),
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
  },
  validateUpdate: checkUpdate,
  status: { validateUpdate: checkJobStatus },
  fields: { "status.successful": ({ status }) => String(status.succeeded ?? 0) },
  table: {
    columns: [
      nameColumn,
      column("Status", "Whether it runs, is suspended, or how it ended."),
      column("Completions", "Pods that succeeded, of those wanted."),
      column("Duration", "How long it ran, or runs so far."),
      ageColumn,
      ...templateColumns,
      selectorColumn,
    ],
    cells: (object, nowMs) => [
      object.metadata.name ?? "",
      statusCell(object),
      completionsCell(object),
      durationCell(object, nowMs),
      age(object.metadata.creationTimestamp, nowMs),
      ...templateCells(object.spec.template),
      selectorCell(object.spec.selector),
    ],
  },
};

function setJobDefaults(spec: JobSpec): void {
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? backoffLimit : backoffLimitMax;
  spec.completionMode ??= "NonIndexed";
  spec.suspend ??= false;
  spec.manualSelector ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? "TerminatingOrFailed" : "Failed";
  setJobTemplateDefaults(spec);
}

/** What a Job's specification gets even inside a CronJob. */
export function setJobTemplateDefaults(spec: JobSpec): void {
  for (const { onPodConditions = [] } of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of onPodConditions) pattern.status ||= "True";
  }
  setTemplateDefaults(spec.template);
}

/** Labels that only this job's pods have, and the selector for them. The job gets them, too, unless it has its own. */
function generateSelector({ metadata, spec }: Job): void {
  const { uid = "", name = "" } = metadata;
  const own = spec.template.metadata.labels;
  const labels: Record<string, string> = { ...own };
  for (const key of nameLabels) labels[key] ??= name;
  for (const key of uidLabels) labels[key] ??= uid;
  const sound = Object.values(labels).every((value) => labelValueErrors(value).length === 0);
  if (sound && deepEqual(metadata.labels ?? {}, own ?? {})) metadata.labels = { ...labels };
  spec.template.metadata.labels = labels;
  spec.selector = { ...spec.selector, matchLabels: { [uidLabels[1]]: uid, ...spec.selector?.matchLabels } };
}

/** @param old the job before, on update: jobs made before labels had prefixes need none */
function checkJob(object: Job, errors: FieldErrors, old?: Job): void {
  checkGenerated(object, errors, old);
  check(object, errors);
  checkIndexName(object, errors);
}

function checkGenerated({ metadata, spec }: Job, errors: FieldErrors, old: Job | undefined): void {
  if (spec.manualSelector === true || spec.selector === undefined) return;
  const { uid = "", name = "" } = metadata;
  const labels = spec.template.metadata.labels ?? {};
  const expected: Record<string, string> = {};
  for (const key of uidLabels) expected[key] = uid;
  for (const key of nameLabels) expected[key] = name;
  const at = new Place(errors, Path.of("spec", "template", "metadata"));
  const prefixed = old === undefined || old.spec.template.metadata.labels?.[nameLabels[1]] !== undefined;
  for (const [key, value] of Object.entries(expected)) {
    if (!prefixed && key.includes("/")) continue;
    if (labels[key] === undefined) at.entry("labels", key).required("", `must be '${value}'`);
    else if (labels[key] !== value) at.entry("labels", key).invalid("", labels[key], `must be '${value}'`);
  }
  const wanted = selectorOf(spec.selector);
  if (isSelector(spec.selector) && wanted !== undefined && !matchesLabels(wanted, expected)) {
    errors.invalid(Path.of("spec", "selector"), spec.selector, "`selector` not auto-generated");
  }
}

function check({ spec }: Job, errors: FieldErrors): void {
  const at = new Place(errors, specPath);
  checkJobSpec(spec, at);
  if (spec.selector === undefined) at.required("selector");
  checkSelector(spec.selector, at.child("selector"));
  if (isSelector(spec.selector)) checkSelected(spec.template, spec.selector, at.child("template"));
}

/** The pods of an indexed job are named after their index. */
function checkIndexName({ metadata, spec }: Job, errors: FieldErrors): void {
  const { completionMode, completions = 0 } = spec;
  if (completionMode !== "Indexed" || completions <= 0 || !metadata.name) return;
  const last = `${metadata.name}-${completions - 1}`;
  for (const _ of dns1123LabelErrors(last)) {
    const detail = `will not able to create pod with invalid DNS label: ${last}`;
    errors.invalid(Path.of("metadata", "name"), metadata.name, detail);
  }
}

const fixed = ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"] as const;
const immutable = "field is immutable";

/** Upstream looks at a changed job as at a new one, and again as at a changed one, and reports twice what is wrong. */
function checkUpdate(object: Job, old: Job, errors: FieldErrors): void {
  checkJob(object, errors, old);
  if (!errors.ok) check(object, errors);
  const at = new Place(errors, specPath);
  const { spec } = object;
  checkCompletions(spec, old.spec, at);
  if (!deepEqual(spec.selector, old.spec.selector)) at.invalid("selector", spec.selector ?? null, immutable);
  const open = old.spec.suspend === true && old.status.startTime === undefined;
  if (!open && !deepEqual(spec.template, old.spec.template)) at.invalid("template", spec.template, immutable);
  if (open && !deepEqual(placedAnywhere(spec), placedAnywhere(old.spec))) {
    at.child("template").invalid("spec", spec.template.spec, immutable);
  }
  for (const field of fixed) {
    if (!deepEqual(spec[field], old.spec[field])) at.invalid(field, spec[field] ?? null, immutable);
  }
}

/** An indexed job may grow and shrink with its parallelism. */
function checkCompletions(spec: JobSpec, old: JobSpec, at: Place): void {
  const { completions, parallelism } = spec;
  if (completions === old.completions) return;
  if (spec.completionMode !== "Indexed" || completions === undefined || old.completions === undefined) {
    at.invalid("completions", completions ?? null, immutable);
  } else if (completions !== parallelism) {
    const detail = `can only be modified in tandem with parallelism, parallelism: ${parallelism}, completions: ${completions}`;
    at.invalid("completions", completions, detail);
  }
}

/** All but where its pods will run, which may change until a suspended job first starts. */
function placedAnywhere({ template }: JobSpec): unknown {
  const { nodeSelector: _, tolerations: __, schedulingGates: ___, affinity, ...spec } = template.spec;
  const { nodeAffinity: ____, ...others } = affinity ?? {};
  return { ...spec, affinity: others };
}

/** Source: printJob */
function statusCell({ metadata, status }: Job): string {
  const is = (wanted: string): boolean =>
    status.conditions?.some(({ type, status: state }) => type === wanted && state === "True") === true;
  if (is("Complete")) return "Complete";
  if (is("Failed")) return "Failed";
  if (metadata.deletionTimestamp !== undefined) return "Terminating";
  if (is("Suspended")) return "Suspended";
  if (is("FailureTarget")) return "FailureTarget";
  return is("SuccessCriteriaMet") ? "SuccessCriteriaMet" : "Running";
}

function completionsCell({ spec, status }: Job): string {
  const done = status.succeeded ?? 0;
  if (spec.completions !== undefined) return `${done}/${spec.completions}`;
  const { parallelism = 0 } = spec;
  return parallelism > 1 ? `${done}/1 of ${parallelism}` : `${done}/1`;
}

function durationCell({ status }: Job, nowMs: number): string {
  if (status.startTime === undefined) return "";
  const end = status.completionTime === undefined ? nowMs : parseTime(status.completionTime);
  return humanDuration(end - parseTime(status.startTime));
}
