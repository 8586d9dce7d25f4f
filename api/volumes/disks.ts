/**
 * Words between the provisioner of disks and the hosts that have them: annotations, because a host may write its own Node
 * and nothing else. Source: docs/rfd/0024-volumes.md
 */

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
  /** On a Node, by its host: names of the volumes whose disks it has. */
  present: "disk.atoll.dev/present",
  /** On a Node, to its host: names of the volumes whose disks are to be removed. */
  toRemove: "disk.atoll.dev/remove",
  /** Names of an annotation's value. */
  list: (text: string | undefined): readonly string[] => (text ?? "").split(",").filter((name) => name !== ""),
} as const;
