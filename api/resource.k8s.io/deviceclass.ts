/** DeviceClass. Source: k8s.io/kubernetes/pkg/registry/resource/deviceclass, pkg/apis/resource/validation */
import { Path } from "@atoll/machinery/field";
import type { DeviceClass } from "../builtin/resource.k8s.io/v1.types.ts";
import { Place } from "../core/podspec/place.ts";
import { age, ageColumn, nameColumn } from "../cells.ts";
import type { Strategy } from "../kind.ts";
import { checkOpaque } from "./claim-rules.ts";
import { checkSelectors } from "./selectors.ts";

/** The rules of DeviceClasses. */
export const deviceClass: Strategy<DeviceClass> = {
  generation: true,
  validate({ spec }, errors) {
    const at = new Place(errors, Path.of("spec"));
    checkSelectors(spec.selectors, at);
    for (const [i, { opaque }] of (spec.config ?? []).entries()) checkOpaque(opaque, at.item("config", i));
  },
  validateUpdate: (object, _, errors) => deviceClass.validate?.(object, errors),
  table: {
    columns: [nameColumn, ageColumn],
    cells: ({ metadata }, nowMs) => [metadata.name ?? "", age(metadata.creationTimestamp, nowMs)],
  },
};
