/** StorageClass. Source: k8s.io/kubernetes/pkg/registry/storage/storageclass, pkg/apis/storage/validation */
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { qualifiedNameErrors } from "@atoll/machinery/names";
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
    for (const field of ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"] as const) {
      if (deepEqual(object[field] ?? {}, old[field] ?? {})) continue;
      errors.invalid(Path.of(field), object[field] ?? null, "field is immutable");
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
  if (volumeBindingMode === undefined) at.required("volumeBindingMode");
  else if (!bindingModes.includes(volumeBindingMode)) {
    at.notSupported("volumeBindingMode", volumeBindingMode, bindingModes);
  }
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
    if (seen.has(value)) term.item("values", i).duplicate("", value);
    seen.add(value);
  }
}

/** No two terms say the same. Upstream compares with as many empty terms as there are terms, too, so an empty one never passes. */
function checkTopologies({ allowedTopologies }: StorageClass, at: Place): void {
  const terms = allowedTopologies ?? [];
  const before = terms.map(() => "[]");
  for (const [i, { matchLabelExpressions = [] }] of terms.entries()) {
    const here = at.item("allowedTopologies", i);
    const spelled = JSON.stringify(
      matchLabelExpressions.map(({ key, values }) => [key, ...(values ?? []).toSorted()].join("\n")).toSorted(),
    );
    for (const other of before) if (other === spelled) here.duplicate("matchLabelExpressions", "");
    before.push(spelled);
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
