/**
 * How many Pods to make or which to give up, and what the status says. Pure.
 * Source: k8s.io/kubernetes/pkg/controller/replicaset (replica_set.go, replica_set_utils.go)
 */
import type { ReplicaSetCondition, ReplicaSetStatus } from "@atoll/api/builtin/apps/v1.types";
import type { Pod, ReplicaSet, ReplicationController } from "@atoll/client/builtin";
import { formatTime } from "@atoll/machinery/clock";
import { selectorOf } from "@atoll/machinery/selectors/labels";
import { firstToGo } from "../pods/rank.ts";
import { isAvailable, isReady } from "../pods/state.ts";

/** Creates or deletes in one go. Source: BurstReplicas */
const burst = 500;

/** One thing to do. */
export type Step = { readonly do: "create"; readonly count: number } | { readonly do: "delete"; readonly pod: Pod };

/** What keeps a number of Pods by itself. */
export type Replicator = ReplicaSet | ReplicationController;

/** The world that a plan is made for. */
export interface World {
  readonly want: Replicator;
  /** Own Pods that count. */
  readonly have: readonly Pod[];
  /** Pods that do the same work, own ones included: those of ReplicaSets with the same owner. */
  readonly related: readonly Pod[];
  readonly nowMs: number;
}

/** What brings the Pods to the number wanted. */
export function plan({ want, have, related, nowMs }: World): readonly Step[] {
  if (want.metadata.deletionTimestamp !== undefined) return [];
  const missing = (want.spec.replicas ?? 1) - have.length;
  if (missing > 0) return [{ do: "create", count: Math.min(missing, burst) }];
  if (missing === 0) return [];
  const extra = Math.min(-missing, burst);
  return firstToGo(have, related, nowMs)
    .slice(0, extra)
    .map((pod) => ({ do: "delete", pod }));
}

/** How acting on a plan failed. */
export interface Failure {
  readonly reason: "FailedCreate" | "FailedDelete";
  readonly message: string;
}

/** What is counted for the status. */
export interface Counted {
  readonly have: readonly Pod[];
  readonly terminating: number;
  readonly failure: Failure | undefined;
  readonly nowMs: number;
}

/** The status of a ReplicaSet with these Pods. */
export function summarise(want: ReplicaSet, counted: Counted): ReplicaSetStatus {
  return { ...summariseReplicas(want, counted), terminatingReplicas: counted.terminating };
}

/** What the statuses of ReplicaSets and ReplicationControllers have in common. */
export function summariseReplicas(want: Replicator, { have, failure, nowMs }: Counted): Summary {
  const { minReadySeconds = 0, template } = want.spec;
  const templateLabels = Object.entries(template?.metadata?.labels ?? {});
  const isFull = ({ metadata }: Pod) => templateLabels.every(([key, value]) => metadata.labels?.[key] === value);
  const counts = {
    replicas: have.length,
    fullyLabeledReplicas: have.filter(isFull).length,
    readyReplicas: have.filter(isReady).length,
    availableReplicas: have.filter((pod) => isAvailable(pod, minReadySeconds, nowMs)).length,
    observedGeneration: want.metadata.generation ?? 0,
  };
  const conditions = conditionsOf(want, failure, nowMs);
  return {
    ...omitZeros(counts),
    replicas: counts.replicas,
    ...(conditions.length > 0 && { conditions }),
  };
}

type Summary = Omit<ReplicaSetStatus, "terminatingReplicas">;

/** The encoder leaves zeros out, and what is stored is compared with. */
function omitZeros<T extends Record<string, number>>(counts: T): Partial<T> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0)) as Partial<T>;
}

const failureType = "ReplicaFailure";

function conditionsOf({ status }: Replicator, failure: Failure | undefined, nowMs: number): ReplicaSetCondition[] {
  const before = status?.conditions ?? [];
  const others = before.filter(({ type }) => type !== failureType);
  if (failure === undefined) return others;
  const old = before.find(({ type }) => type === failureType);
  // As upstream: while it goes on failing for the same reason, the first message stays.
  if (old?.status === "True" && old.reason === failure.reason) return before;
  return [...others, { type: failureType, status: "True", lastTransitionTime: formatTime(nowMs), ...failure }];
}

/** What a ReplicationController selects. */
export function selectorOfController({ spec }: ReplicationController): ReturnType<typeof selectorOf> {
  return selectorOf({ matchLabels: spec.selector ?? {} });
}

/** What a ReplicaSet selects; undefined: nothing. */
export function selectorOfReplicaSet({ spec }: ReplicaSet): ReturnType<typeof selectorOf> {
  return selectorOf(spec.selector);
}
