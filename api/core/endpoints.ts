/** Endpoints. Source: k8s.io/kubernetes/pkg/registry/core/endpoint, pkg/apis/core/validation (ValidateEndpointsCreate) */
import { type FieldErrors, Path } from "@atoll/machinery/field";
import {
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  portNumberErrors,
  qualifiedNameErrors,
} from "@atoll/machinery/names";
import type { EndpointAddress, EndpointPort, Endpoints } from "../builtin/core/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import type { Strategy } from "../kind.ts";
import { checkAddress, checkEndpointAddress } from "./addresses.ts";
import { Place } from "./podspec/place.ts";

const protocols = ["SCTP", "TCP", "UDP"];
const shownMax = 3;

/** The rules of Endpoints. */
export const endpoints: Strategy<Endpoints> = {
  createOnUpdate: true,
  setDefaults({ subsets }) {
    for (const { ports } of subsets ?? []) for (const port of ports ?? []) port.protocol ||= "TCP";
  },
  validate: (object, errors) => check(object, errors, new Set()),
  validateUpdate: (object, old, errors) => check(object, errors, addressesOf(old)),
  table: {
    columns: [nameColumn, column("Endpoints", "Where the service is reached."), ageColumn],
    cells: (object, nowMs) => [
      object.metadata.name ?? "",
      endpointsCell(object),
      age(object.metadata.creationTimestamp, nowMs),
    ],
  },
};

function endpointsCell({ subsets = [] }: Endpoints): string {
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) => addresses.map(({ ip }) => `${ip.includes(":") ? `[${ip}]` : ip}:${port}`)),
  );
  if (all.length === 0) return "<none>";
  const more = all.length > shownMax ? ` + ${all.length - shownMax} more...` : "";
  return all.slice(0, shownMax).join(",") + more;
}

function addressesOf({ subsets }: Endpoints): ReadonlySet<string> {
  const all = (subsets ?? []).flatMap(({ addresses = [], notReadyAddresses = [] }) => [
    ...addresses,
    ...notReadyAddresses,
  ]);
  return new Set(all.map(({ ip }) => ip));
}

function check({ subsets }: Endpoints, errors: FieldErrors, known: ReadonlySet<string>): void {
  const root = new Place(errors, Path.root);
  for (const [i, { addresses = [], notReadyAddresses = [], ports = [] }] of (subsets ?? []).entries()) {
    const at = root.item("subsets", i);
    if (addresses.length === 0 && notReadyAddresses.length === 0) {
      at.required("", "must specify `addresses` or `notReadyAddresses`");
    }
    for (const [j, address] of addresses.entries()) checkEndpoint(address, at.item("addresses", j), known);
    for (const [j, address] of notReadyAddresses.entries()) {
      checkEndpoint(address, at.item("notReadyAddresses", j), known);
    }
    for (const [j, port] of ports.entries()) checkPort(port, ports.length > 1, at.item("ports", j));
  }
}

function checkEndpoint({ ip, hostname = "", nodeName }: EndpointAddress, at: Place, known: ReadonlySet<string>): void {
  checkAddress(ip, at.child("ip"), known);
  if (hostname !== "") at.each("hostname", hostname, dns1123LabelErrors(hostname));
  if (nodeName !== undefined) at.each("nodeName", nodeName, dns1123SubdomainErrors(nodeName));
  // An address that cannot be read is told twice, as upstream tells it.
  checkEndpointAddress(ip, at.child("ip"));
}

function checkPort({ name = "", port, protocol, appProtocol }: EndpointPort, named: boolean, at: Place): void {
  if (named && name === "") at.required("name");
  else if (name !== "") at.each("name", name, dns1123LabelErrors(name));
  at.each("port", port, portNumberErrors(port));
  at.oneOf("protocol", protocol, protocols);
  if (appProtocol !== undefined) at.each("appProtocol", appProtocol, qualifiedNameErrors(appProtocol));
}
