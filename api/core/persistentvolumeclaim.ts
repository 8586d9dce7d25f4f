/** PersistentVolumeClaim. Source: k8s.io/kubernetes/pkg/registry/core/persistentvolumeclaim, pkg/apis/core/validation */
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import type { PersistentVolumeClaim } from "../builtin/core/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import type { Strategy } from "../kind.ts";
import { checkClaimSpec } from "./podspec/claimspec.ts";
import { compareAmounts, Place } from "./podspec/place.ts";
import { claimAccessCell } from "./volumecells.ts";

const spec = Path.of("spec");

/** The rules of PersistentVolumeClaims. */
export const persistentVolumeClaim: Strategy<PersistentVolumeClaim> = {
  revalidatesMetadata: true,
  setDefaults(claim) {
    claim.status ??= {};
    claim.status.phase ||= "Pending";
    claim.spec.volumeMode ??= "Filesystem";
  },
  prepareForCreate(claim) {
    claim.status = { phase: "Pending" };
    normalizeSources(claim);
  },
  prepareForUpdate(claim, old) {
    claim.status = structuredClone(old.status);
    normalizeSources(claim);
  },
  validate: (claim, errors) => checkClaimSpec(claim.spec, new Place(errors, spec)),
  validateUpdate(claim, old, errors) {
    checkClaimSpec(claim.spec, new Place(errors, spec));
    checkUpdate(claim, old, errors);
  },
  table: {
    columns: [
      nameColumn,
      column("Status", "Pending, Bound or Lost."),
      column("Volume", "The volume it is bound to."),
      column("Capacity", "How much it holds."),
      column("Access Modes", "How it may be mounted."),
      column("StorageClass", "The class of its volume."),
      column("VolumeAttributesClass", "The class of its volume's attributes."),
      ageColumn,
      column("VolumeMode", "Whether it is a file system or a device.", 1),
    ],
    cells: (claim, nowMs) => [
      claim.metadata.name ?? "",
      claim.metadata.deletionTimestamp === undefined ? (claim.status.phase ?? "") : "Terminating",
      claim.spec.volumeName ?? "",
      claimAccessCell(claim).capacity,
      claimAccessCell(claim).modes,
      claim.spec.storageClassName ?? "",
      claim.spec.volumeAttributesClassName ?? "<unset>",
      age(claim.metadata.creationTimestamp, nowMs),
      claim.spec.volumeMode ?? "<unset>",
    ],
  },
};

/** The old and the new field for a source say the same. Source: NormalizeDataSources */
function normalizeSources({ spec: claim }: PersistentVolumeClaim): void {
  if (claim.dataSource !== undefined && claim.dataSourceRef === undefined) {
    const { apiGroup, kind, name } = claim.dataSource;
    claim.dataSourceRef = { apiGroup: apiGroup ?? null, kind, name };
  } else if (claim.dataSourceRef !== undefined && claim.dataSource === undefined && !claim.dataSourceRef.namespace) {
    const { apiGroup, kind, name } = claim.dataSourceRef;
    claim.dataSource = { apiGroup: apiGroup ?? null, kind, name };
  }
}

/** Source: ValidatePersistentVolumeClaimUpdate */
function checkUpdate(claim: PersistentVolumeClaim, old: PersistentVolumeClaim, errors: FieldErrors): void {
  const now = structuredClone(claim.spec);
  const was = structuredClone(old.spec);
  // The controller that binds it says which volume it gets.
  if (!old.spec.volumeName) was.volumeName = now.volumeName ?? "";
  was.volumeName ??= "";
  now.volumeName ??= "";
  const storage = claim.spec.resources.requests?.["storage"] ?? "0";
  const before = old.spec.resources.requests?.["storage"] ?? "0";
  if (claim.status.phase === "Bound") {
    if (now.resources.requests !== undefined) now.resources.requests["storage"] = before;
    delete now.volumeAttributesClassName;
    delete was.volumeAttributesClassName;
  }
  if (!deepEqual(now, was)) {
    const why =
      "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
    errors.forbidden(spec, why);
  }
  const floor = old.status.capacity?.["storage"] ?? "0";
  if (compareAmounts(storage, before) < 0 && compareAmounts(storage, floor) <= 0) {
    const at = spec.child("resources").child("requests").child("storage");
    errors.forbidden(at, "field can not be less than status.capacity");
  }
  if (claim.spec.volumeMode !== old.spec.volumeMode) {
    errors.invalid(Path.of("volumeMode"), claim.spec.volumeMode ?? null, "field is immutable");
  }
}
