/**
 * What each host has to know of the others. Pure. What nodes say of themselves and of their pods is not taken at its word:
 * a range counts inside the cluster's and free of older Nodes', an address inside the range of the pod's Node.
 * Source: docs/rfd/0027-network-of-hosts.md
 */
import type { Namespace, Node, Pod, Service } from "@atoll/api/builtin/core/v1.types";
import type { EndpointSlice } from "@atoll/api/builtin/discovery.k8s.io/v1.types";
import type { NetworkPolicy } from "@atoll/api/builtin/networking.k8s.io/v1.types";
import { opensFor } from "@atoll/api/supervisor/gateway";
import type { HostNetwork } from "@atoll/api/supervisor/v1alpha1/hostnetwork";
import { AddressInvalid, overlap, parseAddress, parseRange, type Range, sizeOf } from "@atoll/net/address";
import { policyNamespaceOf, policyOf, policyPodOf } from "@atoll/net/policies/facts";
import { concerns, spokenOf } from "@atoll/net/policies/guard";
import type { PolicyPod, World } from "@atoll/net/policies/world";

/** Everything that decides. */
export interface Given {
  /** The range of all pods. */
  readonly range: string;
  readonly network: number;
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
  readonly namespaces: readonly Namespace[];
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
  readonly policies: readonly NetworkPolicy[];
}

/** What a host has to know. */
export type Knowledge = HostNetwork["spec"];

interface Host {
  readonly node: string;
  readonly address: string;
  readonly range: Range;
  readonly text: string;
}

interface Placed extends PolicyPod {
  readonly node: string;
  readonly address: string;
}

/** The number of a cluster's overlay, from something that no other cluster has. */
export function networkNumber(uid: string): number {
  return 1 + (Number.parseInt(uid.replaceAll("-", "").slice(0, 6), 16) % 16_777_214);
}

/** What every Node's host has to know, by the Node's name. */
export function knowledge(given: Given): ReadonlyMap<string, Knowledge> {
  const hosts = hostsOf(given);
  const pods = placedPods(given, hosts);
  const world: World = {
    pods,
    namespaces: new Map(given.namespaces.map((one) => [one.metadata.name ?? "", policyNamespaceOf(one)])),
    policies: given.policies.map(policyOf),
  };
  const callers = callersByNode(given, pods, world);
  const spoken = spokenByNode(world, pods);
  const byNamespace = Map.groupBy(pods, ({ namespace }) => namespace);
  return new Map(
    given.nodes.map(({ metadata: { name = "" } }) => {
      const namespaces = [...(callers.get(name) ?? [])].sort().flatMap((namespace) => {
        const there = (byNamespace.get(namespace) ?? []).filter(({ node }) => node !== name);
        return there.length === 0 ? [] : [{ name: namespace, addresses: there.map(({ address }) => address).sort() }];
      });
      const peers = hosts.flatMap(({ node, address, text }) => (node === name ? [] : [{ node, address, range: text }]));
      const others = [...(spoken.get(name) ?? [])].filter(({ node }) => node !== name);
      return [name, { network: given.network, peers, namespaces, pods: others.sort(byAddress).map(toldOf) }];
    }),
  );
}

const byAddress = (one: Placed, other: Placed): number => parseAddress(one.address) - parseAddress(other.address);

const toldOf = ({ namespace, address, labels, ports }: Placed): Knowledge["pods"][number] => ({
  namespace,
  address,
  labels: { ...labels },
  ports: ports.map((port) => ({ ...port })),
});

/** Older Nodes first: a younger one gets nothing of theirs. */
function hostsOf({ nodes, range }: Given): readonly Host[] {
  const whole = parseRange(range);
  const found: Host[] = [];
  const made = ({ metadata: { creationTimestamp = "", name = "" } }: Node) => `${creationTimestamp} ${name}`;
  for (const node of [...nodes].sort((a, b) => (made(a) < made(b) ? -1 : 1))) {
    const host = hostOf(node);
    if (host === undefined || host.range.length < whole.length || !overlap(host.range, whole)) continue;
    if (!found.some((other) => overlap(other.range, host.range))) found.push(host);
  }
  return found.sort((a, b) => a.range.first - b.range.first);
}

function hostOf({ metadata: { name = "" }, spec, status }: Node): Host | undefined {
  const text = [spec?.podCIDR ?? "", ...(spec?.podCIDRs ?? [])].find((each) => /^[\d.]+\/\d+$/.test(each));
  const range = text === undefined ? undefined : attempt(() => parseRange(text));
  const address = status?.addresses?.find(({ type, address: at }) => type === "InternalIP" && isReachable(at))?.address;
  return text === undefined || range === undefined || address === undefined
    ? undefined
    : { node: name, address, range, text };
}

const isReachable = (address: string): boolean =>
  attempt(() => parseAddress(address)) !== undefined && !address.startsWith("127.");

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof AddressInvalid) return undefined;
    throw error;
  }
}

/** Of two pods with one address none counts: who has it cannot be told. */
function placedPods({ pods }: Given, hosts: readonly Host[]): readonly Placed[] {
  const ranges = new Map(hosts.map(({ node, range }) => [node, range]));
  const placed = pods.flatMap((pod): readonly Placed[] => {
    const node = pod.spec.nodeName ?? "";
    const range = ranges.get(node);
    const seen = policyPodOf(pod);
    const { address } = seen;
    if (range === undefined || address === undefined || pod.spec.hostNetwork === true) return [];
    const offset = attempt(() => parseAddress(address) - range.first);
    return offset !== undefined && offset > 0 && offset < sizeOf(range) ? [{ ...seen, address, node }] : [];
  });
  const holders = Map.groupBy(placed, ({ address }) => address);
  return placed.filter(({ address }) => holders.get(address)?.length === 1);
}

/** Namespaces whose pods something on a node may be open for. */
function callersByNode(
  { services, slices }: Given,
  pods: readonly Placed[],
  { namespaces }: World,
): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  const add = (node: string, callers: readonly string[]) => {
    const set = found.get(node) ?? new Set();
    for (const each of callers) set.add(each);
    found.set(node, set);
  };
  const nodeOf = new Map(pods.map(({ address, node }) => [address, node]));
  const callersOf = new Map(
    services.map((service) => [
      `${service.metadata.namespace}/${service.metadata.name}`,
      [service.metadata.namespace ?? "", ...opensFor(service)],
    ]),
  );
  for (const { metadata, endpoints } of slices) {
    const callers = callersOf.get(`${metadata.namespace}/${metadata.labels?.["kubernetes.io/service-name"]}`);
    if (callers === undefined) continue;
    const addresses = (endpoints ?? []).flatMap((endpoint) => endpoint.addresses ?? []);
    for (const node of new Set(addresses.map((address) => nodeOf.get(address ?? "")))) {
      if (node !== undefined) add(node, callers);
    }
  }
  const flat = [...namespaces].flatMap(([name, namespace]) => (namespace.flat ? [name] : []));
  for (const { node, namespace } of pods) if (flat.includes(namespace)) add(node, flat);
  return found;
}

/** Pods that policies about pods of a node speak of. */
function spokenByNode(world: World, pods: readonly Placed[]): ReadonlyMap<string, ReadonlySet<Placed>> {
  const found = new Map<string, Set<Placed>>();
  const byNamespace = Map.groupBy(pods, ({ namespace }) => namespace);
  for (const policy of world.policies) {
    const about = (byNamespace.get(policy.namespace) ?? []).filter((pod) => concerns(policy, pod));
    if (about.length === 0) continue;
    const peers = spokenOf(policy, world) as readonly Placed[];
    for (const node of new Set(about.map((pod) => pod.node))) {
      found.set(node, (found.get(node) ?? new Set()).union(new Set(peers)));
    }
  }
  return found;
}
