/** PersistentVolume. Source: k8s.io/kubernetes/pkg/registry/core/persistentvolume, pkg/apis/core/validation */
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { dns1123SubdomainErrors } from "@atoll/machinery/names";
import type { PersistentVolume, PersistentVolumeSpec, VolumeNodeAffinity } from "../builtin/core/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import type { Strategy } from "../kind.ts";
import { roundAmounts } from "./amounts.ts";
import { checkNodeSelector } from "./podspec/affinity.ts";
import { Place, signOf } from "./podspec/place.ts";
import { checkVolumeSources, volumeSources } from "./volumesources.ts";
import { accessCell } from "./volumecells.ts";

const spec = Path.of("spec");
const accessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const reclaimPolicies = ["Delete", "Recycle", "Retain"];
const volumeModes = ["Block", "Filesystem"];
/** The rules of PersistentVolumes. */
export const persistentVolume: Strategy<PersistentVolume> = {
  revalidatesMetadata: true,
  setDefaults(volume) {
    volume.status ??= {};
    volume.status.phase ||= "Pending";
    volume.spec.persistentVolumeReclaimPolicy ||= "Retain";
    volume.spec.volumeMode ??= "Filesystem";
    if (volume.spec.hostPath !== undefined) volume.spec.hostPath.type ??= "";
    roundAmounts(volume.spec.capacity);
  },
  prepareForCreate(volume, { now }) {
    volume.status = { phase: "Pending", lastPhaseTransitionTime: now };
  },
  prepareForUpdate(volume, old) {
    volume.status = structuredClone(old.status);
  },
  status: {
    prepareForUpdate(volume, old, { now }) {
      volume.spec = structuredClone(old.spec);
      if (volume.status.phase === old.status.phase) return;
      if (volume.status.lastPhaseTransitionTime === old.status.lastPhaseTransitionTime) {
        volume.status.lastPhaseTransitionTime = now;
      }
    },
  },
  validate: volumeRules,
  validateUpdate(volume, old, errors) {
    // Upstream's rules of an update include those of a new volume, and its strategy asks for both.
    volumeRules(volume, errors);
    volumeRules(volume, errors);
    checkUpdate(volume.spec, old.spec, errors);
  },
  warnings: volumeWarnings,
  table: {
    columns: [
      nameColumn,
      column("Capacity", "How much it holds."),
      column("Access Modes", "How it may be mounted."),
      column("Reclaim Policy", "What becomes of it when its claim goes."),
      column("Status", "Pending, Available, Bound, Released or Failed."),
      column("Claim", "The claim it is bound to."),
      column("StorageClass", "Its class."),
      column("VolumeAttributesClass", "The class of its attributes."),
      column("Reason", "Why it failed."),
      ageColumn,
      column("VolumeMode", "Whether it is a file system or a device.", 1),
    ],
    cells: ({ metadata, spec: volume, status }, nowMs) => [
      metadata.name ?? "",
      volume.capacity?.["storage"] ?? "0",
      accessCell(volume.accessModes),
      volume.persistentVolumeReclaimPolicy ?? "",
      metadata.deletionTimestamp === undefined ? (status.phase ?? "") : "Terminating",
      volume.claimRef === undefined ? "" : `${volume.claimRef.namespace ?? ""}/${volume.claimRef.name ?? ""}`,
      volume.storageClassName ?? "",
      volume.volumeAttributesClassName ?? "<unset>",
      status.reason ?? "",
      age(metadata.creationTimestamp, nowMs),
      volume.volumeMode ?? "<unset>",
    ],
  },
};

function volumeRules(volume: PersistentVolume, errors: FieldErrors): void {
  checkVolumeSpec(volume.spec, new Place(errors, spec), { inline: false });
}

const notInline = "may not be specified in the context of inline volumes";

/**
 * A volume's specification, of its own or inline in a VolumeAttachment, where less may be said.
 * Source: ValidatePersistentVolumeSpec
 */
export function checkVolumeSpec(volume: PersistentVolumeSpec, at: Place, { inline }: { inline: boolean }): void {
  if (inline) checkInline(volume, at);
  else checkOwn(volume, at);
  checkModes(volume, at);
  checkVolumeSources(volume, at);
  const { persistentVolumeReclaimPolicy: reclaim, volumeAttributesClassName: attributes } = volume;
  if (volume.hostPath?.path === "/" && reclaim === "Recycle") {
    at.forbidden("persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'");
  }
  if (attributes === undefined) return;
  at.each("volumeAttributesClassName", attributes, dns1123SubdomainErrors(attributes));
  if (volume.csi === undefined) at.required("csi", "has to be specified when using volumeAttributesClassName");
}

function checkInline(volume: PersistentVolumeSpec, at: Place): void {
  for (const field of ["claimRef", "capacity", "nodeAffinity", "volumeMode"] as const) {
    if (volume[field] !== undefined) at.forbidden(field, notInline);
  }
  for (const field of ["persistentVolumeReclaimPolicy", "storageClassName"] as const) {
    if (volume[field]) at.forbidden(field, notInline);
  }
  if (volume.csi === undefined) at.required("csi", "has to be specified in the context of inline volumes");
}

function checkOwn(volume: PersistentVolumeSpec, at: Place): void {
  checkCapacity(volume, at);
  const { persistentVolumeReclaimPolicy: reclaim, nodeAffinity, storageClassName, volumeMode } = volume;
  if (reclaim && !reclaimPolicies.includes(reclaim)) {
    at.notSupported("persistentVolumeReclaimPolicy", reclaim, reclaimPolicies);
  }
  const affinity = at.child("nodeAffinity");
  if (nodeAffinity?.required !== undefined) checkNodeSelector(nodeAffinity.required, affinity.child("required"));
  else if (nodeAffinity !== undefined) affinity.required("required", "must specify required node constraints");
  if (volume.local !== undefined && nodeAffinity === undefined) {
    at.required("nodeAffinity", "Local volume requires node affinity");
  }
  if (storageClassName) at.each("storageClassName", storageClassName, dns1123SubdomainErrors(storageClassName));
  if (volumeMode !== undefined && !volumeModes.includes(volumeMode)) {
    at.notSupported("volumeMode", volumeMode, volumeModes);
  }
}

function checkModes({ accessModes: modes = [] }: PersistentVolumeSpec, at: Place): void {
  if (modes.length === 0) at.required("accessModes");
  for (const mode of modes) if (!accessModes.includes(mode)) at.notSupported("accessModes", mode, accessModes);
  if (modes.includes("ReadWriteOncePod") && modes.length > 1) {
    at.forbidden("accessModes", "may not use ReadWriteOncePod with other access modes");
  }
}

function checkCapacity({ capacity = {} }: PersistentVolumeSpec, at: Place): void {
  const names = Object.keys(capacity);
  if (names.length === 0) at.required("capacity");
  if (names.length !== 1 || capacity["storage"] === undefined) at.notSupported("capacity", capacity, ["storage"]);
  for (const [name, amount] of Object.entries(capacity)) {
    const here = at.entry("capacity", name);
    if (signOf(amount) < 0) here.invalid("", amount, "must be a valid resource quantity");
    if (signOf(amount) <= 0) here.invalid("", amount, "must be greater than zero");
  }
}

const deprecatedSources: Readonly<Record<string, string>> = {
  cephfs: "deprecated in v1.28, non-functional in v1.31+",
  photonPersistentDisk: "deprecated in v1.11, non-functional in v1.16+",
  scaleIO: "deprecated in v1.16, non-functional in v1.22+",
  storageos: "deprecated in v1.22, non-functional in v1.25+",
  glusterfs: "deprecated in v1.25, non-functional in v1.26+",
  rbd: "deprecated in v1.28, non-functional in v1.31+",
};
const deprecatedAnnotations: Readonly<Record<string, string>> = {
  "volume.beta.kubernetes.io/storage-class": 'deprecated since v1.8; use "storageClassName" attribute instead',
  "volume.beta.kubernetes.io/mount-options": 'deprecated since v1.31; use "mountOptions" attribute instead',
};

/** Source: pkg/api/persistentvolume (GetWarningsForPersistentVolume) */
function volumeWarnings({ metadata, spec: volume }: PersistentVolume): string[] {
  const noted = Object.entries(deprecatedAnnotations)
    .filter(([key]) => metadata.annotations?.[key] !== undefined)
    .map(([key, why]) => `metadata.annotations[${key}]: ${why}`);
  const sources = volumeSources
    .filter((source) => volume[source] !== undefined && deprecatedSources[source] !== undefined)
    .map((source) => `spec.${source}: ${deprecatedSources[source]}`);
  const recycled =
    volume.persistentVolumeReclaimPolicy === "Recycle"
      ? [
          "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.",
        ]
      : [];
  return [...noted, ...recycled, ...sources];
}

/** Source: ValidatePersistentVolumeUpdate */
function checkUpdate(now: PersistentVolumeSpec, old: PersistentVolumeSpec, errors: FieldErrors): void {
  const sourceOf = (volume: PersistentVolumeSpec): unknown =>
    Object.fromEntries(
      volumeSources.map((source) => [source, volume[source]]).filter(([, value]) => value !== undefined),
    );
  if (!deepEqual(sourceOf(now), sourceOf(old))) {
    errors.forbidden(spec.child("persistentvolumesource"), "spec.persistentvolumesource is immutable after creation");
  }
  if (now.volumeMode !== old.volumeMode) errors.invalid(Path.of("volumeMode"), now.volumeMode, "field is immutable");
  if (old.nodeAffinity !== undefined && !deepEqual(now.nodeAffinity, renewedKeys(old.nodeAffinity, now.nodeAffinity))) {
    errors.invalid(Path.of("nodeAffinity"), now.nodeAffinity ?? null, "field is immutable");
  }
}

const renewed: Readonly<Record<string, string>> = {
  "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
  "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
  "beta.kubernetes.io/os": "kubernetes.io/os",
  "beta.kubernetes.io/arch": "kubernetes.io/arch",
};

/**
 * The old affinity with those of its keys that `now` has brought to their stable names: the one change that is allowed.
 * No key at all counts as one, too, and is refused for itself. Source: validatePvNodeAffinity
 */
function renewedKeys(old: VolumeNodeAffinity, now: VolumeNodeAffinity | undefined): VolumeNodeAffinity {
  const made = structuredClone(old);
  for (const [i, term] of (made.required?.nodeSelectorTerms ?? []).entries()) {
    for (const [j, expression] of (term.matchExpressions ?? []).entries()) {
      const key = now?.required?.nodeSelectorTerms?.[i]?.matchExpressions?.[j]?.key;
      if (key !== undefined && key === (renewed[expression.key] ?? "")) expression.key = key;
    }
  }
  return made;
}
