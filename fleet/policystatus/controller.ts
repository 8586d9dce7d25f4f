/** Says of each policy how it fares on each cluster it is for. */
import { ClusterInventory } from "@atoll/api/fleet/v1alpha1/clusterinventory";
import { ClusterReport } from "@atoll/api/fleet/v1alpha1/clusterreport";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { ClusterGroup } from "@atoll/api/fleet/v1alpha1/clustergroup";
import { QuotaPolicy } from "@atoll/api/fleet/v1alpha1/quotapolicy";
import { Work } from "@atoll/api/fleet/v1alpha1/work";
import { Namespace } from "@atoll/client/builtin";
import { type Key, keyOf, type Resource, splitKey, toKey } from "@atoll/client/resource";
import { deepEqual } from "@atoll/machinery/equal";
import type { ApiObject } from "@atoll/machinery/object";
import {
  consulting,
  statusOf as statusClaim,
  type Read,
  type View,
  watching,
  watchingIntent,
} from "@atoll/runtime/claims";
import { type Controller, defineController, settled } from "@atoll/runtime/controller";
import { inClusterNamespace } from "../cluster/controller.ts";
import { type Policy, policyKinds } from "../compile/compile.ts";
import { levelFor, placeOf, type Target } from "../compile/levels.ts";
import { statusOf } from "./plan.ts";

/** Every cluster's answer changes the status, which tells of all: written at each, it would cost more than the answers. */
const gatherMs = 500;

/** Keeps the status of one kind of policies. */
function forKind(kind: Resource<Policy> & { readonly kind: string }): Controller {
  const allOf = (object: ApiObject, cache: View): Iterable<Key> =>
    cache.list(kind, { namespace: object.metadata.namespace ?? "" }).map(keyOf);
  function* allAround(report: ApiObject, cache: View): Iterable<Key> {
    for (const cluster of inClusterNamespace(report, cache)) {
      yield* cache.list(kind, { namespace: splitKey(cluster).namespace }).map(keyOf);
    }
  }
  return defineController({
    name: `fleet-status-${kind.kind.toLowerCase()}`,
    gatherMs,
    for: kind,
    reads: [
      watchingIntent(FleetCluster, allOf),
      watchingIntent(ClusterGroup, allOf),
      consulting(Namespace),
      { ...watching(ClusterReport, allAround), matters: isOtherCount },
      ...(kind.kind === QuotaPolicy.kind ? [quotasAround(allAround)] : []),
      watching(Work, function* (work, cache) {
        for (const cluster of inClusterNamespace(work, cache)) {
          const { namespace } = splitKey(cluster);
          for (const source of new Set(work.spec.objects.map((object) => object.source))) {
            const [of, name = ""] = source.split("/");
            if (of === kind.kind) yield toKey(namespace, name);
          }
        }
      }),
    ],
    writes: [statusClaim(kind)],
    async reconcile(key, { cache, client, clock }) {
      const policy = cache.get(kind, key);
      if (policy === undefined || policy.metadata.deletionTimestamp !== undefined) return settled;
      const namespace = policy.metadata.namespace ?? "";
      const groups = cache.list(ClusterGroup, { namespace });
      const byName = new Map(groups.map((group) => [group.metadata.name ?? "", group]));
      const target = policy.spec.target as Target;
      const clusters = cache
        .list(FleetCluster, { namespace, alive: true })
        .filter((cluster) => levelFor(target, placeOf(cluster, byName)) !== undefined);
      const works = (home: string) => cache.list(Work, { namespace: home });
      const report = (home: string) => cache.get(ClusterReport, toKey(home, "cluster"));
      const quotas = (home: string) => cache.get(ClusterInventory, toKey(home, quotaInventory));
      await client.setStatus(policy, statusOf(policy, clusters, { works, report, quotas, nowMs: clock.nowMs() }));
      return settled;
    },
  });
}

const quotaInventory = "resourcequotas";

function quotasAround(keys: (inventory: ApiObject, cache: View) => Iterable<Key>): Read {
  return watching(ClusterInventory, (inventory, cache) => {
    return inventory.metadata.name === quotaInventory ? keys(inventory, cache) : [];
  }) as unknown as Read;
}

/** Agents report twice a minute, mostly the same. */
function isOtherCount({ spec: before }: ClusterReport, { spec: after }: ClusterReport): boolean {
  return !deepEqual(before.violationsOf ?? {}, after.violationsOf ?? {});
}

/** One controller for each kind of policy. */
export const policyStatusControllers: readonly Controller[] = policyKinds.map(forKind);
