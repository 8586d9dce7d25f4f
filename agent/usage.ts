/**
 * What of the cluster's capacity its pods ask for, and what is used of it as its metrics API says. In a loop of its own: a
 * metrics API is served by somebody's Deployment, and may be slow, absent, or hang.
 */
import type { ClusterReport } from "@atoll/api/fleet/v1alpha1/clusterreport";
import { podNeeds } from "@atoll/api/core/podneeds";
import { Pod } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isNotFound } from "@atoll/client/errors";
import { type Clock, formatTime } from "@atoll/machinery/clock";
import {
  addQuantities,
  canonicalQuantity,
  parseQuantity,
  type Quantity,
  quantityOf,
  scaledValue,
} from "@atoll/machinery/quantity";

/** How much is asked for and used, and when that was so. */
export type Usage = NonNullable<ClusterReport["spec"]["usage"]>;
type Amounts = Readonly<Record<string, string>>;

/** Objects in memory at once. */
const pageSize = 200;
/** A metrics API that has not answered by then is not waited for. */
const metricsPatienceMs = 5_000;
const metricsPath = "/apis/metrics.k8s.io/v1beta1/nodes";
const mebi = 1n << 20n;
/** Pods that are over hold nothing. */
const notOver = "status.phase!=Succeeded,status.phase!=Failed";

/** Looks. @throws when the cluster's own API does not answer */
export async function gatherUsage({ cluster, clock }: { cluster: Client; clock: Clock }): Promise<Usage> {
  const time = formatTime(clock.nowMs());
  const requested = await requestedBy(cluster);
  return { time, requested, ...(await usedOf(cluster, clock)) };
}

/** By all pods that are bound and not over, each resource, and how many pods that are. Source: kubectl describe node */
async function requestedBy(cluster: Client): Promise<Amounts> {
  const total = new Map<string, Quantity>();
  let pods = 0;
  for await (const page of cluster.pages(Pod, { limit: pageSize, fieldSelector: notOver })) {
    for (const pod of page.items) {
      if (pod.spec.nodeName === undefined) continue;
      pods += 1;
      for (const [resource, amount] of podNeeds(pod).requests) add(total, resource, amount);
    }
  }
  return written(total.set("pods", quantityOf(pods)));
}

/** By all nodes; why not, where the cluster does not say. */
async function usedOf(cluster: Client, clock: Clock): Promise<Pick<Usage, "used" | "problem">> {
  const patience = new AbortController();
  const timer = clock.after(metricsPatienceMs, () => patience.abort());
  try {
    const list = await cluster.raw({ method: "GET", path: metricsPath, signal: patience.signal });
    const total = new Map<string, Quantity>();
    for (const { usage } of (list as { items: readonly { usage: Amounts }[] }).items)
      for (const [resource, text] of Object.entries(usage)) add(total, resource, parseQuantity(text));
    return total.size > 0 ? { used: rounded(total) } : { problem: "The cluster's metrics API tells of no node." };
  } catch (error) {
    return { problem: problemOf(error, patience.signal.aborted) };
  } finally {
    timer.cancel();
  }
}

function problemOf(error: unknown, isLate: boolean): string {
  if (isLate) return `The cluster's metrics API did not answer within ${metricsPatienceMs / 1000} s.`;
  if (isNotFound(error)) return "The cluster serves no metrics.k8s.io.";
  return `The cluster's metrics API failed: ${error instanceof Error ? error.message : String(error)}`.slice(0, 1024);
}

function add(total: Map<string, Quantity>, resource: string, amount: Quantity): void {
  const before = total.get(resource);
  total.set(resource, before === undefined ? amount : addQuantities(before, amount));
}

/** As finely as people read it: thousandths of a core, MiB. */
function rounded(total: ReadonlyMap<string, Quantity>): Amounts {
  const [cpu, memory] = ["cpu", "memory"].map((resource) => total.get(resource));
  return {
    ...written(total),
    ...(cpu === undefined ? {} : { cpu: `${scaledValue(cpu, -3)}m` }),
    ...(memory === undefined ? {} : { memory: `${(scaledValue(memory, 0) + mebi - 1n) / mebi}Mi` }),
  };
}

const written = (total: ReadonlyMap<string, Quantity>): Amounts =>
  Object.fromEntries([...total].map(([resource, amount]) => [resource, canonicalQuantity(amount)]));
