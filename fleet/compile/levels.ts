/**
 * Where policies are written, and for which clusters they hold: the organization, its groups from the outermost
 * inwards, the cluster.
 */
import type { ClusterGroup } from "@atoll/api/fleet/v1alpha1/clustergroup";
import type { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";

/** Where a policy holds, as its target says. */
export interface Target {
  readonly group?: string;
  readonly cluster?: string;
  readonly workspace?: string;
  readonly namespace?: { readonly cluster: string; readonly name: string };
}

/** A cluster, and the groups it is in, innermost first. */
export interface Place {
  readonly cluster: string;
  readonly groups: readonly string[];
}

/** The place of a cluster. A group that is its own ancestor ends the walk: it is in each of them once. */
export function placeOf(cluster: FleetCluster, groups: ReadonlyMap<string, ClusterGroup>): Place {
  const path: string[] = [];
  let next = cluster.spec.group;
  while (next !== undefined && next !== "" && !path.includes(next)) {
    path.push(next);
    next = groups.get(next)?.spec.parent;
  }
  return { cluster: cluster.metadata.name ?? "", groups: path };
}

/** Where a policy is written, in words for people. */
export function levelOf({ group, cluster, workspace, namespace }: Target): string {
  if (group !== undefined) return `group ${group}`;
  if (cluster !== undefined) return `cluster ${cluster}`;
  if (namespace !== undefined) return `namespace ${namespace.name} of ${namespace.cluster}`;
  return workspace === undefined ? "organization" : `workspace ${workspace}`;
}

/** At which level a target reaches a cluster, in words for people; undefined when it does not. */
export function levelFor(target: Target, place: Place): string | undefined {
  const { group, cluster = target.namespace?.cluster } = target;
  if (group !== undefined && !place.groups.includes(group)) return undefined;
  return cluster !== undefined && cluster !== place.cluster ? undefined : levelOf(target);
}
