/**
 * What a Node that is not heard of is said to be, and the taints that its conditions call for. Pure.
 * Source: k8s.io/kubernetes/pkg/controller/nodelifecycle/node_lifecycle_controller.go
 */
import type { NodeCondition, NodeStatus, Taint } from "@atoll/api/builtin/core/v1.types";
import type { Node } from "@atoll/client/builtin";
import { formatTime } from "@atoll/machinery/clock";

/**
 * A node of which nothing has been heard for as long is not known to live. Longer than its lease, for within that its host
 * goes on with what it alone has. Source: --node-monitor-grace-period, 50 s since 1.32
 */
export const graceMs = 50_000;

const prefix = "node.kubernetes.io/";
/** On nodes that say that they cannot run Pods. */
const notReady = `${prefix}not-ready`;
/** On nodes of which nothing is heard. */
const unreachable = `${prefix}unreachable`;
const unschedulable = `${prefix}unschedulable`;

const keysOfConditions: Readonly<Record<string, string>> = {
  MemoryPressure: `${prefix}memory-pressure`,
  DiskPressure: `${prefix}disk-pressure`,
  PIDPressure: `${prefix}pid-pressure`,
  NetworkUnavailable: `${prefix}network-unavailable`,
};
const keptFromScheduling = new Set([...Object.values(keysOfConditions), notReady, unreachable, unschedulable]);
const keptFromRunning = new Set([notReady, unreachable]);
/** What a node tells of itself, and nobody can while it is silent. */
const told = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

/** Whether a node is ready, as its status says; undefined: it says nothing. */
export function readiness({ status }: Node): string | undefined {
  return status?.conditions?.find(({ type }) => type === "Ready")?.status;
}

/** What a node says of itself, whenever it says it again: if this changes, it lives. */
export function heartbeatOf({ status }: Node, renewTime: string): string {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  const own = ready?.status === "Unknown" ? "" : `${ready?.status} ${ready?.lastHeartbeatTime}`;
  return `${renewTime} ${own}`;
}

/** The status of a node of which nothing is heard. The same object if that is what it says already. */
export function silentStatus({ status, metadata }: Node, nowMs: number): NodeStatus {
  const before = status.conditions ?? [];
  const missing = told.filter((type) => !before.some((condition) => condition.type === type));
  const now = formatTime(nowMs);
  const never = missing.map((type): NodeCondition => {
    const about = { reason: "NodeStatusNeverUpdated", message: "Kubelet never posted node status." };
    const lastHeartbeatTime = metadata.creationTimestamp ?? now;
    return { type, status: "Unknown", lastHeartbeatTime, lastTransitionTime: now, ...about };
  });
  const isSilent = (condition: NodeCondition) => !told.includes(condition.type) || condition.status === "Unknown";
  if (missing.length === 0 && before.every(isSilent)) return status;
  const stopped = before.map((condition): NodeCondition => {
    if (isSilent(condition)) return condition;
    const about = { reason: "NodeStatusUnknown", message: "Kubelet stopped posting node status." };
    return { ...condition, status: "Unknown", lastTransitionTime: now, ...about };
  });
  return { ...status, conditions: [...stopped, ...never] };
}

/** What bears on the taints of a node. */
export interface Standing {
  /** Pods are not sent away: so many nodes are missing that it is rather the network, or the controller itself. */
  readonly keepPods: boolean;
  /** Pods may be sent away from one more node now. */
  readonly mayEvict: boolean;
  readonly nowMs: number;
}

/** The taints that a node should have: its conditions', and those that others gave it. */
export function taintsOf(node: Node, { keepPods, mayEvict, nowMs }: Standing): readonly Taint[] {
  const before = node.spec?.taints ?? [];
  const ready = readiness(node);
  const schedule = new Set(conditionKeys(node, before));
  const run = keepPods ? undefined : reasonToLeave(ready);
  const others = before.filter(({ key, effect }) => {
    if (effect === "NoSchedule") return !keptFromScheduling.has(key) || schedule.has(key);
    if (effect === "NoExecute") return !keptFromRunning.has(key) || key === run;
    return true;
  });
  const has = (key: string, effect: string) => others.some((taint) => taint.key === key && taint.effect === effect);
  const timeAdded = formatTime(nowMs);
  const added: Taint[] = [...schedule]
    .filter((key) => !has(key, "NoSchedule"))
    .map((key) => ({ key, effect: "NoSchedule", timeAdded }));
  const isNew = run !== undefined && !has(run, "NoExecute");
  if (isNew && (mayEvict || isEvicting(node))) added.push({ key: run, effect: "NoExecute", timeAdded });
  return [...others, ...added];
}

/** Whether its conditions send Pods away from a node already. */
function isEvicting({ spec }: Node): boolean {
  return (spec?.taints ?? []).some(({ key, effect }) => effect === "NoExecute" && keptFromRunning.has(key));
}

/** Whether Pods would be sent away from a node that keeps them so far. */
export function wantsEviction(node: Node): boolean {
  return reasonToLeave(readiness(node)) !== undefined && !isEvicting(node);
}

function reasonToLeave(ready: string | undefined): string | undefined {
  if (ready === "False") return notReady;
  return ready === "Unknown" ? unreachable : undefined;
}

function* conditionKeys({ spec, status }: Node, before: readonly Taint[]): Iterable<string> {
  if (spec?.unschedulable === true) yield unschedulable;
  const ready = status?.conditions?.find(({ type }) => type === "Ready")?.status;
  // A new node has said nothing yet, and keeps the taint that admission gave it.
  const isNew = ready === undefined && before.some(({ key, effect }) => key === notReady && effect === "NoSchedule");
  const key = isNew ? notReady : reasonToLeave(ready);
  if (key !== undefined) yield key;
  for (const { type, status: is } of status?.conditions ?? []) {
    const pressure = keysOfConditions[type];
    if (pressure !== undefined && is === "True") yield pressure;
  }
}

/** Nodes that fail together: of one region and zone. Source: k8s.io/component-helpers/node/topology (GetZoneKey) */
export function zoneOf({ metadata: { labels = {} } }: Node): string {
  return `${labels["topology.kubernetes.io/region"] ?? ""}/${labels["topology.kubernetes.io/zone"] ?? ""}`;
}

/** In zones this small, Pods are not moved while most nodes are missing. Source: --large-cluster-size-threshold */
const small = 50;
/** Source: --unhealthy-zone-threshold */
const mostMissing = 0.55;
/** Nodes a second that Pods are sent away from. Source: --node-eviction-rate, --secondary-node-eviction-rate */
const rates = { usual: 0.1, disrupted: 0.01 } as const;

const countMissing = (nodes: readonly Node[]): number => nodes.filter((node) => readiness(node) !== "True").length;

/**
 * Whether all nodes are missing: it is rather the network, or the controller itself, and Pods stay where they are.
 * Source: handleDisruption
 */
export const isCutOff = (nodes: readonly Node[]): boolean => countMissing(nodes) === nodes.length;

/**
 * From how many nodes of a zone a second Pods may be sent away: fewer while most of it is missing, none of a small one;
 * at the usual pace when all of it is, for then other zones take them. Source: ComputeZoneState, setLimiterInZone
 */
export function evictionRate(zone: readonly Node[]): number {
  const missing = countMissing(zone);
  const isPartly = missing < zone.length && missing > 2 && missing / zone.length >= mostMissing;
  if (!isPartly) return rates.usual;
  return zone.length > small ? rates.disrupted : 0;
}
