/** EndpointSlice. Source: k8s.io/kubernetes/pkg/registry/discovery/endpointslice, pkg/apis/discovery/validation */
import { type FieldErrors, Path } from "@atoll/machinery/field";
import {
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  labelValueErrors,
  qualifiedNameErrors,
} from "@atoll/machinery/names";
import { portNumberErrors } from "@atoll/machinery/names";
import { checkLabels } from "@atoll/machinery/objectmeta";
import type { Endpoint, EndpointSlice } from "../builtin/discovery.k8s.io/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import { checkAddress, checkEndpointAddress, familyOf } from "../core/addresses.ts";
import { Place } from "../core/podspec/place.ts";
import type { Strategy } from "../kind.ts";

const addressTypes = ["FQDN", "IPv4", "IPv6"];
const protocols = ["SCTP", "TCP", "UDP"];
const addressesMax = 100;
const endpointsMax = 1000;
const portsMax = 20_000;
const zonesMax = 8;
const shownMax = 3;

/** The rules of EndpointSlices. */
export const endpointSlice: Strategy<EndpointSlice> = {
  generation: true,
  revalidatesMetadata: true,
  setDefaults({ ports }) {
    for (const port of ports ?? []) {
      port.name ??= "";
      port.protocol ??= "TCP";
    }
  },
  validate: (slice, errors) => check(slice, errors, new Set()),
  validateUpdate(slice, old, errors) {
    check(slice, errors, new Set((old.endpoints ?? []).flatMap(({ addresses }) => addresses ?? [])));
    if (slice.addressType !== old.addressType) {
      errors.invalid(Path.of("addressType"), slice.addressType, "field is immutable");
    }
  },
  warnings: ({ addressType, endpoints }) =>
    addressType === "FQDN" && (endpoints ?? []).length > 0 ? ["addressType: FQDN endpoints are deprecated"] : [],
  table: {
    columns: [
      nameColumn,
      column("AddressType", "IPv4, IPv6 or FQDN."),
      column("Ports", "The ports its endpoints listen on."),
      column("Endpoints", "The addresses it holds."),
      ageColumn,
    ],
    cells: ({ metadata, addressType, ports, endpoints }, nowMs) => [
      metadata.name ?? "",
      addressType,
      listCell(
        (ports ?? []).map(({ name, port }) => String(port ?? name ?? "*")),
        "<unset>",
      ),
      listCell(
        (endpoints ?? []).flatMap(({ addresses }) => addresses ?? []),
        "<unset>",
      ),
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};

function listCell(items: readonly string[], empty: string): string {
  if (items.length === 0) return empty;
  const more = items.length > shownMax ? ` + ${items.length - shownMax} more...` : "";
  return items.slice(0, shownMax).join(",") + more;
}

function check(slice: EndpointSlice, errors: FieldErrors, known: ReadonlySet<string>): void {
  const at = new Place(errors, Path.root);
  at.oneOf("addressType", slice.addressType, addressTypes);
  const endpoints = slice.endpoints ?? [];
  if (endpoints.length > endpointsMax) errors.tooMany(Path.of("endpoints"), endpoints.length, endpointsMax);
  else {
    for (const [i, endpoint] of endpoints.entries()) {
      checkEndpoint(endpoint, { type: slice.addressType, known }, at.item("endpoints", i));
    }
  }
  checkPorts(slice.ports ?? [], at);
}

interface AddressRules {
  readonly type: string;
  /** Addresses of the old slice. */
  readonly known: ReadonlySet<string>;
}

function checkEndpoint(endpoint: Endpoint, rules: AddressRules, at: Place): void {
  const addresses = endpoint.addresses ?? [];
  if (addresses.length === 0) at.required("addresses", "must contain at least 1 address");
  if (addresses.length > addressesMax) at.errors.tooMany(at.path.child("addresses"), addresses.length, addressesMax);
  else for (const [i, address] of addresses.entries()) checkTyped(address, i, { rules, at });
  const { nodeName, zone, hostname, deprecatedTopology, hints } = endpoint;
  if (deprecatedTopology !== undefined) checkLabels(deprecatedTopology, at.path.child("deprecatedTopology"), at.errors);
  if (nodeName !== undefined) at.each("nodeName", nodeName, dns1123SubdomainErrors(nodeName));
  if (zone !== undefined) at.each("zone", zone, labelValueErrors(zone));
  if (hostname !== undefined) at.each("hostname", hostname, dns1123LabelErrors(hostname));
  const seen = new Set<string>();
  const zones = hints?.forZones ?? [];
  const here = at.child("hints");
  if (zones.length > zonesMax) here.errors.tooMany(here.path.child("forZones"), zones.length, zonesMax);
  for (const [i, { name }] of zones.entries()) {
    if (seen.has(name)) here.item("forZones", i).duplicate("name", name);
    seen.add(name);
    here.item("forZones", i).each("name", name, labelValueErrors(name));
  }
  for (const [i, { name }] of (hints?.forNodes ?? []).entries()) {
    here.item("forNodes", i).each("name", name, dns1123SubdomainErrors(name));
  }
}

function checkTyped(address: string, i: number, { rules, at }: { rules: AddressRules; at: Place }): void {
  const { type, known } = rules;
  const here = at.item("addresses", i);
  if (type === "FQDN") here.each("", address, dns1123SubdomainErrors(address));
  if (type !== "IPv4" && type !== "IPv6") return;
  if (!checkAddress(address, here, known)) return;
  if (familyOf(address) !== type) at.invalid("addresses", address, `must be an ${type} address`);
  else checkEndpointAddress(address, here);
}

function checkPorts(ports: NonNullable<EndpointSlice["ports"]>, at: Place): void {
  if (ports.length > portsMax) at.errors.tooMany(Path.of("ports"), ports.length, portsMax);
  const names = new Set<string>();
  for (const [i, { name = "", protocol, port, appProtocol }] of ports.entries()) {
    const here = at.item("ports", i);
    if (name !== "") here.each("name", name, dns1123LabelErrors(name));
    if (names.has(name)) here.duplicate("name", name);
    names.add(name);
    if (protocol === undefined) here.required("protocol");
    else if (!protocols.includes(protocol)) here.notSupported("protocol", protocol, protocols);
    if (port !== undefined) here.each("port", port, portNumberErrors(port));
    if (appProtocol !== undefined) here.each("appProtocol", appProtocol, qualifiedNameErrors(appProtocol));
  }
}
