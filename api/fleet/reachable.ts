/**
 * How people reach a cluster's API through the hub, as the cluster agreed to: at the hub's word, which names the person, or by
 * the person's own token alone, which the cluster itself checks. Source: docs/rfd/0028-reaching-clusters.md
 */
export const reachableBy = ["hub", "own-token"] as const;

/** One of them. */
export type ReachableBy = (typeof reachableBy)[number];

/** Said by an agent that opens a tunnel for people's own tokens. */
export const ownTokenHeader = "x-atoll-own-token";

/** The flag's value. A flag without one is `true`. @returns undefined when it is none of them */
export function readReachableBy(value: string | boolean | undefined): ReachableBy | undefined {
  return value === true ? "hub" : reachableBy.find((each) => each === value);
}
