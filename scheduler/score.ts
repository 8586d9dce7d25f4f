/**
 * Which of the places that are open to a Pod is best: a weighted sum of opinions, each from 0 to 100.
 * Source: k8s.io/kubernetes/pkg/scheduler/apis/config/v1/default_plugins.go for the weights, and the plugins that are
 * named at each opinion
 */
import type { Pod } from "@atoll/client/builtin";
import { affinityScores } from "./affinity.ts";
import { isToleratedBy, matchesTerm } from "./filter.ts";
import type { Place } from "./places.ts";
import type { Amounts } from "./requests.ts";
import { podRequests, weightOf } from "./requests.ts";
import { spreadScores } from "./spread.ts";
import type { World } from "./world.ts";

/** Scores in the order of the places that were asked about; undefined: no opinion. */
type Opinion = (pod: Pod, fitting: readonly Place[], world: World) => readonly number[] | undefined;

const judged = ["cpu", "memory"] as const;

/** What would be taken of a place, as shares from 0 to 1 or more; what a place has none of is left out. */
function shares(allocatable: Amounts, taken: Amounts, more: Amounts): readonly number[] {
  return judged.flatMap((name) => {
    const total = allocatable.get(name) ?? 0;
    return total === 0 ? [] : [((taken.get(name) ?? 0) + (more.get(name) ?? 0)) / total];
  });
}

/** The place with most to spare. Source: noderesources/least_allocated.go */
const leastAllocated: Opinion = ({ spec }, fitting) => {
  const more = weightOf(spec);
  return fitting.map(({ allocatable, weight }) => {
    const left = shares(allocatable, weight, more).map((share) => (share > 1 ? 0 : Math.floor((1 - share) * 100)));
    return left.length === 0 ? 0 : Math.floor(left.reduce((a, b) => a + b, 0) / left.length);
  });
};

/** The place where cpu and memory are taken alike. Source: noderesources/balanced_allocation.go */
const balanced: Opinion = ({ spec }, fitting) => {
  const more = podRequests(spec);
  if (judged.every((name) => (more.get(name) ?? 0) === 0)) return undefined;
  return fitting.map(({ allocatable, used }) => {
    const [cpu, memory] = shares(allocatable, used, more).map((share) => Math.min(share, 1));
    const deviation = cpu === undefined || memory === undefined ? 0 : Math.abs(cpu - memory) / 2;
    return Math.floor((1 - deviation) * 100);
  });
};

const megabyte = 1024 * 1024;

/** The place that has the images; those that are widespread count in full. Source: imagelocality/image_locality.go */
const imageLocality: Opinion = ({ spec }, fitting, { places }) => {
  const names = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ image }) => imageName(image ?? ""));
  const spread = names.map((name) => places.filter(({ images }) => images.has(name)).length / places.length);
  if (spread.every((share) => share === 0)) return undefined;
  const [least, most] = [23 * megabyte, 1000 * megabyte * (spec.containers ?? []).length];
  return fitting.map(({ images }) => {
    const sizes = names.map((name, index) => Math.floor((images.get(name) ?? 0) * (spread[index] ?? 0)));
    const sum = sizes.reduce((a, b) => a + b, 0);
    return Math.floor((100 * (Math.min(Math.max(sum, least), most) - least)) / (most - least));
  });
};

/** A name with its tag. */
function imageName(image: string): string {
  return image.lastIndexOf(":") <= image.lastIndexOf("/") ? `${image}:latest` : image;
}

/** The place with fewest taints that would rather not have the Pod. Source: tainttoleration */
const softTaints: Opinion = ({ spec }, fitting) => {
  const soft = (spec.tolerations ?? []).filter(({ effect = "" }) => effect === "" || effect === "PreferNoSchedule");
  const counts = fitting.map(
    ({ node }) =>
      (node.spec?.taints ?? []).filter((taint) => taint.effect === "PreferNoSchedule" && !isToleratedBy(taint, soft))
        .length,
  );
  const most = Math.max(...counts);
  return most === 0 ? undefined : counts.map((count) => 100 - Math.floor((100 * count) / most));
};

/** The place that the Pod prefers. Source: nodeaffinity */
const preferredNodes: Opinion = ({ spec }, fitting) => {
  const terms = spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  if (terms.length === 0) return undefined;
  const sums = fitting.map(({ node }) =>
    terms.reduce((sum, { weight, preference }) => sum + (matchesTerm(preference, node) ? weight : 0), 0),
  );
  const most = Math.max(...sums);
  return most === 0 ? undefined : sums.map((sum) => Math.floor((100 * sum) / most));
};

/** The place near Pods that are liked, away from others. Source: interpodaffinity/scoring.go */
const likedPods: Opinion = (pod, fitting, world) => {
  const scoreOf = affinityScores(pod, world);
  if (scoreOf === undefined) return undefined;
  const sums = fitting.map(scoreOf);
  const [least, most] = [Math.min(...sums), Math.max(...sums)];
  return most === least ? undefined : sums.map((sum) => Math.floor((100 * (sum - least)) / (most - least)));
};

const spread: Opinion = (pod, fitting, world) => {
  const scores = spreadScores(pod, world, fitting);
  return scores === undefined ? undefined : fitting.map((place) => scores.get(place) ?? 0);
};

const opinions: readonly { readonly weight: number; readonly of: Opinion }[] = [
  { weight: 3, of: softTaints },
  { weight: 2, of: preferredNodes },
  { weight: 1, of: leastAllocated },
  { weight: 2, of: spread },
  { weight: 2, of: likedPods },
  { weight: 1, of: balanced },
  { weight: 1, of: imageLocality },
];

/** The weighted sum for each place, in their order. */
function scores(pod: Pod, fitting: readonly Place[], world: World): readonly number[] {
  const sums = fitting.map(() => 0);
  for (const { weight, of } of opinions) {
    const given = of(pod, fitting, world);
    if (given !== undefined)
      for (const [index, score] of given.entries()) sums[index] = (sums[index] ?? 0) + weight * score;
  }
  return sums;
}

/** One of those that score best; among equals, the one with fewest Pods. @returns undefined when there are none */
export function best(pod: Pod, fitting: readonly Place[], world: World): Place | undefined {
  if (fitting.length <= 1) return fitting[0];
  const sums = scores(pod, fitting, world);
  let [chosen, most] = [fitting[0], sums[0] ?? 0];
  for (const [index, place] of fitting.entries()) {
    const sum = sums[index] ?? 0;
    const isBetter = sum > most || (sum === most && place.pods.size < (chosen?.pods.size ?? 0));
    if (isBetter) [chosen, most] = [place, sum];
  }
  return chosen;
}
