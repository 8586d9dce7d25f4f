/** What a policy's status says. Pure. */
import type { ClusterInventory } from "@atoll/api/fleet/v1alpha1/clusterinventory";
import type { ClusterReport } from "@atoll/api/fleet/v1alpha1/clusterreport";
import type { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { QuotaPolicy } from "@atoll/api/fleet/v1alpha1/quotapolicy";
import type { Work } from "@atoll/api/fleet/v1alpha1/work";
import { formatTime } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import { type Policy, policyObjectName, sourceOf } from "../compile/compile.ts";
import { levelOf, type Target } from "../compile/levels.ts";
import { homeOf } from "../cluster/names.ts";

type Status = NonNullable<Policy["status"]>;
/** What is known of clusters, each by its namespace on the hub. */
interface Reports {
  readonly works: (namespace: string) => readonly Work[];
  readonly report: (namespace: string) => ClusterReport | undefined;
  /** What its agent tells of the cluster's ResourceQuotas; asked of QuotaPolicies alone. */
  readonly quotas: (namespace: string) => ClusterInventory | undefined;
  readonly nowMs: number;
}
type ClusterState = NonNullable<Status["clusters"]>[number];

/** How a policy fares on the clusters it is for. */
export function statusOf(policy: Policy, clusters: readonly FleetCluster[], reports: Reports): Status {
  const { works, report, nowMs } = reports;
  const before = new Map((policy.status?.clusters ?? []).map((state) => [state.name, state]));
  const time = formatTime(nowMs);
  const states = clusters
    .toSorted((a, b) => compare(a.metadata.name ?? "", b.metadata.name ?? ""))
    .map((cluster) => {
      const name = cluster.metadata.name ?? "";
      return sameOr(before.get(name), { name, ...stateOf(policy, works(homeOf(cluster))), time });
    });
  const applied = states.filter(({ state }) => state === "Applied").length;
  const source = sourceOf(policy);
  const violations = clusters
    .map((cluster) => report(homeOf(cluster)))
    .reduce((sum, each) => sum + (each?.spec.violationsOf?.[source] ?? 0), 0);
  return {
    observedGeneration: policy.metadata.generation ?? 0,
    level: levelOf(policy.spec.target as Target),
    summary: `${applied}/${states.length}`,
    violations,
    ...nearnessOf(policy, clusters, reports),
    clusters: states,
  };
}

const mostNear = 100;

/** Which namespaces are near the limits of a QuotaPolicy; nothing while no cluster has told. */
function nearnessOf(
  policy: Policy,
  clusters: readonly FleetCluster[],
  { quotas }: Reports,
): Pick<Status, "nearLimit" | "nearest"> {
  if (policy.kind !== QuotaPolicy.kind) return {};
  const own = policyObjectName(policy);
  const told = clusters.flatMap((cluster) => {
    const inventory = quotas(homeOf(cluster));
    return inventory === undefined ? [] : [{ cluster: cluster.metadata.name ?? "", items: inventory.spec.items }];
  });
  const near = told.flatMap(({ cluster, items }) =>
    items
      .filter(({ name, healthy }) => name === own && !healthy)
      .map(({ namespace, state }) => ({ cluster, namespace, state })),
  );
  return told.length === 0 ? {} : { nearLimit: near.length, nearest: near.slice(0, mostNear) };
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

type Now = Pick<ClusterState, "state" | "reason" | "generation">;

/** How far what an object asks for is on one cluster. @param works the cluster's */
export function stateOf(policy: Pick<ApiObject, "kind" | "metadata">, works: readonly Work[]): Now {
  const source = sourceOf(policy);
  const generation = policy.metadata.generation ?? 0;
  const carrying = works.filter(({ spec }) => spec.objects.some((object) => object.source === source));
  const sent = carrying.flatMap(({ spec }) => spec.objects).find((object) => object.source === source)?.generation;
  if (sent !== generation) return { state: "Pending", reason: "not sent yet", generation: sent ?? 0 };
  if (carrying.some(({ metadata, status }) => status?.observedGeneration !== metadata.generation)) {
    return { state: "Pending", reason: "the agent has not answered yet", generation };
  }
  const told = carrying.flatMap(({ status }) => status?.objects ?? []).filter((object) => object.source === source);
  const worst = told.find(({ state }) => state === "Failed") ?? told.find(({ state }) => state !== "Applied");
  if (worst !== undefined) return { state: worst.state, reason: `${worst.object}: ${worst.reason}`, generation };
  return { state: "Applied", reason: told.at(0)?.reason ?? "", generation };
}

/** The time stays while the rest does. */
function sameOr(before: ClusterState | undefined, now: ClusterState): ClusterState {
  const same = before?.state === now.state && before.reason === now.reason && before.generation === now.generation;
  return same ? before : now;
}
