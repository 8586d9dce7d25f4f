/** VolumeAttachment. Source: k8s.io/kubernetes/pkg/registry/storage/volumeattachment, pkg/apis/storage/validation */
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { dns1123SubdomainErrors } from "@atoll/machinery/names";
import type { VolumeAttachment, VolumeAttachmentSource, VolumeError } from "../builtin/storage.k8s.io/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { checkVolumeSpec } from "../core/persistentvolume.ts";
import { Place } from "../core/podspec/place.ts";
import { checkDriverName } from "../core/podspec/sources.ts";
import type { Strategy } from "../kind.ts";

const messageMax = 1024;
const metadataBytesMax = 256 * 1024;
const oneSource = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";

/** The rules of VolumeAttachments. */
export const volumeAttachment: Strategy<VolumeAttachment> = {
  revalidatesMetadata: true,
  prepareForCreate(object) {
    object.status = { attached: false };
  },
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
  },
  validate: check,
  validateUpdate(object, old, errors) {
    check(object, errors);
    if (!deepEqual(object.spec, old.spec)) errors.invalid(Path.of("spec"), object.spec, "field is immutable");
  },
  status: { validateUpdate: (object, _, errors) => check(object, errors) },
  table: {
    columns: [
      nameColumn,
      { ...column("Attacher", "The driver that attaches it."), format: "name" },
      column("PV", "The volume."),
      column("Node", "The node it is for."),
      { ...column("Attached", "Whether it is attached."), type: "boolean" },
      ageColumn,
    ],
    cells: ({ metadata, spec, status }, nowMs) => [
      metadata.name ?? "",
      spec.attacher,
      spec.source.persistentVolumeName ?? "",
      spec.nodeName,
      status.attached,
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};

function check({ spec, status }: VolumeAttachment, errors: FieldErrors): void {
  const at = new Place(errors, Path.of("spec"));
  checkDriverName(spec.attacher, at, "attacher");
  checkSource(spec.source, at.child("source"));
  at.each("nodeName", spec.nodeName, dns1123SubdomainErrors(spec.nodeName));
  const told = new Place(errors, Path.of("status"));
  const size = Object.entries(status.attachmentMetadata ?? {}).reduce((sum, [k, v]) => sum + k.length + v.length, 0);
  if (size > metadataBytesMax) told.tooLong("attachmentMetadata", metadataBytesMax);
  checkError(status.attachError, told.child("attachError"));
  checkError(status.detachError, told.child("detachError"));
}

function checkSource(
  { persistentVolumeName: name, inlineVolumeSpec: inline }: VolumeAttachmentSource,
  at: Place,
): void {
  if (name === undefined && inline === undefined) return at.required("", oneSource);
  if (name !== undefined && inline !== undefined) return at.forbidden("", oneSource);
  if (name === "") at.required("persistentVolumeName", "must specify non empty persistentVolumeName");
  if (name !== undefined) at.each("persistentVolumeName", name, dns1123SubdomainErrors(name));
  if (inline !== undefined) checkVolumeSpec(inline, at.child("inlineVolumeSpec"), { inline: true });
}

function checkError(error: VolumeError | undefined, at: Place): void {
  if ((error?.message ?? "").length > messageMax) at.tooLong("message", messageMax);
}
