// Made by tools/kinds/generate.ts from k8s.io/api/batch/v1 0.36. Do not edit.

/** Prefix of the types' names in OpenAPI. */
export const prefix = "io.k8s.api.batch.v1";

/** The types of batch/v1, in the notation of api/schemas.ts. */
export const facts = `
CompletionMode enum=["Indexed","NonIndexed"]

ConcurrencyPolicy enum=["Allow","Forbid","Replace"]

CronJob
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec CronJobSpec keep required
  status CronJobStatus keep

CronJobList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []CronJob keep required

CronJobSpec
  schedule string keep required
  timeZone string set
  startingDeadlineSeconds int64 set
  concurrencyPolicy ConcurrencyPolicy omit
  suspend bool set
  jobTemplate JobTemplateSpec keep required
  successfulJobsHistoryLimit int32 set
  failedJobsHistoryLimit int32 set

CronJobStatus
  active []core/v1.ObjectReference omit list=atomic
  lastScheduleTime Time set
  lastSuccessfulTime Time set

Job
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep
  spec JobSpec keep
  status JobStatus keep

JobCondition
  type string keep required
  status string keep required
  lastProbeTime Time keep
  lastTransitionTime Time keep
  reason string omit
  message string omit

JobList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep
  items []Job keep required

JobSpec
  parallelism int32 set
  completions int32 set
  activeDeadlineSeconds int64 set
  podFailurePolicy PodFailurePolicy set
  successPolicy SuccessPolicy set
  backoffLimit int32 set
  backoffLimitPerIndex int32 set
  maxFailedIndexes int32 set
  selector meta/v1.LabelSelector set
  manualSelector bool set
  template core/v1.PodTemplateSpec keep required
  ttlSecondsAfterFinished int32 set
  completionMode CompletionMode set
  suspend bool set
  podReplacementPolicy PodReplacementPolicy set
  managedBy string set

JobStatus
  conditions []JobCondition omit list=atomic patch=merge(type)
  startTime Time set
  completionTime Time set
  active int32 omit
  succeeded int32 omit
  failed int32 omit
  terminating int32 set
  completedIndexes string omit
  failedIndexes string set
  uncountedTerminatedPods UncountedTerminatedPods set
  ready int32 set

JobTemplateSpec
  metadata meta/v1.ObjectMeta keep
  spec JobSpec keep

PodFailurePolicy
  rules []PodFailurePolicyRule keep required list=atomic

PodFailurePolicyAction enum=["Count","FailIndex","FailJob","Ignore"]

PodFailurePolicyOnExitCodesOperator enum=["In","NotIn"]

PodFailurePolicyOnExitCodesRequirement
  containerName string set
  operator PodFailurePolicyOnExitCodesOperator keep required
  values []int32 keep required list=set

PodFailurePolicyOnPodConditionsPattern
  type string keep required
  status string keep

PodFailurePolicyRule
  action PodFailurePolicyAction keep required
  onExitCodes PodFailurePolicyOnExitCodesRequirement set
  onPodConditions []PodFailurePolicyOnPodConditionsPattern omit list=atomic

PodReplacementPolicy enum=["Failed","TerminatingOrFailed"]

SuccessPolicy
  rules []SuccessPolicyRule keep required list=atomic

SuccessPolicyRule
  succeededIndexes string set
  succeededCount int32 set

UncountedTerminatedPods
  succeeded []string omit list=set
  failed []string omit list=set
`;
