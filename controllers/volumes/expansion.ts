/**
 * Claims that are to hold more. The volume is given its new size here; the host that has the disk makes it and its file
 * system larger and says so in the claim's status.
 *
 *   claim asks for more ──▶ volume.capacity ──▶ claim: FileSystemResizePending ──▶ host grows ──▶ claim.status.capacity
 *
 * Source: sigs.k8s.io/external-resizer (pkg/controller), k8s.io/kubernetes/pkg/volume/util/resize_util.go
 */
import { disks } from "@atoll/api/volumes/disks";
import { storageOf } from "@atoll/api/volumes/matching";
import type { PersistentVolume, PersistentVolumeClaim } from "@atoll/client/builtin";
import { formatTime } from "@atoll/machinery/clock";
import type { Reconcile } from "@atoll/runtime/controller";

type ClaimStatus = PersistentVolumeClaim["status"];

const pending = "FileSystemResizePending";

/** Gives a claim's volume the size that the claim asks for. @returns the volume as it is then */
export async function grow(
  claim: PersistentVolumeClaim,
  volume: PersistentVolume,
  { client, events }: Reconcile,
): Promise<PersistentVolume> {
  const wanted = claim.spec.resources?.requests?.["storage"];
  const isOurs = volume.spec.csi?.driver === disks.provisioner;
  if (!isOurs || wanted === undefined || storageOf(claim.spec.resources?.requests) <= storageOf(volume.spec.capacity))
    return volume;
  const { resourceVersion } = volume.metadata;
  const body = { metadata: { resourceVersion }, spec: { capacity: { storage: wanted } } };
  const grown = await client.patch(volume, { type: "merge", body });
  const note = "Require file system resize of volume on node";
  events.record(claim, { type: "Normal", reason: "FileSystemResizeRequired", action: "Resizing", note });
  return grown;
}

/** A claim's status while its volume is larger than what the claim holds. */
export function awaitingGrowth(status: ClaimStatus, { spec }: PersistentVolume, nowMs: number): ClaimStatus {
  const storage = spec.capacity?.["storage"];
  const held = storageOf(status.capacity);
  if (storage === undefined || held === 0n || held >= storageOf(spec.capacity)) return status;
  const before = status.conditions?.find(({ type }) => type === pending);
  const condition = before ?? {
    type: pending,
    status: "True",
    lastProbeTime: null,
    lastTransitionTime: formatTime(nowMs),
    message: "Waiting for user to (re-)start a pod to finish file system resize of volume on node.",
  };
  return {
    ...status,
    allocatedResources: { ...status.allocatedResources, storage },
    allocatedResourceStatuses: { ...status.allocatedResourceStatuses, storage: "NodeResizePending" },
    conditions: [...(status.conditions ?? []).filter(({ type }) => type !== pending), condition],
  };
}
