/** What a PersistentVolume is made of. Source: pkg/apis/core/validation (ValidatePersistentVolumeSpec, validatePV…Source) */
import { dns1123LabelErrors, dns1123SubdomainErrors } from "@atoll/machinery/names";
import type { PersistentVolumeSpec, SecretReference } from "../builtin/core/v1.types.ts";
import { checkNoBacksteps } from "./podspec/paths.ts";
import type { Place } from "./podspec/place.ts";
import {
  checkAzureDisk,
  checkDriverName,
  checkFc,
  checkFlex,
  checkFlocker,
  checkIscsi,
  checkNfs,
  checkPartition,
  checkQuobyte,
  checkRequired,
} from "./podspec/sources.ts";

type Rules = {
  readonly [Source in (typeof volumeSources)[number]]: (
    source: NonNullable<PersistentVolumeSpec[Source]>,
    at: Place,
  ) => void;
};

/** The kinds of source, in the order in which upstream looks: of several, the first counts. */
export const volumeSources = [
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

const rules: Rules = {
  hostPath: (source, at) => checkPath(source.path, at),
  gcePersistentDisk(source, at) {
    checkRequired(source, at, ["pdName"]);
    checkPartition(source, at);
  },
  awsElasticBlockStore(source, at) {
    checkRequired(source, at, ["volumeID"]);
    checkPartition(source, at);
  },
  glusterfs({ endpoints, path, endpointsNamespace: namespace }, at) {
    checkRequired({ endpoints, path }, at, ["endpoints", "path"]);
    if (namespace === undefined) return;
    if (namespace === "")
      at.invalid("endpointsNamespace", namespace, "if the endpointnamespace is set, it must be a valid namespace name");
    else at.each("endpointsNamespace", namespace, dns1123LabelErrors(namespace));
  },
  flocker: checkFlocker,
  nfs: checkNfs,
  rbd: (source, at) => checkRequired(source, at, ["monitors", "image"]),
  quobyte: checkQuobyte,
  cephfs: (source, at) => checkRequired(source, at, ["monitors"]),
  iscsi(source, at) {
    checkIscsi(source, at);
    if (source.secretRef !== undefined && !source.secretRef.name) at.child("secretRef").required("name");
  },
  cinder(source, at) {
    checkRequired(source, at, ["volumeID"]);
    if (source.secretRef !== undefined) checkRequired(source.secretRef, at.child("secretRef"), ["name", "namespace"]);
  },
  fc: checkFc,
  flexVolume: (source, at) => checkFlex(source, at),
  azureFile(source, at) {
    checkRequired(source, at, ["secretName", "shareName"]);
    if (source.secretNamespace === "") at.required("secretNamespace");
  },
  vsphereVolume: (source, at) => checkRequired(source, at, ["volumePath"]),
  photonPersistentDisk: (source, at) => checkRequired(source, at, ["pdID"]),
  portworxVolume: (source, at) => checkRequired(source, at, ["volumeID"]),
  azureDisk: checkAzureDisk,
  scaleIO: (source, at) => checkRequired(source, at, ["gateway", "system", "volumeName"]),
  local: (source, at) => checkPath(source.path, at),
  storageos({ volumeName = "", volumeNamespace = "", secretRef }, at) {
    if (volumeName === "") at.required("volumeName");
    else at.each("volumeName", volumeName, dns1123LabelErrors(volumeName));
    if (volumeNamespace !== "") at.each("volumeNamespace", volumeNamespace, dns1123LabelErrors(volumeNamespace));
    if (secretRef !== undefined) checkRequired(secretRef, at.child("secretRef"), ["name", "namespace"]);
  },
  csi(source, at) {
    checkDriverName(source.driver, at, "driver");
    if (source.volumeHandle === "") at.required("volumeHandle");
    for (const field of secretRefs) {
      const ref = source[field];
      if (ref !== undefined) checkSecretRef(ref, at.child(field));
    }
  },
};

const secretRefs = [
  "controllerPublishSecretRef",
  "controllerExpandSecretRef",
  "nodePublishSecretRef",
  "nodeExpandSecretRef",
  "nodeStageSecretRef",
] as const;

/** Exactly one source, and what it has to say. `at` is the specification's place. */
export function checkVolumeSources(volume: PersistentVolumeSpec, at: Place): void {
  const [first, ...others] = volumeSources.filter((source) => volume[source] !== undefined);
  if (first === undefined) return at.required("", "must specify a volume type");
  for (const source of others) at.forbidden(source, "may not specify more than 1 volume type");
  const check = rules[first] as (source: unknown, at: Place) => void;
  check(volume[first], at.child(first));
}

function checkPath(path: string, at: Place): void {
  if (path === "") at.required("path");
  else checkNoBacksteps(path, at, "path");
}

function checkSecretRef(ref: SecretReference, at: Place): void {
  for (const part of ["name", "namespace"] as const) {
    const value = ref[part] ?? "";
    if (value === "") at.required(part);
    else at.each(part, value, dns1123SubdomainErrors(value));
  }
}
