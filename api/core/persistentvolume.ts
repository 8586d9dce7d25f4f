/** PersistentVolume. Source: k8s.io/kubernetes/pkg/registry/core/persistentvolume, pkg/apis/core/validation */
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { dns1123SubdomainErrors } from "@atoll/machinery/names";
import type { PersistentVolume, PersistentVolumeSpec } from "../builtin/core/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import type { Strategy } from "../kind.ts";
import { checkNodeSelector } from "./podspec/affinity.ts";
import { checkNoBacksteps } from "./podspec/paths.ts";
import { Place, signOf } from "./podspec/place.ts";
import { checkDriverName, checkFc, checkNfs } from "./podspec/sources.ts";
import { accessCell } from "./volumecells.ts";

const spec = Path.of("spec");
const accessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const reclaimPolicies = ["Delete", "Recycle", "Retain"];
const volumeModes = ["Block", "Filesystem"];
const sources = [
  "hostPath",
  "gcePersistentDisk",
  "awsElasticBlockStore",
  "glusterfs",
  "flocker",
  "nfs",
  "rbd",
  "quobyte",
  "cephfs",
  "iscsi",
  "cinder",
  "fc",
  "flexVolume",
  "azureFile",
  "vsphereVolume",
  "photonPersistentDisk",
  "portworxVolume",
  "azureDisk",
  "scaleIO",
  "local",
  "storageos",
  "csi",
] as const;

/** The rules of PersistentVolumes. */
export const persistentVolume: Strategy<PersistentVolume> = {
  revalidatesMetadata: true,
  setDefaults(volume) {
    volume.status ??= {};
    volume.status.phase ||= "Pending";
    volume.spec.persistentVolumeReclaimPolicy ||= "Retain";
    volume.spec.volumeMode ??= "Filesystem";
    if (volume.spec.hostPath !== undefined) volume.spec.hostPath.type ??= "";
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
  validate: (volume, errors) => check(volume, errors),
  validateUpdate(volume, old, errors) {
    check(volume, errors);
    checkUpdate(volume.spec, old.spec, errors);
  },
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

/** Source: ValidatePersistentVolumeSpec */
function check({ spec: volume }: PersistentVolume, errors: FieldErrors): void {
  const at = new Place(errors, spec);
  checkModes(volume, at);
  checkCapacity(volume, at);
  checkSources(volume, at);
  const { persistentVolumeReclaimPolicy: reclaim, nodeAffinity, storageClassName, volumeMode } = volume;
  if (reclaim && !reclaimPolicies.includes(reclaim)) {
    at.notSupported("persistentVolumeReclaimPolicy", reclaim, reclaimPolicies);
  }
  if (nodeAffinity?.required !== undefined) {
    checkNodeSelector(nodeAffinity.required, at.child("nodeAffinity").child("required"));
  } else if (nodeAffinity !== undefined)
    at.child("nodeAffinity").required("required", "must specify required node constraints");
  if (volume.hostPath?.path === "/" && reclaim === "Recycle") {
    at.forbidden("persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'");
  }
  if (storageClassName) at.each("storageClassName", storageClassName, dns1123SubdomainErrors(storageClassName));
  if (volumeMode !== undefined && !volumeModes.includes(volumeMode)) {
    at.notSupported("volumeMode", volumeMode, volumeModes);
  }
  const attributes = volume.volumeAttributesClassName;
  if (attributes === undefined) return;
  at.each("volumeAttributesClassName", attributes, dns1123SubdomainErrors(attributes));
  if (volume.csi === undefined) at.required("csi", "has to be specified when using volumeAttributesClassName");
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
    if (signOf(amount) <= 0) at.entry("capacity", name).invalid("", amount, "must be greater than zero");
  }
}

function checkSources(volume: PersistentVolumeSpec, at: Place): void {
  const given = sources.filter((source) => volume[source] !== undefined);
  if (given.length === 0) at.required("", "must specify a volume type");
  for (const source of given.slice(1)) at.forbidden(source, "may not specify more than 1 volume type");
  switch (given[0]) {
    case "hostPath":
      checkPath(volume.hostPath?.path ?? "", at.child("hostPath"));
      break;
    case "nfs":
      if (volume.nfs !== undefined) checkNfs(volume.nfs, at.child("nfs"));
      break;
    case "fc":
      if (volume.fc !== undefined) checkFc(volume.fc, at.child("fc"));
      break;
    case "local":
      checkPath(volume.local?.path ?? "", at.child("local"));
      if (volume.nodeAffinity === undefined) at.required("nodeAffinity", "Local volume requires node affinity");
      break;
    case "csi":
      if (volume.csi !== undefined) checkCsi(volume.csi, at.child("csi"));
      break;
    default:
  }
}

function checkPath(path: string, at: Place): void {
  if (path === "") at.required("path");
  else checkNoBacksteps(path, at, "path");
}

const secretRefs = [
  "controllerPublishSecretRef",
  "controllerExpandSecretRef",
  "nodePublishSecretRef",
  "nodeExpandSecretRef",
  "nodeStageSecretRef",
] as const;

function checkCsi(csi: NonNullable<PersistentVolumeSpec["csi"]>, at: Place): void {
  checkDriverName(csi.driver, at, "driver");
  if (csi.volumeHandle === "") at.required("volumeHandle");
  for (const field of secretRefs) {
    const ref = csi[field];
    if (ref === undefined) continue;
    const here = at.child(field);
    for (const part of ["name", "namespace"] as const) {
      const value = ref[part] ?? "";
      if (value === "") here.required(part);
      else here.each(part, value, dns1123SubdomainErrors(value));
    }
  }
}

/** Source: ValidatePersistentVolumeUpdate */
function checkUpdate(now: PersistentVolumeSpec, old: PersistentVolumeSpec, errors: FieldErrors): void {
  const sourceOf = (volume: PersistentVolumeSpec): unknown =>
    Object.fromEntries(sources.map((source) => [source, volume[source]]).filter(([, value]) => value !== undefined));
  if (!deepEqual(sourceOf(now), sourceOf(old))) {
    errors.forbidden(spec.child("persistentvolumesource"), "spec.persistentvolumesource is immutable after creation");
  }
  if (now.volumeMode !== old.volumeMode) errors.invalid(spec.child("volumeMode"), now.volumeMode, "field is immutable");
  if (old.nodeAffinity !== undefined && !deepEqual(now.nodeAffinity, old.nodeAffinity)) {
    errors.invalid(spec.child("nodeAffinity"), now.nodeAffinity ?? null, "field is immutable");
  }
}
