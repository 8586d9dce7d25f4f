/**
 * The rules of CustomResourceDefinition.
 * Source: k8s.io/apiextensions-apiserver/pkg/registry/customresourcedefinition/strategy.go,
 * pkg/apis/apiextensions/{v1/defaults.go,validation/validation.go}
 */
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { isKnownFormat } from "@atoll/machinery/schema/structural/formats/formats";
import { partsOf, type RawSchema } from "@atoll/machinery/schema/structural/raw";
import type {
  CustomResourceConversion,
  CustomResourceDefinitionStatus,
} from "../builtin/apiextensions.k8s.io/v1.types.ts";
import type { Strategy } from "../kind.ts";
import { type CustomResourceDefinition, type Definition, definitionOf, hasCondition, schemasOf } from "./definition.ts";
import { needsApproval, validateApproval, validateNames } from "./names.ts";
import { leniencyOf, SpecRules, strict } from "./spec-rules.ts";

/** Keeps a definition until its instances are gone. */
export const cleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

const specPath = Path.of("spec");
const statusPath = Path.of("status");

function setDefaults(object: CustomResourceDefinition): void {
  const { spec } = object;
  const { names } = spec;
  if ((names.singular ?? "") === "") names.singular = names.kind.toLowerCase();
  if (names.singular === "") delete names.singular;
  if ((names.listKind ?? "") === "" && names.kind !== "") names.listKind = `${names.kind}List`;
  spec.conversion ??= { strategy: "None" };
  defaultConversion(spec.conversion);
  if ((object.status.storedVersions ?? []).length === 0) keepStorageVersion(object);
}

/** A webhook that says nothing is none. */
function defaultConversion(conversion: CustomResourceConversion): void {
  const { webhook } = conversion;
  if (webhook?.clientConfig === undefined && (webhook?.conversionReviewVersions ?? null) === null) {
    delete conversion.webhook;
  }
  const service = webhook?.clientConfig?.service;
  if (service !== undefined) service.port ??= 443;
}

/** What is stored may be in the storage version from now on. */
function keepStorageVersion({ spec, status }: CustomResourceDefinition): void {
  const storage = (spec.versions ?? []).find((version) => version?.storage === true)?.name;
  const stored = status.storedVersions ?? [];
  if (storage !== undefined && !stored.includes(storage)) status.storedVersions = [...stored, storage];
}

function emptyStatus(): CustomResourceDefinitionStatus {
  return { conditions: null, acceptedNames: { plural: "", kind: "" }, storedVersions: null };
}

function validateStatus({ status }: CustomResourceDefinition, errors: FieldErrors): void {
  validateNames(status.acceptedNames, statusPath.child("acceptedNames"), errors);
}

/** Versions that objects may be stored in must stay. */
function validateStoredVersions({ spec, status }: CustomResourceDefinition, errors: FieldErrors): void {
  const at = statusPath.child("storedVersions");
  const stored = status.storedVersions ?? [];
  if (stored.length === 0) {
    errors.invalid(at, stored, "must have at least one stored version");
    return;
  }
  const left = new Set(stored);
  for (const version of spec.versions ?? []) {
    // A name that comes twice is found once.
    const found = left.delete(version?.name ?? "");
    if (version?.storage === true && !found) {
      errors.invalid(at, stored, `must have the storage version ${version.name}`);
    }
  }
  for (const [i, name] of stored.entries()) {
    if (!left.has(name) || stored.lastIndexOf(name) > i) continue;
    const why = `${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    errors.invalid(at.index(i), name, `missing from spec.versions; ${why}`);
  }
}

function validatePreserve(
  object: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
  errors: FieldErrors,
) {
  if (old?.spec.preserveUnknownFields === true || object.spec.preserveUnknownFields !== true) return;
  const detail =
    "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
  errors.invalid(specPath.child("preserveUnknownFields"), true, detail);
}

/** The name says what the definition is of. */
function validateName({ metadata, spec }: CustomResourceDefinition, errors: FieldErrors): void {
  const wanted = `${spec.names.plural}.${spec.group}`;
  for (const field of ["generateName", "name"] as const) {
    const given = metadata[field] ?? "";
    if (given === "" || given === wanted) continue;
    errors.invalid(Path.of("metadata", field), given, 'must be spec.names.plural+"."+spec.group');
  }
}

/** What create and update check alike, after the spec. */
function validateRest(
  object: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
  errors: FieldErrors,
): void {
  validateStatus(object, errors);
  validateStoredVersions(object, errors);
  if (needsApproval(object.spec.group)) {
    const before = old === undefined ? undefined : { annotations: old.metadata.annotations };
    validateApproval(object.metadata.annotations, before, errors);
  }
  validatePreserve(object, old, errors);
}

function validate(object: CustomResourceDefinition, errors: FieldErrors): void {
  validateName(object, errors);
  new SpecRules(definitionOf(object), strict, { at: specPath, errors }).validate();
  validateRest(object, undefined, errors);
}

function validateUpdate(object: CustomResourceDefinition, old: CustomResourceDefinition, errors: FieldErrors): void {
  const definition = definitionOf(object);
  const before = definitionOf(old);
  const established = hasCondition(old.status, "Established");
  const lenient = leniencyOf(definition, before, established, specPath);
  new SpecRules(definition, lenient, { at: specPath, errors }).validate();
  validateSame(definition, before, established, errors);
  validateRest(object, old, errors);
}

function validateSame(now: Definition, old: Definition, established: boolean, errors: FieldErrors): void {
  const same = (at: Path, value: string, before: string) => {
    if (value !== before) errors.invalid(at, value, "field is immutable");
  };
  if (established) {
    same(specPath.child("scope"), now.scope, old.scope);
    same(specPath.child("names").child("kind"), now.names.kind, old.names.kind);
  }
  same(specPath.child("group"), now.group, old.group);
  same(specPath.child("names").child("plural"), now.names.plural, old.names.plural);
}

/** Formats that mean nothing, in the order of the schemas. */
function unknownFormats(object: CustomResourceDefinition): string[] {
  return schemasOf(definitionOf(object)).flatMap(({ schema }) => unknownFormatsOf(schema));
}

function unknownFormatsOf(schema: RawSchema): string[] {
  const { format = "", type = "" } = schema;
  const own = format === "" || isKnownFormat(format, type) ? [] : [format];
  return [...own, ...[...partsOf(schema)].flatMap(({ part }) => unknownFormatsOf(part))];
}

function warnings(object: CustomResourceDefinition, old: CustomResourceDefinition | undefined): readonly string[] {
  const before = new Set(old === undefined ? [] : unknownFormats(old));
  const found = unknownFormats(object).filter((format) => !before.has(format));
  return found.map((format) => `unrecognized format ${JSON.stringify(format)}`);
}

/** A definition that is deleted stays until its instances are gone. Source: REST.Delete */
function keepUntilClean(object: CustomResourceDefinition, now: string): void {
  if (hasCondition(object.status, "Terminating")) return;
  const finalizers = object.metadata.finalizers ?? [];
  object.metadata.finalizers = [...finalizers.filter((name) => name !== cleanupFinalizer), cleanupFinalizer];
  const others = (object.status.conditions ?? []).filter(({ type }) => type !== "Terminating");
  object.status.conditions = [
    ...others,
    {
      type: "Terminating",
      status: "True",
      lastTransitionTime: now,
      reason: "InstanceDeletionPending",
      message: "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
    },
  ];
}

/** In what CustomResourceDefinition differs from other kinds. */
export const customResourceDefinition: Strategy<CustomResourceDefinition> = {
  generation: true,
  setDefaults,
  prepareForCreate(object) {
    object.status = emptyStatus();
    keepStorageVersion(object);
  },
  validate,
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
    keepStorageVersion(object);
  },
  validateUpdate,
  specChanged: (object, old) => !deepEqual(object.spec, old.spec),
  warnings,
  needsResourceVersion: true,
  holdsDeletion: ({ metadata }) => metadata.deletionTimestamp === undefined,
  beginDeletion(object, { now }) {
    keepUntilClean(object, now);
  },
  status: {
    prepareForUpdate(object, old) {
      object.spec = structuredClone(old.spec);
    },
    validateUpdate: (object, _old, errors) => validateStatus(object, errors),
  },
};
