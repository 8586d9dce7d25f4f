/** StorageClass. Source: k8s.io/kubernetes/pkg/registry/storage/storageclass, pkg/apis/storage/validation */
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { labelValueErrors, qualifiedNameErrors } from "@atoll/machinery/names";
import type { StorageClass } from "../builtin/storage.k8s.io/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";

const bindingModes = ["Immediate", "WaitForFirstConsumer"];
const reclaimPolicies = ["Delete", "Retain"];
const parametersMax = 512;
const parametersBytesMax = 256 * 1024;
/** The annotations that make a class the default. Source: pkg/apis/storage/util */
const defaultAnnotations = [
  "storageclass.kubernetes.io/is-default-class",
  "storageclass.beta.kubernetes.io/is-default-class",
];

/** The rules of StorageClasses. */
export const storageClass: Strategy<StorageClass> = {
  revalidatesMetadata: true,
  setDefaults(object) {
    object.reclaimPolicy ??= "Delete";
    object.volumeBindingMode ??= "Immediate";
  },
  validate: check,
  validateUpdate(object, old, errors) {
    check(object, errors);
    if (!deepEqual(object.parameters ?? {}, old.parameters ?? {})) {
      errors.forbidden(Path.of("parameters"), "updates to parameters are forbidden.");
    }
    if (object.provisioner !== old.provisioner) {
      errors.forbidden(Path.of("provisioner"), "updates to provisioner are forbidden.");
    }
    for (const field of ["reclaimPolicy", "volumeBindingMode"] as const) {
      if (object[field] === old[field]) continue;
      if (field === "reclaimPolicy") errors.forbidden(Path.of(field), "updates to reclaimPolicy are forbidden.");
      else errors.invalid(Path.of(field), object[field], "field is immutable");
    }
  },
  table: {
    columns: [
      nameColumn,
      column("Provisioner", "What makes its volumes."),
      column("ReclaimPolicy", "What becomes of a volume when its claim goes."),
      column("VolumeBindingMode", "When a claim gets its volume."),
      column("AllowVolumeExpansion", "Whether volumes may grow."),
      ageColumn,
    ],
    cells: ({ metadata, provisioner, reclaimPolicy, volumeBindingMode, allowVolumeExpansion }, nowMs) => [
      (metadata.name ?? "") + (isDefaultClass(metadata.annotations) ? " (default)" : ""),
      provisioner,
      reclaimPolicy ?? "Delete",
      volumeBindingMode ?? "<unset>",
      allowVolumeExpansion ?? false,
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};

/** Whether claims that name no class get this one. */
export function isDefaultClass(annotations: Readonly<Record<string, string>> | undefined): boolean {
  return defaultAnnotations.some((key) => annotations?.[key] === "true");
}

function check(object: StorageClass, errors: FieldErrors): void {
  const at = new Place(errors, Path.root);
  const { provisioner, reclaimPolicy, volumeBindingMode } = object;
  if (provisioner === "") at.required("provisioner");
  else at.each("provisioner", provisioner.toLowerCase(), qualifiedNameErrors(provisioner.toLowerCase()));
  checkParameters(object.parameters ?? {}, at);
  if (reclaimPolicy && !reclaimPolicies.includes(reclaimPolicy)) {
    at.notSupported("reclaimPolicy", reclaimPolicy, reclaimPolicies);
  }
  at.oneOf("volumeBindingMode", volumeBindingMode, bindingModes);
  checkTopologies(object, at);
}

/** Source: validateParameters */
export function checkParameters(parameters: Readonly<Record<string, string>>, at: Place): void {
  const entries = Object.entries(parameters);
  if (entries.length > parametersMax) at.tooLong("parameters", parametersMax);
  for (const [key] of entries) if (key === "") at.invalid("parameters", key, "field can not be empty.");
  const size = entries.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  if (size > parametersBytesMax) at.tooLong("parameters", parametersBytesMax);
}

function checkValues(values: readonly string[], term: Place): void {
  const seen = new Set<string>();
  for (const [i, value] of values.entries()) {
    term.item("values", i).each("", value, labelValueErrors(value));
    if (seen.has(value)) term.item("values", i).duplicate("", value);
    seen.add(value);
  }
}

function checkTopologies({ allowedTopologies }: StorageClass, at: Place): void {
  for (const [i, { matchLabelExpressions = [] }] of (allowedTopologies ?? []).entries()) {
    const here = at.item("allowedTopologies", i);
    const keys = new Set<string>();
    for (const [j, { key, values }] of matchLabelExpressions.entries()) {
      const term = here.item("matchLabelExpressions", j);
      if ((values ?? []).length === 0) term.required("values");
      checkValues(values ?? [], term);
      term.each("key", key, qualifiedNameErrors(key));
      if (keys.has(key)) term.duplicate("key", key);
      keys.add(key);
    }
  }
}
