/**
 * Where a Pod may go now, and why not elsewhere.
 * Source: k8s.io/kubernetes/pkg/scheduler/schedule_one.go (findNodesThatFitPod, RunFilterPluginsWithNominatedPods)
 */
import type { Pod } from "@atoll/client/builtin";
import { podAffinity } from "./affinity.ts";
import { nodeFilters } from "./filter.ts";
import type { Place } from "./places.ts";
import { changed } from "./places.ts";
import { topologySpread } from "./spread.ts";
import { volumeBinding, volumeRestrictions } from "./volumes.ts";
import type { Filter, Refusal, Test, Wake, World } from "./world.ts";
import { fine, priorityOf, withPlace } from "./world.ts";

const filters: readonly Filter[] = [...nodeFilters, volumeRestrictions, volumeBinding, topologySpread, podAffinity];

/** What is thought of a Pod. */
export interface Judgement {
  readonly fitting: readonly Place[];
  /** Why not, by the name of the node. */
  readonly refused: ReadonlyMap<string, readonly Refusal[]>;
  /** Why it may go to no place, whatever the place. */
  readonly nowhere: string | undefined;
  /** The changes after which it may be otherwise. */
  readonly wakes: ReadonlySet<Wake>;
}

interface Asked {
  readonly filter: Filter;
  readonly test: Test;
}

/** @returns a text: why nowhere, by which filter */
function prepare(pod: Pod, world: World): readonly Asked[] | { readonly nowhere: string; readonly filter: Filter } {
  const asked: Asked[] = [];
  for (const filter of filters) {
    const test = filter.prepare(pod, world);
    if (typeof test === "string") return { nowhere: test, filter };
    if (test !== undefined) asked.push({ filter, test });
  }
  return asked;
}

/** Only the first filter that refuses is heard, with all its reasons. */
function ask(asked: readonly Asked[], place: Place, wakes: Set<Wake>): readonly Refusal[] {
  for (const { filter, test } of asked) {
    const refusals = test(place);
    if (refusals.length === 0) continue;
    for (const wake of filter.wakes) wakes.add(wake);
    return refusals;
  }
  return fine;
}

/** Whether a Pod fits at a place as it is in `world`; the reasons why not. */
export function refusalsAt(pod: Pod, place: Place, world: World): readonly Refusal[] {
  const asked = prepare(pod, world);
  return "nowhere" in asked ? [{ reason: asked.nowhere, isFinal: true }] : ask(asked, place, new Set());
}

/** Judges every place. Those that others wait for must do with these others there, and without. */
export function judge(pod: Pod, world: World): Judgement {
  const wakes = new Set<Wake>(world.places.length === 0 ? ["node"] : []);
  const asked = prepare(pod, world);
  if ("nowhere" in asked) {
    return { fitting: [], refused: new Map(), nowhere: asked.nowhere, wakes: new Set(asked.filter.wakes) };
  }
  const fitting: Place[] = [];
  const refused = new Map<string, readonly Refusal[]>();
  for (const place of world.places) {
    let refusals = ask(asked, place, wakes);
    if (refusals.length === 0) refusals = besideNominees(pod, place, { world, wakes });
    if (refusals.length === 0) fitting.push(place);
    else refused.set(place.name, refusals);
  }
  return { fitting, refused, nowhere: undefined, wakes };
}

function besideNominees(
  pod: Pod,
  place: Place,
  { world, wakes }: { world: World; wakes: Set<Wake> },
): readonly Refusal[] {
  const add = world
    .nominees(place.name)
    .filter((other) => other.metadata.uid !== pod.metadata.uid && priorityOf(other) >= priorityOf(pod));
  if (add.length === 0) return fine;
  const fuller = changed(place, { add });
  const refusals = refusalsAt(pod, fuller, withPlace(world, fuller));
  // Whoever waits may be bound elsewhere, or go.
  if (refusals.length > 0) for (const wake of ["pod", "pod gone", "node"] as const) wakes.add(wake);
  return refusals;
}
