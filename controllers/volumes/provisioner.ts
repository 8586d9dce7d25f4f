/**
 * The provisioner `disk.atoll.dev`: volumes that are disk images in a datastore of a host. It only writes objects; the
 * host's spherelet makes a disk when it is first wanted and says on its Node which it has.
 *
 *   claim with a node selected ──▶ PersistentVolume for that node ──▶ bound ──▶ disk made when a Pod starts
 *   released, to be deleted ──▶ the node is told ──▶ the node has it no more ──▶ the volume may go
 *
 * Source: docs/rfd/0024-volumes.md; sigs.k8s.io/sig-storage-lib-external-provisioner (events and annotations)
 */
import { disks } from "@atoll/api/volumes/disks";
import { selectedNode } from "@atoll/api/volumes/matching";
import { Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from "@atoll/client/builtin";
import { isRefusal } from "@atoll/client/errors";
import { keyOf, toKey } from "@atoll/client/resource";
import { consulting, deletionOf, partOf, watching } from "@atoll/runtime/claims";
import type { Reconcile } from "@atoll/runtime/controller";
import { defineController, settled } from "@atoll/runtime/controller";
import { provisionerOf } from "./claims.ts";

const provisionedBy = "pv.kubernetes.io/provisioned-by";
const modes: ReadonlySet<string> = new Set(["ReadWriteOnce", "ReadWriteOncePod"]);

/** Makes volumes for claims. */
export const diskProvisioner = defineController({
  name: "disk-provisioner",
  for: PersistentVolumeClaim,
  reads: [consulting(StorageClass), consulting(Node)],
  writes: [
    partOf(PersistentVolume, "volumes of disk.atoll.dev", ({ verb }) => verb === "create"),
    partOf(PersistentVolumeClaim, "a node that was selected in vain", ({ verb }) => verb === "patch"),
  ],
  async reconcile(key, tools) {
    const claim = tools.cache.get(PersistentVolumeClaim, key);
    const isOurs = claim?.metadata.annotations?.[provisionerOf] === disks.provisioner;
    if (claim === undefined || !isOurs || (claim.spec.volumeName ?? "") !== "") return settled;
    if (claim.metadata.deletionTimestamp === undefined) await provision(claim, tools);
    return settled;
  },
});

async function provision(claim: PersistentVolumeClaim, tools: Reconcile): Promise<void> {
  const { cache, client, events } = tools;
  const storageClass = cache.get(StorageClass, toKey(undefined, claim.spec.storageClassName ?? ""));
  const target = claim.metadata.annotations?.[selectedNode];
  if (storageClass === undefined) return;
  const problem = problemOf(claim, target);
  if (problem !== undefined) {
    const note = `failed to provision volume with StorageClass "${storageClass.metadata.name}": ${problem}`;
    return events.record(claim, { type: "Warning", reason: "ProvisioningFailed", action: "Provisioning", note });
  }
  const node = cache.get(Node, toKey(undefined, target ?? ""));
  if (node === undefined) {
    // The scheduler chooses anew.
    const body = { metadata: { annotations: { [selectedNode]: null } } };
    await client.patch(claim, { type: "merge", body });
    return;
  }
  const volume = volumeFor(claim, storageClass, node);
  try {
    await client.create(PersistentVolume, volume);
  } catch (error) {
    if (!isRefusal(error, "AlreadyExists")) throw error;
  }
  const note = `Successfully provisioned volume ${volume.metadata.name}`;
  events.record(claim, { type: "Normal", reason: "ProvisioningSucceeded", action: "Provisioning", note });
}

function problemOf({ spec }: PersistentVolumeClaim, target: string | undefined): string | undefined {
  const foreign = (spec.accessModes ?? []).find((mode) => !modes.has(mode));
  if (foreign !== undefined) return `access mode ${foreign} is not possible: a disk has one machine that writes`;
  if ((spec.volumeMode ?? "Filesystem") !== "Filesystem") return `volume mode ${spec.volumeMode} is not possible yet`;
  if (spec.dataSource !== undefined || spec.dataSourceRef !== undefined) return "a data source is not possible yet";
  return target === undefined ? "the class must have the volumeBindingMode WaitForFirstConsumer" : undefined;
}

function volumeFor(claim: PersistentVolumeClaim, storageClass: StorageClass, { metadata }: Node) {
  const { name, namespace, uid } = claim.metadata;
  const host = metadata.labels?.["kubernetes.io/hostname"] ?? metadata.name ?? "";
  const volume = `pvc-${uid}`;
  const expression = { key: "kubernetes.io/hostname", operator: "In", values: [host] };
  return {
    metadata: {
      name: volume,
      annotations: { [provisionedBy]: disks.provisioner, [disks.onNode]: metadata.name ?? "" },
      finalizers: [disks.finalizer],
    },
    spec: {
      accessModes: claim.spec.accessModes ?? [],
      capacity: { storage: claim.spec.resources?.requests?.["storage"] ?? "0" },
      claimRef: {
        kind: "PersistentVolumeClaim",
        apiVersion: "v1",
        namespace: namespace ?? "",
        name: name ?? "",
        uid: uid ?? "",
      },
      csi: { driver: disks.provisioner, volumeHandle: volume, fsType: "ext4" },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [expression] }] } },
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? "Delete",
      storageClassName: storageClass.metadata.name ?? "",
      volumeMode: "Filesystem",
    },
  };
}

/** Remembers which disks were made, and has those removed whose volumes go. */
export const diskRemover = defineController({
  name: "disk-remover",
  for: PersistentVolume,
  reads: [
    watching(Node, ({ metadata }, cache) =>
      cache
        .list(PersistentVolume)
        .filter((volume) => volume.metadata.annotations?.[disks.onNode] === metadata.name)
        .map(keyOf),
    ),
  ],
  writes: [
    deletionOf(PersistentVolume, "disks that are released"),
    partOf(PersistentVolume, "disks as their nodes have them", ({ verb }) => verb === "patch"),
    partOf(Node, `annotation ${disks.toRemove}`, ({ verb }) => verb === "patch"),
  ],
  // One after another: they share the annotation of a node.
  concurrency: 1,
  async reconcile(key, tools) {
    const volume = tools.cache.get(PersistentVolume, key);
    if (volume?.metadata.annotations?.[provisionedBy] !== disks.provisioner) return settled;
    await follow(volume, tools);
    return settled;
  },
});

async function follow(volume: PersistentVolume, { cache, client }: Reconcile): Promise<void> {
  const { name = "", annotations = {}, deletionTimestamp, resourceVersion } = volume.metadata;
  const node = cache.get(Node, toKey(undefined, annotations[disks.onNode] ?? ""));
  const isThere = presentOn(node).includes(name);
  if (isThere && annotations[disks.made] === undefined) {
    const body = { metadata: { resourceVersion, annotations: { [disks.made]: "yes" } } };
    await client.patch(volume, { type: "merge", body });
    return;
  }
  const isLeft = volume.status.phase === "Released" && volume.spec.persistentVolumeReclaimPolicy === "Delete";
  if (isLeft && deletionTimestamp === undefined) return await client.delete(volume);
  if (deletionTimestamp === undefined || volume.status.phase === "Bound") return;
  // A node that is gone has taken its disks with it.
  if (isThere && node !== undefined) await tell(node, name, { client });
  else await letGo(volume, { client });
}

const presentOn = (node: Node | undefined): readonly string[] =>
  disks.list(node?.metadata.annotations?.[disks.present]);

async function letGo(volume: PersistentVolume, { client }: Pick<Reconcile, "client">): Promise<void> {
  const { finalizers = [], resourceVersion } = volume.metadata;
  if (!finalizers.includes(disks.finalizer)) return;
  const rest = finalizers.filter((each) => each !== disks.finalizer);
  await client.patch(volume, { type: "merge", body: { metadata: { resourceVersion, finalizers: rest } } });
}

/** Tells a node to remove a disk; what it has removed already need not be told any more. */
async function tell(node: Node, name: string, { client }: Pick<Reconcile, "client">): Promise<void> {
  const { annotations = {}, resourceVersion } = node.metadata;
  const present = presentOn(node);
  const told = disks.list(annotations[disks.toRemove]);
  if (told.includes(name)) return;
  const names = [...told.filter((each) => present.includes(each)), name].join(",");
  const body = { metadata: { resourceVersion, annotations: { [disks.toRemove]: names } } };
  await client.patch(node, { type: "merge", body });
}
