/**
 * Volumes and claims in use are kept from deletion by a finalizer; a claim that names no class gets the default one.
 * Source: k8s.io/kubernetes/plugin/pkg/admission/storage/{storageobjectinuseprotection,storageclass/setdefault}
 */
import type { PersistentVolumeClaim } from "@atoll/api/builtin/core/v1.types";
import type { StorageClass } from "@atoll/api/builtin/storage.k8s.io/v1.types";
import { isDefaultClass } from "@atoll/api/storage.k8s.io/storageclass";
import type { Catalogue } from "../registry/catalogue.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";

const finalizers: Readonly<Record<string, string>> = {
  "/persistentvolumeclaims": "kubernetes.io/pvc-protection",
  "/persistentvolumes": "kubernetes.io/pv-protection",
  "storage.k8s.io/volumeattributesclasses": "kubernetes.io/vac-protection",
};
const betaClass = "volume.beta.kubernetes.io/storage-class";

/** Gives new objects the finalizer that the protecting controllers take off. */
export const storageProtection: AdmissionPlugin = {
  name: "StorageObjectInUseProtection",
  handles: (request) => isCreate(request) && finalizerOf(request) !== undefined,
  mutate(request) {
    const finalizer = finalizerOf(request);
    const { object } = request;
    if (finalizer === undefined || object === undefined) return;
    const { finalizers: held = [] } = object.metadata;
    if (!held.includes(finalizer)) object.metadata.finalizers = [...held, finalizer];
  },
};

function isCreate({ operation, subresource }: AdmissionRequest): boolean {
  return operation === "CREATE" && subresource === "";
}

function finalizerOf({ kind }: AdmissionRequest): string | undefined {
  return finalizers[`${kind.group}/${kind.plural}`];
}

/** Of several default classes the newest is taken, then the first by name. */
export function defaultStorageClass(catalogue: Catalogue): AdmissionPlugin {
  return {
    name: "DefaultStorageClass",
    handles: (request) =>
      isCreate(request) && request.kind.plural === "persistentvolumeclaims" && request.kind.group === "",
    mutate: async ({ object }) => {
      const { metadata, spec } = object as unknown as PersistentVolumeClaim;
      if (spec.storageClassName !== undefined || metadata.annotations?.[betaClass] !== undefined) return;
      const resource = catalogue.resource("storage.k8s.io", "storageclasses");
      if (resource === undefined) return;
      await resource.cache.loaded();
      const [found] = resource.cache
        .range(resource.prefix(""))
        .map((entry) => resource.cache.object(entry) as unknown as StorageClass)
        .filter((each) => isDefaultClass(each.metadata.annotations))
        .sort(newestFirst);
      if (found?.metadata.name !== undefined) spec.storageClassName = found.metadata.name;
    },
  };
}

function newestFirst({ metadata: a }: StorageClass, { metadata: b }: StorageClass): number {
  const byTime = String(b.creationTimestamp ?? "").localeCompare(String(a.creationTimestamp ?? ""));
  return byTime === 0 ? String(a.name).localeCompare(String(b.name)) : byTime;
}
