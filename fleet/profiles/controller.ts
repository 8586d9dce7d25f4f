/** Publishes each FleetCluster as a ClusterProfile of SIG Multicluster's, for tools that look for clusters there. */
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { ClusterProfile } from "@atoll/api/multicluster/clusterprofile";
import { ownedBy, statusOf as statusClaim } from "@atoll/runtime/claims";
import { type Controller, defineController, settled } from "@atoll/runtime/controller";
import { manager, profileOf, statusOf } from "./plan.ts";

const profiles = ownedBy(ClusterProfile, FleetCluster);

/** Keeps ClusterProfiles. One of the same name that another manager wrote is left alone. */
export const profileController: Controller = defineController({
  name: "fleet-profile",
  for: FleetCluster,
  reads: [profiles],
  writes: [profiles, statusClaim(ClusterProfile)],
  async reconcile(key, { cache, client, clock }) {
    const cluster = cache.get(FleetCluster, key);
    if (cluster === undefined || cluster.metadata.deletionTimestamp !== undefined) return settled;
    const found = cache.get(ClusterProfile, key);
    if (found !== undefined && found.spec.clusterManager.name !== manager) return settled;
    const profile = found ?? (await client.create(ClusterProfile, profileOf(cluster)));
    await client.setStatus(profile, statusOf(cluster, profile.status, clock.nowMs()));
    return settled;
  },
});
