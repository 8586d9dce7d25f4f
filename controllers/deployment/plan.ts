/**
 * What to do next for a Deployment. Pure. One stage at a time: what a stage asks for is done, seen, and planned upon.
 *
 *   note down revisions ▶ (paused or scaled: sizes) ▶ make or grow the current ▶ shrink the old ▶ forget the oldest
 *
 * Source: k8s.io/kubernetes/pkg/controller/deployment (deployment_controller.go, sync.go, rolling.go, recreate.go)
 */
import type { Deployment, ReplicaSet } from "@atoll/client/builtin";
import type { Given } from "@atoll/client/client";
import {
  freshReplicaSet,
  nextRevision,
  noted,
  revisionAnnotation,
  revisionOf,
  scalingAnnotations,
  sortOut,
} from "./revision.ts";
import type { Sets, Sizes } from "./scale.ts";
import { isScaling, rescale } from "./scale.ts";
import { isRolling, leeway, sizeOf, sum, wanted } from "./sizes.ts";

/** One thing to do. */
export type Step =
  | { readonly do: "make"; readonly replicaSet: Given<ReplicaSet> }
  /** Replace a ReplicaSet; `note` when that is worth telling. */
  | { readonly do: "change"; readonly replicaSet: ReplicaSet; readonly note: string | undefined }
  | { readonly do: "forget"; readonly replicaSet: ReplicaSet }
  /** Note the revision on the Deployment. */
  | { readonly do: "mark"; readonly revision: string };

/** The world that a plan is made for. */
export interface World {
  readonly deployment: Deployment;
  /** Those of the Deployment. */
  readonly replicaSets: readonly ReplicaSet[];
  /** Pods of the old ReplicaSets are there still; looked at only when all are recreated. */
  readonly oldPodsRun: boolean;
}

/** What to do next; nothing when all is as wanted, or while waiting for the world. */
export function plan({ deployment, replicaSets, oldPodsRun }: World): readonly Step[] {
  if (deployment.metadata.deletionTimestamp !== undefined) return [];
  const sets = sortOut(deployment, replicaSets);
  const notes = noteDown(deployment, sets);
  if (notes.length > 0) return notes;
  if (deployment.spec.paused === true)
    return [...resize(deployment, rescale(deployment, sets)), ...forgetOldest(deployment, sets)];
  const resized = isScaling(deployment, sets) ? resize(deployment, rescale(deployment, sets)) : [];
  if (resized.length > 0) return resized;
  const steps = isRolling(deployment) ? roll(deployment, sets) : recreate(deployment, sets, oldPodsRun);
  return steps.length === 0 && isComplete(deployment, replicaSets) ? forgetOldest(deployment, sets) : steps;
}

/** Brings revisions and copied annotations up to date, on the current ReplicaSet and then on the Deployment. */
function noteDown(deployment: Deployment, { current, old }: Sets): readonly Step[] {
  if (current === undefined) return [];
  const wantedNotes = noted(deployment, current, nextRevision(old));
  if (wantedNotes !== current) return [{ do: "change", replicaSet: wantedNotes, note: undefined }];
  const revision = current.metadata.annotations?.[revisionAnnotation];
  const isMarked = revision === undefined || deployment.metadata.annotations?.[revisionAnnotation] === revision;
  return isMarked ? [] : [{ do: "mark", revision }];
}

/** Changes of size, and of the annotations that go with sizes; none for what is as it should be. */
function resize(deployment: Deployment, sizes: Sizes): readonly Step[] {
  const annotations = scalingAnnotations(deployment);
  return sizes.flatMap(([each, size]): Step[] => {
    const before = each.metadata.annotations ?? {};
    const annotated = Object.entries(annotations).every(([name, value]) => before[name] === value);
    const from = sizeOf(each);
    if (from === size && annotated) return [];
    const metadata = { ...each.metadata, annotations: { ...before, ...annotations } };
    const way = size > from ? "up" : "down";
    const note = from === size ? undefined : `Scaled ${way} replica set ${each.metadata.name} from ${from} to ${size}`;
    return [{ do: "change", replicaSet: { ...each, metadata, spec: { ...each.spec, replicas: size } }, note }];
  });
}

/** Like resize(), but a ReplicaSet that has its size already is left alone altogether. */
function resizeChanged(deployment: Deployment, sizes: Sizes): readonly Step[] {
  return resize(
    deployment,
    sizes.filter(([each, size]) => sizeOf(each) !== size),
  );
}

function make(deployment: Deployment, { old }: Sets, replicas: number): readonly Step[] {
  return [{ do: "make", replicaSet: freshReplicaSet(deployment, { revision: nextRevision(old), replicas }) }];
}

function roll(deployment: Deployment, sets: Sets): readonly Step[] {
  const { current, old } = sets;
  const total = wanted(deployment);
  if (current === undefined) return make(deployment, sets, growth(deployment, old, 0));
  const size = sizeOf(current);
  const grown = size > total ? total : size + growth(deployment, [...old, current], size);
  if (grown !== size) return resizeChanged(deployment, [[current, grown]]);
  return resizeChanged(deployment, shrunk(deployment, current, old));
}

/** Pods that may be added to the current ReplicaSet now. */
function growth(deployment: Deployment, all: readonly ReplicaSet[], size: number): number {
  const total = wanted(deployment);
  const room = total + leeway(deployment).surge - sum(all, sizeOf);
  return Math.max(0, Math.min(room, total - size));
}

/**
 * Pods of a ReplicaSet that can be relied on. Its status lags behind its size: of Pods that it was told to give up some
 * may still be counted as available, and upstream would count on them.
 */
function serving(each: ReplicaSet): number {
  return Math.min(sizeOf(each), each.status?.availableReplicas ?? 0);
}

/** The old ReplicaSets, smaller: first by Pods that do not serve anyway, then by as many as may be missed. */
function shrunk(deployment: Deployment, current: ReplicaSet, old: readonly ReplicaSet[]): Sizes {
  const all = [...old, current];
  const least = wanted(deployment) - leeway(deployment).unavailable;
  const notServing = sizeOf(current) - serving(current);
  let idle = Math.max(0, sum(all, sizeOf) - least - notServing);
  if (idle === 0) return [];
  let spare = Math.max(0, sum(all, serving) - least);
  const cleaned = old.map((each): [ReplicaSet, number] => {
    const size = sizeOf(each);
    const broken = Math.min(idle, size - serving(each));
    idle -= broken;
    return [each, size - broken];
  });
  return cleaned.map(([each, size]) => {
    const taken = Math.min(size, spare);
    spare -= taken;
    return [each, size - taken];
  });
}

/** First all old Pods go, then the new ones come. */
function recreate(deployment: Deployment, sets: Sets, oldPodsRun: boolean): readonly Step[] {
  const { current, old } = sets;
  const active = old.filter((each) => sizeOf(each) > 0);
  if (active.length > 0)
    return resizeChanged(
      deployment,
      active.map((each) => [each, 0]),
    );
  if (oldPodsRun || sum(old, ({ status }) => status?.replicas) > 0) return [];
  const total = wanted(deployment);
  return current === undefined ? make(deployment, sets, total) : resizeChanged(deployment, [[current, total]]);
}

/** Whether the Deployment's Pods are all of the template of now, as many as wanted, and available. */
export function isComplete(deployment: Deployment, replicaSets: readonly ReplicaSet[]): boolean {
  const { current } = sortOut(deployment, replicaSets);
  const total = wanted(deployment);
  const replicas = sum(replicaSets, ({ status }) => status?.replicas);
  const available = sum(replicaSets, ({ status }) => status?.availableReplicas);
  return (current?.status?.replicas ?? 0) === total && replicas === total && available === total;
}

const unlimited = 2 ** 31 - 1;

/** Old ReplicaSets beyond those that are kept to go back to. */
function forgetOldest(deployment: Deployment, { old }: Sets): readonly Step[] {
  const limit = deployment.spec.revisionHistoryLimit ?? unlimited;
  if (limit === unlimited) return [];
  const alive = old.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const excess = Math.max(0, alive.length - limit);
  const oldest = [...alive].sort((a, b) => revisionOf(a) - revisionOf(b)).slice(0, excess);
  return oldest.filter(isForgettable).map((replicaSet) => ({ do: "forget", replicaSet }));
}

function isForgettable(each: ReplicaSet): boolean {
  const observed = (each.status?.observedGeneration ?? 0) >= (each.metadata.generation ?? 0);
  return sizeOf(each) === 0 && (each.status?.replicas ?? 0) === 0 && observed;
}
