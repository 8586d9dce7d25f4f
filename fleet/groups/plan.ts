/** What a ClusterGroup's status says. Pure. */
import type { ClusterGroup } from "@atoll/api/fleet/v1alpha1/clustergroup";
import type { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { placeOf } from "../compile/levels.ts";

/** Counts the clusters in a group and below it. */
export function statusOf(
  group: ClusterGroup,
  groups: readonly ClusterGroup[],
  clusters: readonly FleetCluster[],
): NonNullable<ClusterGroup["status"]> {
  const byName = new Map(groups.map((each) => [each.metadata.name ?? "", each]));
  const within = clusters.filter((cluster) => placeOf(cluster, byName).groups.includes(group.metadata.name ?? ""));
  return {
    ...group.status,
    clusters: within.length,
    ready: within.filter(({ status }) => status?.phase === "Ready").length,
    violations: within.reduce((sum, { status }) => sum + (status?.violations ?? 0), 0),
  };
}
