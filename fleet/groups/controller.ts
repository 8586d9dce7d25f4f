/** Says of each ClusterGroup what is in it and below. */
import { ClusterGroup } from "@atoll/api/fleet/v1alpha1/clustergroup";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { type Key, keyOf } from "@atoll/client/resource";
import type { ApiObject } from "@atoll/machinery/object";
import { statusOf as statusClaim, type View, watching } from "@atoll/runtime/claims";
import { type Controller, defineController, settled } from "@atoll/runtime/controller";
import { statusOf } from "./plan.ts";

const allOf = ({ metadata }: ApiObject, cache: View): Iterable<Key> =>
  cache.list(ClusterGroup, { namespace: metadata.namespace ?? "" }).map(keyOf);

/** Keeps the status of ClusterGroups. */
export const groupController: Controller = defineController({
  name: "fleet-group",
  // Each report of a cluster wakes all groups, which count all clusters.
  gatherMs: 500,
  for: ClusterGroup,
  reads: [watching(FleetCluster, allOf), watching(ClusterGroup, allOf)],
  writes: [statusClaim(ClusterGroup)],
  async reconcile(key, { cache, client }) {
    const group = cache.get(ClusterGroup, key);
    if (group === undefined || group.metadata.deletionTimestamp !== undefined) return settled;
    const namespace = group.metadata.namespace ?? "";
    const groups = cache.list(ClusterGroup, { namespace });
    await client.setStatus(group, statusOf(group, groups, cache.list(FleetCluster, { namespace, alive: true })));
    return settled;
  },
});
