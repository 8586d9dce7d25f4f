/**
 * Who owns a StatefulSet's claims, and so when the garbage collector takes them: never, with the set, or with a Pod that
 * is scaled away.
 * Source: k8s.io/kubernetes/pkg/controller/statefulset/stateful_set_utils.go (updateClaimOwnerRefForSetAndPod); KEP-1847
 */
import type { PersistentVolumeClaim, Pod } from "@atoll/client/builtin";
import { Pod as PodKind, StatefulSet } from "@atoll/client/builtin";
import { apiVersionOf } from "@atoll/client/resource";
import type { OwnerReference } from "@atoll/machinery/object";

/** The owners that a claim must have, of those we decide: the set, and the Pod. */
function wantedOwners(
  set: StatefulSet,
  pod: Pod | undefined,
  condemned: boolean,
): { readonly set: boolean; readonly pod: boolean } {
  const { whenDeleted = "Retain", whenScaled = "Retain" } = set.spec.persistentVolumeClaimRetentionPolicy ?? {};
  const byPod = whenScaled === "Delete" && condemned && pod !== undefined;
  return { set: whenDeleted === "Delete" && !byPod, pod: byPod };
}

/** The owner reference of a claim to its set, by policy; none for a claim that is retained. */
export function initialOwners(set: StatefulSet): readonly OwnerReference[] {
  return wantedOwners(set, undefined, false).set ? [setReference(set)] : [];
}

function setReference({ metadata }: StatefulSet): OwnerReference {
  const { name = "", uid = "" } = metadata;
  return { apiVersion: apiVersionOf(StatefulSet), kind: StatefulSet.kind, name, uid };
}

function podReference({ metadata }: Pod): OwnerReference {
  const { name = "", uid = "" } = metadata;
  return { apiVersion: apiVersionOf(PodKind), kind: PodKind.kind, name, uid };
}

/** A claim with the owners it must have; undefined when it has them. */
export function reowned(
  set: StatefulSet,
  claim: PersistentVolumeClaim,
  { pod, condemned }: { readonly pod: Pod | undefined; readonly condemned: boolean },
): PersistentVolumeClaim | undefined {
  const wanted = wantedOwners(set, pod, condemned);
  const before = claim.metadata.ownerReferences ?? [];
  const ours = new Set([set.metadata.uid, pod?.metadata.uid]);
  const others = before.filter(({ uid }) => !ours.has(uid));
  const after = [
    ...others,
    ...(wanted.set ? [setReference(set)] : []),
    ...(wanted.pod && pod !== undefined ? [podReference(pod)] : []),
  ];
  const same = after.length === before.length && after.every(({ uid }) => before.some((owner) => owner.uid === uid));
  return same ? undefined : { ...claim, metadata: { ...claim.metadata, ownerReferences: after } };
}

/** Whether a claim is still that of a Pod that was scaled away, and must go before its ordinal comes back. */
export function isStale({ metadata }: PersistentVolumeClaim, podName: string): boolean {
  const ofPod = (metadata.ownerReferences ?? []).some(({ kind, name }) => kind === PodKind.kind && name === podName);
  return ofPod || metadata.deletionTimestamp !== undefined;
}
