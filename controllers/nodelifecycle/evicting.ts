/**
 * Sends Pods away from nodes with NoExecute taints, once the time that they tolerate them is over.
 *
 * That time runs from when the taints were first seen, by the monotonic clock. It is lost with the process: a Pod then
 * stays a little longer, and none goes too early.
 * Source: k8s.io/kubernetes/pkg/controller/tainteviction
 */
import { Node, Pod } from "@atoll/client/builtin";
import { isConflict, isNotFound } from "@atoll/client/errors";
import { type Key, keyOf, toKey } from "@atoll/client/resource";
import { deletionOf, partOf, watching } from "@atoll/runtime/claims";
import type { Controller, Reconcile } from "@atoll/runtime/controller";
import { again, defineController, settled } from "@atoll/runtime/controller";
import { conditionOf, isActive } from "../pods/state.ts";
import { evictingTaints, leavingStatus, stayMs } from "./eviction.ts";

/** A Pod, and since when its node has had taints, monotonic ms. */
interface Waiting {
  readonly uid: string;
  readonly sinceMs: number;
}

/** Sends Pods away. */
export function taintEvictionController(): Controller {
  const waiting = new Map<Key, Waiting>();
  return defineController({
    name: "taint-eviction-controller",
    for: Pod,
    reads: [
      watching(Node, (node, cache) => {
        // A node that was tainted and is not any more comes here as it was.
        if (evictingTaints(node).length === 0) return [];
        const { name = "" } = node.metadata;
        return cache
          .list(Pod)
          .filter(({ spec }) => spec.nodeName === name)
          .map(keyOf);
      }),
    ],
    writes: [
      deletionOf(Pod, "taints of its node"),
      partOf(Pod, "DisruptionTarget of those that taints send away", ({ subresource }) => subresource === "status"),
    ],
    concurrency: 8,
    async reconcile(key, tools) {
      const { cache, clock, events, log } = tools;
      const pod = cache.get(Pod, key);
      const node = cache.get(Node, toKey(undefined, pod?.spec.nodeName ?? ""));
      const taints = evictingTaints(node);
      if (pod === undefined || taints.length === 0 || !isActive(pod)) {
        if (waiting.delete(key)) tellSpared(pod, events);
        return settled;
      }
      const allowedMs = stayMs(pod, taints);
      if (allowedMs === Number.POSITIVE_INFINITY) {
        waiting.delete(key);
        return settled;
      }
      const leftMs = waitSince(waiting, key, pod, clock.monotonicMs()) + allowedMs - clock.monotonicMs();
      if (leftMs > 0) return again({ afterMs: leftMs });
      if (!(await sendAway(pod, tools))) return again({ afterMs: 1_000 });
      waiting.delete(key);
      log.info("sent a pod away", { pod: key, taints: taints.map((taint) => taint.key) });
      return settled;
    },
  });
}

/** @returns since when the Pod has been waiting, from now on if it was not */
function waitSince(waiting: Map<Key, Waiting>, key: Key, { metadata: { uid = "" } }: Pod, nowMs: number): number {
  const before = waiting.get(key);
  if (before?.uid === uid) return before.sinceMs;
  waiting.set(key, { uid, sinceMs: nowMs });
  return nowMs;
}

function tellSpared(pod: Pod | undefined, events: Reconcile["events"]): void {
  if (pod === undefined || !isActive(pod)) return;
  const note = `Cancelling deletion of Pod ${keyOf(pod)}`;
  events.record(pod, { type: "Normal", reason: "TaintManagerEviction", action: "Deleting", note });
}

/** @returns whether it goes; if not, it has changed since it was read */
async function sendAway(pod: Pod, { client, clock, events }: Reconcile): Promise<boolean> {
  const note = `Marking for deletion Pod ${keyOf(pod)}`;
  events.record(pod, { type: "Normal", reason: "TaintManagerEviction", action: "Deleting", note });
  try {
    if (conditionOf(pod, "DisruptionTarget")?.status !== "True") {
      await client.setStatus(pod, leavingStatus(pod, clock.nowMs()));
    }
    await client.delete(pod);
    return true;
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
    return false;
  }
}
