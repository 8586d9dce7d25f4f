/**
 * What each kind of volume has to say. Kinds that Kubernetes keeps for its own data are in projected.ts.
 * Source: pkg/apis/core/validation (validate…VolumeSource)
 */
import { dns1123LabelErrors, dns1123SubdomainErrors } from "@atoll/machinery/names";
import type {
  AzureDiskVolumeSource,
  CSIVolumeSource,
  FCVolumeSource,
  FlexVolumeSource,
  FlockerVolumeSource,
  ISCSIVolumeSource,
  NFSVolumeSource,
  QuobyteVolumeSource,
  StorageOSVolumeSource,
} from "../../builtin/core/v1.types.ts";
import type { Place } from "./place.ts";

const partitionMax = 255;
const tenantMax = 64;
const driverMax = 63;

/** A field that has to be there, for kinds that ask no more. */
export function checkRequired(source: object, at: Place, fields: readonly string[]): void {
  for (const field of fields) {
    const value = (source as Readonly<Record<string, unknown>>)[field];
    const absent = value === undefined || value === null || value === "";
    if (absent || (Array.isArray(value) && value.length === 0)) at.required(field);
  }
}

/** A disk's partition. */
export function checkPartition({ partition = 0 }: { partition?: number }, at: Place): void {
  if (partition < 0 || partition > partitionMax) {
    at.invalid("partition", partition, "must be between 0 and 255, inclusive");
  }
}

/** A reference to a Secret that is there has a name. */
export function checkSecretName(secretRef: { name?: string } | undefined, at: Place): void {
  if (secretRef !== undefined && !secretRef.name) at.child("secretRef").required("name");
}

/** NFS: a server and an absolute path. */
export function checkNfs({ server, path }: NFSVolumeSource, at: Place): void {
  if (server === "") at.required("server");
  if (path === "") at.required("path");
  if (!path.startsWith("/")) at.invalid("path", path, "must be an absolute path");
}

const iqnShapes: Readonly<Record<string, RegExp>> = {
  iqn: /^iqn\.\d{4}-\d{2}\.[a-zA-Z0-9.-]+(:[^,;*&$|\s]+)$/,
  eui: /^eui\.[a-zA-Z0-9]{16}$/,
  naa: /^naa\.[a-zA-Z0-9]{32}$/,
};

function iqnError(name: string): string | undefined {
  const shape = iqnShapes[name.slice(0, 3)];
  if (shape === undefined) return "must be valid format starting with iqn, eui, or naa";
  return shape.test(name) ? undefined : "must be valid format";
}

const initiatorMax = 64;

/** @param volumeName the volume's own name, whose length counts */
export function checkIscsi(source: ISCSIVolumeSource, at: Place): void {
  const { targetPortal, iqn, lun, initiatorName } = source;
  if (targetPortal === "") at.required("targetPortal");
  const error = iqn === "" ? undefined : iqnError(iqn);
  if (iqn === "") at.required("iqn");
  else if (error !== undefined) at.invalid("iqn", iqn, error);
  if (lun < 0 || lun > partitionMax) at.invalid("lun", lun, "must be between 0 and 255, inclusive");
  if ((source.chapAuthDiscovery === true || source.chapAuthSession === true) && source.secretRef === undefined) {
    at.required("secretRef");
  }
  const wrong = initiatorName === undefined ? undefined : iqnError(initiatorName);
  if (wrong !== undefined) at.invalid("initiatorname", initiatorName, wrong);
}

/** With an initiator name, volume name and portal together have to be short. */
export function checkInitiatorLength(
  { targetPortal, initiatorName }: ISCSIVolumeSource,
  name: string,
  at: Place,
): void {
  if (initiatorName !== undefined && name.length + 1 + targetPortal.length > initiatorMax) {
    at.invalid(
      "name",
      name,
      "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.",
    );
  }
}

/** Fibre Channel: target names and a LUN, or wide identifiers. */
export function checkFc({ targetWWNs = [], wwids = [], lun }: FCVolumeSource, at: Place): void {
  if (targetWWNs.length === 0 && wwids.length === 0) {
    at.required("targetWWNs", "must specify either targetWWNs or wwids, but not both");
  }
  if (targetWWNs.length === 0) return;
  if (wwids.length > 0)
    at.invalid("targetWWNs", targetWWNs, "targetWWNs and wwids can not be specified simultaneously");
  if (lun === undefined) at.required("lun", "lun is required if targetWWNs is specified");
  else if (lun < 0 || lun > partitionMax) at.invalid("lun", lun, "must be between 0 and 255, inclusive");
}

/** Quobyte: registries and a volume. */
export function checkQuobyte({ registry, tenant = "", volume }: QuobyteVolumeSource, at: Place): void {
  const pairs = "must be a host:port pair or multiple pairs separated by commas";
  if (registry === "") at.required("registry", pairs);
  else if (tenant.length > tenantMax) {
    at.required("tenant", "must be a UUID and may not exceed a length of 64 characters");
  } else {
    for (const pair of registry.split(",")) {
      if (!/^([^:[\]]*|\[[^\]]*\]):[^:]*$/.test(pair)) at.invalid("registry", registry, pairs);
    }
  }
  if (volume === "") at.required("volume");
}

/** Flocker: a dataset by name or by UUID, not both. */
export function checkFlocker({ datasetName = "", datasetUUID = "" }: FlockerVolumeSource, at: Place): void {
  if (datasetName === "" && datasetUUID === "") at.required("", "one of datasetName and datasetUUID is required");
  if (datasetName !== "" && datasetUUID !== "") {
    at.invalid("", "resource", "datasetName and datasetUUID can not be specified simultaneously");
  }
  if (datasetName.includes("/")) at.invalid("datasetName", datasetName, "must not contain '/'");
}

/** FlexVolume: a driver. */
export function checkFlex({ driver, options = {} }: FlexVolumeSource, at: Place): void {
  if (driver === "") at.required("driver");
  for (const key of Object.keys(options)) {
    const slash = key.indexOf("/");
    const space = `.${(slash < 0 ? key : key.slice(0, slash)).toLowerCase()}`;
    if (space.endsWith(".kubernetes.io") || space.endsWith(".k8s.io")) {
      at.entry("options", key).invalid("", key, "kubernetes.io and k8s.io namespaces are reserved");
    }
  }
}

const cachingModes = ["None", "ReadOnly", "ReadWrite"];
const diskKinds = ["Dedicated", "Managed", "Shared"];
const managedDisks = [
  "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}",
];
const blobDisks = ["https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"];

/** Azure disk: its names, caching mode and kind, which must fit each other. */
export function checkAzureDisk(disk: AzureDiskVolumeSource, at: Place): void {
  const { diskName, diskURI, cachingMode, kind } = disk;
  if (diskName === "") at.required("diskName");
  if (diskURI === "") at.required("diskURI");
  if (cachingMode !== undefined && !cachingModes.includes(cachingMode)) {
    at.notSupported("cachingMode", cachingMode, cachingModes);
  }
  if (kind === undefined) return;
  if (!diskKinds.includes(kind)) at.notSupported("kind", kind, diskKinds);
  const managed = kind === "Managed";
  if (!diskURI.startsWith(managed ? "/subscriptions/" : "https://")) {
    at.notSupported("diskURI", diskURI, managed ? managedDisks : blobDisks);
  }
}

/** StorageOS: the volume's name and namespace. */
export function checkStorageOs({ volumeName, volumeNamespace, secretRef }: StorageOSVolumeSource, at: Place): void {
  if (!volumeName) at.required("volumeName");
  else at.each("volumeName", volumeName, dns1123LabelErrors(volumeName));
  if (volumeNamespace) at.each("volumeNamespace", volumeNamespace, dns1123LabelErrors(volumeNamespace));
  checkSecretName(secretRef, at);
}

/** CSI, inline: a driver, and a secret's name if any. */
export function checkCsi({ driver, nodePublishSecretRef }: CSIVolumeSource, at: Place): void {
  checkDriverName(driver, at, "driver");
  if (nodePublishSecretRef === undefined) return;
  const { name } = nodePublishSecretRef;
  if (!name) at.child("nodePublishSecretRef").required("name");
  else at.each("name", name, dns1123SubdomainErrors(name));
}

/** A CSI driver's name. Source: ValidateCSIDriverName */
export function checkDriverName(driver: string, at: Place, field: string): void {
  if (driver === "") return at.required(field);
  if (driver.length > driverMax) at.tooLong(field, driverMax);
  at.each(field, driver, dns1123SubdomainErrors(driver.toLowerCase()));
}
