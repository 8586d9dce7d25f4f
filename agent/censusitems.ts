/** What is told to the hub of each thing that a cluster has: a line for whoever searches. Pure. */
import type { ClusterInventory } from "@atoll/api/fleet/v1alpha1/clusterinventory";
import type {
  CronJob,
  DaemonSet,
  Deployment,
  Job,
  Namespace,
  Node,
  ResourceQuota,
  StatefulSet,
} from "@atoll/client/builtin";
import type { ApiObject } from "@atoll/machinery/object";
import { parseQuantity, scaledValue } from "@atoll/machinery/quantity";

/** A line of the inventory. */
export type InventoryItem = ClusterInventory["spec"]["items"][number];
type Told = Pick<InventoryItem, "version" | "state" | "healthy">;

function item({ metadata }: Pick<ApiObject, "metadata">, { version, state, healthy }: Told): InventoryItem {
  const { namespace = "", name = "" } = metadata;
  return { namespace, name, version: version.slice(0, 512), state: state.slice(0, 256), healthy };
}

/** A node: its kubelet's version; unhealthy when it is not ready, or short of something. */
export function nodeItem(node: Node): InventoryItem {
  const conditions = node.status?.conditions ?? [];
  const ready = conditions.some(({ type, status }) => type === "Ready" && status === "True");
  const short = conditions.filter(({ type, status }) => type !== "Ready" && status === "True").map(({ type }) => type);
  const closed = node.spec?.unschedulable === true ? ["SchedulingDisabled"] : [];
  return item(node, {
    version: node.status?.nodeInfo?.kubeletVersion ?? "",
    state: [ready ? "Ready" : "NotReady", ...short, ...closed].join(","),
    healthy: ready && short.length === 0,
  });
}

/** A namespace; one that is going is not healthy, since it may never end. */
export function namespaceItem(namespace: Namespace): InventoryItem {
  const state = namespace.status?.phase ?? "Active";
  return item(namespace, { version: "", state, healthy: state === "Active" });
}

type Template = NonNullable<Deployment["spec"]>["template"];

function imagesOf(template: Template | undefined): string {
  const { containers, initContainers } = template?.spec ?? {};
  return [...new Set([...(containers ?? []), ...(initContainers ?? [])].map(({ image = "" }) => image))].join(",");
}

function readiness(ready: number, wanted: number, problem = ""): Pick<Told, "state" | "healthy"> {
  const state = `${ready}/${wanted} ready${problem === "" ? "" : `, ${problem}`}`;
  return { state, healthy: ready >= wanted && problem === "" };
}

/** A Deployment: pods that are available, of those wanted; what it says itself when it is stuck. */
export function deploymentItem(deployment: Deployment): InventoryItem {
  const { spec, status } = deployment;
  const failing = (status?.conditions ?? []).find(
    ({ type, status: holds }) =>
      (type === "Progressing" && holds === "False") || (type === "ReplicaFailure" && holds === "True"),
  );
  const { state, healthy } = readiness(status?.availableReplicas ?? 0, spec?.replicas ?? 1, failing?.reason);
  return item(deployment, { version: imagesOf(spec?.template), state, healthy });
}

/** A StatefulSet: pods that are available, of those wanted. */
export function statefulSetItem(set: StatefulSet): InventoryItem {
  const { spec, status } = set;
  const ready = status?.availableReplicas ?? status?.readyReplicas ?? 0;
  return item(set, { version: imagesOf(spec?.template), ...readiness(ready, spec?.replicas ?? 1) });
}

/** A DaemonSet: nodes with an available pod, of those that should have one. */
export function daemonSetItem(set: DaemonSet): InventoryItem {
  const { spec, status } = set;
  const ready = readiness(status?.numberAvailable ?? 0, status?.desiredNumberScheduled ?? 0);
  return item(set, { version: imagesOf(spec?.template), ...ready });
}

/** A Job: whether it ended, and how. */
export function jobItem(job: Job): InventoryItem {
  const ended = (job.status?.conditions ?? []).find(
    ({ type, status }) => (type === "Failed" || type === "Complete") && status === "True",
  );
  const reason = ended?.type === "Failed" && ended.reason !== undefined ? `: ${ended.reason}` : "";
  const state = ended === undefined ? `Running, ${job.status?.active ?? 0} active` : `${ended.type}${reason}`;
  return item(job, { version: imagesOf(job.spec?.template), state, healthy: ended?.type !== "Failed" });
}

/** A CronJob: when it runs. */
export function cronJobItem(cron: CronJob): InventoryItem {
  const { spec } = cron;
  const state = spec?.suspend === true ? "Suspended" : (spec?.schedule ?? "");
  return item(cron, { version: imagesOf(spec?.jobTemplate.spec?.template), state, healthy: true });
}

/** From which share of a limit on a quota is told to be near. */
const near = 80;

/** A ResourceQuota: the resource that is used most, by its share; unhealthy from four fifths on. */
export function quotaItem(quota: ResourceQuota): InventoryItem {
  const { hard = {}, used = {} } = quota.status ?? {};
  const shares = Object.entries(hard).map(([resource, limit]) => {
    return { resource, limit, used: used[resource] ?? "0", share: shareOf(used[resource] ?? "0", limit) };
  });
  const most = shares.toSorted((a, b) => b.share - a.share).at(0);
  if (most === undefined) return item(quota, { version: "", state: "not counted yet", healthy: true });
  const others = shares.filter(({ share, resource }) => share >= near && resource !== most.resource);
  const also = others.length === 0 ? "" : `; also ${others.map(({ resource }) => resource).join(", ")}`;
  const state = `${most.share}% of ${most.resource} (${most.used} of ${most.limit})${also}`;
  return item(quota, { version: "", state, healthy: most.share < near });
}

const milli = -3;

/** In whole percent. Of a limit of nothing all is used as soon as anything is. */
function shareOf(used: string, limit: string): number {
  const [amount, most] = [scaledValue(parseQuantity(used), milli), scaledValue(parseQuantity(limit), milli)];
  if (most <= 0n) return amount > 0n ? 100 : 0;
  return Number((amount * 100n) / most);
}

/** By which every API server tells which deprecated versions it was asked for. Source: KEP-1693 */
export const deprecatedSeries = "apiserver_requested_deprecated_apis";

/** One line of an API server's metrics about a deprecated version; unhealthy when it is known when it goes. */
export function deprecatedItem(line: string): InventoryItem | undefined {
  const [, inner = ""] = /^apiserver_requested_deprecated_apis\{([^}]*)\} 1(?:\.0*)?(?:\s|$)/.exec(line) ?? [];
  const labels = new Map(
    [...inner.matchAll(/([a-z_]+)="([^"\\]*)"/g)].map(([, label = "", value = ""]) => [label, value]),
  );
  const [group = "", version = "", resource = ""] = ["group", "version", "resource"].map((label) => labels.get(label));
  if (version === "" || resource === "") return undefined;
  const [sub, removed] = [labels.get("subresource") ?? "", labels.get("removed_release") ?? ""];
  const name = [group === "" ? resource : `${resource}.${group}`, ...(sub === "" ? [] : [sub])].join("/").slice(0, 253);
  const state = removed === "" ? "deprecated" : `goes in ${removed}`;
  return item({ metadata: { name } }, { version, state, healthy: removed === "" });
}
