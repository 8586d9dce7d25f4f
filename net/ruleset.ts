/**
 * The nftables rules of a host, as text. Pure.
 *
 *   raw prerouting   a tap's packets are its pod's own, or dropped
 *   dstnat           virtual addresses (Services, the API, DNS) become real ones
 *   forward          pod -> pod: only what a Service of the sender's namespace or a NetworkPolicy opens, or between
 *                    flat namespaces; pod -> outside: yes, but for what a NetworkPolicy refuses; outside -> pod:
 *                    replies, and what comes by a LoadBalancer's address or a node port, to its endpoints. A pod of
 *                    another host comes by the overlay, and is judged here, where it is received
 *   input            pod -> host: only the API and DNS
 *   srcnat           what leaves the pods' ranges carries the host's address
 *
 * A packet of a connection's original direction is judged every time, so closing a way closes it for connections that
 * stand too; replies pass by connection tracking. Whatever grows is an element of a set or a map, so that a change
 * costs what changes and not what is there. A chain a namespace holds what its pods may reach.
 * Source: nft(8); docs/rfd/0014-network.md
 */
import { gateway, hashName, type HostNames } from "./name.ts";
import { overlayArrival, overlayObjects, overlayToHost, overlayTransit } from "./overlay/rules.ts";
import { flatSet, guardMaps, refusal } from "./policies/rules.ts";
import type { Place } from "./records.ts";

/** A port of a virtual address that the host itself answers, or another host's. */
export interface HostService {
  readonly virtual: { readonly address: string; readonly port: number };
  readonly target: { readonly address: string; readonly port: number };
  readonly protocols: readonly Protocol[];
}

/** What Services are spoken over here. */
export type Protocol = "tcp" | "udp";

/** What the rules are made from, and does not change while they stand. */
export interface RulesetOptions {
  readonly names: HostNames;
  /** The pods of this host. */
  readonly podRange: string;
  /** The pods of all hosts. */
  readonly clusterRange: string;
  readonly serviceRange: string;
  readonly hostServices: readonly HostService[];
}

/** Map from addresses and ports of Services to their chains, for pods and the host. */
export const servicesMap = "services";

/** The same for LoadBalancers' addresses, for those outside. */
export const balancedMap = "balanced";

/** Map from ports of all the host's own addresses to Services' chains. */
export const nodePortMap = "node_ports";

/** Set of the endpoints that are open for those outside who come by a Service. */
export const outsideSet = "from_outside";

/** Chain of what pods of a namespace may reach. */
const namespaceChain = (namespace: string): string => `ns_${hashName(namespace)}`;

/** Set of the endpoints that Services of a namespace open. */
export const openSet = (namespace: string): string => `open_${hashName(namespace)}`;

/** An endpoint as an element of an open set. */
export const openElement = (protocol: Protocol, address: string, port: number): string =>
  `${protocol} . ${address} . ${port}`;

/** Replaces whatever the tables hold by the rules for no pods and no Services, to be followed by more in one transaction. */
export function baseRules(options: RulesetOptions): string {
  const { table } = options.names;
  return [...removal(table), ...ipTable(options), ...arpTable(options.names), ""].join("\n");
}

/** Takes everything away, whether it is there or not. */
export const removal = (table: string): readonly string[] =>
  ["ip", "arp"].flatMap((family) => [`add table ${family} ${table}`, `delete table ${family} ${table}`]);

function ipTable(options: RulesetOptions): readonly string[] {
  const { names, podRange, clusterRange, serviceRange, hostServices } = options;
  const fromPod = `iifname "${names.tapPrefix}*"`;
  const toPod = `oifname "${names.tapPrefix}*"`;
  return [
    `table ip ${names.table} {`,
    "  counter spoofed { }",
    "  counter refused_by_pods { }",
    "  counter refused_by_host { }",
    "  set places { type ifname . ipv4_addr . ether_addr; }",
    "  set reaching_host { type ipv4_addr; }",
    "  set itself { type ipv4_addr . ipv4_addr; }",
    `  set cluster { type ipv4_addr; flags interval; auto-merge; elements = { ${clusterRange}, ${podRange} } }`,
    `  set of_host { type inet_proto . ipv4_addr . inet_service; ${elementsClause(hostServices)} }`,
    "  map sources { type ipv4_addr : verdict; }",
    ...Object.values(guardMaps).map((name) => `  map ${name} { type ipv4_addr : verdict; }`),
    `  set ${flatSet} { type ipv4_addr; }`,
    `  map ${servicesMap} { type ipv4_addr . inet_proto . inet_service : verdict; }`,
    `  map ${balancedMap} { type ipv4_addr . inet_proto . inet_service : verdict; }`,
    `  map ${nodePortMap} { type inet_proto . inet_service : verdict; }`,
    `  set ${outsideSet} { type inet_proto . ipv4_addr . inet_service; }`,
    ...hostServices.flatMap(hostServiceChains),
    ...overlayObjects,
    ...antiSpoofing(fromPod),
    ...translation({ fromPod, podRange, overlay: names.overlay }),
    ...forwarding({ fromPod, toPod, serviceRange, overlay: names.overlay }),
    ...hostAccess({ fromPod, toPod, overlay: names.overlay }),
    "}",
    ...hostServices.flatMap((service) => hostServiceElements(names.table, service)),
  ];
}

const antiSpoofing = (fromPod: string): readonly string[] => [
  "  chain prerouting_raw {",
  "    type filter hook prerouting priority raw; policy accept;",
  `    ${fromPod} jump from_pod`,
  ...overlayArrival,
  "  }",
  "  chain from_pod {",
  "    iifname . ip saddr . ether saddr != @places counter name spoofed drop",
  // Replies to the host, and a pod's to itself, go to the gateway.
  `    ip daddr ${gateway} return`,
  // Loopback would reach what listens on 127.0.0.1 (route_localnet is on); clouds' metadata is link-local.
  "    ip daddr { 127.0.0.0/8, 169.254.0.0/16, 224.0.0.0/3 } counter name refused_by_host drop",
  "  }",
];

/** A port of one of the host's own addresses. */
const ownPort = "fib daddr type local meta l4proto . th dport";

const translation = (words: { fromPod: string; podRange: string; overlay: string }): readonly string[] => [
  "  chain prerouting_nat {",
  "    type nat hook prerouting priority dstnat; policy accept;",
  `    ${words.fromPod} ip daddr . meta l4proto . th dport vmap @${servicesMap}`,
  `    ip daddr . meta l4proto . th dport vmap @${balancedMap}`,
  `    ${ownPort} vmap @${nodePortMap}`,
  "  }",
  "  chain output_nat {",
  "    type nat hook output priority -100; policy accept;",
  `    ip daddr . meta l4proto . th dport vmap @${servicesMap}`,
  // A pod cannot answer to 127.0.0.1.
  `    ip daddr != 127.0.0.0/8 ${ownPort} vmap @${nodePortMap}`,
  "  }",
  "  chain postrouting_nat {",
  "    type nat hook postrouting priority srcnat; policy accept;",
  // A pod that reaches itself by a Service must get its answer from elsewhere than itself.
  "    ip saddr . ip daddr @itself masquerade",
  `    ip saddr ${words.podRange} ip daddr != @cluster masquerade`,
  // The host itself, by a Service's address: its source was chosen before the endpoint was.
  `    oifname "${words.overlay}" ip saddr != ${words.podRange} masquerade`,
  "  }",
];

type Words = Readonly<Record<"fromPod" | "toPod" | "overlay", string>>;

const forwarding = (words: Words & { serviceRange: string }): readonly string[] => [
  "  chain forwarded {",
  "    type filter hook forward priority filter; policy accept;",
  `    ${words.fromPod} goto pod_out`,
  `    ${words.toPod} goto pod_in`,
  ...overlayTransit(words.overlay, outsideSet),
  "  }",
  "  chain pod_out {",
  "    ct direction reply ct state established accept",
  "    ct state related accept",
  `    ip saddr vmap @${guardMaps.egress}`,
  `    oifname "${words.overlay}" accept`,
  "    ip daddr @cluster goto pod_to_pod",
  `    ${words.toPod} goto pod_to_pod`,
  `    ip daddr ${words.serviceRange} reject with icmp type port-unreachable`,
  "    accept",
  "  }",
  "  chain pod_in {",
  "    ct direction reply ct state established accept",
  "    ct state related accept",
  `    iifname "${words.overlay}" goto overlay_to_pod`,
  `    ct status dnat meta l4proto . ip daddr . th dport @${outsideSet} goto let_in`,
  "    counter name refused_by_pods drop",
  "  }",
  "  chain let_in {",
  `    ip daddr vmap @${guardMaps.ingress}`,
  "    accept",
  "  }",
  "  chain overlay_to_pod {",
  "    ip saddr @api_hosts accept",
  // Another host, for somebody outside who came to it by a Service.
  `    ip saddr @hosts meta l4proto . ip daddr . th dport @${outsideSet} goto let_in`,
  "    goto pod_to_pod",
  "  }",
  "  chain pod_to_pod {",
  "    ip saddr . ip daddr @itself accept",
  `    ip daddr vmap @${guardMaps.ingress}`,
  `    ip saddr @${flatSet} ip daddr @${flatSet} accept`,
  "    ip saddr vmap @sources",
  `    ${refusal}`,
  "  }",
];

const hostAccess = ({ fromPod, toPod, overlay }: Words): readonly string[] => [
  "  chain incoming {",
  "    type filter hook input priority filter; policy accept;",
  `    ${fromPod} goto pod_to_host`,
  `    iifname "${overlay}" goto overlay_to_host`,
  "  }",
  ...overlayToHost,
  "  chain pod_to_host {",
  "    ct direction reply ct state established accept",
  "    ct state related accept",
  "    meta l4proto . ip daddr . th dport @of_host accept",
  "    ip saddr @reaching_host meta l4proto tcp accept",
  "    counter name refused_by_host reject with icmp type admin-prohibited",
  "  }",
  "  chain outgoing {",
  "    type filter hook output priority filter; policy accept;",
  // A tap has no other router that a pod could be sent to.
  `    ${toPod} icmp type redirect drop`,
  "  }",
];

/** Only its pod's own ARP passes a tap, so no guest fills the host's neighbour table. */
const arpTable = ({ table, tapPrefix }: HostNames): readonly string[] => [
  `table arp ${table} {`,
  "  set places { type ifname . ipv4_addr . ether_addr; }",
  "  chain incoming {",
  "    type filter hook input priority filter; policy accept;",
  `    iifname "${tapPrefix}*" iifname . arp saddr ip . arp saddr ether != @places drop`,
  "  }",
  "}",
];

const hostChain = ({ virtual }: HostService, protocol: Protocol): string =>
  `host_${hashName(virtual.address, protocol, String(virtual.port))}`;

const hostServiceChains = (service: HostService): readonly string[] =>
  service.protocols.flatMap((protocol) => [
    `  chain ${hostChain(service, protocol)} {`,
    `    meta l4proto ${protocol} dnat to ${service.target.address}:${service.target.port}`,
    "  }",
  ]);

const hostServiceElements = (table: string, service: HostService): readonly string[] =>
  service.protocols.map((protocol) => {
    const { address, port } = service.virtual;
    return `add element ip ${table} ${servicesMap} { ${address} . ${protocol} . ${port} : goto ${hostChain(service, protocol)} }`;
  });

function elementsClause(hostServices: readonly HostService[]): string {
  const elements = hostServices.flatMap(({ target, protocols }) =>
    protocols.map((protocol) => openElement(protocol, target.address, target.port)),
  );
  return elements.length === 0 ? "" : `elements = { ${elements.join(", ")} }`;
}

/** Lets a namespace be: the chain its pods' packets go through, and the set it asks. */
export const addNamespace = (table: string, namespace: string): readonly string[] => [
  `add set ip ${table} ${openSet(namespace)} { type inet_proto . ipv4_addr . inet_service; }`,
  `add chain ip ${table} ${namespaceChain(namespace)}`,
  `add rule ip ${table} ${namespaceChain(namespace)} meta l4proto . ip daddr . th dport @${openSet(namespace)} accept`,
];

/** Nothing may refer to the chain any more. */
export const dropNamespace = (table: string, namespace: string): readonly string[] => [
  `flush chain ip ${table} ${namespaceChain(namespace)}`,
  `delete chain ip ${table} ${namespaceChain(namespace)}`,
  `delete set ip ${table} ${openSet(namespace)}`,
];

/** What a packet's sender may reach: what its namespace may. @param address of a pod here or on another host */
export const sourceElement = (table: string, verb: "add" | "delete", source: readonly [string, string]): string =>
  `${verb} element ip ${table} sources { ${source[0]} : jump ${namespaceChain(source[1])} }`;

/** Lets a pod's packets in. */
export const addPlace = (table: string, place: Place): readonly string[] => placeElements("add", table, place);

/** Shuts a pod out. */
export const dropPlace = (table: string, place: Place): readonly string[] => placeElements("delete", table, place);

function placeElements(verb: "add" | "delete", table: string, of: Place): string[] {
  const { tap, address, mac, namespace, reachesHost = false } = of;
  const place = `"${tap}" . ${address} . ${mac}`;
  return [
    sourceElement(table, verb, [address, namespace]),
    `${verb} element ip ${table} itself { ${address} . ${address} }`,
    ...(reachesHost ? [`${verb} element ip ${table} reaching_host { ${address} }`] : []),
    `${verb} element ip ${table} places { ${place} }`,
    `${verb} element arp ${table} places { ${place} }`,
  ];
}
