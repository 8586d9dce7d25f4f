/** The disk that a Pod's claim stands for. Source: docs/rfd/0024-volumes.md */
import type { Volume } from "@atoll/api/builtin/core/v1.types";
import { disks } from "@atoll/api/volumes/disks";
import { storageOf } from "@atoll/api/volumes/matching";
import { PersistentVolume, PersistentVolumeClaim, type Pod } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { toKey } from "@atoll/client/resource";
import { VolumeUnfilled } from "./contents.ts";
import type { Datastore } from "./datastore.ts";

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

/** @returns the file of its disk, and a name for it @throws {VolumeUnfilled} it cannot be had now */
export async function takeDisk(
  pod: Pod,
  claimName: string,
  { client, datastore }: Storage,
): Promise<{ readonly name: string; readonly path: string }> {
  const claim = await client.get(PersistentVolumeClaim, toKey(pod.metadata.namespace, claimName));
  const { volumeName = "" } = claim.spec;
  if (claim.status.phase !== "Bound" || volumeName === "")
    throw new VolumeUnfilled(`error processing PVC ${claim.metadata.namespace}/${claimName}: PVC is not bound`);
  const { metadata, spec } = await client.get(PersistentVolume, toKey(undefined, volumeName));
  if (spec.claimRef?.uid !== claim.metadata.uid)
    throw new VolumeUnfilled(`volume ${volumeName} is not that of claim ${claimName}`);
  if (spec.csi?.driver !== disks.provisioner)
    throw new VolumeUnfilled(`volume ${volumeName} is no disk of ${disks.provisioner}: others cannot be had here`);
  const wish = {
    name: spec.csi.volumeHandle,
    bytes: Number(storageOf(spec.capacity)),
    wasMade: metadata.annotations?.[disks.made] !== undefined,
  };
  return { name: wish.name, path: await datastore.take(wish, pod.metadata.uid ?? "") };
}
