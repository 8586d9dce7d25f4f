/**
 * What NetworkPolicies mean for one pod: nothing, or a list of what is let through, by addresses and ports. Pure.
 * Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/, k8s.io/api/networking/v1
 */
import type { NetworkPolicyPeer, NetworkPolicyPort } from "@atoll/api/builtin/networking.k8s.io/v1.types";
import { matchesLabels, selectorOf } from "@atoll/machinery/selectors/labels";
import { AddressInvalid, parseAddress, parseRange, sizeOf } from "../address.ts";
import type { Policy, PolicyPod, World } from "./world.ts";

/** Which way packets go, as the pod sees it. */
export type Direction = "ingress" | "egress";

/** A range of addresses without some. */
export interface Block {
  readonly cidr: string;
  readonly except: readonly string[];
}

/** Ports of a protocol; without first and last, all of them. */
export interface Ports {
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly first?: number;
  readonly last?: number;
}

/** What is let through: all that comes from (or goes to) one of the peers at one of the ports. */
export interface Allowance {
  /** Name of the policy. */
  readonly policy: string;
  readonly peers: "any" | { readonly addresses: readonly string[]; readonly blocks: readonly Block[] };
  readonly ports: "any" | readonly Ports[];
}

/** Some policy is about the pod in this direction: what no allowance lets through is refused. */
export interface Guard {
  /** Names of the policies. */
  readonly policies: readonly string[];
  readonly allowances: readonly Allowance[];
}

/** The guard of a pod; undefined when no policy is about it. */
export function guardOf(pod: PolicyPod, direction: Direction, world: World): Guard | undefined {
  const policies = world.policies.filter((policy) => isAbout(policy, pod, direction));
  if (policies.length === 0) return undefined;
  return {
    policies: policies.map(({ name }) => name),
    allowances: policies.flatMap((policy) => allowancesOf(policy, pod, { direction, world })),
  };
}

/** Pods that a policy speaks of, as peers of those it is about. */
export function spokenOf(policy: Policy, world: World): readonly PolicyPod[] {
  const rules = [...rulesOf(policy, "ingress"), ...rulesOf(policy, "egress")];
  return world.pods.filter((pod) =>
    rules.some((rule) => {
      if (podsOf(rule.peers, policy.namespace, { ...world, pods: [pod] }).length > 0) return true;
      const { address, ports } = pod;
      // A port's name means something at every pod that has one, also at those in a block.
      const named = rule.ports.flatMap(({ port }) => (typeof port === "string" ? [port] : []));
      if (address === undefined || !ports.some(({ name }) => named.includes(name))) return false;
      const blocks = rule.peers.flatMap(({ ipBlock }) => ipBlock ?? []);
      return (
        rule.peers.length === 0 || blocks.some(({ cidr, except }) => isWithin({ cidr, except: except ?? [] }, address))
      );
    }),
  );
}

/** Whether a policy is about a pod, in either direction. */
export const concerns = (policy: Policy, pod: PolicyPod): boolean =>
  isAbout(policy, pod, "ingress") || isAbout(policy, pod, "egress");

/** Whether a guard lets a connection through. @param peer the other's address */
export function letsThrough(
  guard: Guard,
  { peer, protocol, port }: { peer: string; protocol: Ports["protocol"]; port: number },
): Allowance | undefined {
  return guard.allowances.find(
    ({ peers, ports }) =>
      (peers === "any" || peers.addresses.includes(peer) || peers.blocks.some((block) => isWithin(block, peer))) &&
      (ports === "any" ||
        ports.some(
          (each) =>
            each.protocol === protocol &&
            (each.first === undefined || (each.first <= port && port <= (each.last ?? each.first))),
        )),
  );
}

function isAbout({ namespace, spec }: Policy, pod: PolicyPod, direction: Direction): boolean {
  if (namespace !== pod.namespace || !selects(spec.podSelector ?? {}, pod.labels)) return false;
  const types = spec.policyTypes ?? ["Ingress", ...(spec.egress === undefined ? [] : ["Egress"])];
  return types.some((type) => type.toLowerCase() === direction);
}

function selects(selector: Parameters<typeof selectorOf>[0], labels: Readonly<Record<string, string>>): boolean {
  const read = selectorOf(selector);
  return read !== undefined && matchesLabels(read, labels);
}

interface Rule {
  readonly peers: readonly NetworkPolicyPeer[];
  readonly ports: readonly NetworkPolicyPort[];
}

function rulesOf({ spec }: Policy, direction: Direction): readonly Rule[] {
  return direction === "ingress"
    ? (spec.ingress ?? []).map(({ from, ports }) => ({ peers: from ?? [], ports: ports ?? [] }))
    : (spec.egress ?? []).map(({ to, ports }) => ({ peers: to ?? [], ports: ports ?? [] }));
}

function allowancesOf(
  policy: Policy,
  pod: PolicyPod,
  { direction, world }: { direction: Direction; world: World },
): readonly Allowance[] {
  return rulesOf(policy, direction).flatMap((rule) => {
    const pods = rule.peers.length === 0 ? world.pods : podsOf(rule.peers, policy.namespace, world);
    const blocks = rule.peers.flatMap(({ ipBlock }) =>
      ipBlock === undefined ? [] : [{ cidr: ipBlock.cidr, except: ipBlock.except ?? [] }],
    );
    const peers = rule.peers.length === 0 ? "any" : { addresses: addressesOf(pods), blocks: blocks.filter(isIpv4) };
    const isReached = (other: PolicyPod) =>
      pods.includes(other) || blocks.some((block) => other.address !== undefined && isWithin(block, other.address));
    const plain = rule.ports.filter(({ port }) => typeof port !== "string");
    const named = rule.ports.filter(({ port }) => typeof port === "string");
    const common = { policy: policy.name, peers } as const;
    if (rule.ports.length === 0) return [{ ...common, ports: "any" }];
    return [
      ...(plain.length === 0 ? [] : [{ ...common, ports: plain.map(plainPorts) }]),
      ...named.flatMap((port) =>
        namedAllowances(port, common, direction === "ingress" ? [pod] : world.pods.filter(isReached), direction),
      ),
    ];
  });
}

/** A name means a port of whoever is reached: of the pod itself coming in, of each of the others going out. */
function namedAllowances(
  { port: name, protocol = "TCP" }: NetworkPolicyPort,
  common: Pick<Allowance, "policy" | "peers">,
  reached: readonly PolicyPod[],
  direction: Direction,
): readonly Allowance[] {
  return reached.flatMap(({ address, ports }) => {
    const found = ports.filter((port) => port.name === name && port.protocol === protocol);
    if (found.length === 0 || (direction === "egress" && address === undefined)) return [];
    const peers = direction === "ingress" ? common.peers : { addresses: addressesOf([{ address }]), blocks: [] };
    return [{ policy: common.policy, peers, ports: found.map(({ port }) => plainPorts({ port, protocol })) }];
  });
}

function plainPorts({ port, endPort, protocol = "TCP" }: NetworkPolicyPort): Ports {
  const lower = protocol.toLowerCase();
  const spoken = lower === "udp" || lower === "sctp" ? lower : "tcp";
  return typeof port === "number" ? { protocol: spoken, first: port, last: endPort ?? port } : { protocol: spoken };
}

function podsOf(peers: readonly NetworkPolicyPeer[], own: string, world: World): readonly PolicyPod[] {
  return world.pods.filter((pod) =>
    peers.some(({ podSelector, namespaceSelector, ipBlock }) => {
      if (ipBlock !== undefined) return false;
      const inNamespace =
        namespaceSelector === undefined
          ? pod.namespace === own
          : selects(namespaceSelector, world.namespaces.get(pod.namespace)?.labels ?? {});
      return inNamespace && (podSelector === undefined || selects(podSelector, pod.labels));
    }),
  );
}

function addressesOf(pods: readonly Pick<PolicyPod, "address">[]): readonly string[] {
  return pods.flatMap(({ address }) => (address === undefined ? [] : [address])).sort();
}

function isIpv4({ cidr }: Block): boolean {
  return !cidr.includes(":");
}

function isWithin({ cidr, except }: Block, address: string): boolean {
  return contains(cidr, address) && !except.some((range) => contains(range, address));
}

function contains(cidr: string, address: string): boolean {
  try {
    const range = parseRange(cidr);
    const offset = parseAddress(address) - range.first;
    return offset >= 0 && offset < sizeOf(range);
  } catch (error) {
    if (error instanceof AddressInvalid) return false;
    throw error;
  }
}
