/**
 * Deletes Jobs some time after they have ended, where they ask for it.
 * Source: k8s.io/kubernetes/pkg/controller/ttlafterfinished
 */
import { Job } from "@atoll/client/builtin";
import { parseTime } from "@atoll/machinery/clock";
import { deletionOf } from "@atoll/runtime/claims";
import type { Controller } from "@atoll/runtime/controller";
import { again, defineController, settled } from "@atoll/runtime/controller";

/** When a Job is to be deleted, ms since the epoch; undefined for never, or not yet. */
export function expiresAtMs({ spec, status, metadata }: Job): number | undefined {
  const { ttlSecondsAfterFinished } = spec;
  if (ttlSecondsAfterFinished === undefined || metadata.deletionTimestamp !== undefined) return undefined;
  const end = status?.conditions?.find(
    ({ type, status: value }) => (type === "Complete" || type === "Failed") && value === "True",
  );
  const endMs = parseTime(end?.lastTransitionTime ?? "");
  return Number.isNaN(endMs) ? undefined : endMs + ttlSecondsAfterFinished * 1000;
}

/** Deletes Jobs that have had their time. */
export const ttlAfterFinishedController: Controller = defineController({
  name: "ttl-after-finished-controller",
  for: Job,
  writes: [deletionOf(Job, "its time to live after its end is over")],
  async reconcile(key, { cache, client, clock }) {
    const job = cache.get(Job, key);
    const atMs = job === undefined ? undefined : expiresAtMs(job);
    if (job === undefined || atMs === undefined) return settled;
    const leftMs = atMs - clock.nowMs();
    if (leftMs > 0) return again({ afterMs: leftMs });
    // Its time to live may have been changed since: look again at what is stored.
    const [latest] = await client.list(Job, {
      namespace: job.metadata.namespace ?? "",
      fieldSelector: `metadata.name=${job.metadata.name}`,
    });
    const latestMs = latest === undefined ? undefined : expiresAtMs(latest);
    if (latest === undefined || latest.metadata.uid !== job.metadata.uid || latestMs === undefined) return settled;
    if (latestMs > clock.nowMs()) return again({ afterMs: latestMs - clock.nowMs() });
    await client.delete(latest, { propagation: "Foreground", resourceVersion: latest.metadata.resourceVersion });
    return settled;
  },
});
