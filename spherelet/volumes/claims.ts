/** The disk that a Pod's claim stands for. Source: docs/rfd/0024-volumes.md */
import type { Volume } from "@atoll/api/builtin/core/v1.types";
import { disks, sharedPlaceOf, type SharedPlace } from "@atoll/api/volumes/disks";
import { storageOf } from "@atoll/api/volumes/matching";
import { PersistentVolume, PersistentVolumeClaim, type Pod } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { toKey } from "@atoll/client/resource";
import { VolumeUnfilled } from "./contents.ts";
import type { Datastore, DiskWish } from "./datastore.ts";

/** Where claims are looked up, and disks kept. */
export interface Storage {
  readonly client: Client;
  readonly datastore: Datastore;
}

/** Name of the claim that a volume uses; undefined when it uses none. */
export function claimOf({ metadata }: Pod, { name, persistentVolumeClaim, ephemeral }: Volume): string | undefined {
  return persistentVolumeClaim?.claimName ?? (ephemeral === undefined ? undefined : `${metadata.name}-${name}`);
}

/** Whether a Pod uses claims. */
export function hasClaims(pod: Pod): boolean {
  return (pod.spec.volumes ?? []).some((volume) => claimOf(pod, volume) !== undefined);
}

/** A disk that a Pod is to have. */
export interface ClaimedDisk extends DiskWish {
  /** Where it is, if other hosts have it, too; otherwise it is in this host's own folder. */
  readonly shared: SharedPlace | undefined;
  /** Uid of a Pod that has no right to it any more. */
  readonly over: string | undefined;
  readonly claim: PersistentVolumeClaim;
  /** What its claim shall hold, when that is more than it holds. */
  readonly growsTo: string | undefined;
}

/** @returns the disk of a claim @throws {VolumeUnfilled} it cannot be had now */
export async function diskOf(pod: Pod, claimName: string, client: Client): Promise<ClaimedDisk> {
  const claim = await client.get(PersistentVolumeClaim, toKey(pod.metadata.namespace, claimName));
  const { volumeName = "" } = claim.spec;
  if (claim.status.phase !== "Bound" || volumeName === "")
    throw new VolumeUnfilled(`error processing PVC ${claim.metadata.namespace}/${claimName}: PVC is not bound`);
  const volume = await client.get(PersistentVolume, toKey(undefined, volumeName));
  const { metadata, spec } = volume;
  if (spec.claimRef?.uid !== claim.metadata.uid)
    throw new VolumeUnfilled(`volume ${volumeName} is not that of claim ${claimName}`);
  if (spec.csi?.driver !== disks.provisioner)
    throw new VolumeUnfilled(`volume ${volumeName} is no disk of ${disks.provisioner}: others cannot be had here`);
  return {
    name: spec.csi.volumeHandle,
    bytes: Number(storageOf(spec.capacity)),
    wasMade: metadata.annotations?.[disks.made] !== undefined,
    content: spec.volumeMode === "Block" ? "nothing" : fileSystemOf(spec.csi.fsType),
    shared: sharedPlaceOf(volume),
    over: metadata.annotations?.[disks.over],
    claim,
    growsTo: storageOf(spec.capacity) > storageOf(claim.status.capacity) ? spec.capacity?.["storage"] : undefined,
  };
}

/** Tells that a claim holds more now. Source: k8s.io/kubernetes/pkg/volume/util/resize_util.go (MarkFSResizeFinished) */
export async function tellGrown({ claim }: ClaimedDisk, storage: string, client: Client): Promise<void> {
  const { metadata, status } = claim;
  const conditions = (status.conditions ?? []).filter(({ type }) => !resizing.has(type));
  const body = {
    metadata: { resourceVersion: metadata.resourceVersion },
    status: { capacity: { storage }, allocatedResourceStatuses: null, conditions },
  };
  const key = toKey(metadata.namespace, metadata.name ?? "");
  await client.patch(PersistentVolumeClaim, { key, patch: { type: "merge", body }, subresource: "status" });
}

const resizing: ReadonlySet<string> = new Set(["Resizing", "FileSystemResizePending"]);

const fileSystemOf = (fsType: string | undefined) => (fsType === "xfs" ? "xfs" : "ext4");
