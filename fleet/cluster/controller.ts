/**
 * Gives each FleetCluster its namespace on the hub, says where it stands, and lets it go once its agent has tidied up.
 */
import { ClusterReport } from "@atoll/api/fleet/v1alpha1/clusterreport";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { Work } from "@atoll/api/fleet/v1alpha1/work";
import { ClusterRole, ClusterRoleBinding, Namespace, Role, RoleBinding } from "@atoll/client/builtin";
import { isOf, type Key, type Resource, splitKey, toKey } from "@atoll/client/resource";
import type { ApiObject } from "@atoll/machinery/object";
import { partOf, statusOf as statusClaim, watching } from "@atoll/runtime/claims";
import {
  again,
  type Controller,
  defineController,
  type Reconcile,
  type Result,
  settled,
} from "@atoll/runtime/controller";
import type { View } from "@atoll/runtime/claims";
import { clusterLabel, clusterNamespace, furnishedAnnotation, furnishing, organizationLabel } from "./names.ts";
import { awayAfterMs, hubNamespace, hubObjects, statusOf } from "./plan.ts";

/** Keeps a cluster until what it had has been removed. */
export const detachFinalizer = "fleet.atoll.dev/detach";
/** Says that nobody is to wait for an agent that will not come back. */
export const forceDetach = "fleet.atoll.dev/force-detach";

const resources = [
  Namespace,
  Role,
  RoleBinding,
  ClusterRole,
  ClusterRoleBinding,
] as readonly unknown[] as readonly Resource[];
const ofClusters = (write: { readonly object: { readonly metadata: ApiObject["metadata"] } }) => {
  const { name = "", namespace = "" } = write.object.metadata;
  return name.startsWith("fleet-") || namespace.startsWith("fleet-");
};

/** Wakes the cluster whose namespace on the hub an object is in. */
export function inClusterNamespace(object: ApiObject, cache: View): Iterable<Key> {
  const { namespace = "", name = "" } = object.metadata;
  const labels = cache.get(Namespace, toKey(undefined, namespace === "" ? name : namespace))?.metadata.labels;
  const organization = labels?.[organizationLabel];
  const cluster = labels?.[clusterLabel];
  return organization === undefined || cluster === undefined ? [] : [toKey(organization, cluster)];
}

/** Keeps FleetClusters. */
export const fleetClusterController: Controller = defineController({
  name: "fleet-cluster",
  for: FleetCluster,
  reads: [
    watching(Namespace, inClusterNamespace),
    watching(ClusterReport, inClusterNamespace),
    // Of Works it asks only whether the agent has removed what was in them.
    watching(Work, function* (work, cache) {
      for (const key of inClusterNamespace(work, cache))
        if (cache.get(FleetCluster, key)?.metadata.deletionTimestamp !== undefined) yield key;
    }),
  ],
  writes: [
    statusClaim(FleetCluster),
    partOf(FleetCluster, "finalizer", ({ verb }) => verb === "patch"),
    ...resources.map((resource) => partOf(resource, "of clusters", ofClusters)),
  ],
  async reconcile(key, tools) {
    const cluster = tools.cache.get(FleetCluster, key);
    if (cluster === undefined) return settled;
    const { name } = splitKey(key);
    const namespace = clusterNamespace(cluster.metadata.namespace ?? "", name);
    if (cluster.metadata.deletionTimestamp !== undefined) return await detach(cluster, namespace, tools);
    await hold(cluster, tools);
    await furnish(cluster, namespace, tools);
    const report = tools.cache.get(ClusterReport, toKey(namespace, "cluster"));
    await tools.client.setStatus(cluster, statusOf(cluster, report, { namespace, nowMs: tools.clock.nowMs() }));
    return report === undefined ? settled : again({ afterMs: awayAfterMs });
  },
});

/** Makes the namespace and what belongs to it, once; the annotation says that nothing is missing. */
async function furnish(cluster: FleetCluster, namespace: string, { cache, client }: Reconcile): Promise<void> {
  const found = cache.get(Namespace, toKey(undefined, namespace));
  if (found?.metadata.annotations?.[furnishedAnnotation] === furnishing) return;
  const owner = await client.apply(Namespace as Resource, hubNamespace(cluster, namespace, false));
  const made = hubObjects(namespace, owner).map(async (object) => {
    const resource = resources.find((candidate) => isOf(object, candidate));
    if (resource !== undefined) await client.apply(resource, object);
  });
  await Promise.all(made);
  await client.apply(Namespace as Resource, hubNamespace(cluster, namespace, true));
}

async function hold(cluster: FleetCluster, { client }: Reconcile): Promise<void> {
  const { finalizers = [], resourceVersion } = cluster.metadata;
  if (finalizers.includes(detachFinalizer)) return;
  const metadata = { resourceVersion, finalizers: [...finalizers, detachFinalizer] };
  await client.patch(cluster, { type: "merge", body: { metadata } });
}

/** Waits until the agent has nothing left, then removes the namespace and lets the cluster go. */
async function detach(cluster: FleetCluster, namespace: string, tools: Reconcile): Promise<Result> {
  const { cache, client, clock } = tools;
  const { annotations, finalizers = [], resourceVersion } = cluster.metadata;
  if (!finalizers.includes(detachFinalizer)) return settled;
  const report = cache.get(ClusterReport, toKey(namespace, "cluster"));
  const works = cache.list(Work, { namespace });
  const hasLeft =
    works.length > 0 &&
    works.every(({ metadata, spec, status }) => {
      return spec.leaving !== undefined && status?.observedGeneration === metadata.generation;
    });
  if (report !== undefined && !hasLeft && annotations?.[forceDetach] !== "true") {
    await client.setStatus(cluster, statusOf(cluster, report, { namespace, nowMs: clock.nowMs() }));
    return settled;
  }
  // By its name: one that was made a moment ago may not be in view yet, and nobody would come back for it.
  await client.delete(hubNamespace(cluster, namespace, false));
  const metadata = { resourceVersion, finalizers: finalizers.filter((finalizer) => finalizer !== detachFinalizer) };
  await client.patch(cluster, { type: "merge", body: { metadata } });
  return settled;
}
