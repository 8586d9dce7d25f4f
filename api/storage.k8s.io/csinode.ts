/** CSINode. Source: k8s.io/kubernetes/pkg/registry/storage/csinode, pkg/apis/storage/validation (ValidateCSINode) */
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { qualifiedNameErrors } from "@atoll/machinery/names";
import type { CSINode, CSINodeDriver } from "../builtin/storage.k8s.io/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { Place } from "../core/podspec/place.ts";
import { checkDriverName } from "../core/podspec/sources.ts";
import type { Strategy } from "../kind.ts";

const nodeIdMax = 256;

/** The rules of CSINodes. */
export const csiNode: Strategy<CSINode> = {
  validate: check,
  validateUpdate(object, old, errors) {
    check(object, errors);
    const drivers = object.spec.drivers ?? [];
    for (const before of old.spec.drivers ?? []) {
      const now = drivers.find(({ name }) => name === before.name);
      if (now === undefined || isSame(now, before)) continue;
      errors.invalid(Path.of("spec", "drivers"), drivers, "field is immutable");
    }
  },
  table: {
    columns: [nameColumn, { ...column("Drivers", "How many drivers are on the node."), type: "integer" }, ageColumn],
    cells: ({ metadata, spec }, nowMs) => [
      metadata.name ?? "",
      (spec.drivers ?? []).length,
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};

/** What a driver has room for may change, the rest of it may not. */
function isSame({ allocatable: _, ...now }: CSINodeDriver, { allocatable: __, ...old }: CSINodeDriver): boolean {
  return deepEqual(now, old);
}

function check({ spec }: CSINode, errors: FieldErrors): void {
  const at = new Place(errors, Path.of("spec"));
  const names = new Set<string>();
  for (const [i, driver] of (spec.drivers ?? []).entries()) {
    const here = at.item("drivers", i);
    checkDriver(driver, here);
    if (names.has(driver.name)) here.duplicate("name", driver.name);
    names.add(driver.name);
  }
}

function checkDriver({ name, nodeID, topologyKeys, allocatable }: CSINodeDriver, at: Place): void {
  checkDriverName(name, at, "name");
  if (nodeID === "") at.required("nodeID");
  else if (nodeID.length > nodeIdMax) at.invalid("nodeID", nodeID, `must be ${nodeIdMax} characters or less`);
  at.child("allocatable").nonNegative("count", allocatable?.count);
  const seen = new Set<string>();
  for (const key of topologyKeys ?? []) {
    if (key === "") at.required("");
    if (seen.has(key)) at.duplicate("", key);
    seen.add(key);
    at.each("", key, qualifiedNameErrors(key));
  }
}
