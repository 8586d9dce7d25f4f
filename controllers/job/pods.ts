/**
 * What a Job needs to know of one of its Pods, and how it makes one.
 * Source: k8s.io/kubernetes/pkg/controller/job (job_controller.go, indexed_job_utils.go, backoff_utils.go)
 */
import type { Container } from "@atoll/api/builtin/core/v1.types";
import type { Pod } from "@atoll/client/builtin";
import { Job } from "@atoll/client/builtin";
import type { Given } from "@atoll/client/client";
import { podFrom } from "../pods/template.ts";

/** Keeps a Pod until its end has been counted. */
export const trackingFinalizer = "batch.kubernetes.io/job-tracking";
/** Annotation and label: which of the Job's completions a Pod is for. */
export const indexAnnotation = "batch.kubernetes.io/job-completion-index";
/** Annotation: how often the index has failed before. */
const failureCountAnnotation = "batch.kubernetes.io/job-index-failure-count";
const ignoredCountAnnotation = "batch.kubernetes.io/job-index-ignored-failure-count";
const indexVariable = "JOB_COMPLETION_INDEX";
const longestBase = 58;

/** Whether each Pod of a Job has an index of its own. */
export function isIndexed({ spec }: Job): boolean {
  return spec.completionMode === "Indexed";
}

/** Whether failures are counted by index. */
export function isLimitedPerIndex(job: Job): boolean {
  return isIndexed(job) && job.spec.backoffLimitPerIndex !== undefined;
}

/** The index of a Pod; undefined for none that is valid. */
export function indexOf({ metadata }: Pod): number | undefined {
  const text = metadata.annotations?.[indexAnnotation] ?? "";
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** The end of the Pod is not counted yet, for all we know. */
export function isTracked({ metadata }: Pod): boolean {
  return metadata.finalizers?.includes(trackingFinalizer) ?? false;
}

/** Whether only Pods that have ended are replaced, not those that are still going. */
export function waitsForEnd({ spec }: Job): boolean {
  return spec.podReplacementPolicy === "Failed" || spec.podFailurePolicy !== undefined;
}

/** Whether a Pod counts as failed. One that is going may never come to its end, when its node is lost. */
export function hasFailed(job: Job, { status, metadata }: Pod): boolean {
  if (status?.phase === "Failed") return true;
  return !waitsForEnd(job) && metadata.deletionTimestamp !== undefined && status?.phase !== "Succeeded";
}

/** How often the index of a Pod had failed before it. */
export function earlierFailures({ metadata }: Pod): number {
  const count = Number(metadata.annotations?.[failureCountAnnotation] ?? "0");
  return Number.isSafeInteger(count) && count >= 0 ? count : 0;
}

/** What a new Pod is to be for. */
export interface Place {
  readonly index: number | undefined;
  /** How often the index failed before; undefined when that is not counted by index. */
  readonly failures: number | undefined;
}

/** A Pod of a Job, to be created. */
export function jobPod(job: Job, { index, failures }: Place): Given<Pod> {
  const pod = podFrom(job.spec.template, Job, job);
  const finalizers = [...(pod.metadata.finalizers ?? []), trackingFinalizer];
  if (index === undefined) return { ...pod, metadata: { ...pod.metadata, finalizers } } as Given<Pod>;
  const marks = { [indexAnnotation]: String(index) };
  const counted =
    failures === undefined ? {} : { [failureCountAnnotation]: String(failures), [ignoredCountAnnotation]: "0" };
  const metadata = {
    ...pod.metadata,
    finalizers,
    generateName: indexedName(job.metadata.name ?? "", index),
    labels: { ...pod.metadata.labels, ...marks },
    annotations: { ...pod.metadata.annotations, ...marks, ...counted },
  };
  const { template } = job.spec;
  const withIndex = (containers: readonly Container[] | null | undefined) => (containers ?? []).map(addIndex);
  const { initContainers } = template.spec ?? {};
  const spec = {
    ...template.spec,
    hostname: `${job.metadata.name}-${index}`,
    containers: withIndex(template.spec?.containers),
    ...(initContainers !== undefined && { initContainers: withIndex(initContainers) }),
  };
  return { metadata, spec } as Given<Pod>;
}

function indexedName(name: string, index: number): string {
  const suffix = `-${index}-`;
  return name.slice(0, longestBase - suffix.length) + suffix;
}

function addIndex(container: Container): Container {
  const { env = [] } = container;
  if (env.some(({ name }) => name === indexVariable)) return container;
  const valueFrom = { fieldRef: { fieldPath: `metadata.labels['${indexAnnotation}']` } };
  return { ...container, env: [...env, { name: indexVariable, valueFrom } as (typeof env)[number]] };
}
