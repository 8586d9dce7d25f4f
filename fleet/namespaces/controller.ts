/** Says of each FleetNamespace on how many clusters it is. */
import { ClusterGroup } from "@atoll/api/fleet/v1alpha1/clustergroup";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { FleetNamespace } from "@atoll/api/fleet/v1alpha1/fleetnamespace";
import { Work } from "@atoll/api/fleet/v1alpha1/work";
import { Namespace } from "@atoll/client/builtin";
import { type Key, keyOf, splitKey } from "@atoll/client/resource";
import type { ApiObject } from "@atoll/machinery/object";
import { consulting, statusOf as statusClaim, type View, watching, watchingIntent } from "@atoll/runtime/claims";
import { type Controller, defineController, settled } from "@atoll/runtime/controller";
import { inClusterNamespace } from "../cluster/controller.ts";
import { clusterNamespace } from "../cluster/names.ts";
import { isOn, sourceOf } from "../compile/compile.ts";
import { placeOf } from "../compile/levels.ts";
import { stateOf } from "../policystatus/plan.ts";

const allOf = ({ metadata }: ApiObject, cache: View): Iterable<Key> =>
  cache.list(FleetNamespace, { namespace: metadata.namespace ?? "" }).map(keyOf);

/** Keeps the status of FleetNamespaces. */
export const namespaceController: Controller = defineController({
  name: "fleet-namespace",
  for: FleetNamespace,
  reads: [
    watchingIntent(FleetCluster, allOf),
    watchingIntent(ClusterGroup, allOf),
    consulting(Namespace),
    watching(Work, function* (work, cache) {
      const sources = new Set(work.spec.objects.map(({ source }) => source));
      for (const cluster of inClusterNamespace(work, cache)) {
        const { namespace } = splitKey(cluster);
        yield* cache
          .list(FleetNamespace, { namespace })
          .filter((one) => sources.has(sourceOf(one)))
          .map(keyOf);
      }
    }),
  ],
  writes: [statusClaim(FleetNamespace)],
  async reconcile(key, { cache, client }) {
    const wanted = cache.get(FleetNamespace, key);
    if (wanted === undefined || wanted.metadata.deletionTimestamp !== undefined) return settled;
    const organization = wanted.metadata.namespace ?? "";
    const groups = cache.list(ClusterGroup, { namespace: organization });
    const byName = new Map(groups.map((group) => [group.metadata.name ?? "", group]));
    const clusters = cache
      .list(FleetCluster, { namespace: organization, alive: true })
      .filter((cluster) => isOn(wanted, placeOf(cluster, byName)));
    const having = clusters.filter(({ metadata: { name = "" } }) => {
      const works = cache.list(Work, { namespace: clusterNamespace(organization, name) });
      return stateOf(wanted, works).state === "Applied";
    });
    await client.setStatus(wanted, { ...wanted.status, summary: `${having.length}/${clusters.length}` });
    return settled;
  },
});
