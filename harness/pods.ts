/** What nodes do for Pods, where no node runs. */
import { Pod } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { keyOf } from "@atoll/client/resource";
import { formatTime, systemClock } from "@atoll/machinery/clock";

/** What a node tells of a Pod. */
export interface Told {
  readonly ready?: boolean;
  readonly ip?: string;
}

/** Tells of a Pod that it runs and, unless told otherwise, that it is ready. */
export async function tellRunning(client: Client, pod: Pod, { ready = true, ip }: Told = {}): Promise<Pod> {
  const lastTransitionTime = formatTime(systemClock.nowMs());
  const conditions = [{ type: "Ready", status: ready ? "True" : "False", lastProbeTime: null, lastTransitionTime }];
  const address = ip === undefined ? {} : { podIP: ip, podIPs: [{ ip }] };
  const status = { ...pod.status, ...address, phase: "Running", conditions };
  return await client.setStatus(Pod, { object: pod, status });
}

/** Plays the nodes of a namespace's Pods once: they run and are ready, and deleted ones go. */
export async function playNodes(client: Client, namespace: string): Promise<void> {
  for (const pod of (await client.list(Pod, { namespace })).items) {
    // Controllers write at the same time: whoever is refused is played again.
    if (pod.metadata.deletionTimestamp !== undefined)
      await client.delete(Pod, keyOf(pod), { graceSeconds: 0 }).catch(() => undefined);
    else if (pod.status?.phase !== "Running") await tellRunning(client, pod).catch(() => undefined);
  }
}
