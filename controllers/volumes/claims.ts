/**
 * Binds PersistentVolumeClaims: to a free volume that suits, to the one that is meant for them, or to the one that a
 * provisioner makes when it is asked.
 *
 *   Pending ── a volume suits, or is meant for it ──▶ volume.claimRef, then claim.volumeName ──▶ Bound ── volume gone ──▶ Lost
 *      └── none: the class's provisioner is asked; late classes wait for the scheduler to name a node
 *
 * What becomes of volumes is volumes.ts. Source: k8s.io/kubernetes/pkg/controller/volume/persistentvolume/pv_controller.go
 */
import { bestVolume, bindCompleted, boundByController, isMeantFor, selectedNode } from "@atoll/api/volumes/matching";
import { PersistentVolume, PersistentVolumeClaim, StorageClass } from "@atoll/client/builtin";
import { keyOf, toKey } from "@atoll/client/resource";
import { consulting, partOf, statusOf, watching, type View } from "@atoll/runtime/claims";
import type { Reconcile } from "@atoll/runtime/controller";
import { defineController, settled } from "@atoll/runtime/controller";
import { awaitingGrowth, grow } from "./expansion.ts";

/** Says on a claim who is asked to make its volume. Source: k8s.io/kubernetes/pkg/volume/util/types.go */
export const provisionerOf = "volume.kubernetes.io/storage-provisioner";

const claimOf = ({ spec }: PersistentVolume) =>
  spec.claimRef === undefined ? [] : [toKey(spec.claimRef.namespace, spec.claimRef.name ?? "")];

const isOpen = ({ metadata }: PersistentVolumeClaim): boolean => metadata.annotations?.[bindCompleted] === undefined;

/** Whom a change of a volume concerns: the claim it is meant for; when it is free, all that wait. */
function* concerned(volume: PersistentVolume, cache: View) {
  yield* claimOf(volume);
  if (volume.spec.claimRef === undefined)
    for (const claim of cache.list(PersistentVolumeClaim)) if (isOpen(claim)) yield keyOf(claim);
}

/** Binds claims. */
export const volumeBinder = defineController({
  name: "persistentvolume-binder",
  for: PersistentVolumeClaim,
  reads: [
    watching(PersistentVolume, concerned),
    watching(StorageClass, ({ metadata }, cache) =>
      cache
        .list(PersistentVolumeClaim)
        .filter((claim) => isOpen(claim) && claim.spec.storageClassName === metadata.name)
        .map(keyOf),
    ),
    consulting(PersistentVolumeClaim),
  ],
  writes: [
    partOf(PersistentVolumeClaim, "volumeName and binding", ({ verb }) => verb === "patch"),
    partOf(PersistentVolume, "claimRef and capacity", ({ verb }) => verb === "patch"),
    statusOf(PersistentVolumeClaim),
  ],
  // One after another: two claims must not be given one volume.
  concurrency: 1,
  async reconcile(key, tools) {
    const claim = tools.cache.get(PersistentVolumeClaim, key);
    if (claim === undefined) return settled;
    if (isOpen(claim)) await bindOpen(claim, tools);
    else await checkBound(claim, tools);
    return settled;
  },
});

async function bindOpen(claim: PersistentVolumeClaim, tools: Reconcile): Promise<void> {
  if (claim.metadata.deletionTimestamp !== undefined) return;
  const { cache } = tools;
  const { volumeName = "" } = claim.spec;
  const named = volumeName === "" ? undefined : cache.get(PersistentVolume, toKey(undefined, volumeName));
  const volume = volumeName === "" ? choose(claim, tools) : named;
  const isTaken = volume?.spec.claimRef !== undefined && !isMeantFor(volume, claim);
  if (volume !== undefined && !isTaken) return await bind(claim, volume, tools);
  await tools.client.setStatus(claim, { ...claim.status, phase: "Pending" });
  if (volumeName === "") await ask(claim, tools);
}

const isLate = (claim: PersistentVolumeClaim, { cache }: Reconcile): boolean =>
  classOf(claim, cache)?.volumeBindingMode === "WaitForFirstConsumer" &&
  claim.metadata.annotations?.[selectedNode] === undefined;

function classOf({ spec }: PersistentVolumeClaim, cache: View): StorageClass | undefined {
  return cache.get(StorageClass, toKey(undefined, spec.storageClassName ?? ""));
}

/** A claim of a late class takes by itself only what is meant for it: the scheduler chooses the others. */
function choose(claim: PersistentVolumeClaim, tools: Reconcile): PersistentVolume | undefined {
  const volumes = tools.cache.list(PersistentVolume);
  if (classOf(claim, tools.cache)?.volumeBindingMode !== "WaitForFirstConsumer") return bestVolume(claim, volumes);
  return volumes.find((volume) => isMeantFor(volume, claim));
}

/** Nothing suits: whoever makes volumes is asked. */
async function ask(claim: PersistentVolumeClaim, tools: Reconcile): Promise<void> {
  const tell = (type: "Normal" | "Warning", reason: string, note: string) =>
    tools.events.record(claim, { type, reason, action: "Binding", note });
  if (isLate(claim, tools))
    return tell("Normal", "WaitForFirstConsumer", "waiting for first consumer to be created before binding");
  const storageClass = classOf(claim, tools.cache);
  const provisioner = storageClass?.provisioner ?? "";
  if ((claim.spec.storageClassName ?? "") === "")
    return tell(
      "Normal",
      "FailedBinding",
      "no persistent volumes available for this claim and no storage class is set",
    );
  if (storageClass === undefined) {
    const missing = `storageclass.storage.k8s.io "${claim.spec.storageClassName}" not found`;
    return tell("Warning", "ProvisioningFailed", missing);
  }
  if (provisioner === "kubernetes.io/no-provisioner")
    return tell("Normal", "FailedBinding", "no persistent volumes available for this claim and no provisioner is set");
  const note =
    `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system ` +
    "administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.";
  tell("Normal", "ExternalProvisioning", note);
  if (claim.metadata.annotations?.[provisionerOf] === provisioner) return;
  const annotations = { [provisionerOf]: provisioner };
  await tools.client.patch(claim, { type: "merge", body: { metadata: { annotations } } });
}

/** First the volume is the claim's, then the claim the volume's: a crash in between is made good by the next look. */
async function bind(claim: PersistentVolumeClaim, volume: PersistentVolume, { client }: Reconcile): Promise<void> {
  const { name, namespace, uid, resourceVersion } = claim.metadata;
  const { metadata } = volume;
  if (volume.spec.claimRef?.uid !== uid) {
    const wasMeant = volume.spec.claimRef !== undefined;
    const claimRef = { kind: "PersistentVolumeClaim", apiVersion: "v1", namespace, name, uid, resourceVersion };
    const annotations = wasMeant ? {} : { [boundByController]: "yes" };
    const body = { metadata: { resourceVersion: metadata.resourceVersion, annotations }, spec: { claimRef } };
    await client.patch(volume, { type: "merge", body });
  }
  const annotations = {
    [bindCompleted]: "yes",
    ...((claim.spec.volumeName ?? "") === "" ? { [boundByController]: "yes" } : {}),
  };
  const body = { metadata: { resourceVersion, annotations }, spec: { volumeName: metadata.name } };
  const bound = await client.patch(claim, { type: "merge", body });
  await client.setStatus(bound, boundStatus(bound, volume));
}

function boundStatus(claim: PersistentVolumeClaim, { spec }: PersistentVolume): PersistentVolumeClaim["status"] {
  const { accessModes, capacity = {} } = spec;
  const before = claim.status;
  // A volume that has grown is as large as before to its user until its file system has.
  const known = before.capacity?.["storage"];
  const storage = known ?? capacity["storage"];
  return {
    ...before,
    phase: "Bound",
    ...(accessModes === undefined ? {} : { accessModes }),
    capacity: { ...capacity, ...(storage === undefined ? {} : { storage }) },
  };
}

/** A claim that was bound once is bound to that volume for ever. */
async function checkBound(claim: PersistentVolumeClaim, tools: Reconcile): Promise<void> {
  const { client, cache, events } = tools;
  const volume = cache.get(PersistentVolume, toKey(undefined, claim.spec.volumeName ?? ""));
  const lose = async (reason: string, note: string) => {
    if (claim.status.phase !== "Lost") events.record(claim, { type: "Warning", reason, action: "Binding", note });
    await client.setStatus(claim, { ...claim.status, phase: "Lost" });
  };
  if (volume === undefined)
    return await lose("ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
  if (volume.spec.claimRef === undefined) return await bind(claim, volume, tools);
  if (!isMeantFor(volume, claim))
    return await lose("ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly");
  if (volume.spec.claimRef.uid !== claim.metadata.uid) return await bind(claim, volume, tools);
  const grown = await grow(claim, volume, tools);
  await client.setStatus(claim, awaitingGrowth(boundStatus(claim, grown), grown, tools.clock.nowMs()));
}
