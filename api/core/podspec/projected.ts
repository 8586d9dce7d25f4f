/**
 * Volumes made of the API's own data: keys of ConfigMaps and Secrets, the downward API, tokens, certificates.
 * Source: pkg/apis/core/validation (validateProjectionSources, validateDownwardAPIVolumeFile, validateKeyToPath)
 */
import { dns1123SubdomainErrors, qualifiedNameErrors } from "@atoll/machinery/names";
import type {
  ClusterTrustBundleProjection,
  DownwardAPIVolumeFile,
  KeyToPath,
  ProjectedVolumeSource,
  ServiceAccountTokenProjection,
  VolumeProjection,
} from "../../builtin/core/v1.types.ts";
import { checkFieldRef, checkResourceFieldRef, volumeFields } from "./fieldref.ts";
import { checkMode, checkNonReserved } from "./paths.ts";
import type { Place } from "./place.ts";
import { checkSelector } from "./selector.ts";

const shortestToken = 600;
const longestToken = 2 ** 32;

/** Some keys of a ConfigMap or Secret as files. */
export function checkItems(items: readonly KeyToPath[] | undefined, at: Place): void {
  if (items === undefined) return;
  for (const [i, { key, path, mode }] of items.entries()) {
    const here = at.item("items", i);
    if (key === "") here.required("key");
    if (path === "") here.required("path");
    checkNonReserved(path, here, "path");
    checkMode(mode, here, "mode");
  }
}

/** A file of the downward API. Upstream reports it at its list. */
export function checkDownwardFile(file: DownwardAPIVolumeFile, at: Place): void {
  if (file.path === "") at.required("path");
  checkNonReserved(file.path, at, "path");
  if (file.fieldRef !== undefined) {
    checkFieldRef(file.fieldRef, volumeFields, at.child("fieldRef"));
    if (file.resourceFieldRef !== undefined) {
      at.invalid("", "resource", "fieldRef and resourceFieldRef can not be specified simultaneously");
    }
  } else if (file.resourceFieldRef !== undefined) {
    checkResourceFieldRef(file.resourceFieldRef, at.child("resourceFieldRef"), { volume: true });
  } else at.required("", "one of fieldRef and resourceFieldRef is required");
  checkMode(file.mode, at, "mode");
}

/** Several sources in one volume; no two files have the same path. */
export function checkProjected(volume: ProjectedVolumeSource, at: Place): void {
  checkMode(volume.defaultMode, at, "defaultMode");
  const taken = new Set<string>();
  for (const [i, source] of (volume.sources ?? []).entries()) {
    const here = at.item("sources", i);
    checkSource(source, here, at);
    for (const path of pathsOf(source)) {
      if (taken.has(path)) at.invalid("", path, "conflicting duplicate paths");
      taken.add(path);
    }
    if (Object.values(source).filter((part) => part !== undefined && part !== null).length > 1) {
      here.forbidden("", "may not specify more than 1 volume type per source");
    }
  }
}

function pathsOf({ secret, configMap, downwardAPI, clusterTrustBundle, podCertificate }: VolumeProjection): string[] {
  const files = [...(secret?.items ?? []), ...(configMap?.items ?? []), ...(downwardAPI?.items ?? [])];
  const paths = files.map(({ path }) => path);
  if (clusterTrustBundle !== undefined) paths.push(clusterTrustBundle.path);
  const { credentialBundlePath, keyPath, certificateChainPath } = podCertificate ?? {};
  for (const path of [credentialBundlePath, keyPath, certificateChainPath]) if (path) paths.push(path);
  return paths.filter((path) => path !== "");
}

/** @param volume the whole volume's place, where upstream reports a token's path */
function checkSource(source: VolumeProjection, at: Place, volume: Place): void {
  const { secret, configMap, downwardAPI } = source;
  if (secret !== undefined) checkNamed(secret, at.child("secret"));
  if (configMap !== undefined) checkNamed(configMap, at.child("configMap"));
  if (downwardAPI !== undefined) {
    const here = at.child("downwardAPI");
    for (const file of downwardAPI.items ?? []) checkDownwardFile(file, here);
  }
  if (source.serviceAccountToken !== undefined) {
    checkToken(source.serviceAccountToken, at.child("serviceAccountToken"), volume);
  }
  if (source.clusterTrustBundle !== undefined) checkBundle(source.clusterTrustBundle, at.child("clusterTrustBundle"));
}

function checkNamed({ name, items }: { name?: string; items?: KeyToPath[] }, at: Place): void {
  if (!name) at.required("name");
  checkItems(items, at);
}

function checkToken({ expirationSeconds = 0, path }: ServiceAccountTokenProjection, at: Place, volume: Place): void {
  if (expirationSeconds < shortestToken) {
    at.invalid("expirationSeconds", expirationSeconds, "may not specify a duration less than 10 minutes");
  }
  if (expirationSeconds > longestToken) {
    at.invalid("expirationSeconds", expirationSeconds, "may not specify a duration larger than 2^32 seconds");
  }
  if (path === "") volume.required("path");
  else checkNonReserved(path, volume, "path");
}

function checkBundle(bundle: ClusterTrustBundleProjection, at: Place): void {
  const { name, signerName, labelSelector, path } = bundle;
  if (name !== undefined && signerName !== undefined)
    at.invalid("", bundle, "only one of name and signerName may be used");
  else if (name !== undefined) {
    if (name === "") at.required("name", "must be a valid object name");
    for (const message of dns1123SubdomainErrors(name.slice(name.lastIndexOf(":") + 1))) {
      at.invalid("name", name, `not a valid clustertrustbundlename: ${message}`);
    }
    if (labelSelector !== undefined) {
      at.invalid("labelSelector", labelSelector, "labelSelector must be unset if name is specified");
    }
  } else if (signerName !== undefined) {
    if (signerName === "") at.required("signerName", "must be a valid signer name");
    at.each("signerName", signerName, qualifiedNameErrors(signerName));
    checkSelector(labelSelector, at.child("labelSelector"));
  } else at.required("", "either name or signerName must be specified");
  if (path === "") at.required("path");
  checkNonReserved(path, at, "path");
}
