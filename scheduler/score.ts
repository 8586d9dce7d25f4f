/**
 * Which of the nodes that a Pod may go to is best: the one with most to spare, by the mean of the shares of cpu and
 * memory that would be left. Source: k8s.io/kubernetes/pkg/scheduler/framework/plugins/noderesources/least_allocated.go
 */
import type { Place } from "./places.ts";
import type { Amounts } from "./requests.ts";

/** From 0 to 100. @param requests of the Pod */
export function leastAllocated(requests: Amounts, { allocatable, used }: Place): number {
  const shares = ["cpu", "memory"].flatMap((name) => {
    const total = allocatable.get(name) ?? 0;
    if (total === 0) return [];
    const left = total - (used.get(name) ?? 0) - (requests.get(name) ?? 0);
    return [left < 0 ? 0 : Math.floor((left * 100) / total)];
  });
  return shares.length === 0 ? 0 : Math.floor(shares.reduce((a, b) => a + b, 0) / shares.length);
}

/** One of those that score best; among equals, the one with fewest Pods. @returns undefined when there are none */
export function best(requests: Amounts, places: readonly Place[]): Place | undefined {
  const [first] = places
    .map((place) => ({ place, score: leastAllocated(requests, place) }))
    .toSorted((a, b) => b.score - a.score || a.place.pods.size - b.place.pods.size);
  return first?.place;
}
