/**
 * What Services and their EndpointSlices mean for a host's rules and for names. Pure.
 * Sources: k8s.io/kubernetes/pkg/proxy/topology.go (ready, then terminating but serving; hints), Kubernetes DNS-Based Service
 * Discovery 1.1.0
 */
import { announcedCondition } from "@atoll/api/supervisor/annotations";
import { opensFor, routedBy } from "@atoll/api/supervisor/gateway";
import type { EndpointSlice, Service } from "@atoll/client/builtin";
import type { NamedEndpoint, NamedPort, ServiceNames } from "@atoll/net/dns/zone";
import type { Endpoint, OutsideWay, ServicePort, ServiceSpec } from "@atoll/net/services/service";

type SliceEndpoint = NonNullable<EndpointSlice["endpoints"]>[number];
type Ports = NonNullable<Service["spec"]["ports"]>;

const defaultAffinitySeconds = 10_800;

/** The Service's name on its slices. */
export const sliceOwnerLabel = "kubernetes.io/service-name";

/** On slices of Services without an address. */
const headlessLabel = "service.kubernetes.io/headless";

const isVirtual = (address: string | undefined): address is string =>
  address !== undefined && address !== "" && address !== "None";

/** Virtual IPv4 addresses of a Service. */
export function addressesOf({ spec }: Service): readonly string[] {
  const all = spec.clusterIPs ?? (isVirtual(spec.clusterIP) ? [spec.clusterIP] : []);
  return all.filter((address) => isVirtual(address) && !address.includes(":"));
}

/**
 * @param node whose rules they are; without it Services that keep to their host's endpoints are as others are
 * @param zone of the node
 * @returns undefined for one that opens no way: an ExternalName
 */
export function ruleSpecOf(
  service: Service,
  slices: readonly EndpointSlice[],
  node?: string,
  zone?: string,
): ServiceSpec | undefined {
  const { metadata, spec } = service;
  if (spec.type === "ExternalName") return undefined;
  const facts = { metadata, ...(service.status === undefined ? {} : { status: service.status }) };
  const exported = opensFor(facts);
  const routes = routedBy(facts);
  const sticky = spec.sessionAffinity === "ClientIP";
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds;
  return {
    namespace: metadata.namespace ?? "",
    name: metadata.name ?? "",
    addresses: addressesOf(service),
    ports: (spec.ports ?? []).flatMap((port) => rulePort(port, { service, slices, node, zone })),
    ...(sticky ? { affinitySeconds: seconds } : {}),
    ...(exported.length === 0 ? {} : { exportedTo: exported }),
    ...(routes === undefined ? {} : { routedBy: routes }),
  };
}

interface Circumstances {
  readonly service: Service;
  readonly slices: readonly EndpointSlice[];
  readonly node: string | undefined;
  readonly zone: string | undefined;
}

function rulePort(port: Ports[number], { service, slices, node, zone }: Circumstances): readonly ServicePort[] {
  const { internalTrafficPolicy, externalTrafficPolicy } = service.spec;
  const protocol = port.protocol === "UDP" ? "udp" : "tcp";
  if (port.protocol === "SCTP") return [];
  const all = slices.flatMap((slice) => endpointsAt(slice, port));
  const here = all.filter(({ of }) => of.nodeName === node);
  const keepsHere = internalTrafficPolicy === "Local" && node !== undefined;
  const chosen = keepsHere ? serving(here) : near(serving(all), node, zone);
  const rest = all.filter((each) => !chosen.includes(each));
  const way = outsideWay(service, port);
  const local = externalTrafficPolicy === "Local" && node !== undefined ? { local: distinct(serving(here)) } : {};
  const outside = way === undefined ? {} : { outside: { ...way, ...local } };
  return [{ protocol, port: port.port, endpoints: distinct(chosen), standby: distinct(rest), ...outside }];
}

/** While none is ready, those that still serve though they are ending. */
function serving(candidates: readonly Candidate[]): readonly Candidate[] {
  const ready = candidates.filter(({ of }) => isReady(of));
  return ready.length > 0 ? ready : candidates.filter(({ of }) => isLeaving(of));
}

/** Those meant for callers of this node, or of its zone; all of them when one is meant for nobody, or none for this. */
function near(
  candidates: readonly Candidate[],
  node: string | undefined,
  zone: string | undefined,
): readonly Candidate[] {
  const ways = [
    [node, ({ of }: Candidate) => (of.hints?.forNodes ?? []).map(({ name }) => name)],
    [zone, ({ of }: Candidate) => (of.hints?.forZones ?? []).map(({ name }) => name)],
  ] as const;
  for (const [own, meantFor] of ways) {
    const meant = candidates.filter((each) => own !== undefined && meantFor(each).includes(own));
    if (meant.length > 0 && candidates.every((each) => meantFor(each).length > 0)) return meant;
  }
  return candidates;
}

/** @returns undefined when those outside do not come in */
function outsideWay({ spec, status }: Service, port: Ports[number]): OutsideWay | undefined {
  const spoken = (spec.ports ?? []).filter(({ protocol }) => protocol !== "SCTP");
  const index = spoken.indexOf(port);
  const balanced = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, ports }) => {
    const at = ports?.[index];
    // Told of another port than this one is: what is told is about to change.
    const isOld = ports !== undefined && (at?.protocol ?? "TCP") !== (port.protocol ?? "TCP");
    return spec.type !== "LoadBalancer" || !isVirtual(ip) || ip.includes(":") || isOld
      ? []
      : [{ address: ip, port: at?.port ?? port.port }];
  });
  // A LoadBalancer's node ports are its own to count with, but nobody is led in by them.
  const nodePort = spec.type === "NodePort" && port.nodePort ? { nodePort: port.nodePort } : {};
  if (balanced.length === 0 && nodePort.nodePort === undefined) return undefined;
  return { balanced, ...nodePort, ...sourcesOf(spec) };
}

/** Source: k8s.io/kubernetes/pkg/proxy/serviceport.go: of load balancers alone, those of the address family alone */
function sourcesOf({ type, loadBalancerSourceRanges = [] }: Service["spec"]): Pick<OutsideWay, "sourceRanges"> {
  if (type !== "LoadBalancer" || loadBalancerSourceRanges.length === 0) return {};
  const ranges = loadBalancerSourceRanges.map((range) => range.trim()).filter((range) => !range.includes(":"));
  return { sourceRanges: ranges };
}

/** Addresses that a host answers to on its network, for LoadBalancers that were given them. */
export function announcedBy({ spec, status }: Service, node: string): readonly string[] {
  if (spec.type !== "LoadBalancer") return [];
  const told = status?.conditions?.find(({ type }) => type === announcedCondition);
  if (told?.status !== "True" || told.message !== node) return [];
  const own = (status?.loadBalancer?.ingress ?? []).filter(({ ipMode }) => ipMode !== "Proxy");
  return own.flatMap(({ ip }) => (isVirtual(ip) && !ip.includes(":") ? [ip] : []));
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

/** Names of an endpoint's address, without the last dot: what a headless Service calls it, or the hostname it has. */
export function endpointNamesOf(slice: EndpointSlice, address: string, domain: string): readonly string[] {
  const { namespace, labels = {} } = slice.metadata;
  const service = labels[sliceOwnerLabel];
  if (service === undefined) return [];
  const isHeadless = labels[headlessLabel] !== undefined;
  return endpointsOf(slice).flatMap(({ of, addresses }) => {
    const label = of.hostname ?? (isHeadless ? address.replaceAll(".", "-") : undefined);
    const isNamed = addresses.includes(address) && label !== undefined && isReady(of);
    return isNamed ? [`${label}.${service}.${namespace}.svc.${domain}`] : [];
  });
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
