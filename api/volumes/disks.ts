/**
 * Words between the provisioner of disks and the hosts that have them: annotations, because a host may write its own Node
 * and nothing else. Source: docs/rfd/0024-volumes.md, docs/rfd/0038-shared-datastores.md
 */
import type { PersistentVolume } from "../builtin/core/v1.types.ts";

/** Names of things of `disk.atoll.dev`. */
export const disks = {
  /** Of StorageClasses, and driver of the volumes. */
  provisioner: "disk.atoll.dev",
  /** On a volume: the host's disk is still there, as far as is known. */
  finalizer: "disk.atoll.dev/disk",
  /** On a volume: the Node whose host has the disk. */
  onNode: "disk.atoll.dev/node",
  /** On a volume: the disk has been made. It is not made a second time: an empty one must not pass for it. */
  made: "disk.atoll.dev/made",
  /** On a volume that hosts share: uid of a Pod that has no right to it any more, whatever its host says. */
  over: "disk.atoll.dev/over",
  /** On a Node, by its host: names of the volumes whose disks it has. */
  present: "disk.atoll.dev/present",
  /** On a Node, to its host: names of the volumes whose disks are to be removed. */
  toRemove: "disk.atoll.dev/remove",
  /** On a Node, by its host: volumes that it waits for, each with the uid of the Pod that has it, as `NAME=UID`. */
  waiting: "disk.atoll.dev/waiting",
  /** Names of an annotation's value. */
  list: (text: string | undefined): readonly string[] => (text ?? "").split(",").filter((name) => name !== ""),
} as const;

/** Where a disk is that hosts share. */
export interface SharedPlace {
  /** The disk's own folder. */
  readonly folder: string;
  readonly leaseMs: number;
}

/** What a volume's `volumeAttributes` say of its place. */
export function attributesOf(place: SharedPlace, datastore: string): Readonly<Record<string, string>> {
  return { datastore, folder: place.folder, leaseMilliseconds: String(place.leaseMs) };
}

/** Where the disk of a volume is, if hosts share it; undefined for one in a host's own folder. */
export function sharedPlaceOf({ spec }: PersistentVolume): SharedPlace | undefined {
  const attributes = (spec.csi?.volumeAttributes ?? {}) as Readonly<Record<string, string>>;
  const { folder, leaseMilliseconds } = attributes;
  if (folder === undefined || leaseMilliseconds === undefined) return undefined;
  return { folder, leaseMs: Number(leaseMilliseconds) };
}
