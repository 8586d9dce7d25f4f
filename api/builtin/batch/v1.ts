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
  metadata meta/v1.ObjectMeta keep tag=1
  spec CronJobSpec keep tag=2 required
  status CronJobStatus keep tag=3

CronJobList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []CronJob keep tag=2 required

CronJobSpec
  schedule string keep tag=1 required
  timeZone string set tag=8
  startingDeadlineSeconds int64 set tag=2
  concurrencyPolicy ConcurrencyPolicy omit tag=3
  suspend bool set tag=4
  jobTemplate JobTemplateSpec keep tag=5 required
  successfulJobsHistoryLimit int32 set tag=6
  failedJobsHistoryLimit int32 set tag=7

CronJobStatus
  active []core/v1.ObjectReference omit tag=1 list=atomic
  lastScheduleTime Time set tag=4
  lastSuccessfulTime Time set tag=5

Job
  kind string omit
  apiVersion string omit
  metadata meta/v1.ObjectMeta keep tag=1
  spec JobSpec keep tag=2
  status JobStatus keep tag=3

JobCondition
  type string keep tag=1 required
  status string keep tag=2 required
  lastProbeTime Time keep tag=3
  lastTransitionTime Time keep tag=4
  reason string omit tag=5
  message string omit tag=6

JobList
  kind string omit
  apiVersion string omit
  metadata meta/v1.ListMeta keep tag=1
  items []Job keep tag=2 required

JobSpec
  parallelism int32 set tag=1
  completions int32 set tag=2
  activeDeadlineSeconds int64 set tag=3
  podFailurePolicy PodFailurePolicy set tag=11
  successPolicy SuccessPolicy set tag=16
  backoffLimit int32 set tag=7
  backoffLimitPerIndex int32 set tag=12
  maxFailedIndexes int32 set tag=13
  selector meta/v1.LabelSelector set tag=4
  manualSelector bool set tag=5
  template core/v1.PodTemplateSpec keep tag=6 required
  ttlSecondsAfterFinished int32 set tag=8
  completionMode CompletionMode set tag=9
  suspend bool set tag=10
  podReplacementPolicy PodReplacementPolicy set tag=14
  managedBy string set tag=15

JobStatus
  conditions []JobCondition omit tag=1 list=atomic patch=merge(type)
  startTime Time set tag=2
  completionTime Time set tag=3
  active int32 omit tag=4
  succeeded int32 omit tag=5
  failed int32 omit tag=6
  terminating int32 set tag=11
  completedIndexes string omit tag=7
  failedIndexes string set tag=10
  uncountedTerminatedPods UncountedTerminatedPods set tag=8
  ready int32 set tag=9

JobTemplateSpec
  metadata meta/v1.ObjectMeta keep tag=1
  spec JobSpec keep tag=2

PodFailurePolicy
  rules []PodFailurePolicyRule keep tag=1 required list=atomic

PodFailurePolicyAction enum=["Count","FailIndex","FailJob","Ignore"]

PodFailurePolicyOnExitCodesOperator enum=["In","NotIn"]

PodFailurePolicyOnExitCodesRequirement
  containerName string set tag=1
  operator PodFailurePolicyOnExitCodesOperator keep tag=2 required
  values []int32 keep tag=3 required list=set

PodFailurePolicyOnPodConditionsPattern
  type string keep tag=1 required
  status string keep tag=2

PodFailurePolicyRule
  action PodFailurePolicyAction keep tag=1 required
  onExitCodes PodFailurePolicyOnExitCodesRequirement set tag=2
  onPodConditions []PodFailurePolicyOnPodConditionsPattern omit tag=3 list=atomic

PodReplacementPolicy enum=["Failed","TerminatingOrFailed"]

SuccessPolicy
  rules []SuccessPolicyRule keep tag=1 required list=atomic

SuccessPolicyRule
  succeededIndexes string set tag=1
  succeededCount int32 set tag=2

UncountedTerminatedPods
  succeeded []string omit tag=1 list=set
  failed []string omit tag=2 list=set
`;
