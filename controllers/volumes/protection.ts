/**
 * Claims that a Pod uses, volumes that a claim is bound to, and classes of attributes that either names stay until that
 * ends, though they are told to go.
 * Source: k8s.io/kubernetes/pkg/controller/volume/pvcprotection, pvprotection, vacprotection
 */
import { PersistentVolume, PersistentVolumeClaim, Pod, VolumeAttributesClass } from "@atoll/client/builtin";
import { type Key, toKey } from "@atoll/client/resource";
import { partOf, watching } from "@atoll/runtime/claims";
import type { Reconcile } from "@atoll/runtime/controller";
import { defineController, settled } from "@atoll/runtime/controller";

const claimFinalizer = "kubernetes.io/pvc-protection";
const volumeFinalizer = "kubernetes.io/pv-protection";
const attributesFinalizer = "kubernetes.io/vac-protection";

/** Names of the claims that a Pod uses. */
function claimsOf({ metadata, spec }: Pod): readonly string[] {
  return (spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim !== undefined) return [persistentVolumeClaim.claimName];
    return ephemeral === undefined ? [] : [`${metadata.name}-${name}`];
  });
}

const touches = ({ verb, patch }: { verb: string; patch?: unknown }): boolean =>
  verb === "patch" && JSON.stringify(patch ?? {}).includes("finalizers");

/** Lets claims go that no Pod uses. */
export const claimProtection = defineController({
  name: "pvc-protection-controller",
  for: PersistentVolumeClaim,
  reads: [watching(Pod, (pod) => claimsOf(pod).map((name) => toKey(pod.metadata.namespace, name)))],
  writes: [partOf(PersistentVolumeClaim, `finalizer ${claimFinalizer}`, touches)],
  async reconcile(key, tools) {
    const claim = tools.cache.get(PersistentVolumeClaim, key);
    if (claim === undefined) return settled;
    await keep(claim, { finalizer: claimFinalizer, isUsed: () => isUsed(claim, tools) }, tools);
    return settled;
  },
});

/** Lets volumes go that no claim is bound to. */
export const volumeProtection = defineController({
  name: "pv-protection-controller",
  for: PersistentVolume,
  writes: [partOf(PersistentVolume, `finalizer ${volumeFinalizer}`, touches)],
  async reconcile(key, tools) {
    const volume = tools.cache.get(PersistentVolume, key);
    if (volume === undefined) return settled;
    const isUsedNow = async () => volume.status.phase === "Bound";
    await keep(volume, { finalizer: volumeFinalizer, isUsed: isUsedNow }, tools);
    return settled;
  },
});

/** Lets classes of attributes go that no claim and no volume names. */
export const attributesProtection = defineController({
  name: "volumeattributesclass-protection-controller",
  for: VolumeAttributesClass,
  reads: [watching(PersistentVolumeClaim, attributesOfClaim), watching(PersistentVolume, attributesOfVolume)],
  writes: [partOf(VolumeAttributesClass, `finalizer ${attributesFinalizer}`, touches)],
  async reconcile(key, { cache, client }) {
    const found = cache.get(VolumeAttributesClass, key);
    if (found === undefined) return settled;
    const isUsedNow = async () =>
      (await client.list(PersistentVolumeClaim)).some((claim) => attributesOfClaim(claim).includes(key)) ||
      (await client.list(PersistentVolume)).some((volume) => attributesOfVolume(volume).includes(key));
    await keep(found, { finalizer: attributesFinalizer, isUsed: isUsedNow }, { client });
    return settled;
  },
});

/** The class that a claim asks for, and the one it has. */
function attributesOfClaim({ spec, status }: PersistentVolumeClaim): readonly Key[] {
  return named(spec.volumeAttributesClassName, status.currentVolumeAttributesClassName);
}

function attributesOfVolume({ spec }: PersistentVolume): readonly Key[] {
  return named(spec.volumeAttributesClassName);
}

function named(...names: readonly (string | undefined)[]): readonly Key[] {
  return names.flatMap((name) => (name === undefined || name === "" ? [] : [toKey(undefined, name)]));
}

/** Whether a Pod that is not over uses it, by the cache and then by the truth. */
async function isUsed({ metadata }: PersistentVolumeClaim, { cache, client }: Reconcile): Promise<boolean> {
  const { namespace = "", name = "" } = metadata;
  const uses = (pod: Pod) => claimsOf(pod).includes(name) && (pod.spec.nodeName ?? "") !== "" && !isOver(pod);
  if (cache.list(Pod, { namespace }).some(uses)) return true;
  return (await client.list(Pod, { namespace })).some(uses);
}

const isOver = ({ status }: Pod): boolean => status?.phase === "Succeeded" || status?.phase === "Failed";

async function keep(
  object: PersistentVolume | PersistentVolumeClaim | VolumeAttributesClass,
  { finalizer, isUsed: used }: { finalizer: string; isUsed: () => Promise<boolean> },
  { client }: Pick<Reconcile, "client">,
): Promise<void> {
  const { finalizers = [], deletionTimestamp, resourceVersion } = object.metadata;
  const has = finalizers.includes(finalizer);
  const isGoing = deletionTimestamp !== undefined;
  const wanted = isGoing ? finalizers.filter((each) => each !== finalizer) : [...finalizers, finalizer];
  if (has !== isGoing || (isGoing && (await used()))) return;
  await client.patch<typeof object>(object, {
    type: "merge",
    body: { metadata: { resourceVersion, finalizers: wanted } },
  });
}
