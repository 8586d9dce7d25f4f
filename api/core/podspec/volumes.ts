/** A pod's volumes: names, and one source each. Source: pkg/apis/core/validation (ValidateVolumes) */
import { dns1123LabelErrors, dns1123SubdomainErrors } from "@atoll/machinery/names";
import type { HostPathVolumeSource, Volume } from "../../builtin/core/v1.types.ts";
import { checkClaimTemplate } from "./claimspec.ts";
import { checkDescending, checkMode, checkNoBacksteps } from "./paths.ts";
import { type Place, signOf } from "./place.ts";
import { checkDownwardFile, checkItems, checkProjected } from "./projected.ts";
import {
  checkAzureDisk,
  checkCsi,
  checkFc,
  checkFlex,
  checkFlocker,
  checkInitiatorLength,
  checkIscsi,
  checkNfs,
  checkPartition,
  checkQuobyte,
  checkRequired,
  checkSecretName,
  checkStorageOs,
} from "./sources.ts";

type Sources = Required<Omit<Volume, "name">>;

type Check<T> = (source: T, at: Place) => void;

/** In the order in which upstream looks: of several sources, the first counts. */
const checks: { readonly [Source in keyof Sources]: Check<Sources[Source]> } = {
  emptyDir({ sizeLimit }, at) {
    if (sizeLimit !== undefined && signOf(sizeLimit) < 0) {
      at.forbidden("sizeLimit", "SizeLimit field must be a valid resource quantity");
    }
  },
  hostPath: checkHostPath,
  gitRepo({ repository, directory = "" }, at) {
    if (repository === "") at.required("repository");
    checkDescending(directory, at, "directory");
  },
  gcePersistentDisk(source, at) {
    checkRequired(source, at, ["pdName"]);
    checkPartition(source, at);
  },
  awsElasticBlockStore(source, at) {
    checkRequired(source, at, ["volumeID"]);
    checkPartition(source, at);
  },
  secret(source, at) {
    checkRequired(source, at, ["secretName"]);
    checkMode(source.defaultMode, at, "defaultMode");
    checkItems(source.items, at);
  },
  nfs: checkNfs,
  iscsi: checkIscsi,
  glusterfs: (source, at) => checkRequired(source, at, ["endpoints", "path"]),
  flocker: checkFlocker,
  persistentVolumeClaim: (source, at) => checkRequired(source, at, ["claimName"]),
  rbd: (source, at) => checkRequired(source, at, ["monitors", "image"]),
  cinder(source, at) {
    checkRequired(source, at, ["volumeID"]);
    checkSecretName(source.secretRef, at);
  },
  cephfs: (source, at) => checkRequired(source, at, ["monitors"]),
  quobyte: checkQuobyte,
  downwardAPI({ defaultMode, items }, at) {
    checkMode(defaultMode, at, "defaultMode");
    for (const file of items ?? []) checkDownwardFile(file, at);
  },
  fc: checkFc,
  flexVolume: checkFlex,
  configMap(source, at) {
    checkRequired(source, at, ["name"]);
    checkMode(source.defaultMode, at, "defaultMode");
    checkItems(source.items, at);
  },
  azureFile: (source, at) => checkRequired(source, at, ["secretName", "shareName"]),
  vsphereVolume: (source, at) => checkRequired(source, at, ["volumePath"]),
  photonPersistentDisk: (source, at) => checkRequired(source, at, ["pdID"]),
  portworxVolume: (source, at) => checkRequired(source, at, ["volumeID"]),
  azureDisk: checkAzureDisk,
  storageos: checkStorageOs,
  projected: checkProjected,
  scaleIO: (source, at) => checkRequired(source, at, ["gateway", "system", "volumeName"]),
  csi: checkCsi,
  ephemeral({ volumeClaimTemplate: template }, at) {
    if (template === undefined) at.required("volumeClaimTemplate");
    else checkClaimTemplate(template, at.child("volumeClaimTemplate"));
  },
  image: (source, at) => checkRequired(source, at, ["reference"]),
};

const kinds = Object.keys(checks) as readonly (keyof Sources)[];
const pathNames: Readonly<Record<string, string>> = { gcePersistentDisk: "persistentDisk" };

/**
 * Checks all volumes.
 * @param podName of a pod that has one: claims made for it are named after it
 * @returns the volumes that are sound, by name; mounts of others are not found
 */
export function checkVolumes(
  volumes: readonly Volume[],
  at: Place,
  podName: string | undefined,
): ReadonlyMap<string, Volume> {
  const sound = new Map<string, Volume>();
  const made = podName ? volumes.filter((volume) => volume.ephemeral !== undefined) : [];
  for (const [i, volume] of volumes.entries()) {
    const here = at.item("volumes", i);
    const before = here.errors.list.length;
    checkSource(volume, here, podName);
    if (volume.name === "") here.required("name");
    else here.each("name", volume.name, dns1123LabelErrors(volume.name));
    if (sound.has(volume.name)) here.duplicate("name", volume.name);
    if (here.errors.list.length === before) sound.set(volume.name, volume);
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim !== undefined && made.some(({ name }) => claim === `${podName}-${name}`)) {
      here
        .child("persistentVolumeClaim")
        .invalid("claimName", claim, "must not reference a PVC that gets created for an ephemeral volume");
    }
  }
  return sound;
}

function checkSource(volume: Volume, at: Place, podName: string | undefined): void {
  let found = 0;
  for (const kind of kinds) {
    const source = volume[kind];
    if (source === undefined || source === null) continue;
    if (++found > 1) at.forbidden(kind, "may not specify more than 1 volume type");
    else (checks[kind] as Check<object>)(source, at.child(pathNames[kind] ?? kind));
  }
  if (found === 0) at.required("", "must specify a volume type");
  if (volume.iscsi !== undefined) checkInitiatorLength(volume.iscsi, volume.name, at);
  if (volume.ephemeral !== undefined && podName && volume.name !== "") {
    const claim = `${podName}-${volume.name}`;
    for (const message of dns1123SubdomainErrors(claim)) {
      at.invalid("name", volume.name, `PVC name ${JSON.stringify(claim)}: ${message}`);
    }
  }
}

const hostPathTypes = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];

function checkHostPath({ path, type }: HostPathVolumeSource, at: Place): void {
  if (path === "") return at.required("path");
  checkNoBacksteps(path, at, "path");
  if (type !== undefined && !hostPathTypes.includes(type)) at.notSupported("type", type, hostPathTypes);
}
