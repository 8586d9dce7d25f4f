/**
 * What becomes of PersistentVolumes: free, bound to a claim, or left behind by one.
 * Source: k8s.io/kubernetes/pkg/controller/volume/persistentvolume/pv_controller.go (syncVolume)
 */
import { PersistentVolume, PersistentVolumeClaim } from "@atoll/client/builtin";
import { isNotFound } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import { formatTime } from "@atoll/machinery/clock";
import { statusOf, watching } from "@atoll/runtime/claims";
import type { Reconcile } from "@atoll/runtime/controller";
import { defineController, settled } from "@atoll/runtime/controller";

/** Tells the phase of volumes. Deleting what is released is its provisioner's. */
export const volumePhases = defineController({
  name: "persistentvolume-phases",
  for: PersistentVolume,
  reads: [
    watching(PersistentVolumeClaim, ({ metadata, spec }, cache) => [
      ...((spec.volumeName ?? "") === "" ? [] : [toKey(undefined, spec.volumeName ?? "")]),
      ...cache
        .list(PersistentVolume)
        .filter((volume) => volume.spec.claimRef?.uid === metadata.uid)
        .map((volume) => toKey(undefined, volume.metadata.name ?? "")),
    ]),
  ],
  writes: [statusOf(PersistentVolume)],
  async reconcile(key, tools) {
    const volume = tools.cache.get(PersistentVolume, key);
    if (volume === undefined) return settled;
    const phase = await phaseOf(volume, tools);
    if (volume.status.phase === phase) return settled;
    const lastPhaseTransitionTime = formatTime(tools.clock.nowMs());
    await tools.client.setStatus(volume, { ...volume.status, phase, lastPhaseTransitionTime });
    return settled;
  },
});

async function phaseOf({ spec }: PersistentVolume, { cache, client }: Reconcile): Promise<string> {
  const ref = spec.claimRef;
  // Meant for a claim that has not come yet, or come anew.
  if (ref === undefined || (ref.uid ?? "") === "") return "Available";
  const key = toKey(ref.namespace, ref.name ?? "");
  const seen = cache.get(PersistentVolumeClaim, key);
  if (seen?.metadata.uid === ref.uid) return "Bound";
  // The cache may be behind: what is released may be deleted, so it is asked for.
  try {
    return (await client.get(PersistentVolumeClaim, key)).metadata.uid === ref.uid ? "Bound" : "Released";
  } catch (error) {
    if (isNotFound(error)) return "Released";
    throw error;
  }
}
