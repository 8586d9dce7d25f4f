/**
 * The rules of metadata that hold for every object, wherever it stands: at the root, in a template, embedded in a
 * custom resource. Names and namespaces are their kind's affair and are checked elsewhere.
 * Source: k8s.io/apimachinery/pkg/api/validation/objectmeta.go, pkg/apis/meta/v1/validation
 */
import type { FieldErrors, Path } from "./field.ts";
import { labelValueErrors, qualifiedNameErrors } from "./names.ts";
import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from "./object.ts";

const annotationsMaxBytes = 256 * 1024;
const managerMax = 128;
const subresourceMax = 256;
const utf8 = new TextEncoder();

/** Generation, labels, annotations, owners, finalizers and field managers. */
export function validateObjectMeta(meta: ObjectMeta, at: Path, errors: FieldErrors): void {
  if (meta.generation !== undefined && meta.generation < 0) {
    errors.invalid(at.child("generation"), meta.generation, "must be greater than or equal to 0");
  }
  checkLabels(meta.labels ?? {}, at.child("labels"), errors);
  checkAnnotations(meta.annotations ?? {}, at.child("annotations"), errors);
  checkOwners(meta.ownerReferences ?? [], at.child("ownerReferences"), errors);
  checkFinalizers(meta.finalizers ?? [], at.child("finalizers"), errors);
  for (const [i, entry] of (meta.managedFields ?? []).entries()) {
    checkManager(entry, at.child("managedFields").index(i), errors);
  }
}

/** Labels: qualified keys, short values. */
export function checkLabels(labels: Readonly<Record<string, string>>, at: Path, errors: FieldErrors): void {
  for (const [key, value] of Object.entries(labels)) {
    for (const message of qualifiedNameErrors(key)) errors.invalid(at, key, message);
    for (const message of labelValueErrors(value)) errors.invalid(at, value, message);
  }
}

/** Annotations: qualified keys in any case, 256 KiB in all. */
export function checkAnnotations(annotations: Readonly<Record<string, string>>, at: Path, errors: FieldErrors): void {
  let size = 0;
  for (const [key, value] of Object.entries(annotations)) {
    for (const message of qualifiedNameErrors(key.toLowerCase())) errors.invalid(at, key, message);
    size += utf8.encode(key).length + utf8.encode(value).length;
  }
  if (size > annotationsMaxBytes) errors.tooLong(at, annotationsMaxBytes);
}

function checkOwners(owners: readonly OwnerReference[], at: Path, errors: FieldErrors): void {
  let controller = "";
  for (const owner of owners) {
    checkOwner(owner, at, errors);
    if (owner.controller !== true) continue;
    const name = `${owner.kind}/${owner.name}`;
    if (controller === "") controller = name;
    else {
      const found = `Found "true" in references for ${controller} and ${name}`;
      errors.invalid(at, owners, `Only one reference can have Controller set to true. ${found}`);
    }
  }
}

/** Errors are reported at the list, as upstream reports them. */
function checkOwner(owner: OwnerReference, at: Path, errors: FieldErrors): void {
  const parts = owner.apiVersion.split("/");
  const version = parts.length > 2 ? "" : parts[parts.length - 1];
  if (version === "") errors.invalid(at.child("apiVersion"), owner.apiVersion, "version must not be empty");
  for (const field of ["kind", "name", "uid"] as const) {
    if (owner[field] === "") errors.invalid(at.child(field), owner[field], "must not be empty");
  }
  if (owner.apiVersion === "v1" && owner.kind === "Event") {
    errors.invalid(at, owner, "/v1, Kind=Event is disallowed from being an owner");
  }
}

function checkFinalizers(finalizers: readonly string[], at: Path, errors: FieldErrors): void {
  for (const finalizer of finalizers) {
    for (const message of qualifiedNameErrors(finalizer)) errors.invalid(at, finalizer, message);
  }
  if (finalizers.includes("orphan") && finalizers.includes("foregroundDeletion")) {
    errors.invalid(at, finalizers, "finalizer orphan and foregroundDeletion cannot be both set");
  }
}

function checkManager(entry: ManagedFieldsEntry, at: Path, errors: FieldErrors): void {
  const { operation, fieldsType = "", manager = "", subresource = "" } = entry;
  if (operation !== "Apply" && operation !== "Update") {
    errors.invalid(at.child("operation"), operation ?? "", "must be `Apply` or `Update`");
  }
  if (fieldsType !== "" && fieldsType !== "FieldsV1") {
    errors.invalid(at.child("fieldsType"), fieldsType, "must be `FieldsV1`");
  }
  checkManagerName(manager, at.child("manager"), errors);
  if (subresource.length > subresourceMax) errors.tooLong(at.child("subresource"), subresourceMax);
}

/** A field manager's name: printable, at most 128 bytes. */
export function checkManagerName(name: string, at: Path, errors: FieldErrors): void {
  if (name.length > managerMax) errors.tooLong(at, managerMax);
  if (/\p{C}/u.test(name)) errors.invalid(at, name, "should only contain printable characters");
}
