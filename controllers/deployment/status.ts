/**
 * What a Deployment's status says: counts, and the conditions Available, Progressing and ReplicaFailure.
 * Source: k8s.io/kubernetes/pkg/controller/deployment (sync.go, progress.go, util/deployment_util.go)
 */
import type { DeploymentCondition, DeploymentStatus } from "@atoll/api/builtin/apps/v1.types";
import type { Deployment, ReplicaSet } from "@atoll/client/builtin";
import { formatTime, parseTime } from "@atoll/machinery/clock";
import { sortOut } from "./revision.ts";
import { leeway, sizeOf, sum, wanted } from "./sizes.ts";

/** How acting on the plan went, as far as the status tells. */
export interface Outcome {
  /** Name of the ReplicaSet made. */
  readonly made?: string;
  /** Why it could not be made. */
  readonly makeFailed?: string;
  /** The name was taken by something else. */
  readonly collided?: boolean;
}

/** What a status is made from. */
export interface Facts {
  readonly deployment: Deployment;
  readonly replicaSets: readonly ReplicaSet[];
  readonly outcome: Outcome;
  readonly nowMs: number;
}

type Progress = Pick<DeploymentCondition, "status"> & { readonly reason: string; readonly message: string };

const noDeadline = 2 ** 31 - 1;
const availableReason = "NewReplicaSetAvailable";
const timedOutReason = "ProgressDeadlineExceeded";
const pausedReason = "DeploymentPaused";
const resumedReason = "DeploymentResumed";

/** The Deployment's status. */
export function summarise(facts: Facts): DeploymentStatus {
  const counts = count(facts);
  const conditions = conditionsOf(facts, counts);
  const collisions = (facts.deployment.status?.collisionCount ?? 0) + (facts.outcome.collided === true ? 1 : 0);
  const { terminatingReplicas, ...shown } = counts;
  const nonZero = Object.fromEntries(Object.entries(shown).filter(([, value]) => value !== 0));
  return {
    ...nonZero,
    ...(terminatingReplicas !== undefined && { terminatingReplicas }),
    ...(collisions > 0 && { collisionCount: collisions }),
    ...(conditions.length > 0 && { conditions }),
  };
}

interface Counts {
  readonly observedGeneration: number;
  readonly replicas: number;
  readonly updatedReplicas: number;
  readonly readyReplicas: number;
  readonly availableReplicas: number;
  readonly unavailableReplicas: number;
  readonly terminatingReplicas: number | undefined;
}

function count({ deployment, replicaSets }: Facts): Counts {
  const { current } = sortOut(deployment, replicaSets);
  const availableReplicas = sum(replicaSets, ({ status }) => status?.availableReplicas);
  const isTerminatingKnown = replicaSets.every(({ status }) => status?.terminatingReplicas !== undefined);
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: sum(replicaSets, ({ status }) => status?.replicas),
    updatedReplicas: current?.status?.replicas ?? 0,
    readyReplicas: sum(replicaSets, ({ status }) => status?.readyReplicas),
    availableReplicas,
    unavailableReplicas: Math.max(0, sum(replicaSets, sizeOf) - availableReplicas),
    terminatingReplicas: isTerminatingKnown ? sum(replicaSets, ({ status }) => status?.terminatingReplicas) : undefined,
  };
}

function conditionsOf(facts: Facts, counts: Counts): DeploymentCondition[] {
  const { deployment, nowMs } = facts;
  const before = deployment.status?.conditions ?? [];
  const set = (type: string, wish: Progress | undefined, refresh = false) => ({ type, wish, refresh });
  const progress = progressOf(facts, counts);
  const wishes = [
    set("Available", availability(deployment, counts)),
    set("ReplicaFailure", failureOf(facts)),
    set("Progressing", progress?.wish, progress?.refresh),
  ];
  const others = before.filter(({ type }) => !wishes.some((wish) => wish.type === type));
  return [...others, ...wishes.flatMap((wish) => merge(wish, before, nowMs))];
}

/** A condition as wished: unchanged where status and reason are, unless it must show new progress. */
function merge(
  { type, wish, refresh }: { type: string; wish: Progress | undefined; refresh: boolean },
  before: readonly DeploymentCondition[],
  nowMs: number,
): DeploymentCondition[] {
  if (wish === undefined) return [];
  const old = before.find((condition) => condition.type === type);
  if (old?.status === wish.status && old.reason === wish.reason && !refresh) return [old];
  const now = formatTime(nowMs);
  const lastTransitionTime = old?.status === wish.status ? old.lastTransitionTime : now;
  return [{ type, lastUpdateTime: now, lastTransitionTime, ...wish }];
}

function availability(deployment: Deployment, { availableReplicas }: Counts): Progress {
  if (availableReplicas >= wanted(deployment) - leeway(deployment).unavailable) {
    const message = "Deployment has minimum availability.";
    return { status: "True", reason: "MinimumReplicasAvailable", message };
  }
  const message = "Deployment does not have minimum availability.";
  return { status: "False", reason: "MinimumReplicasUnavailable", message };
}

/** What makes ReplicaSets fail, that of now first. */
function failureOf({ deployment, replicaSets }: Facts): Progress | undefined {
  const { current, old } = sortOut(deployment, replicaSets);
  const all = [...(current === undefined ? [] : [current]), ...old];
  const failures = all.flatMap(
    ({ status }) => status?.conditions?.filter(({ type }) => type === "ReplicaFailure") ?? [],
  );
  const [first] = failures;
  return first === undefined
    ? undefined
    : { status: first.status, reason: first.reason ?? "", message: first.message ?? "" };
}

/** Whether a Deployment is to be told stuck at some time. */
function hasDeadline({ spec }: Deployment): boolean {
  return spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== noDeadline;
}

interface ProgressWish {
  readonly wish: Progress;
  /** Renew lastUpdateTime, from which the deadline counts, though nothing else changed. */
  readonly refresh: boolean;
}

function progressOf(facts: Facts, counts: Counts): ProgressWish | undefined {
  const { deployment, outcome } = facts;
  if (!hasDeadline(deployment)) return undefined;
  const old = deployment.status?.conditions?.find(({ type }) => type === "Progressing");
  const keep = old === undefined ? undefined : { wish: asWish(old), refresh: false };
  const { makeFailed, made } = outcome;
  if (makeFailed !== undefined) return plain("False", "ReplicaSetCreateError", makeFailed);
  if (made !== undefined) return plain("True", "NewReplicaSetCreated", `Created new replica set "${made}"`);
  const pause = pauseOf(deployment, old);
  if (pause !== undefined) return pause;
  if (deployment.spec.paused === true) return keep;
  return rolloutOf(facts, counts, old) ?? keep;
}

function plain(status: string, reason: string, message: string): ProgressWish {
  return { wish: { status, reason, message }, refresh: false };
}

function asWish({ status, reason = "", message = "" }: DeploymentCondition): Progress {
  return { status, reason, message };
}

/** A pause stops the deadline; its end starts it anew. A Deployment that timed out stays so. */
function pauseOf({ spec }: Deployment, old: DeploymentCondition | undefined): ProgressWish | undefined {
  if (old?.reason === timedOutReason) return undefined;
  if (spec.paused === true && old?.reason !== pausedReason)
    return plain("Unknown", pausedReason, "Deployment is paused");
  if (spec.paused !== true && old?.reason === pausedReason)
    return plain("Unknown", resumedReason, "Deployment is resumed");
  return undefined;
}

function rolloutOf(facts: Facts, counts: Counts, old: DeploymentCondition | undefined): ProgressWish | undefined {
  const { deployment, replicaSets, nowMs } = facts;
  const { current } = sortOut(deployment, replicaSets);
  const isDone = counts.replicas === counts.updatedReplicas && old?.reason === availableReason;
  if (isDone) return undefined;
  const name =
    current === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${current.metadata.name}"`;
  if (isCompleteBy(deployment, counts)) return plain("True", availableReason, `${name} has successfully progressed.`);
  if (hasProgressed(deployment, counts)) {
    return { wish: { status: "True", reason: "ReplicaSetUpdated", message: `${name} is progressing.` }, refresh: true };
  }
  if (isTimedOut(deployment, old, nowMs)) return plain("False", timedOutReason, `${name} has timed out progressing.`);
  if (old === undefined && current !== undefined) {
    return plain("True", "FoundNewReplicaSet", `Found new replica set "${current.metadata.name}"`);
  }
  return undefined;
}

function isCompleteBy(deployment: Deployment, { replicas, updatedReplicas, availableReplicas }: Counts): boolean {
  const total = wanted(deployment);
  return updatedReplicas === total && replicas === total && availableReplicas === total;
}

function hasProgressed({ status }: Deployment, counts: Counts): boolean {
  const { replicas = 0, updatedReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  return (
    counts.updatedReplicas > updatedReplicas ||
    counts.replicas - counts.updatedReplicas < replicas - updatedReplicas ||
    counts.readyReplicas > readyReplicas ||
    counts.availableReplicas > availableReplicas
  );
}

function isTimedOut(deployment: Deployment, old: DeploymentCondition | undefined, nowMs: number): boolean {
  if (old === undefined || old.reason === availableReason) return false;
  return old.reason === timedOutReason || deadlineMs(deployment, old) < nowMs;
}

function deadlineMs({ spec }: Deployment, { lastUpdateTime }: DeploymentCondition): number {
  return parseTime(lastUpdateTime ?? "") + (spec.progressDeadlineSeconds ?? 0) * 1000;
}

/** How long until a Deployment that does not progress is told stuck, ms; undefined when it will not be. */
export function stuckInMs(deployment: Deployment, status: DeploymentStatus, nowMs: number): number | undefined {
  const progress = status.conditions?.find(({ type }) => type === "Progressing");
  if (!hasDeadline(deployment) || deployment.spec.paused === true || progress === undefined) return undefined;
  if (progress.reason === timedOutReason || progress.reason === availableReason) return undefined;
  const leftMs = deadlineMs(deployment, progress) - nowMs;
  return Number.isNaN(leftMs) ? undefined : Math.max(0, leftMs) + 1_000;
}
