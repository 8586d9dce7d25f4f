/**
 * The endpoints that a Service's Pods make, grouped by address family and ports. Pure.
 * Source: k8s.io/endpointslice (utils.go, reconciler.go); k8s.io/kubernetes/pkg/api/v1/pod/util.go (FindPort)
 */
import type { Container } from "@atoll/api/builtin/core/v1.types";
import type { Endpoint, EndpointPort } from "@atoll/api/builtin/discovery.k8s.io/v1.types";
import type { Node, Pod, Service } from "@atoll/client/builtin";
import { isFinished, isReady } from "../pods/state.ts";

/** Endpoints that differ only in their Pod: they fit in the same slices. */
export interface Group {
  readonly addressType: "IPv4" | "IPv6";
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

/** A Service's endpoints, and the Pods left out because their node is not known (yet). */
export interface Desired {
  readonly groups: readonly Group[];
  readonly addressTypes: readonly ("IPv4" | "IPv6")[];
  readonly nodeless: readonly Pod[];
}

const zoneLabel = "topology.kubernetes.io/zone";

/** Whether a Service's endpoints are made from Pods. */
export function isSelecting({ spec }: Service): boolean {
  return spec.type !== "ExternalName" && Object.keys(spec.selector ?? {}).length > 0;
}

/** Whether a Pod belongs to a Service. */
export function selects({ spec }: Service, { metadata }: Pod): boolean {
  return Object.entries(spec.selector ?? {}).every(([key, value]) => metadata.labels?.[key] === value);
}

function isIPv6(address: string): boolean {
  return address.includes(":");
}

/** Whether a Service has no address of its own. */
export function isHeadless({ spec }: Service): boolean {
  return spec.clusterIP === "None";
}

function familiesOf({ spec }: Service): ("IPv4" | "IPv6")[] {
  const named = (spec.ipFamilies ?? []) as ("IPv4" | "IPv6")[];
  if (named.length > 0) return named;
  const addresses = spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP]);
  const known = addresses.filter((address) => address !== "None" && address !== "");
  return known.length === 0 ? ["IPv4"] : [...new Set(known.map((address) => (isIPv6(address) ? "IPv6" : "IPv4")))];
}

/** The endpoints that a Service is to have. */
export function desiredEndpoints(
  service: Service,
  pods: readonly Pod[],
  nodeOf: (name: string) => Node | undefined,
): Desired {
  const addressTypes = familiesOf(service);
  const groups = new Map<string, { group: Omit<Group, "endpoints">; endpoints: Endpoint[] }>();
  const nodeless: Pod[] = [];
  for (const pod of pods.filter(hasAddress)) {
    const name = pod.spec.nodeName ?? "";
    const node = name === "" ? undefined : nodeOf(name);
    if (name !== "" && node === undefined) {
      nodeless.push(pod);
      continue;
    }
    const ports = portsOf(service, pod);
    for (const addressType of addressTypes) {
      const endpoint = endpointOf(service, pod, { addressType, node });
      if (endpoint === undefined) continue;
      const id = `${addressType} ${JSON.stringify(ports)}`;
      const known = groups.get(id);
      if (known === undefined) groups.set(id, { group: { addressType, ports }, endpoints: [endpoint] });
      else known.endpoints.push(endpoint);
    }
  }
  return {
    groups: [...groups.values()].map(({ group, endpoints }) => ({ ...group, endpoints })),
    addressTypes,
    nodeless,
  };
}

function addressesOf({ status }: Pod): readonly string[] {
  const all = (status?.podIPs ?? []).map(({ ip }) => ip);
  const single = status?.podIP ?? "";
  return all.length > 0 || single === "" ? all : [single];
}

function hasAddress(pod: Pod): boolean {
  return !isFinished(pod) && addressesOf(pod).length > 0;
}

function endpointOf(
  service: Service,
  pod: Pod,
  { addressType, node }: { addressType: Group["addressType"]; node: Node | undefined },
): Endpoint | undefined {
  const addresses = addressesOf(pod).filter((address) => isIPv6(address) === (addressType === "IPv6"));
  const [address] = addresses;
  if (address === undefined) return undefined;
  const serving = isReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating);
  const { name = "", namespace = "", uid = "" } = pod.metadata;
  const zone = node?.metadata.labels?.[zoneLabel];
  const hostname = hostnameOf(service, pod);
  return {
    addresses: [address],
    conditions: { ready, serving, terminating },
    ...(hostname !== undefined && { hostname }),
    targetRef: { kind: "Pod", namespace, name, uid },
    ...(node?.metadata.name !== undefined && { nodeName: node.metadata.name }),
    ...(zone !== undefined && { zone }),
    ...hintsOf(service, { ready, zone, node: node?.metadata.name }),
  };
}

/**
 * For whom an endpoint is meant: callers near it, where the Service asks for that.
 * Source: k8s.io/endpointslice/trafficdist (PreferSameZone, PreferSameNode)
 */
function hintsOf(
  { spec: { trafficDistribution } }: Service,
  { ready, zone, node }: { ready: boolean; zone: string | undefined; node: string | undefined },
): Pick<Endpoint, "hints"> {
  if (trafficDistribution === undefined || !ready) return {};
  const forZones = zone === undefined ? {} : { forZones: [{ name: zone }] };
  const isOfNode = trafficDistribution === "PreferSameNode" && node !== undefined;
  const hints = { ...forZones, ...(isOfNode && { forNodes: [{ name: node }] }) };
  return Object.keys(hints).length === 0 ? {} : { hints };
}

/** The name under which DNS tells a headless Service's Pods apart. */
function hostnameOf(service: Service, { spec }: Pod): string | undefined {
  const isNamed = (spec.hostname ?? "") !== "" && spec.subdomain === service.metadata.name;
  return isNamed ? spec.hostname : undefined;
}

/** The Service's ports as this Pod has them; one whose name the Pod does not know is left out. */
function portsOf(service: Service, pod: Pod): readonly EndpointPort[] {
  const found = (service.spec.ports ?? []).flatMap((port): EndpointPort[] => {
    const protocol = port.protocol ?? "TCP";
    const number = typeof port.targetPort === "number" ? port.targetPort : findPort(pod, port.targetPort, protocol);
    if (number === undefined) return [];
    const appProtocol = port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol };
    return [{ name: port.name ?? "", port: number, protocol, ...appProtocol }];
  });
  return found.sort((a, b) => ((a.name ?? "") < (b.name ?? "") ? -1 : 1));
}

function findPort({ spec }: Pod, name: string, protocol: string): number | undefined {
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  const all: readonly Container[] = [...(spec.containers ?? []), ...sidecars];
  for (const { ports = [] } of all) {
    const found = ports.find((port) => port.name === name && (port.protocol ?? "TCP") === protocol);
    if (found !== undefined) return found.containerPort;
  }
  return undefined;
}
