// Made by tools/kinds/generate.ts from k8s.io/api/batch/v1 0.36. Do not edit.
import type { ObjectMeta } from "@atoll/machinery/object";
import type * as core from "../core/v1.types.ts";
import type * as meta from "../meta/v1.types.ts";

/** One of "Indexed", "NonIndexed". */
export type CompletionMode = string;

/** One of "Allow", "Forbid", "Replace". */
export type ConcurrencyPolicy = string;

export type CronJob = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  spec: CronJobSpec;
  status: CronJobStatus;
};

export type CronJobList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: CronJob[] | null;
};

export type CronJobSpec = {
  schedule: string;
  timeZone?: string;
  startingDeadlineSeconds?: number;
  concurrencyPolicy?: ConcurrencyPolicy;
  suspend?: boolean;
  jobTemplate: JobTemplateSpec;
  successfulJobsHistoryLimit?: number;
  failedJobsHistoryLimit?: number;
};

export type CronJobStatus = {
  active?: core.ObjectReference[];
  lastScheduleTime?: string;
  lastSuccessfulTime?: string;
};

export type Job = {
  kind: string;
  apiVersion: string;
  metadata: ObjectMeta;
  spec: JobSpec;
  status: JobStatus;
};

export type JobCondition = {
  type: string;
  status: string;
  lastProbeTime: string | null;
  lastTransitionTime: string | null;
  reason?: string;
  message?: string;
};

export type JobList = {
  kind: string;
  apiVersion: string;
  metadata: meta.ListMeta;
  items: Job[] | null;
};

export type JobSpec = {
  parallelism?: number;
  completions?: number;
  activeDeadlineSeconds?: number;
  podFailurePolicy?: PodFailurePolicy;
  successPolicy?: SuccessPolicy;
  backoffLimit?: number;
  backoffLimitPerIndex?: number;
  maxFailedIndexes?: number;
  selector?: meta.LabelSelector;
  manualSelector?: boolean;
  template: core.PodTemplateSpec;
  ttlSecondsAfterFinished?: number;
  completionMode?: CompletionMode;
  suspend?: boolean;
  podReplacementPolicy?: PodReplacementPolicy;
  managedBy?: string;
};

export type JobStatus = {
  conditions?: JobCondition[];
  startTime?: string;
  completionTime?: string;
  active?: number;
  succeeded?: number;
  failed?: number;
  terminating?: number;
  completedIndexes?: string;
  failedIndexes?: string;
  uncountedTerminatedPods?: UncountedTerminatedPods;
  ready?: number;
};

export type JobTemplateSpec = {
  metadata: ObjectMeta;
  spec: JobSpec;
};

export type PodFailurePolicy = {
  rules: PodFailurePolicyRule[] | null;
};

/** One of "Count", "FailIndex", "FailJob", "Ignore". */
export type PodFailurePolicyAction = string;

/** One of "In", "NotIn". */
export type PodFailurePolicyOnExitCodesOperator = string;

export type PodFailurePolicyOnExitCodesRequirement = {
  containerName?: string;
  operator: PodFailurePolicyOnExitCodesOperator;
  values: number[] | null;
};

export type PodFailurePolicyOnPodConditionsPattern = {
  type: string;
  status: string;
};

export type PodFailurePolicyRule = {
  action: PodFailurePolicyAction;
  onExitCodes?: PodFailurePolicyOnExitCodesRequirement;
  onPodConditions?: PodFailurePolicyOnPodConditionsPattern[];
};

/** One of "Failed", "TerminatingOrFailed". */
export type PodReplacementPolicy = string;

export type SuccessPolicy = {
  rules: SuccessPolicyRule[] | null;
};

export type SuccessPolicyRule = {
  succeededIndexes?: string;
  succeededCount?: number;
};

export type UncountedTerminatedPods = {
  succeeded?: string[];
  failed?: string[];
};
