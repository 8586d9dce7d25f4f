/**
 * Claims that a Pod uses, and volumes that a claim is bound to, stay until that ends, though they are told to go.
 * Source: k8s.io/kubernetes/pkg/controller/volume/pvcprotection, pvprotection
 */
import { PersistentVolume, PersistentVolumeClaim, Pod } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { partOf, watching } from "@atoll/runtime/claims";
import type { Reconcile } from "@atoll/runtime/controller";
import { defineController, settled } from "@atoll/runtime/controller";

const claimFinalizer = "kubernetes.io/pvc-protection";
const volumeFinalizer = "kubernetes.io/pv-protection";

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

/** Whether a Pod that is not over uses it, by the cache and then by the truth. */
async function isUsed({ metadata }: PersistentVolumeClaim, { cache, client }: Reconcile): Promise<boolean> {
  const { namespace = "", name = "" } = metadata;
  const uses = (pod: Pod) => claimsOf(pod).includes(name) && (pod.spec.nodeName ?? "") !== "" && !isOver(pod);
  if (cache.list(Pod, { namespace }).some(uses)) return true;
  return (await client.list(Pod, { namespace })).some(uses);
}

const isOver = ({ status }: Pod): boolean => status?.phase === "Succeeded" || status?.phase === "Failed";

async function keep(
  object: PersistentVolume | PersistentVolumeClaim,
  { finalizer, isUsed: used }: { finalizer: string; isUsed: () => Promise<boolean> },
  { client }: Reconcile,
): Promise<void> {
  const { finalizers = [], deletionTimestamp, resourceVersion } = object.metadata;
  const has = finalizers.includes(finalizer);
  const isGoing = deletionTimestamp !== undefined;
  const wanted = isGoing ? finalizers.filter((each) => each !== finalizer) : [...finalizers, finalizer];
  if (has !== isGoing || (isGoing && (await used()))) return;
  await client.patch<PersistentVolume | PersistentVolumeClaim>(object, {
    type: "merge",
    body: { metadata: { resourceVersion, finalizers: wanted } },
  });
}
