/**
 * What a StatefulSet's status says. Pure.
 * Source: k8s.io/kubernetes/pkg/controller/statefulset (updateStatus, completeRollingUpdate)
 */
import type { StatefulSetStatus } from "@atoll/api/builtin/apps/v1.types";
import type { Pod, StatefulSet } from "@atoll/client/builtin";
import { isAvailable, isReady } from "../pods/state.ts";
import { ordinalOf, versionOf } from "./identity.ts";

/** What is counted. */
export interface Facts {
  readonly set: StatefulSet;
  readonly pods: readonly Pod[];
  /** Names of the revisions. */
  readonly current: string;
  readonly update: string;
  readonly collisionCount: number;
  readonly nowMs: number;
}

/** The status of a set with these Pods. */
export function summarise({ set, pods, current, update, collisionCount, nowMs }: Facts): StatefulSetStatus {
  const mine = pods.filter((pod) => ordinalOf(set, pod) !== undefined);
  const running = mine.filter((pod) => pod.status?.phase === "Running");
  const alive = mine.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const readyReplicas = running.filter(isReady).length;
  const availableReplicas = running.filter((pod) => isAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs)).length;
  const updatedReplicas = alive.filter((pod) => versionOf(pod) === update).length;
  const currentReplicas = alive.filter((pod) => versionOf(pod) === current).length;
  const isRolling = set.spec.updateStrategy?.type !== "OnDelete";
  const isDone =
    isRolling &&
    updatedReplicas === mine.length &&
    readyReplicas === mine.length &&
    mine.length === (set.spec.replicas ?? 1);
  const counts = {
    observedGeneration: set.metadata.generation ?? 0,
    readyReplicas,
    currentReplicas: isDone ? updatedReplicas : currentReplicas,
    updatedReplicas,
  };
  const nonZero = Object.fromEntries(Object.entries(counts).filter(([, value]) => value !== 0));
  const conditions = set.status?.conditions;
  return {
    ...nonZero,
    replicas: mine.length,
    availableReplicas,
    currentRevision: isDone ? update : current,
    updateRevision: update,
    collisionCount,
    ...(conditions !== undefined && { conditions }),
  };
}
