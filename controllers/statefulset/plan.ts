/**
 * What to do next for a StatefulSet. Pure.
 *
 *   ordinals 0, 1, 2 … in order: each must be there, running and available before the next is looked at (OrderedReady)
 *   ▶ then those beyond, the highest first, are given up ▶ then those of an old revision, the highest first, are replaced
 *
 * With podManagementPolicy Parallel nothing waits for its neighbour, but for updates.
 * Source: k8s.io/kubernetes/pkg/controller/statefulset/stateful_set_control.go
 */
import type { PersistentVolumeClaim, Pod, StatefulSet } from "@atoll/client/builtin";
import type { Given } from "@atoll/client/client";
import type { Key } from "@atoll/client/resource";
import { keyOf } from "@atoll/client/resource";
import { isAvailable, isFinished, nextAvailableInMs } from "../pods/state.ts";
import type { Version } from "./identity.ts";
import { claimKeys, claimsOf, ordinalOf, ordinals, podOf, relabelled, versionOf } from "./identity.ts";
import { isStale, reowned } from "./retention.ts";

/** One thing to do. */
export type Step =
  | { readonly do: "create"; readonly pod: Given<Pod>; readonly claims: readonly Given<PersistentVolumeClaim>[] }
  | { readonly do: "delete"; readonly pod: Pod }
  | { readonly do: "relabel"; readonly pod: Pod }
  | { readonly do: "claim"; readonly claims: readonly Given<PersistentVolumeClaim>[] }
  | { readonly do: "reown"; readonly claim: PersistentVolumeClaim };

/** The world that a plan is made for. */
export interface World {
  readonly set: StatefulSet;
  readonly pods: readonly Pod[];
  claim(key: Key): PersistentVolumeClaim | undefined;
  /** The template that Pods had before the update under way; the same as `update` when none is. */
  readonly current: Version;
  readonly update: Version;
  readonly nowMs: number;
}

/** What to do, and when to look again. */
export interface Plan {
  readonly steps: readonly Step[];
  readonly afterMs: number | undefined;
}

interface Place {
  readonly ordinal: number;
  readonly pod: Pod | undefined;
}

/** What to do next. */
export function plan(world: World): Plan {
  const { set, pods, nowMs } = world;
  const afterMs = nextAvailableInMs(pods, set.spec.minReadySeconds ?? 0, nowMs);
  if (set.metadata.deletionTimestamp !== undefined) return { steps: [], afterMs };
  const { replicas, condemned } = partition(set, pods);
  const kept = keep(world, replicas);
  if (kept.wait || kept.steps.length > 0) return { steps: kept.steps, afterMs };
  const owners = condemned.flatMap(({ ordinal, pod }) => reown(world, { ordinal, pod }, true));
  if (owners.length > 0) return { steps: owners, afterMs };
  const given = giveUp(world, replicas, condemned);
  if (given.wait || given.steps.length > 0) return { steps: given.steps, afterMs };
  return { steps: set.spec.updateStrategy?.type === "OnDelete" ? [] : replace(world, replicas), afterMs };
}

/** Places by ordinal, those without a Pod too; and Pods beyond them, the highest first. */
function partition(
  set: StatefulSet,
  pods: readonly Pod[],
): { replicas: readonly Place[]; condemned: readonly Place[] } {
  const { start, end } = ordinals(set);
  const known = new Map(
    pods.flatMap((pod) => {
      const ordinal = ordinalOf(set, pod);
      return ordinal === undefined ? [] : [[ordinal, pod] as const];
    }),
  );
  const replicas = Array.from({ length: end - start }, (_, i) => ({ ordinal: start + i, pod: known.get(start + i) }));
  const condemned = [...known]
    .filter(([ordinal]) => ordinal < start || ordinal >= end)
    .map(([ordinal, pod]) => ({ ordinal, pod }));
  return { replicas, condemned: condemned.sort((a, b) => b.ordinal - a.ordinal) };
}

function isOrdered({ spec }: StatefulSet): boolean {
  return spec.podManagementPolicy !== "Parallel";
}

function isUnavailable({ set, nowMs }: World, pod: Pod | undefined): boolean {
  return pod?.status?.phase !== "Running" || !isAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs);
}

interface Stage {
  readonly steps: readonly Step[];
  /** Nothing further may be done now. */
  readonly wait: boolean;
}

/** Sees to it that each place has its Pod. */
function keep(world: World, replicas: readonly Place[]): Stage {
  const steps: Step[] = [];
  let wait = false;
  for (const place of replicas) {
    const stage = keepOne(world, place);
    steps.push(...stage.steps);
    wait ||= stage.wait;
    if (stage.wait && isOrdered(world.set)) break;
  }
  return { steps, wait: isOrdered(world.set) && wait };
}

function keepOne(world: World, place: Place): Stage {
  const { ordinal, pod } = place;
  if (pod === undefined) return { steps: create(world, ordinal), wait: true };
  const isGoing = pod.metadata.deletionTimestamp !== undefined;
  // One that has ended is replaced, however it ended: the set's Pods are to run for ever.
  if (isFinished(pod)) return { steps: isGoing ? [] : [{ do: "delete", pod }], wait: true };
  const fixed = relabelled(pod, ordinal);
  const steps = [...missingClaims(world, place), ...reown(world, place, false)];
  if (fixed !== undefined && !isGoing) steps.push({ do: "relabel", pod: fixed });
  return { steps, wait: isGoing || isUnavailable(world, pod) };
}

function create(world: World, ordinal: number): readonly Step[] {
  const { set } = world;
  const pod = podOf(set, ordinal, versionFor(world, ordinal));
  const claims = claimsOf(set, ordinal);
  const there = claims.map((claim) => world.claim(keyOf(claim)));
  if (there.some((claim) => claim !== undefined && isStale(claim, pod.metadata.name ?? ""))) return [];
  return [{ do: "create", pod, claims: claims.filter((_, i) => there[i] === undefined) }];
}

/** Ordinals below the partition stay at the revision they had. */
function versionFor({ set, current, update }: World, ordinal: number): Version {
  const { start } = ordinals(set);
  const { type, rollingUpdate } = set.spec.updateStrategy ?? {};
  if (type === "OnDelete") return update;
  const below = rollingUpdate === undefined ? (set.status?.currentReplicas ?? 0) : (rollingUpdate.partition ?? 0);
  return ordinal < start + below ? current : update;
}

/** A Pod that waits to be scheduled may be waiting for a claim that somebody deleted. */
function missingClaims({ set, claim }: World, { ordinal, pod }: Place): Step[] {
  if (pod?.status?.phase !== "Pending" || pod.metadata.deletionTimestamp !== undefined) return [];
  const claims = claimsOf(set, ordinal).filter((each) => claim(keyOf(each)) === undefined);
  return claims.length === 0 ? [] : [{ do: "claim", claims }];
}

function reown({ set, claim }: World, { ordinal, pod }: Place, condemned: boolean): Step[] {
  return claimKeys(set, ordinal).flatMap((key): Step[] => {
    const found = claim(key);
    const changed = found === undefined ? undefined : reowned(set, found, { pod, condemned });
    return changed === undefined ? [] : [{ do: "reown", claim: changed }];
  });
}

/** Gives up Pods beyond the set's size. In order, one at a time, and only while all others are well. */
function giveUp(world: World, replicas: readonly Place[], condemned: readonly Place[]): Stage {
  if (!isOrdered(world.set)) {
    const alive = condemned.filter(({ pod }) => pod?.metadata.deletionTimestamp === undefined);
    return {
      steps: alive.flatMap(({ pod }): Step[] => (pod === undefined ? [] : [{ do: "delete", pod }])),
      wait: false,
    };
  }
  const [highest] = condemned;
  if (highest?.pod === undefined) return { steps: [], wait: false };
  if (highest.pod.metadata.deletionTimestamp !== undefined) return { steps: [], wait: true };
  const lowestFirst = [...replicas, ...[...condemned].reverse()];
  const firstUnwell = lowestFirst.find(({ pod }) => isUnavailable(world, pod));
  const mayGo = !isUnavailable(world, highest.pod) || firstUnwell === highest;
  return mayGo ? { steps: [{ do: "delete", pod: highest.pod }], wait: true } : { steps: [], wait: true };
}

/**
 * Deletes Pods of an old revision, the highest first, as many as may be missing. One that does not serve anyway is
 * always replaced: waiting for it could be for ever.
 */
function replace(world: World, replicas: readonly Place[]): readonly Step[] {
  const { set, update } = world;
  const { partition = 0, maxUnavailable } = set.spec.updateStrategy?.rollingUpdate ?? {};
  let budget =
    mostUnavailable(maxUnavailable, replicas.length) - replicas.filter(({ pod }) => isUnavailable(world, pod)).length;
  const steps: Step[] = [];
  for (const { pod } of [...replicas].reverse().slice(0, Math.max(0, replicas.length - partition))) {
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined || versionOf(pod) === update.name) continue;
    if (!isUnavailable(world, pod) && budget-- <= 0) break;
    steps.push({ do: "delete", pod });
  }
  return steps;
}

function mostUnavailable(value: number | string | undefined, total: number): number {
  const percent = typeof value === "string" ? /^(\d+)%$/.exec(value) : null;
  const share = percent === null ? Number(value ?? 1) : Math.floor((Number(percent[1]) * total) / 100);
  return Number.isNaN(share) ? 1 : Math.max(1, share);
}
