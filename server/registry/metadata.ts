/**
 * The metadata rules that all kinds share, on create and update.
 * Source: k8s.io/apiserver/pkg/registry/rest/{create,update,meta}.go, k8s.io/apimachinery/pkg/api/validation/objectmeta.go
 */
import { randomInt, randomUUID } from "node:crypto";
import type { Kind } from "@atoll/api/kind";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { dns1123LabelErrors, labelValueErrors, nameRules, qualifiedNameErrors } from "@atoll/machinery/names";
import type { ApiObject, ObjectMeta, OwnerReference } from "@atoll/machinery/object";

const at = Path.of("metadata");
const suffixLength = 5;
const suffixLetters = "bcdfghjklmnpqrstvwxz2456789";
const longestGeneratedName = 63;
const annotationsMaxBytes = 256 * 1024;

/** A new object's system fields: what the user may have put there is replaced. */
export function prepareMetadata(object: ApiObject, kind: Kind, now: string): void {
  const meta = object.metadata;
  delete meta.deletionTimestamp;
  delete meta.deletionGracePeriodSeconds;
  delete (meta as { selfLink?: string }).selfLink;
  meta.uid = randomUUID();
  meta.creationTimestamp = now;
  if (kind.strategy.generation === true) meta.generation = 1;
  if (!kind.namespaced) delete meta.namespace;
  if (meta.generateName !== undefined && meta.generateName !== "" && (meta.name ?? "") === "") {
    meta.name = generateName(meta.generateName);
  }
}

/** A name with a random ending; a long prefix is cut so that the whole fits a DNS label. */
export function generateName(prefix: string): string {
  const kept = prefix.slice(0, longestGeneratedName - suffixLength);
  let suffix = "";
  for (let i = 0; i < suffixLength; i++) suffix += suffixLetters[randomInt(suffixLetters.length)];
  return kept + suffix;
}

/** Rules for the metadata of a new object. */
export function validateMetadata(object: ApiObject, kind: Kind, errors: FieldErrors): void {
  const { metadata } = object;
  if (metadata.generateName) {
    for (const message of nameErrors(kind, metadata.generateName, true)) {
      errors.invalid(at.child("generateName"), metadata.generateName, message);
    }
  }
  if (!metadata.name) errors.required(at.child("name"), "name or generateName is required");
  else {
    for (const message of nameErrors(kind, metadata.name, false))
      errors.invalid(at.child("name"), metadata.name, message);
  }
  validateNamespaceField(metadata, kind, errors);
  validateCommon(metadata, errors);
}

function nameErrors(kind: Kind, name: string, prefix: boolean): readonly string[] {
  return (kind.strategy.nameErrors ?? nameRules.dnsSubdomain)(name, prefix);
}

function validateNamespaceField(metadata: ObjectMeta, kind: Kind, errors: FieldErrors): void {
  const path = at.child("namespace");
  if (!kind.namespaced) {
    if (metadata.namespace) errors.forbidden(path, "not allowed on this type");
  } else if (!metadata.namespace) errors.required(path);
  else for (const message of dns1123LabelErrors(metadata.namespace)) errors.invalid(path, metadata.namespace, message);
}

function validateCommon(metadata: ObjectMeta, errors: FieldErrors): void {
  if (metadata.generation !== undefined && metadata.generation < 0) {
    errors.invalid(at.child("generation"), metadata.generation, "must be greater than or equal to 0");
  }
  validateLabels(metadata.labels, at.child("labels"), errors);
  validateAnnotations(metadata.annotations, at.child("annotations"), errors);
  validateOwners(metadata.ownerReferences, errors);
  validateFinalizers(metadata.finalizers, errors);
  validateManagers(metadata, errors);
}

/** Labels: qualified keys, short values. Also used for the labels of templates. */
export function validateLabels(labels: Record<string, string> | undefined, path: Path, errors: FieldErrors): void {
  for (const [key, value] of Object.entries(labels ?? {})) {
    for (const message of qualifiedNameErrors(key)) errors.invalid(path, key, message);
    for (const message of labelValueErrors(value)) errors.invalid(path.key(key), value, message);
  }
}

/** Annotations: qualified keys in any case, 256 KiB in all. */
export function validateAnnotations(
  annotations: Record<string, string> | undefined,
  path: Path,
  errors: FieldErrors,
): void {
  let size = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    for (const message of qualifiedNameErrors(key.toLowerCase())) errors.invalid(path, key, message);
    size += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (size > annotationsMaxBytes) errors.tooLong(path, annotationsMaxBytes);
}

function validateOwners(owners: readonly OwnerReference[] | undefined, errors: FieldErrors): void {
  let controller: OwnerReference | undefined;
  const path = at.child("ownerReferences");
  for (const [i, owner] of (owners ?? []).entries()) {
    validateOwner(owner, path.index(i), errors);
    if (owner.controller !== true) continue;
    if (controller !== undefined) {
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${controller.kind}/${controller.name} and ${owner.kind}/${owner.name}`;
      errors.invalid(path, owners, detail);
    }
    controller = owner;
  }
}

function validateOwner(owner: OwnerReference, path: Path, errors: FieldErrors): void {
  const [group, version] = owner.apiVersion.includes("/") ? owner.apiVersion.split("/") : ["", owner.apiVersion];
  if (!version || owner.apiVersion.split("/").length > 2) {
    errors.invalid(path.child("apiVersion"), owner.apiVersion, "version must not be empty");
  }
  if (!owner.kind) errors.invalid(path.child("kind"), owner.kind, "must not be empty");
  if (!owner.name) errors.invalid(path.child("name"), owner.name, "must not be empty");
  if (!owner.uid) errors.invalid(path.child("uid"), owner.uid, "must not be empty");
  if ((group === "" || group === "events.k8s.io") && owner.kind === "Event") {
    errors.invalid(path, owner, `${owner.apiVersion}, Kind=Event is disallowed from being an owner`);
  }
}

const gcFinalizers = ["orphan", "foregroundDeletion"] as const;
const plainFinalizers: ReadonlySet<string> = new Set([...gcFinalizers, "kubernetes"]);

function validateFinalizers(finalizers: readonly string[] | undefined, errors: FieldErrors): void {
  const path = at.child("finalizers");
  for (const [i, finalizer] of (finalizers ?? []).entries()) {
    for (const message of qualifiedNameErrors(finalizer)) errors.invalid(path, finalizer, message);
    if (!finalizer.includes("/") && !plainFinalizers.has(finalizer) && qualifiedNameErrors(finalizer).length === 0) {
      errors.invalid(path.index(i), finalizer, "name is neither a standard finalizer name nor is it fully qualified");
    }
  }
  if (gcFinalizers.every((name) => finalizers?.includes(name) === true)) {
    errors.invalid(path, finalizers, `finalizer orphan and foregroundDeletion cannot be both set`);
  }
}

function validateManagers(metadata: ObjectMeta, errors: FieldErrors): void {
  for (const [i, entry] of (metadata.managedFields ?? []).entries()) {
    const path = at.child("managedFields").index(i);
    if (entry.operation !== "Apply" && entry.operation !== "Update") {
      errors.invalid(path.child("operation"), entry.operation, "must be `Apply` or `Update`");
    }
    if (entry.fieldsType !== undefined && entry.fieldsType !== "FieldsV1") {
      errors.invalid(path.child("fieldsType"), entry.fieldsType, "must be `FieldsV1`");
    }
    validateManagerName(entry.manager ?? "", path.child("manager"), errors);
  }
}

const managerMax = 128;

/** A field manager's name: printable, at most 128 bytes. */
export function validateManagerName(name: string, path: Path, errors: FieldErrors): void {
  if (name.length > managerMax) errors.tooLong(path, managerMax);
  if (/[\p{C}]/u.test(name)) errors.invalid(path, name, "should only contain printable characters");
}

/** An updated object's system fields: what users may not change is taken from the old object. */
export function carryMetadata(object: ApiObject, old: ApiObject, kind: Kind): void {
  const meta = object.metadata;
  if (!kind.namespaced) delete meta.namespace;
  if (old.metadata.generation === undefined) delete meta.generation;
  else meta.generation = old.metadata.generation;
  delete (meta as { selfLink?: string }).selfLink;
  if (old.metadata.deletionTimestamp !== undefined) {
    meta.deletionTimestamp = old.metadata.deletionTimestamp;
    if (old.metadata.deletionGracePeriodSeconds !== undefined) {
      meta.deletionGracePeriodSeconds ??= old.metadata.deletionGracePeriodSeconds;
    }
  }
  if (!meta.uid && old.metadata.uid !== undefined) meta.uid = old.metadata.uid;
  if (old.metadata.creationTimestamp !== undefined) meta.creationTimestamp = old.metadata.creationTimestamp;
}

const immutable = [
  "name",
  "namespace",
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
] as const;

/** Rules for metadata that changes. */
export function validateMetadataUpdate(object: ApiObject, old: ApiObject, errors: FieldErrors): void {
  const { metadata } = object;
  for (const field of immutable) {
    if (metadata[field] !== old.metadata[field]) {
      errors.invalid(at.child(field), metadata[field] ?? null, "field is immutable");
    }
  }
  if ((metadata.generation ?? 0) < (old.metadata.generation ?? 0)) {
    errors.invalid(at.child("generation"), metadata.generation, "must not be decremented");
  }
  validateNewFinalizers(metadata, old.metadata, errors);
  validateCommon(metadata, errors);
}

function validateNewFinalizers(meta: ObjectMeta, old: ObjectMeta, errors: FieldErrors): void {
  if (old.deletionTimestamp === undefined) return;
  const added = (meta.finalizers ?? []).filter((name) => !(old.finalizers ?? []).includes(name));
  if (added.length > 0) {
    errors.forbidden(
      at.child("finalizers"),
      `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((name) => JSON.stringify(name)).join(", ")}}`,
    );
  }
}
