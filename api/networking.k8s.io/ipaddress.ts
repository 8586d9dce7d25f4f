/** IPAddress. Source: k8s.io/kubernetes/pkg/registry/networking/ipaddress, pkg/apis/networking/validation (ValidateIPAddress) */
import { parseIp, spellIp } from "@atoll/machinery/cel/ip-address";
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import { dns1123SubdomainErrors, pathSegmentErrors } from "@atoll/machinery/names";
import type { IPAddress, ParentReference } from "../builtin/networking.k8s.io/v1.types.ts";
import { age, column, nameColumn } from "../cells.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";

const parentRef = Path.of("spec", "parentRef");

/** The rules of IPAddresses. Their name is the address. */
export const ipAddress: Strategy<IPAddress> = {
  revalidatesMetadata: true,
  nameErrors(name) {
    const address = parseIp(name);
    if (address === undefined) return ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"];
    return spellIp(address) === name ? [] : [`must be in canonical form (${JSON.stringify(spellIp(address))})`];
  },
  validate: check,
  validateUpdate(object, old, errors) {
    check(object, errors);
    if (!deepEqual(object.spec.parentRef, old.spec.parentRef)) {
      errors.invalid(parentRef, object.spec.parentRef ?? null, "field is immutable");
    }
  },
  table: {
    // The row ends with an age that no column names, as upstream's does.
    columns: [nameColumn, column("ParentRef", "What it belongs to.")],
    cells: ({ metadata, spec }, nowMs) => [
      metadata.name ?? "",
      parentCell(spec.parentRef),
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};

function parentCell(parent: ParentReference | undefined): string {
  if (parent === undefined) return "<none>";
  const { group = "", resource = "", namespace = "", name = "" } = parent;
  const what = group === "" ? resource : `${resource}.${group}`;
  return namespace === "" ? `${what}/${name}` : `${what}/${namespace}/${name}`;
}

function check({ spec }: IPAddress, errors: FieldErrors): void {
  const at = new Place(errors, parentRef);
  if (spec.parentRef === undefined) return at.required("");
  const { group = "", resource = "", namespace = "", name = "" } = spec.parentRef;
  if (group !== "") at.each("group", group, dns1123SubdomainErrors(group));
  for (const [field, value] of Object.entries({ resource, name })) {
    if (value === "") at.required(field);
    else at.each(field, value, pathSegmentErrors(value, false));
  }
  if (namespace !== "") at.each("namespace", namespace, pathSegmentErrors(namespace, false));
}
