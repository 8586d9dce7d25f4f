/** ResourceClaimTemplate. Source: k8s.io/kubernetes/pkg/registry/resource/resourceclaimtemplate */
import { deepEqual } from "@atoll/machinery/equal";
import { Path } from "@atoll/machinery/field";
import type { ResourceClaimTemplate } from "../builtin/resource.k8s.io/v1.types.ts";
import { age, ageColumn, nameColumn } from "../cells.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";
import { checkClaim, setClaimDefaults } from "./claim-rules.ts";

/** The rules of ResourceClaimTemplates: they never change. */
export const resourceClaimTemplate: Strategy<ResourceClaimTemplate> = {
  setDefaults: ({ spec }) => setClaimDefaults(spec.spec),
  validate: ({ spec }, errors) => checkClaim(spec.spec, new Place(errors, Path.of("spec", "spec"))),
  validateUpdate(object, old, errors) {
    if (!deepEqual(object.spec, old.spec)) errors.invalid(Path.of("spec"), object.spec, "field is immutable");
    resourceClaimTemplate.validate?.(object, errors);
  },
  table: {
    columns: [nameColumn, ageColumn],
    cells: ({ metadata }, nowMs) => [metadata.name ?? "", age(metadata.creationTimestamp, nowMs)],
  },
};
