/**
 * The metadata rules that all kinds share, on create and update.
 * Source: k8s.io/apiserver/pkg/registry/rest/{create,update,meta}.go, k8s.io/apimachinery/pkg/api/validation/objectmeta.go
 */
import { randomInt, randomUUID } from "node:crypto";
import type { Kind } from "@atoll/api/kind";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { dns1123LabelErrors, nameRules } from "@atoll/machinery/names";
import { validateObjectMeta } from "@atoll/machinery/objectmeta";
import type { ApiObject, ObjectMeta } from "@atoll/machinery/object";

const at = Path.of("metadata");
const suffixLength = 5;
const suffixLetters = "bcdfghjklmnpqrstvwxz2456789";
const longestGeneratedName = 63;

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
  validateObjectMeta(metadata, at, errors);
  checkCoreFinalizers(metadata, kind, errors);
}

// Groups that check finalizers by the general rule alone, as Events do.
const free: ReadonlySet<string> = new Set([
  "admissionregistration.k8s.io",
  "apiextensions.k8s.io",
  "apiregistration.k8s.io",
  "coordination.k8s.io",
  "events.k8s.io",
  "node.k8s.io",
  "policy",
]);
const standardFinalizers: ReadonlySet<string> = new Set(["kubernetes", "orphan", "foregroundDeletion"]);

/** Built-in kinds take only finalizers that are qualified or Kubernetes' own. Source: validateKubeFinalizerName */
function checkCoreFinalizers({ finalizers = [] }: ObjectMeta, kind: Kind, errors: FieldErrors): void {
  if (kind.custom === true || free.has(kind.group) || (kind.group === "" && kind.kind === "Event")) return;
  for (const [i, name] of finalizers.entries()) {
    if (name.includes("/") || standardFinalizers.has(name)) continue;
    const path = at.child("finalizers").index(i);
    errors.invalid(path, name, "name is neither a standard finalizer name nor is it fully qualified");
  }
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

/**
 * The same for a built-in kind. Upstream looks at metadata once for all kinds, again in each kind's rules for changes,
 * and in some kinds again in the rules for what is new, and reports what is wrong each time; here what is sound is
 * looked at once.
 */
export function validateBuiltinMetadataUpdate(
  object: ApiObject,
  old: ApiObject,
  { kind, errors }: { kind: Kind; errors: FieldErrors },
): void {
  const before = errors.list.length;
  validateMetadataUpdate(object, old, errors);
  checkCoreFinalizers(object.metadata, kind, errors);
  if (errors.list.length === before) return;
  const { finalizers: _, ...others } = object.metadata;
  validateMetadataUpdate({ ...object, metadata: others }, old, errors);
  validateNewFinalizers(object.metadata, old.metadata, errors);
  validateObjectMeta(others, at, errors);
  if (kind.strategy.revalidatesMetadata !== true) return;
  validateObjectMeta(object.metadata, at, errors);
  checkCoreFinalizers(object.metadata, kind, errors);
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
  validateObjectMeta(metadata, at, errors);
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
