/**
 * Words between the provisioner of disks and the hosts that have them: annotations, because a host may write its own Node
 * and nothing else. Source: docs/rfd/0024-volumes.md, docs/rfd/0038-shared-datastores.md
 */
import type { Node, PersistentVolume } from "../builtin/core/v1.types.ts";

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
  /** On a Node, by its host: Datastores that it has mounted, each with bytes in all and free, as `NAME=BYTES/BYTES`. */
  seen: "disk.atoll.dev/datastores",
  /** On a Node, by its host: a label for each of them, by which volumes and the scheduler know where they can be had. */
  seenLabel: (datastore: string): string => `datastore.disk.atoll.dev/${datastore}`,
  /** Of a StorageClass: the parameter that names a Datastore. */
  datastoreParameter: "datastore",
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

/** What a host sees of a Datastore. */
export interface SeenDatastore {
  readonly capacityBytes: number;
  readonly freeBytes: number;
}

/** What is told of a Datastore on a Node; undefined when its host does not have it. */
export function seenOn({ metadata }: Node, datastore: string): SeenDatastore | undefined {
  const told = disks.list(metadata.annotations?.[disks.seen]).find((each) => each.startsWith(`${datastore}=`));
  const [capacity, free] = told?.slice(datastore.length + 1).split("/") ?? [];
  return capacity === undefined ? undefined : { capacityBytes: Number(capacity), freeBytes: Number(free) };
}

/** Datastores that a host sees, as `seenOn` reads them. */
export const spellSeen = (seen: ReadonlyMap<string, SeenDatastore>): string =>
  [...seen]
    .map(([name, { capacityBytes, freeBytes }]) => `${name}=${capacityBytes}/${freeBytes}`)
    .sort()
    .join(",");
