/** How the Services and pods of a namespace connect, and who may talk to whom: reckoned as the rules of the hosts are. */
import type { EndpointSlice, Namespace, NetworkPolicy, Pod, Service } from "@atoll/client/builtin";
import { guardOf } from "@atoll/net/policies/guard";
import { judge, type Verdict } from "@atoll/net/policies/verdict";
import type { PolicyPod, World } from "@atoll/net/policies/world";
import type { ServiceSpec } from "@atoll/net/services/service";
import { policyNamespaceOf, policyOf, policyPodOf } from "@atoll/net/policies/facts";
import { ruleSpecOf, sliceOwnerLabel } from "@atoll/spherelet/network/services";

/** What a namespace holds. */
export interface Seen {
  readonly pods: readonly Pod[];
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
  readonly policies: readonly NetworkPolicy[];
  readonly namespaces: readonly Namespace[];
}

/** A Service in the picture. */
export interface ServiceNode {
  readonly name: string;
  /** `ClusterIP 10.96.0.7`, `headless`. */
  readonly how: string;
  /** `80/TCP`. */
  readonly ports: readonly string[];
  /** For pods of these namespaces it opens the way. */
  readonly opensFor: readonly string[];
}

/** A pod in the picture. */
export interface PodNode {
  readonly name: string;
  readonly phase: string;
  readonly isReady: boolean;
  /** Names of the NetworkPolicies about it. */
  readonly policies: readonly string[];
}

/** A Service leads to a pod. */
export interface Link {
  readonly service: string;
  readonly pod: string;
  /** Whether connections go there now. */
  readonly isUsed: boolean;
}

/** All of a namespace that is drawn; pods in the order of the Services that lead to them. */
export interface Picture {
  readonly services: readonly ServiceNode[];
  readonly pods: readonly PodNode[];
  readonly links: readonly Link[];
}

/** What the rules reckon with. */
export interface Reckoning {
  readonly world: World;
  readonly services: readonly ServiceSpec[];
}

/** What decides, out of what there is. */
export function reckon({ pods, services, slices, policies, namespaces }: Seen): Reckoning {
  const specs = services.flatMap((service) => {
    const own = slices.filter(({ metadata }) => metadata.labels?.[sliceOwnerLabel] === service.metadata.name);
    return ruleSpecOf(service, own) ?? [];
  });
  const world = {
    pods: pods.map(policyPodOf),
    namespaces: new Map(namespaces.map((one) => [one.metadata.name ?? "", policyNamespaceOf(one)])),
    policies: policies.map(policyOf),
  };
  return { world, services: specs };
}

/** What there is to draw. */
export function pictureOf(seen: Seen, reckoning: Reckoning): Picture {
  const services = seen.services
    .toSorted((a, b) => (a.metadata.name ?? "").localeCompare(b.metadata.name ?? ""))
    .map((service) => serviceNode(service, reckoning));
  const links = reckoning.services.flatMap((service) => linksOf(service, reckoning.world));
  const firstService = (pod: string): number => {
    const at = services.findIndex(({ name }) => links.some((link) => link.service === name && link.pod === pod));
    return at === -1 ? services.length : at;
  };
  const pods = seen.pods
    .map((pod) => podNode(pod, reckoning.world))
    .map((node) => ({ node, at: firstService(node.name) }))
    .toSorted((a, b) => a.at - b.at || a.node.name.localeCompare(b.node.name))
    .map(({ node }) => node);
  return { services, pods, links };
}

function serviceNode({ metadata, spec }: Service, { services }: Reckoning): ServiceNode {
  const name = metadata.name ?? "";
  const rule = services.find((each) => each.name === name);
  const [address] = rule?.addresses ?? [];
  return {
    name,
    how: address === undefined ? unaddressed(spec) : `${spec.type ?? "ClusterIP"} ${address}`,
    ports: (spec.ports ?? []).map(({ port, protocol = "TCP" }) => `${port}/${protocol}`),
    opensFor: rule === undefined ? [] : [rule.namespace, ...(rule.exportedTo ?? [])],
  };
}

const unaddressed = ({ type, externalName }: Service["spec"]): string =>
  type === "ExternalName" ? `name of ${externalName ?? ""}` : "headless";

function podNode(pod: Pod, world: World): PodNode {
  const seen = policyPodOf(pod);
  const guards = (["ingress", "egress"] as const).flatMap((way) => guardOf(seen, way, world)?.policies ?? []);
  const { phase = "Pending", conditions = [] } = pod.status;
  return {
    name: seen.name,
    phase: pod.metadata.deletionTimestamp === undefined ? phase : "Terminating",
    isReady: (conditions ?? []).some(({ type, status }) => type === "Ready" && status === "True"),
    policies: [...new Set(guards)],
  };
}

function linksOf({ name, ports }: ServiceSpec, { pods }: World): readonly Link[] {
  const used = new Set(ports.flatMap(({ endpoints }) => endpoints.map(({ address }) => address)));
  const waiting = new Set(ports.flatMap(({ standby = [] }) => standby.map(({ address }) => address)));
  return pods.flatMap(({ name: pod, address }) => {
    if (address === undefined || !(used.has(address) || waiting.has(address))) return [];
    return [{ service: name, pod, isUsed: used.has(address) }];
  });
}

/** Whether a pod may reach another at a port, and why. */
export interface Reach extends Verdict {
  readonly from: string;
  /** `80/tcp`. */
  readonly port: string;
}

/** Who of the namespace may reach a pod: for each of its ports that a Service leads to or that it names, each other pod. */
export function reachesOf(name: string, { world, services }: Reckoning): readonly Reach[] {
  const to = world.pods.find((pod) => pod.name === name);
  if (to === undefined) return [];
  const others = world.pods.filter((pod) => pod.uid !== to.uid && pod.address !== undefined);
  return portsOf(to, services).flatMap(({ protocol, port }) =>
    others.map((from) => {
      const verdict = judge({ from, to, protocol, port }, world, services);
      return { from: from.name, port: `${port}/${protocol}`, ...verdict };
    }),
  );
}

interface PortOfPod {
  readonly protocol: "tcp" | "udp";
  readonly port: number;
}

function portsOf({ address, ports }: PolicyPod, services: readonly ServiceSpec[]): readonly PortOfPod[] {
  const led = services.flatMap((service) =>
    service.ports.flatMap(({ protocol, endpoints, standby = [] }) =>
      [...endpoints, ...standby]
        .filter((each) => each.address === address)
        .map(({ port }): PortOfPod => ({ protocol: protocol === "udp" ? "udp" : "tcp", port })),
    ),
  );
  const named = ports.map(({ protocol, port }): PortOfPod => ({ protocol: protocol === "UDP" ? "udp" : "tcp", port }));
  return [...new Map([...led, ...named].map((one) => [`${one.port}/${one.protocol}`, one])).values()];
}
