/**
 * What a Job may ask for, in a Job and in a CronJob's template.
 * Source: k8s.io/kubernetes/pkg/apis/batch/validation (validateJobSpec)
 */
import { dns1123SubdomainErrors } from "@atoll/machinery/names";
import type { JobSpec } from "../builtin/batch/v1.types.ts";
import type { Place } from "../core/podspec/place.ts";
import { checkTemplate } from "../core/podspec/template.ts";
import { checkFailurePolicy, checkSuccessPolicy } from "./policies.ts";

const modes = ["Indexed", "NonIndexed"];
const parallelMax = 100_000;
const parallelMaxOfMany = 10_000;
const managedByMax = 63;
const replacements = ["Failed", "TerminatingOrFailed"];

/** All but the selector; `at` is the specification's place. */
export function checkJobSpec(spec: JobSpec, at: Place): void {
  at.nonNegative("parallelism", spec.parallelism);
  at.nonNegative("completions", spec.completions);
  at.nonNegative("activeDeadlineSeconds", spec.activeDeadlineSeconds);
  at.nonNegative("backoffLimit", spec.backoffLimit);
  at.nonNegative("ttlSecondsAfterFinished", spec.ttlSecondsAfterFinished);
  at.nonNegative("backoffLimitPerIndex", spec.backoffLimitPerIndex);
  at.nonNegative("maxFailedIndexes", spec.maxFailedIndexes);
  if (spec.managedBy !== undefined) checkManagedBy(spec.managedBy, at);
  checkMode(spec, at);
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    at.required("backoffLimitPerIndex", "when maxFailedIndexes is specified");
  }
  if (spec.podFailurePolicy !== undefined)
    checkFailurePolicy(spec.podFailurePolicy, spec, at.child("podFailurePolicy"));
  if (spec.successPolicy !== undefined) {
    if (spec.completionMode === "Indexed") checkSuccessPolicy(spec.successPolicy, spec, at.child("successPolicy"));
    else at.invalid("successPolicy", spec.successPolicy, "requires indexed completion mode");
  }
  checkReplacement(spec, at);
  checkTemplate(spec.template, at.child("template"));
  checkRestart(spec, at);
}

function checkManagedBy(name: string, at: Place): void {
  const slash = name.indexOf("/");
  if (name === "") at.required("managedBy");
  else if (slash <= 0 || slash === name.length - 1) {
    at.invalid("managedBy", name, 'must be a domain-prefixed path (such as "acme.io/foo")');
  } else {
    at.each("managedBy", name, dns1123SubdomainErrors(name.slice(0, slash)));
    if (!/^[A-Za-z0-9/._~:@!$&'()*+,;=%-]+$/.test(name.slice(slash + 1))) at.invalid("managedBy", name, "Invalid path");
  }
  if (name.length > managedByMax) at.tooLong("managedBy", managedByMax);
}

function checkMode(spec: JobSpec, at: Place): void {
  const { completionMode: mode, backoffLimitPerIndex, maxFailedIndexes } = spec;
  if (mode !== undefined && !modes.includes(mode)) at.notSupported("completionMode", mode, modes);
  if (mode === "Indexed") return checkIndexed(spec, at);
  if (mode !== undefined && mode !== "NonIndexed") return;
  const why = "requires indexed completion mode";
  if (backoffLimitPerIndex !== undefined) at.invalid("backoffLimitPerIndex", backoffLimitPerIndex, why);
  if (maxFailedIndexes !== undefined) at.invalid("maxFailedIndexes", maxFailedIndexes, why);
}

function checkIndexed(spec: JobSpec, at: Place): void {
  const { completions, parallelism = 0, maxFailedIndexes } = spec;
  const atMost = (max: number): string => `must be less than or equal to ${max} when completion mode is Indexed`;
  if (completions === undefined) at.required("completions", "when completion mode is Indexed");
  if (parallelism > parallelMax) at.invalid("parallelism", parallelism, atMost(parallelMax));
  if (maxFailedIndexes !== undefined) {
    if (completions !== undefined && maxFailedIndexes > completions) {
      at.invalid("maxFailedIndexes", maxFailedIndexes, "must be less than or equal to completions");
    }
    if (maxFailedIndexes > parallelMax) at.invalid("maxFailedIndexes", maxFailedIndexes, atMost(parallelMax));
  }
  if (completions !== undefined && completions > parallelMax && spec.backoffLimitPerIndex !== undefined) {
    checkMany(spec, at);
  }
}

/** Very many indexes that may fail singly: fewer at once, and a limit to failures. */
function checkMany({ parallelism = 0, maxFailedIndexes }: JobSpec, at: Place): void {
  const when = `when completions are above ${parallelMax} and used with backoff limit per index`;
  const detail = `must be less than or equal to ${parallelMaxOfMany} ${when}`;
  if (maxFailedIndexes === undefined) at.required("maxFailedIndexes", `must be specified ${when}`);
  else if (maxFailedIndexes > parallelMaxOfMany) at.invalid("maxFailedIndexes", maxFailedIndexes, detail);
  if (parallelism > parallelMaxOfMany) at.invalid("parallelism", parallelism, detail);
}

function checkReplacement({ podReplacementPolicy: policy, podFailurePolicy }: JobSpec, at: Place): void {
  if (policy === undefined) return;
  const allowed = podFailurePolicy === undefined ? replacements : ["Failed"];
  if (!allowed.includes(policy)) at.notSupported("podReplacementPolicy", policy, allowed);
}

const restarts = ["Never", "OnFailure"];

/** A job's pods end. */
function checkRestart({ template, podFailurePolicy }: JobSpec, at: Place): void {
  const policy = template.spec.restartPolicy ?? "";
  const here = at.child("template").child("spec");
  if (policy === "" || policy === "Always") {
    here.required("restartPolicy", 'valid values: "OnFailure", "Never"');
  } else if (!restarts.includes(policy)) here.notSupported("restartPolicy", policy, restarts);
  else if (podFailurePolicy !== undefined && policy !== "Never") {
    here.invalid("restartPolicy", policy, 'only "Never" is supported when pod failure policy is specified');
  }
}
