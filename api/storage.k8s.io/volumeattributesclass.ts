/** VolumeAttributesClass. Source: k8s.io/kubernetes/pkg/registry/storage/volumeattributesclass, pkg/apis/storage/validation */
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { qualifiedNameErrors } from "@atoll/machinery/names";
import type { VolumeAttributesClass } from "../builtin/storage.k8s.io/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";
import { checkParameters } from "./storageclass.ts";

/** The rules of VolumeAttributesClasses. */
export const volumeAttributesClass: Strategy<VolumeAttributesClass> = {
  revalidatesMetadata: true,
  validate: check,
  validateUpdate(object, old, errors) {
    check(object, errors);
    if (object.driverName !== old.driverName) {
      errors.forbidden(Path.of("driverName"), "updates to driverName are forbidden.");
    }
    if (!deepEqual(object.parameters ?? {}, old.parameters ?? {})) {
      errors.forbidden(Path.of("parameters"), "updates to parameters are forbidden.");
    }
  },
  table: {
    columns: [nameColumn, column("DriverName", "The driver whose volumes it is for."), ageColumn],
    cells: ({ metadata, driverName }, nowMs) => [
      metadata.name ?? "",
      driverName,
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};

function check({ driverName, parameters = {} }: VolumeAttributesClass, errors: FieldErrors): void {
  const at = new Place(errors, Path.root);
  if (driverName === "") at.required("driverName");
  else at.each("driverName", driverName, qualifiedNameErrors(driverName.toLowerCase()));
  if (Object.keys(parameters).length === 0) at.required("parameters", "must contain at least one key/value pair");
  checkParameters(parameters, at);
}
