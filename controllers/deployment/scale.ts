/**
 * What a change of the number wanted does to the ReplicaSets there are: each gets its share.
 * Source: k8s.io/kubernetes/pkg/controller/deployment/sync.go (scale), util (GetReplicaSetProportion)
 */
import type { Deployment, ReplicaSet } from "@atoll/client/builtin";
import { byAge, desiredAtScaling, mostAtScaling } from "./revision.ts";
import { isRolling, leeway, sizeOf, sum, wanted } from "./sizes.ts";

/** ReplicaSets and the sizes they are to have. */
export type Sizes = readonly (readonly [ReplicaSet, number])[];

/** The ReplicaSets at hand. */
export interface Sets {
  readonly current: ReplicaSet | undefined;
  /** Oldest first. */
  readonly old: readonly ReplicaSet[];
}

const hasSize = (each: ReplicaSet): boolean => sizeOf(each) > 0;

/** Whether the number wanted has changed since sizes were last set. */
export function isScaling(deployment: Deployment, { current, old }: Sets): boolean {
  const active = [...(current === undefined ? [] : [current]), ...old].filter(hasSize);
  return active.some((each) => {
    const desired = desiredAtScaling(each);
    return desired !== undefined && desired !== wanted(deployment);
  });
}

/** The sizes after a change of the number wanted. */
export function rescale(deployment: Deployment, sets: Sets): Sizes {
  const only = activeOrLatest(sets);
  if (only !== undefined) return [[only, wanted(deployment)]];
  const { current, old } = sets;
  // All is done but for giving up the old ones.
  if (current !== undefined && isSaturated(deployment, current)) return old.filter(hasSize).map((each) => [each, 0]);
  return isRolling(deployment) ? inProportion(deployment, sets) : [];
}

/** The one ReplicaSet that has Pods, or the newest when none has; undefined when several have. */
function activeOrLatest({ current, old }: Sets): ReplicaSet | undefined {
  const all = [...(current === undefined ? [] : [current]), ...old];
  const active = all.filter(hasSize);
  if (active.length > 1) return undefined;
  return active[0] ?? current ?? old.at(-1);
}

function isSaturated(deployment: Deployment, current: ReplicaSet): boolean {
  const total = wanted(deployment);
  return (
    sizeOf(current) === total &&
    desiredAtScaling(current) === total &&
    (current.status?.availableReplicas ?? 0) === total
  );
}

/** Shares what is to be added or taken, by size; what rounding leaves over goes to the largest. */
function inProportion(deployment: Deployment, { current, old }: Sets): Sizes {
  const active = [...old, ...(current === undefined ? [] : [current])].filter(hasSize);
  const total = wanted(deployment);
  const allowed = total > 0 ? total + leeway(deployment).surge : 0;
  const toAdd = allowed - sum(active, sizeOf);
  const newestFirst = toAdd > 0;
  const sorted = [...active].sort((a, b) => sizeOf(b) - sizeOf(a) || (newestFirst ? byAge(b, a) : byAge(a, b)));
  let added = 0;
  const sizes = sorted.map((each): [ReplicaSet, number] => {
    const share = toAdd === 0 ? 0 : shareOf(each, deployment, toAdd - added);
    added += share;
    return [each, sizeOf(each) + share];
  });
  const [largest] = sizes;
  if (largest !== undefined && toAdd !== 0) largest[1] = Math.max(0, largest[1] + toAdd - added);
  return sizes;
}

function shareOf(each: ReplicaSet, deployment: Deployment, left: number): number {
  if (left === 0 || sizeOf(each) === 0) return 0;
  const fraction = fractionOf(each, deployment);
  return left > 0 ? Math.min(fraction, left) : Math.max(fraction, left);
}

/** How a ReplicaSet would grow or shrink if all did by the same factor. */
function fractionOf(each: ReplicaSet, deployment: Deployment): number {
  const total = wanted(deployment);
  if (total === 0) return -sizeOf(each);
  const before = mostAtScaling(each) ?? deployment.status?.replicas ?? 0;
  if (before === 0) return 0;
  const size = (sizeOf(each) * (total + leeway(deployment).surge)) / before;
  return Math.round(size) - sizeOf(each);
}
