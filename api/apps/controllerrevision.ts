/** ControllerRevision. Source: k8s.io/kubernetes/pkg/registry/apps/controllerrevision, pkg/apis/apps/validation */
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import type { ControllerRevision } from "../builtin/apps/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";

/** The rules of ControllerRevisions: data that never changes. */
export const controllerRevision: Strategy<ControllerRevision> = {
  revalidatesMetadata: true,
  validate: check,
  validateUpdate(object, old, errors) {
    check(object, errors);
    if (!deepEqual(object.data, old.data)) errors.invalid(Path.of("data"), object.data, "field is immutable");
  },
  table: {
    columns: [
      nameColumn,
      column("Controller", "What the revision is of."),
      column("Revision", "Its number."),
      ageColumn,
    ],
    cells: ({ metadata, revision }, nowMs) => [
      metadata.name ?? "",
      controllerOf(metadata.ownerReferences),
      revision,
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};

function controllerOf(owners: ControllerRevision["metadata"]["ownerReferences"]): string {
  const owner = owners?.find(({ controller }) => controller === true);
  if (owner === undefined) return "<none>";
  const [group = ""] = owner.apiVersion.includes("/") ? owner.apiVersion.split("/") : [];
  const kind = owner.kind.toLowerCase();
  return `${group === "" ? kind : `${kind}.${group}`}/${owner.name}`;
}

function check({ data, revision }: ControllerRevision, errors: FieldErrors): void {
  const at = new Place(errors, Path.root);
  if (typeof data !== "object" || data === null || Array.isArray(data)) at.required("data", "data is mandatory");
  at.nonNegative("revision", revision);
}
