/** ServiceCIDR. Source: k8s.io/kubernetes/pkg/registry/networking/servicecidr, pkg/apis/networking/validation */
import { maskNetwork, parseNetwork, spellNetwork } from "@atoll/machinery/cel/ip-address";
import { deepEqual } from "@atoll/machinery/equal";
import { type FieldErrors, Path } from "@atoll/machinery/field";
import type { ServiceCIDR } from "../builtin/networking.k8s.io/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";

const cidrsMax = 2;

/** The rules of ServiceCIDRs. */
export const serviceCidr: Strategy<ServiceCIDR> = {
  revalidatesMetadata: true,
  prepareForCreate(object) {
    object.status = {};
  },
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
  },
  validate: check,
  validateUpdate(object, old, errors) {
    const now = object.spec.cidrs ?? [];
    const before = old.spec.cidrs ?? [];
    // One family may become two, nothing else may change.
    if (before.length === 1 && now.length === cidrsMax && now[0] === before[0]) check(object, errors);
    else if (!deepEqual(now, before)) errors.invalid(Path.of("spec", "cidrs"), now, "field is immutable");
  },
  table: {
    columns: [nameColumn, column("CIDRs", "The addresses it gives out."), ageColumn],
    cells: ({ metadata, spec }, nowMs) => [
      metadata.name ?? "",
      (spec.cidrs ?? []).join(","),
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};

function check({ spec: { cidrs = [] } }: ServiceCIDR, errors: FieldErrors): void {
  const at = new Place(errors, Path.of("spec"));
  if (cidrs.length === 0) return at.required("cidrs", "at least one CIDR required");
  if (cidrs.length > cidrsMax) return at.invalid("cidrs", cidrs, "may only hold up to 2 values");
  for (const [i, cidr] of cidrs.entries()) checkCidr(cidr, at.item("cidrs", i));
  const families = cidrs.map((cidr) => parseNetwork(cidr)?.address.bits);
  if (families[0] !== undefined && families[0] === families[1]) {
    const why = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";
    at.invalid("cidrs", cidrs, why);
  }
}

function checkCidr(cidr: string, at: Place): void {
  const network = parseNetwork(cidr);
  if (network === undefined) {
    at.invalid("", cidr, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
  } else if (spellNetwork(maskNetwork(network)) !== cidr) {
    at.invalid("", cidr, `must be in canonical form (${JSON.stringify(spellNetwork(maskNetwork(network)))})`);
  }
}
