/**
 * Which PersistentVolumes would do for a claim.
 * Source: k8s.io/component-helpers/storage/volume/pv_helpers.go (FindMatchingVolume)
 */
import { parseQuantity, scaledValue } from "@atoll/machinery/quantity";
import { type LabelSelectorObject, matchesLabels, selectorOf } from "@atoll/machinery/selectors/labels";
import type { PersistentVolume, PersistentVolumeClaim } from "../builtin/core/v1.types.ts";

/** Says on a claim that it and its volume are each other's. */
export const bindCompleted = "pv.kubernetes.io/bind-completed";
/** Says on a claim or a volume that the other's name in it was written by a controller. */
export const boundByController = "pv.kubernetes.io/bound-by-controller";
/** Says on a claim which node its volume is to be made for. */
export const selectedNode = "volume.kubernetes.io/selected-node";

/** Bytes of a list of quantities that has `storage`. */
export function storageOf(list: object | undefined): bigint {
  const text = (list as Readonly<Record<string, string>> | undefined)?.["storage"];
  return text === undefined ? 0n : scaledValue(parseQuantity(String(text)), 0);
}

/** Whether a volume names a claim, by its name, and where it knows it by its uid. */
export function isMeantFor({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const ref = spec.claimRef;
  if (ref?.namespace !== metadata.namespace || ref?.name !== metadata.name) return false;
  return (ref?.uid ?? "") === "" || ref?.uid === metadata.uid;
}

/** Free, or meant for the claim by whoever made it. */
function isFree(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  if (volume.metadata.deletionTimestamp !== undefined) return false;
  return volume.spec.claimRef === undefined ? volume.status.phase === "Available" : isMeantFor(volume, claim);
}

/** Whether a volume is free and as the claim wants it. */
function suits(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const { metadata, spec } = volume;
  const { storageClassName = "", volumeMode = "Filesystem", accessModes, selector, resources } = claim.spec;
  if (!isFree(volume, claim) || (spec.storageClassName ?? "") !== storageClassName) return false;
  if ((spec.volumeMode ?? "Filesystem") !== volumeMode) return false;
  if (!(accessModes ?? []).every((mode) => spec.accessModes?.includes(mode))) return false;
  const wanted = selectorOf((selector ?? {}) as LabelSelectorObject) ?? [];
  return matchesLabels(wanted, metadata.labels) && storageOf(spec.capacity) >= storageOf(resources?.requests);
}

/** The one that is meant for the claim; else the smallest that suits. */
export function bestVolume(
  claim: PersistentVolumeClaim,
  volumes: Iterable<PersistentVolume>,
): PersistentVolume | undefined {
  let best: PersistentVolume | undefined;
  for (const volume of volumes) {
    if (!suits(volume, claim)) continue;
    if (volume.spec.claimRef !== undefined) return volume;
    if (best === undefined || storageOf(volume.spec.capacity) < storageOf(best.spec.capacity)) best = volume;
  }
  return best;
}
