/** Says of each PolicyException whether it holds, and whether its objects would break the policy today. */
import { ClusterReport } from "@atoll/api/fleet/v1alpha1/clusterreport";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { PolicyException } from "@atoll/api/fleet/v1alpha1/policyexception";
import { Namespace } from "@atoll/client/builtin";
import { type Key, keyOf, splitKey, toKey } from "@atoll/client/resource";
import { parseTime } from "@atoll/machinery/clock";
import { deepEqual } from "@atoll/machinery/equal";
import { consulting, statusOf as statusClaim, type View, watching } from "@atoll/runtime/claims";
import { again, type Controller, defineController, settled } from "@atoll/runtime/controller";
import { inClusterNamespace } from "../cluster/controller.ts";
import { homeOf } from "../cluster/names.ts";
import { policyKinds, sourceOf } from "../compile/compile.ts";
import { statusOf } from "./plan.ts";

function* allAround(report: ClusterReport, cache: View): Iterable<Key> {
  for (const cluster of inClusterNamespace(report, cache)) {
    yield* cache.list(PolicyException, { namespace: splitKey(cluster).namespace }).map(keyOf);
  }
}

/** Agents report twice a minute, mostly the same. */
function isOtherCount({ spec: before }: ClusterReport, { spec: after }: ClusterReport): boolean {
  return !deepEqual(before.exceptedOf ?? {}, after.exceptedOf ?? {});
}

/** Keeps the status of PolicyExceptions. */
export const exceptionController: Controller = defineController({
  name: "fleet-exception",
  for: PolicyException,
  reads: [
    ...policyKinds.map((kind) =>
      watching(kind, (policy, cache) => {
        const { namespace = "" } = policy.metadata;
        const concerned = cache
          .list(PolicyException, { namespace })
          .filter(({ spec }) => spec.policy === sourceOf(policy));
        return concerned.map(keyOf);
      }),
    ),
    consulting(FleetCluster),
    consulting(Namespace),
    { ...watching(ClusterReport, allAround), matters: isOtherCount },
  ],
  writes: [statusClaim(PolicyException)],
  async reconcile(key, { cache, client, clock }) {
    const exception = cache.get(PolicyException, key);
    if (exception === undefined || exception.metadata.deletionTimestamp !== undefined) return settled;
    const { namespace = "" } = exception.metadata;
    const exists = policyKinds
      .flatMap((kind) => cache.list(kind, { namespace, alive: true }))
      .some((policy) => sourceOf(policy) === exception.spec.policy);
    const nowMs = clock.nowMs();
    const counts = cache
      .list(FleetCluster, { namespace, alive: true })
      .map((cluster) => cache.get(ClusterReport, toKey(homeOf(cluster), "cluster"))?.spec.exceptedOf ?? {});
    await client.setStatus(exception, statusOf(exception, { exists, counts, nowMs }));
    const leftMs = parseTime(exception.spec.expires) - nowMs;
    return leftMs > 0 ? again({ afterMs: leftMs + 1_000 }) : settled;
  },
});
