/** What claims of volumes count, altogether and by storage class. Source: …/evaluator/core/persistent_volume_claims.go */
import { compareQuantities, parseQuantity, type Quantity, quantityOf, scaledValue } from "@atoll/machinery/quantity";
import type { PersistentVolumeClaim } from "../../builtin/core/v1.types.ts";
import type { Measure } from "./measure.ts";
import { selects } from "./scopes.ts";

const ofClass = ".storageclass.storage.k8s.io/";
const betaClass = "volume.beta.kubernetes.io/storage-class";
const counted = ["persistentvolumeclaims", "requests.storage"];

/** The measure of claims. */
export const claims: Measure = {
  counts: (name) =>
    name === "count/persistentvolumeclaims" ||
    counted.includes(name) ||
    counted.some((each) => name.endsWith(ofClass + each)),
  usage(object) {
    const claim = object as unknown as PersistentVolumeClaim;
    const one = quantityOf(1);
    const used = new Map([
      ["persistentvolumeclaims", one],
      ["count/persistentvolumeclaims", one],
    ]);
    const className = claim.metadata.annotations?.[betaClass] ?? claim.spec.storageClassName ?? "";
    if (className !== "") used.set(`${className}${ofClass}persistentvolumeclaims`, one);
    const storage = storageOf(claim);
    if (storage === undefined) return used;
    used.set("requests.storage", storage);
    if (className !== "") used.set(`${className}${ofClass}requests.storage`, storage);
    return used;
  },
  inScope: (selector, object) =>
    selector.scopeName === "VolumeAttributesClass" &&
    selects(selector, attributesClasses(object as unknown as PersistentVolumeClaim)),
};

/** What is asked for, or what is being given where that is more; in whole bytes. */
function storageOf({ spec, status }: PersistentVolumeClaim): Quantity | undefined {
  const asked = spec.resources?.requests?.["storage"];
  if (asked === undefined) return undefined;
  const request = whole(parseQuantity(asked));
  const allocated = status?.allocatedResources?.["storage"];
  if (allocated === undefined) return request;
  const given = parseQuantity(allocated);
  return compareQuantities(given, request) > 0 ? whole(given) : request;
}

function whole(quantity: Quantity): Quantity {
  return quantity.scale >= 0 ? quantity : { value: scaledValue(quantity, 0), scale: 0, format: quantity.format };
}

function attributesClasses({ spec, status }: PersistentVolumeClaim): readonly string[] {
  const names = [
    spec.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ];
  return [...new Set(names.flatMap((name) => name || []))];
}
