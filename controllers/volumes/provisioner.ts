/**
 * The provisioner `disk.atoll.dev`: volumes that are disk images in a folder of a host, or in a datastore that hosts share.
 * It only writes objects; the host's spherelet makes a disk when it is first wanted and says on its Node which it has.
 *
 *   claim with a node selected ──▶ PersistentVolume for that node ──▶ bound ──▶ disk made when a Pod starts
 *   claim of a shared datastore ──▶ PersistentVolume for all its hosts ──▶ as before
 *   released, to be deleted ──▶ the nodes are told ──▶ no node has it any more ──▶ the volume may go
 *
 * Source: docs/rfd/0024-volumes.md, docs/rfd/0038-shared-datastores.md; sigs.k8s.io/sig-storage-lib-external-provisioner (events and annotations)
 */
import { Datastore } from "@atoll/api/supervisor/v1alpha1/datastore";
import { attributesOf, disks, sharedPlaceOf, type SharedPlace } from "@atoll/api/volumes/disks";
import { selectedNode } from "@atoll/api/volumes/matching";
import { Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from "@atoll/client/builtin";
import { isNotFound, isRefusal } from "@atoll/client/errors";
import { keyOf, toKey } from "@atoll/client/resource";
import { consulting, deletionOf, partOf, watching } from "@atoll/runtime/claims";
import type { Reconcile } from "@atoll/runtime/controller";
import { defineController, type Result, settled } from "@atoll/runtime/controller";
import { provisionerOf } from "./claims.ts";
import { holderAsTold, judgeHolder } from "./holders.ts";

const provisionedBy = "pv.kubernetes.io/provisioned-by";
const modes: ReadonlySet<string> = new Set(["ReadWriteOnce", "ReadWriteOncePod"]);
/** Source: sigs.k8s.io/sig-storage-lib-external-provisioner (parameters of a StorageClass) */
const fsTypeParameter = "csi.storage.k8s.io/fstype";
const fsTypes: ReadonlySet<string> = new Set(["ext4", "xfs"]);

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
  if (storageClass === undefined) return;
  const target = claim.metadata.annotations?.[selectedNode];
  const fail = (problem: string) => {
    const note = `failed to provision volume with StorageClass "${storageClass.metadata.name}": ${problem}`;
    events.record(claim, { type: "Warning", reason: "ProvisioningFailed", action: "Provisioning", note });
  };
  const problem = problemOf(claim, storageClass, target);
  if (problem !== undefined) return fail(problem);
  const node = cache.get(Node, toKey(undefined, target ?? ""));
  if (node === undefined && target !== undefined) {
    // The scheduler chooses anew.
    const body = { metadata: { annotations: { [selectedNode]: null } } };
    await client.patch(claim, { type: "merge", body });
    return;
  }
  const place = await placeFor(claim, storageClass, tools);
  if (typeof place === "string") return fail(place);
  const volume = volumeFor(claim, storageClass, place ?? ownFolderOf(node));
  try {
    await client.create(PersistentVolume, volume);
  } catch (error) {
    if (!isRefusal(error, "AlreadyExists")) throw error;
  }
  const note = `Successfully provisioned volume ${volume.metadata.name}`;
  events.record(claim, { type: "Normal", reason: "ProvisioningSucceeded", action: "Provisioning", note });
}

function problemOf(
  { spec }: PersistentVolumeClaim,
  { parameters = {} }: StorageClass,
  target: string | undefined,
): string | undefined {
  const foreign = (spec.accessModes ?? []).find((mode) => !modes.has(mode));
  if (foreign !== undefined) return `access mode ${foreign} is not possible: a disk has one machine that writes`;
  if (spec.dataSource !== undefined || spec.dataSourceRef !== undefined) return "a data source is not possible yet";
  const unknown = Object.keys(parameters).find((name) => name !== fsTypeParameter && name !== disks.datastoreParameter);
  if (unknown !== undefined) return `parameters[${unknown}]: there is no such parameter`;
  const fsType = parameters[fsTypeParameter] ?? "ext4";
  if (!fsTypes.has(fsType)) return `parameters[${fsTypeParameter}]: ${fsType} is none of ${[...fsTypes].join(", ")}`;
  const isLocal = parameters[disks.datastoreParameter] === undefined;
  return isLocal && target === undefined ? "the class must have the volumeBindingMode WaitForFirstConsumer" : undefined;
}

/** Where a disk is to be: which hosts reach it, what is noted of it, and by what its node finds it. */
interface Place {
  readonly annotations: Readonly<Record<string, string>>;
  readonly terms: readonly object[];
  readonly attributes?: Readonly<Record<string, string>>;
}

/** On a datastore that hosts share: whatever hosts have it and the class allows. @returns what is wrong, as text */
async function placeFor(
  { metadata }: PersistentVolumeClaim,
  { parameters = {}, allowedTopologies = [] }: StorageClass,
  { client }: Reconcile,
): Promise<Place | string | undefined> {
  const name = parameters[disks.datastoreParameter];
  if (name === undefined) return undefined;
  const datastore = await client.get(Datastore, toKey(undefined, name)).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
  const shared = datastore?.spec.sharedDirectory;
  if (shared === undefined) return `parameters[${disks.datastoreParameter}]: there is no Datastore "${name}"`;
  const folder = `${shared.path}/${volumeName(metadata.uid)}`;
  const place: SharedPlace = { folder, leaseMs: shared.leaseSeconds * 1000 };
  const mounted = { key: disks.seenLabel(name), operator: "Exists" };
  const terms = (allowedTopologies.length === 0 ? [{}] : allowedTopologies).map(({ matchLabelExpressions = [] }) => ({
    matchExpressions: [mounted, ...matchLabelExpressions.map(({ key, values }) => ({ key, operator: "In", values }))],
  }));
  return { annotations: {}, terms, attributes: attributesOf(place, name) };
}

/** In the folder of the host that the scheduler chose, and nowhere else. */
function ownFolderOf(node: Node | undefined): Place {
  const { name = "", labels } = node?.metadata ?? {};
  const expression = {
    key: "kubernetes.io/hostname",
    operator: "In",
    values: [labels?.["kubernetes.io/hostname"] ?? name],
  };
  return { annotations: { [disks.onNode]: name }, terms: [{ matchExpressions: [expression] }] };
}

const volumeName = (uid = ""): string => `pvc-${uid}`;

const referenceTo = ({ metadata: { name = "", namespace = "", uid = "" } }: PersistentVolumeClaim) => ({
  kind: "PersistentVolumeClaim",
  apiVersion: "v1",
  namespace,
  name,
  uid,
});

function volumeFor(claim: PersistentVolumeClaim, storageClass: StorageClass, place: Place) {
  const volume = volumeName(claim.metadata.uid);
  const { volumeMode = "Filesystem", accessModes = [], resources } = claim.spec;
  const fsType = storageClass.parameters?.[fsTypeParameter] ?? "ext4";
  const affinity = { required: { nodeSelectorTerms: [...place.terms] } };
  return {
    metadata: {
      name: volume,
      annotations: { [provisionedBy]: disks.provisioner, ...place.annotations },
      finalizers: [disks.finalizer],
    },
    spec: {
      accessModes,
      capacity: { storage: resources?.requests?.["storage"] ?? "0" },
      claimRef: referenceTo(claim),
      csi: {
        driver: disks.provisioner,
        volumeHandle: volume,
        ...(volumeMode === "Block" ? {} : { fsType }),
        ...(place.attributes === undefined ? {} : { volumeAttributes: place.attributes }),
      },
      ...(place.terms.length === 0 ? {} : { nodeAffinity: affinity }),
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? "Delete",
      storageClassName: storageClass.metadata.name ?? "",
      volumeMode,
    },
  };
}

/** Remembers which disks were made, and has those removed whose volumes go. */
export const diskRemover = defineController({
  name: "disk-remover",
  for: PersistentVolume,
  reads: [
    watching(Node, (node, cache) =>
      cache
        .list(PersistentVolume)
        .filter((volume) => concerns(node, volume))
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
    return await follow(volume, tools);
  },
});

/** A disk that hosts share concerns any that has had it, or wants it; one in a host's folder, that host. */
function concerns(node: Node, volume: PersistentVolume): boolean {
  const { name = "", annotations = {} } = volume.metadata;
  if (sharedPlaceOf(volume) === undefined) return annotations[disks.onNode] === node.metadata.name;
  return (
    presentOn(node).includes(name) || holderAsTold(node, name) !== undefined || annotations[disks.made] !== undefined
  );
}

async function follow(volume: PersistentVolume, tools: Reconcile): Promise<Result> {
  const { cache, client } = tools;
  const { name = "", annotations = {}, deletionTimestamp, resourceVersion } = volume.metadata;
  const nodes = cache.list(Node).filter((node) => concerns(node, volume));
  const having = [...nodes].filter((node) => presentOn(node).includes(name));
  if (having.length > 0 && annotations[disks.made] === undefined) {
    const body = { metadata: { resourceVersion, annotations: { [disks.made]: "yes" } } };
    await client.patch(volume, { type: "merge", body });
    return settled;
  }
  const isLeft = volume.status.phase === "Released" && volume.spec.persistentVolumeReclaimPolicy === "Delete";
  if (isLeft && deletionTimestamp === undefined) {
    await client.delete(volume);
    return settled;
  }
  if (deletionTimestamp === undefined || volume.status.phase === "Bound") return await judgeHolder(volume, tools);
  // A node that is gone has taken its disks with it.
  if (having.length === 0) await letGo(volume, { client });
  for (const node of having) await tell(node, name, { client });
  return settled;
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
