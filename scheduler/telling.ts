/**
 * What the scheduler writes about Pods that are not bound: why they wait, whom they wait for, and who must go for them.
 * Source: k8s.io/kubernetes/pkg/scheduler/schedule_one.go (handleSchedulingFailure), framework/preemption
 */
import { Pod } from "@atoll/client/builtin";
import { isNotFound } from "@atoll/client/errors";
import { keyOf } from "@atoll/client/resource";
import { formatTime } from "@atoll/machinery/clock";
import type { Surroundings } from "@atoll/runtime/controller";
import type { Room } from "./preemption.ts";

/** What it writes with. */
export type Teller = Pick<Surroundings, "client" | "clock" | "events" | "dead">;

const unlessGone = (error: unknown): void => {
  if (!isNotFound(error)) throw error;
};

/** Says why a Pod waits, and on which node it may hope for room ("": none). No write if that is known. */
export async function tellWaiting(
  pod: Pod,
  { message, nominated }: { message: string; nominated: string },
  { client, clock, events, dead }: Teller,
): Promise<void> {
  events.record(pod, { type: "Warning", reason: "FailedScheduling", action: "Scheduling", note: message });
  const known = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
  const isTold = known?.status === "False" && known.reason === "Unschedulable" && known.message === message;
  if (isTold && (pod.status?.nominatedNodeName ?? "") === nominated) return;
  const lastTransitionTime = known?.status === "False" ? known.lastTransitionTime : formatTime(clock.nowMs());
  const condition = { type: "PodScheduled", status: "False", reason: "Unschedulable", message, lastTransitionTime };
  const nominatedNodeName = nominated === "" ? null : nominated;
  const body = { metadata: { uid: pod.metadata.uid }, status: { conditions: [condition], nominatedNodeName } };
  const patch = { type: "strategic", body } as const;
  await client.patch(Pod, { key: keyOf(pod), patch, subresource: "status" }, { signal: dead }).catch(unlessGone);
}

/** Takes back a Pod's hope for room on a node. */
export async function unnominate(pod: Pod, { client, dead }: Teller): Promise<void> {
  const body = { metadata: { uid: pod.metadata.uid }, status: { nominatedNodeName: null } };
  const patch = { type: "strategic", body } as const;
  await client.patch(Pod, { key: keyOf(pod), patch, subresource: "status" }, { signal: dead }).catch(unlessGone);
}

/** Lets Pods go for one that is more important, in their own time. Those that are going already are left. */
export async function evict(pod: Pod, { place, victims }: Room, teller: Teller): Promise<void> {
  const staying = victims.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  await Promise.all(staying.map((victim) => evictOne(pod, { victim, node: place.name }, teller)));
}

async function evictOne(pod: Pod, { victim, node }: { victim: Pod; node: string }, teller: Teller): Promise<void> {
  const { client, clock, events, dead } = teller;
  const key = keyOf(victim);
  const { uid } = victim.metadata;
  const scheduler = pod.spec.schedulerName ?? "";
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "PreemptionByScheduler",
    message: `${scheduler}: preempting to accommodate a higher priority pod`,
    lastTransitionTime: formatTime(clock.nowMs()),
  };
  const patch = { type: "strategic", body: { metadata: { uid }, status: { conditions: [condition] } } } as const;
  await client.patch(Pod, { key, patch, subresource: "status" }, { signal: dead }).catch(unlessGone);
  await client.delete(Pod, key, { uid, signal: dead }).catch(unlessGone);
  const note = `Preempted by pod ${pod.metadata.uid} on node ${node}`;
  events.record(victim, { type: "Normal", reason: "Preempted", action: "Preempting", note, related: pod });
}
