/** ResourceClaim. Source: k8s.io/kubernetes/pkg/registry/resource/resourceclaim, pkg/apis/resource/validation */
import { deepEqual } from "@atoll/machinery/equal";
import { Path } from "@atoll/machinery/field";
import type { ResourceClaim } from "../builtin/resource.k8s.io/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";
import { checkClaim, setClaimDefaults } from "./claim-rules.ts";

const maxConsumers = 256;

/** The rules of ResourceClaims: what is asked for does not change. */
export const resourceClaim: Strategy<ResourceClaim> = {
  setDefaults: ({ spec }) => setClaimDefaults(spec),
  prepareForCreate(object) {
    object.status = {};
  },
  validate: ({ spec }, errors) => checkClaim(spec, new Place(errors, Path.of("spec"))),
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
  },
  validateUpdate(object, old, errors) {
    if (!deepEqual(object.spec, old.spec)) errors.invalid(Path.of("spec"), object.spec, "field is immutable");
  },
  status: {
    validateUpdate: ({ status }, old, errors) => checkStatus(status, old, new Place(errors, Path.of("status"))),
  },
  table: {
    columns: [nameColumn, column("State", "Whether it is pending, allocated, reserved or being deleted."), ageColumn],
    cells: ({ metadata, status }, nowMs) => [
      metadata.name ?? "",
      stateCell(status, metadata.deletionTimestamp),
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};

/** Who uses a claim is told once each, and only of one that is allocated. */
function checkStatus({ allocation, reservedFor = [] }: ResourceClaim["status"], old: ResourceClaim, at: Place): void {
  if (reservedFor.length > maxConsumers) {
    at.errors.tooMany(at.path.child("reservedFor"), reservedFor.length, maxConsumers);
  }
  for (const [i, { resource, name, uid }] of reservedFor.entries()) {
    const place = at.item("reservedFor", i);
    if (resource === "") place.required("resource");
    if (name === "") place.required("name");
    if (uid === "") place.required("uid");
    if (reservedFor.findIndex((other) => other.uid === uid) < i) place.duplicate("uid", uid);
  }
  if (reservedFor.length > 0 && allocation === undefined) {
    at.forbidden("reservedFor", "may not be specified when `allocated` is not set");
  }
  const before = old.status.allocation;
  if (before !== undefined && allocation !== undefined && !deepEqual(before, allocation)) {
    at.invalid("allocation", allocation, "field is immutable");
  }
}

function stateCell({ allocation, reservedFor = [] }: ResourceClaim["status"], deletion: string | undefined): string {
  const states = [
    deletion !== undefined && "deleted",
    allocation === undefined ? deletion === undefined && "pending" : "allocated",
    reservedFor.length > 0 && "reserved",
  ];
  return states.filter((state) => state !== false).join(",");
}
