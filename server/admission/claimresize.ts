/**
 * A claim grows only once it is bound, and only if its class can make volumes larger.
 * Source: k8s.io/kubernetes/plugin/pkg/admission/storage/persistentvolume/resize
 */
import type { PersistentVolumeClaim } from "@atoll/api/builtin/core/v1.types";
import type { StorageClass } from "@atoll/api/builtin/storage.k8s.io/v1.types";
import { compareQuantities, parseQuantity } from "@atoll/machinery/quantity";
import type { Catalogue } from "../registry/catalogue.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { forbidden } from "./forbidden.ts";

const betaClass = "volume.beta.kubernetes.io/storage-class";

/** The plugin; it reads storage classes. */
export function claimResize(catalogue: Catalogue): AdmissionPlugin {
  return {
    name: "PersistentVolumeClaimResize",
    handles: ({ kind, operation, subresource }) =>
      kind.group === "" && kind.plural === "persistentvolumeclaims" && operation === "UPDATE" && subresource === "",
    async validate(request) {
      const claim = request.object as unknown as PersistentVolumeClaim;
      const old = request.old as unknown as PersistentVolumeClaim;
      if (compareQuantities(sizeOf(claim), sizeOf(old)) <= 0) return;
      if (old.status?.phase !== "Bound") {
        throw forbidden(request, "Only bound persistent volume claims can be expanded");
      }
      if (await canGrow(catalogue, claim)) return;
      const why =
        "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize";
      throw forbidden(request, why);
    },
  };
}

function sizeOf({ spec }: PersistentVolumeClaim): ReturnType<typeof parseQuantity> {
  return parseQuantity(spec.resources?.requests?.["storage"] ?? "0");
}

async function canGrow(catalogue: Catalogue, { metadata, spec }: PersistentVolumeClaim): Promise<boolean> {
  const name = metadata.annotations?.[betaClass] ?? spec.storageClassName ?? "";
  const classes = catalogue.resource("storage.k8s.io", "storageclasses");
  if (name === "" || classes === undefined) return false;
  await classes.cache.loaded();
  const entry = classes.cache.get(classes.key("", name));
  if (entry === undefined) return false;
  return (classes.cache.object(entry) as unknown as StorageClass).allowVolumeExpansion === true;
}
