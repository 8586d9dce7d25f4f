/** Writes each cluster's Works: what its organization wants of it. */
import { ClusterGroup } from "@atoll/api/fleet/v1alpha1/clustergroup";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { FleetNamespace } from "@atoll/api/fleet/v1alpha1/fleetnamespace";
import { PolicyException } from "@atoll/api/fleet/v1alpha1/policyexception";
import { Work } from "@atoll/api/fleet/v1alpha1/work";
import { Namespace } from "@atoll/client/builtin";
import { type Key, keyOf, toKey } from "@atoll/client/resource";
import { parseTime } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import { partOf, type View, watching, watchingIntent } from "@atoll/runtime/claims";
import { again, type Controller, defineController, type Result, settled } from "@atoll/runtime/controller";
import { inClusterNamespace } from "../cluster/controller.ts";
import { clusterNamespace } from "../cluster/names.ts";
import { compile, type Organization, policyKinds } from "../compile/compile.ts";
import { farewell, plan } from "./plan.ts";

/** Whatever an organization writes may concern all its clusters. */
function* allOf({ metadata }: ApiObject, cache: View): Iterable<Key> {
  for (const cluster of cache.list(FleetCluster, { namespace: metadata.namespace ?? "" })) yield keyOf(cluster);
}

/** All that an organization wrote, as the cache has it. */
function organizationOf(namespace: string, cache: View, nowMs: number): Organization {
  const groups = cache.list(ClusterGroup, { namespace });
  return {
    groups: new Map(groups.map((group) => [group.metadata.name ?? "", group])),
    policies: policyKinds.flatMap((kind) => cache.list(kind, { namespace, alive: true })),
    namespaces: cache.list(FleetNamespace, { namespace, alive: true }),
    exceptions: cache.list(PolicyException, { namespace, alive: true }),
    nowMs,
  };
}

/** When the next exception ends: what is wanted changes by itself then. */
function untilExpiry({ exceptions, nowMs }: Organization): Result {
  const left = exceptions.map(({ spec }) => parseTime(spec.expires) - nowMs).filter((ms) => ms > 0);
  return left.length === 0 ? settled : again({ afterMs: Math.min(...left) + 1_000 });
}

/** Keeps Works. */
export const deliveryController: Controller = defineController({
  name: "fleet-delivery",
  // A change concerns many clusters at once, and waits for the hub's disk with each.
  concurrency: 32,
  for: FleetCluster,
  reads: [
    watchingIntent(ClusterGroup, allOf),
    watchingIntent(FleetNamespace, allOf),
    watchingIntent(PolicyException, allOf),
    // Each cluster's answer changes a policy's status: were all woken by that, a thousand would be by each of a thousand.
    ...policyKinds.map((kind) => watchingIntent(kind, allOf)),
    watching(Namespace, inClusterNamespace),
    watchingIntent(Work, inClusterNamespace),
  ],
  writes: [partOf(Work, "policies", ({ subresource }) => subresource === "")],
  async reconcile(key, { cache, client, clock }) {
    const cluster = cache.get(FleetCluster, key);
    if (cluster === undefined) return settled;
    const leaving = cluster.metadata.deletionTimestamp !== undefined;
    const wrote = organizationOf(cluster.metadata.namespace ?? "", cache, clock.nowMs());
    const namespace = clusterNamespace(cluster.metadata.namespace ?? "", cluster.metadata.name ?? "");
    const home = cache.get(Namespace, toKey(undefined, namespace));
    if (home === undefined || home.metadata.deletionTimestamp !== undefined) return settled;
    const have = cache.list(Work, { namespace });
    const steps = leaving ? farewell(cluster.spec.onDetach ?? "Remove", have) : plan(compile(cluster, wrote), have);
    for (const step of steps) {
      if (step.do === "create")
        await client.create(Work, { metadata: { name: step.name, namespace }, spec: step.spec });
      else if (step.do === "update") await client.update({ ...step.work, spec: step.spec });
      else await client.delete(step.work);
    }
    return untilExpiry(wrote);
  },
});
