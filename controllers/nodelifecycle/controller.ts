/**
 * Notices that nodes fall silent, and taints them as their conditions call for.
 *
 * How long a node has been silent is measured from when a change of its lease or status was last *seen*, by the
 * monotonic clock: a jump of anybody's wall clock makes no node silent. Before a node is given up its lease is read from
 * the server itself, so that a watch that lags, or a server that was away, gives up none.
 * Source: k8s.io/kubernetes/pkg/controller/nodelifecycle
 */
import { Lease, Node, Pod } from "@atoll/client/builtin";
import { isConflict, isNotFound } from "@atoll/client/errors";
import { type Key, toKey } from "@atoll/client/resource";
import type { Clock } from "@atoll/machinery/clock";
import { formatTime } from "@atoll/machinery/clock";
import { deepEqual } from "@atoll/machinery/equal";
import { consulting, partOf, type Read, statusOf, watching } from "@atoll/runtime/claims";
import type { Controller, Reconcile } from "@atoll/runtime/controller";
import { again, defineController, settled } from "@atoll/runtime/controller";
import { throwGathered } from "@atoll/runtime/failures";
import { isReady } from "../pods/state.ts";
import {
  evictionRate,
  graceMs,
  heartbeatOf,
  isCutOff,
  readiness,
  silentStatus,
  taintsOf,
  wantsEviction,
  zoneOf,
} from "./plan.ts";

const leases = "kube-node-lease";
const byNode = "node";
/** While something is wrong with a node, how often it is looked whether the others are well. */
const lookMs = 5_000;

/** What was last seen of a node; lost with the process, after which every node gets its grace again. */
interface Sight {
  readonly uid: string;
  readonly heartbeat: string;
  readonly sinceMs: number;
  readonly ready: string | undefined;
}

const podsByNode: Read<Pod> = {
  ...consulting(Pod),
  indexes: [{ name: byNode, by: ({ spec }) => (spec.nodeName === undefined ? [] : [spec.nodeName]) }],
};

/** Keeps what others may know of nodes. */
export function nodeLifecycleController(): Controller {
  const sights = new Map<Key, Sight>();
  /** When Pods may be sent away from one more node of a zone, monotonic ms. */
  const turns = new Map<string, number>();
  return defineController({
    name: "node-lifecycle-controller",
    for: Node,
    reads: [
      watching(Lease, ({ metadata: { name = "" } }) => [toKey(undefined, name)], { namespace: leases }),
      podsByNode,
    ],
    writes: [
      statusOf(Node),
      partOf(Node, "taints of its conditions", ({ verb, subresource }) => verb === "patch" && subresource === ""),
      partOf(Pod, "readiness of those whose node is not", ({ subresource }) => subresource === "status"),
    ],
    async reconcile(key, tools) {
      const found = tools.cache.get(Node, key);
      if (found === undefined || found.metadata.deletionTimestamp !== undefined) {
        sights.delete(key);
        return settled;
      }
      const before = sights.get(key);
      const sight = look(found, before, tools.cache.get(Lease, toKey(leases, key))?.spec?.renewTime, tools.clock);
      sights.set(key, sight);
      const silentMs = tools.clock.monotonicMs() - sight.sinceMs;
      if (silentMs >= graceMs && (await isHeard(key, sight, tools, sights))) return again({ afterMs: graceMs });
      const node = silentMs >= graceMs ? await giveUp(found, tools) : found;
      const ready = readiness(node);
      await taint(node, tools, turns);
      if (ready === "Unknown" || (ready === "False" && before?.ready === "True")) await unreadyPods(node, tools);
      sights.set(key, { ...sight, ready });
      return again({ afterMs: ready === "True" ? Math.max(graceMs - silentMs, 1) : lookMs });
    },
  });
}

function look(node: Node, before: Sight | undefined, renewTime: string | undefined, clock: Clock): Sight {
  const uid = node.metadata.uid ?? "";
  const heartbeat = heartbeatOf(node, renewTime ?? "");
  if (before?.uid === uid && before.heartbeat === heartbeat) return before;
  return { uid, heartbeat, sinceMs: clock.monotonicMs(), ready: before?.uid === uid ? before.ready : undefined };
}

/** Asks the server whether a node that seems silent has been heard. One that cannot be asked cannot be told either. */
async function isHeard(
  key: Key,
  sight: Sight,
  { client, clock }: Reconcile,
  sights: Map<Key, Sight>,
): Promise<boolean> {
  try {
    const node = await client.get(Node, key);
    const lease = await client.get(Lease, toKey(leases, key)).catch(nothing);
    const heartbeat = heartbeatOf(node, lease?.spec?.renewTime ?? "");
    if (heartbeat === sight.heartbeat) return false;
    sights.set(key, { ...sight, heartbeat, sinceMs: clock.monotonicMs() });
    return true;
  } catch (error) {
    if (isNotFound(error)) return true;
    sights.set(key, { ...sight, sinceMs: clock.monotonicMs() });
    throw error;
  }
}

function nothing(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}

async function giveUp(node: Node, { client, clock, events, log }: Reconcile): Promise<Node> {
  const status = silentStatus(node, clock.nowMs());
  if (status === node.status) return node;
  const was = readiness(node);
  const now = await client.setStatus(node, status);
  log.warn("a node is not heard of", { node: node.metadata.name, was });
  const note = `Node ${node.metadata.name} status is now: NodeNotReady`;
  if (was === "True") events.record(node, { type: "Normal", reason: "NodeNotReady", action: "NodeNotReady", note });
  return now;
}

async function taint(node: Node, { cache, client, clock }: Reconcile, turns: Map<string, number>): Promise<void> {
  const nodes = cache.list(Node).map((each) => (isSame(each, node) ? node : each));
  const keepPods = readiness(node) !== "True" && isCutOff(nodes);
  const mayEvict = !keepPods && wantsEviction(node) && takesTurn(node, nodes, { clock, turns });
  const taints = taintsOf(node, { keepPods, mayEvict, nowMs: clock.nowMs() });
  if (deepEqual(taints, node.spec?.taints ?? [])) return;
  const { resourceVersion = "" } = node.metadata;
  const body = { metadata: { resourceVersion }, spec: { taints: taints.length === 0 ? null : taints } };
  await client.patch(node, { type: "merge", body });
}

/** Whether it is a node's turn in its zone; then the next node's comes later. */
function takesTurn(
  node: Node,
  nodes: readonly Node[],
  { clock, turns }: { clock: Clock; turns: Map<string, number> },
): boolean {
  const zone = zoneOf(node);
  const rate = evictionRate(nodes.filter((each) => zoneOf(each) === zone));
  const nowMs = clock.monotonicMs();
  if (rate === 0 || nowMs < (turns.get(zone) ?? Number.NEGATIVE_INFINITY)) return false;
  turns.set(zone, nowMs + 1_000 / rate);
  return true;
}

function isSame(a: Node, b: Node): boolean {
  return a.metadata.uid === b.metadata.uid;
}

/** Takes Pods whose node cannot speak for them out of Services. */
async function unreadyPods({ metadata: { name = "" } }: Node, tools: Reconcile): Promise<void> {
  const { cache, client, clock, events } = tools;
  const failures: unknown[] = [];
  const ready = cache.list(Pod, { index: { name: byNode, value: name } }).filter(isReady);
  for (const pod of ready) {
    const lastTransitionTime = formatTime(clock.nowMs());
    const conditions = (pod.status.conditions ?? []).map((condition) =>
      condition.type === "Ready" ? { ...condition, status: "False", lastTransitionTime } : condition,
    );
    try {
      await client.setStatus(pod, { ...pod.status, conditions });
      events.record(pod, {
        type: "Warning",
        reason: "NodeNotReady",
        action: "NodeNotReady",
        note: "Node is not ready",
      });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) failures.push(error);
    }
  }
  throwGathered(failures);
}
