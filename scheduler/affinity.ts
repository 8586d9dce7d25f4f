/**
 * Affinity and anti-affinity between Pods. Anti-affinity works both ways: a Pod does not go where one that is there
 * wants it not. Source: k8s.io/kubernetes/pkg/scheduler/framework/plugins/interpodaffinity
 */
import type { PodAffinityTerm } from "@atoll/api/builtin/core/v1.types";
import type { Pod } from "@atoll/client/builtin";
import type { Place } from "./places.ts";
import { Pairs, termOf, type Term } from "./terms.ts";
import type { Filter, Refusal, Test, World } from "./world.ts";
import { fine } from "./world.ts";

type Direction = "podAffinity" | "podAntiAffinity";

const required = ({ spec }: Pod, direction: Direction): readonly PodAffinityTerm[] =>
  spec.affinity?.[direction]?.requiredDuringSchedulingIgnoredDuringExecution ?? [];

const refusals = {
  affinity: [{ reason: "node(s) didn't match pod affinity rules", isFinal: true }],
  antiAffinity: [{ reason: "node(s) didn't match pod anti-affinity rules", isFinal: false }],
  existing: [{ reason: "node(s) didn't satisfy existing pods anti-affinity rules", isFinal: false }],
} satisfies Record<string, readonly Refusal[]>;

/** Where Pods are, by the terms of one that comes and of those that are there. */
interface Counts {
  readonly wanted: Pairs;
  readonly unwanted: Pairs;
  readonly unwelcome: Pairs;
}

function countPods(pod: Pod, world: World, terms: { wanted: readonly Term[]; unwanted: readonly Term[] }): Counts {
  const counts: Counts = { wanted: new Pairs(), unwanted: new Pairs(), unwelcome: new Pairs() };
  const isAsking = terms.wanted.length + terms.unwanted.length > 0;
  const heed = (place: Place, other: Pod) => {
    for (const term of required(other, "podAntiAffinity")) {
      if (termOf(other, term, world).matches(pod)) counts.unwelcome.add(term.topologyKey, place);
    }
  };
  const look = (place: Place, other: Pod) => {
    // Only a Pod that is as all the terms say counts for any of them.
    const isWanted = terms.wanted.length > 0 && terms.wanted.every((term) => term.matches(other));
    if (isWanted) for (const { topologyKey } of terms.wanted) counts.wanted.add(topologyKey, place);
    for (const term of terms.unwanted) if (term.matches(other)) counts.unwanted.add(term.topologyKey, place);
  };
  for (const place of world.places) {
    for (const other of place.affine.values()) heed(place, other);
    if (isAsking) for (const other of place.pods.values()) look(place, other);
  }
  return counts;
}

/** The filter. */
export const podAffinity: Filter = {
  wakes: ["node", "pod", "pod gone"],
  prepare(pod, world) {
    const wanted = required(pod, "podAffinity").map((term) => termOf(pod, term, world));
    const unwanted = required(pod, "podAntiAffinity").map((term) => termOf(pod, term, world));
    const counts = countPods(pod, world, { wanted, unwanted });
    if (wanted.length + unwanted.length === 0 && counts.unwelcome.isEmpty) return undefined;
    // The first of a group that wants to be together has nobody to go to yet.
    const isFirst = counts.wanted.isEmpty && wanted.every((term) => term.matches(pod));
    return affinityTest({ wanted, unwanted, counts, isFirst });
  },
};

interface Prepared {
  readonly wanted: readonly Term[];
  readonly unwanted: readonly Term[];
  readonly counts: Counts;
  readonly isFirst: boolean;
}

function affinityTest({ wanted, unwanted, counts, isFirst }: Prepared): Test {
  const isNear = (place: Place) =>
    wanted.every(({ topologyKey }) => {
      if (place.node.metadata.labels?.[topologyKey] === undefined) return false;
      return isFirst || counts.wanted.of(topologyKey, place) > 0;
    });
  return (place) => {
    if (!isNear(place)) return refusals.affinity;
    if (unwanted.some(({ topologyKey }) => counts.unwanted.of(topologyKey, place) > 0)) return refusals.antiAffinity;
    return counts.unwelcome.sum(place) > 0 ? refusals.existing : fine;
  };
}

/** What a required affinity of a Pod that is there is worth to one that comes. Source: DefaultHardPodAffinityWeight */
const hardWeight = 1;

/** How much each place is liked and disliked by what Pods prefer, both ways; undefined: nobody prefers anything. */
export function affinityScores(pod: Pod, world: World): ((place: Place) => number) | undefined {
  const pairs = new Pairs();
  const own = preferences(pod, world);
  const weigh = (place: Place, other: Pod) => {
    for (const { term, weight } of own) if (term.matches(other)) pairs.add(term.topologyKey, place, weight);
    if (!place.affine.has(other.metadata.uid ?? "")) return;
    for (const { term, weight } of [...preferences(other, world), ...demands(other, world)])
      if (term.matches(pod)) pairs.add(term.topologyKey, place, weight);
  };
  for (const place of world.places) {
    for (const other of (own.length > 0 ? place.pods : place.affine).values()) weigh(place, other);
  }
  return pairs.isEmpty ? undefined : (place) => pairs.sum(place);
}

interface Weighted {
  readonly term: Term;
  readonly weight: number;
}

function preferences(pod: Pod, world: World): readonly Weighted[] {
  const { affinity } = pod.spec;
  const of = (direction: Direction, sign: number): Weighted[] =>
    (affinity?.[direction]?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      ({ weight, podAffinityTerm }) => ({ term: termOf(pod, podAffinityTerm, world), weight: sign * weight }),
    );
  if (affinity === undefined) return [];
  return [...of("podAffinity", 1), ...of("podAntiAffinity", -1)];
}

function demands(pod: Pod, world: World): readonly Weighted[] {
  return required(pod, "podAffinity").map((term) => ({ term: termOf(pod, term, world), weight: hardWeight }));
}
