/**
 * What Services and their EndpointSlices mean for a host's rules and for names. Pure.
 * Sources: k8s.io/kubernetes/pkg/proxy/topology.go (ready, then terminating but serving), Kubernetes DNS-Based Service
 * Discovery 1.1.0
 */
import { exportedTo } from "@atoll/api/supervisor/annotations";
import type { EndpointSlice, Service } from "@atoll/client/builtin";
import type { NamedEndpoint, NamedPort, ServiceNames } from "@atoll/net/dns/zone";
import type { Endpoint, ServicePort, ServiceSpec } from "@atoll/net/services/service";

type SliceEndpoint = NonNullable<EndpointSlice["endpoints"]>[number];
type Ports = NonNullable<Service["spec"]["ports"]>;

const defaultAffinitySeconds = 10_800;

/** The Service's name on its slices. */
export const sliceOwnerLabel = "kubernetes.io/service-name";

const isVirtual = (address: string | undefined): address is string =>
  address !== undefined && address !== "" && address !== "None";

/** Virtual IPv4 addresses of a Service. */
export function addressesOf({ spec }: Service): readonly string[] {
  const all = spec.clusterIPs ?? (isVirtual(spec.clusterIP) ? [spec.clusterIP] : []);
  return all.filter((address) => isVirtual(address) && !address.includes(":"));
}

/** @returns undefined for one that opens no way: an ExternalName */
export function ruleSpecOf(service: Service, slices: readonly EndpointSlice[]): ServiceSpec | undefined {
  const { metadata, spec } = service;
  if (spec.type === "ExternalName") return undefined;
  const exported = exportedTo(metadata);
  const sticky = spec.sessionAffinity === "ClientIP";
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds;
  return {
    namespace: metadata.namespace ?? "",
    name: metadata.name ?? "",
    addresses: addressesOf(service),
    ports: (spec.ports ?? []).flatMap((port) => rulePort(port, slices)),
    ...(sticky ? { affinitySeconds: seconds } : {}),
    ...(exported.length === 0 ? {} : { exportedTo: exported }),
  };
}

function rulePort(port: Ports[number], slices: readonly EndpointSlice[]): readonly ServicePort[] {
  const protocol = port.protocol === "UDP" ? "udp" : "tcp";
  if (port.protocol === "SCTP") return [];
  const all = slices.flatMap((slice) => endpointsAt(slice, port));
  const ready = all.filter(({ of }) => isReady(of));
  const chosen = ready.length > 0 ? ready : all.filter(({ of }) => isLeaving(of));
  const rest = all.filter((each) => !chosen.includes(each));
  return [{ protocol, port: port.port, endpoints: distinct(chosen), standby: distinct(rest) }];
}

interface Candidate extends Endpoint {
  readonly of: SliceEndpoint;
}

function endpointsAt(slice: EndpointSlice, port: Ports[number]): readonly Candidate[] {
  if (slice.addressType !== "IPv4") return [];
  const found = (slice.ports ?? []).find(
    ({ name = "", protocol = "TCP" }) => name === (port.name ?? "") && protocol === (port.protocol ?? "TCP"),
  )?.port;
  if (found === undefined) return [];
  return endpointsOf(slice).flatMap(({ of, addresses }) => addresses.map((address) => ({ address, port: found, of })));
}

/** Sorted, so that the same endpoints are the same rules. */
function distinct(candidates: readonly Candidate[]): readonly Endpoint[] {
  const found = new Map(candidates.map(({ address, port }) => [`${address} ${port}`, { address, port }]));
  return [...found.keys()].sort().flatMap((key) => found.get(key) ?? []);
}

/** Endpoints of a slice, without the nothings that its schema allows. */
export const endpointsOf = ({ endpoints }: EndpointSlice): readonly { of: SliceEndpoint; addresses: string[] }[] =>
  (endpoints ?? []).map((of) => ({ of, addresses: (of.addresses ?? []).filter((each) => each !== null) }));

const isReady = ({ conditions }: SliceEndpoint): boolean => conditions?.ready !== false;
const isLeaving = ({ conditions }: SliceEndpoint): boolean =>
  conditions?.serving === true && conditions.terminating === true;

/** What a Service is called, and what that leads to. */
export function namesOf(service: Service, slices: readonly EndpointSlice[]): ServiceNames {
  const { spec } = service;
  if (spec.type === "ExternalName") return { type: "external", target: spec.externalName ?? "" };
  const addresses = addressesOf(service);
  if (addresses.length > 0) return { type: "virtual", addresses, ports: (spec.ports ?? []).map(namedPort) };
  return {
    type: "headless",
    endpoints: slices.flatMap(namedEndpoints),
    publishNotReady: spec.publishNotReadyAddresses === true,
  };
}

function namedEndpoints(slice: EndpointSlice): readonly NamedEndpoint[] {
  if (slice.addressType !== "IPv4") return [];
  const ports = (slice.ports ?? []).flatMap((port) =>
    port.port === undefined ? [] : [namedPort({ ...port, port: port.port })],
  );
  return endpointsOf(slice).flatMap(({ of, addresses }) =>
    addresses.map((address) => ({ address, hostname: of.hostname, ready: isReady(of), ports })),
  );
}

function namedPort({
  name = "",
  protocol = "TCP",
  port,
}: {
  name?: string;
  protocol?: string;
  port: number;
}): NamedPort {
  const lower = protocol.toLowerCase();
  return { name, protocol: lower === "udp" || lower === "sctp" ? lower : "tcp", port };
}
