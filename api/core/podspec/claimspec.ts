/**
 * What a claim for storage may say, wherever it stands: in a PersistentVolumeClaim, in a volume that makes its own
 * claim, in a StatefulSet's claim templates.
 * Source: pkg/apis/core/validation (ValidatePersistentVolumeClaimSpec)
 */
import { nameRules } from "@atoll/machinery/names";
import { checkAnnotations, checkLabels } from "@atoll/machinery/objectmeta";
import type { PersistentVolumeClaimSpec, PersistentVolumeClaimTemplate } from "../../builtin/core/v1.types.ts";
import { type Place, signOf } from "./place.ts";
import { checkSelector } from "./selector.ts";

const accessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const onePod = "ReadWriteOncePod";
const volumeModes = ["Block", "Filesystem"];

/** The specification of a claim. */
export function checkClaimSpec(spec: PersistentVolumeClaimSpec, at: Place): void {
  checkAccessModes(spec.accessModes ?? [], at);
  checkSelector(spec.selector, at.child("selector"));
  checkStorage(spec, at);
  checkClass(spec.storageClassName, at, "storageClassName");
  checkClass(spec.volumeAttributesClassName, at, "volumeAttributesClassName");
  if (spec.volumeMode !== undefined && !volumeModes.includes(spec.volumeMode)) {
    at.notSupported("volumeMode", spec.volumeMode, volumeModes);
  }
  checkSources(spec, at);
}

function checkAccessModes(modes: readonly string[], at: Place): void {
  if (modes.length === 0) at.required("accessModes", "at least 1 access mode is required");
  for (const mode of modes) if (!accessModes.includes(mode)) at.notSupported("accessModes", mode, accessModes);
  if (modes.includes(onePod) && modes.some((mode) => mode !== onePod && accessModes.includes(mode))) {
    at.forbidden("accessModes", "may not use ReadWriteOncePod with other access modes");
  }
}

function checkStorage({ resources }: PersistentVolumeClaimSpec, at: Place): void {
  const storage = resources.requests?.["storage"];
  if (storage === undefined) at.entry("resources", "storage").required("");
  else if (signOf(storage) <= 0) at.entry("resources", "storage").invalid("", storage, "must be greater than zero");
}

function checkClass(name: string | undefined, at: Place, field: string): void {
  if (name) at.each(field, name, nameRules.dnsSubdomain(name, false));
}

function checkSources({ dataSource, dataSourceRef }: PersistentVolumeClaimSpec, at: Place): void {
  if (dataSource !== undefined) checkSource(dataSource, at.child("dataSource"));
  if (dataSourceRef !== undefined) checkSource(dataSourceRef, at.child("dataSourceRef"));
  if (dataSource === undefined || dataSourceRef === undefined) return;
  if (dataSourceRef.namespace) {
    at.invalid("", "dataSource", "may not be specified when dataSourceRef.namespace is specified");
  } else if (!isSameSource(dataSource, dataSourceRef)) at.invalid("", "dataSource", "must match dataSourceRef");
}

interface Source {
  readonly apiGroup?: string | null;
  readonly kind: string;
  readonly name: string;
}

function isSameSource(a: Source, b: Source): boolean {
  return a.apiGroup === b.apiGroup && a.kind === b.kind && a.name === b.name;
}

function checkSource({ apiGroup, kind, name }: Source, at: Place): void {
  if (name === "") at.required("name");
  if (kind === "") at.required("kind");
  if (apiGroup) at.each("apiGroup", apiGroup, nameRules.dnsSubdomain(apiGroup, false));
  else if (kind !== "PersistentVolumeClaim") {
    at.invalid("", kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
  }
}

/** A claim inside a volume: labels and annotations are all its metadata may hold. */
export function checkClaimTemplate({ metadata, spec }: PersistentVolumeClaimTemplate, at: Place): void {
  const meta = at.child("metadata");
  checkAnnotations(metadata.annotations ?? {}, meta.path.child("annotations"), at.errors);
  checkLabels(metadata.labels ?? {}, meta.path.child("labels"), at.errors);
  for (const [field, value] of Object.entries(metadata)) {
    if (field === "annotations" || field === "labels" || value === null) continue;
    meta.forbidden(field, "cannot be set for a generic ephemeral volume");
  }
  checkClaimSpec(spec, at.child("spec"));
}
