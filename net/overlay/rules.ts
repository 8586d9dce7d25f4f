/**
 * The part of a host's rules that is about the overlay, as text. Pure.
 *
 *   raw prerouting   a packet of the overlay comes from a host that is known, and its sender is in that host's range
 *   forward          overlay -> pod: as between pods of this host, judged here; pod -> overlay: judged there
 *   input            overlay -> host: only replies
 *
 * Who may send what is read before the packet is unwrapped, where both addresses are in it.
 * Source: RFC 7348 (VXLAN), nft(8) "Raw payload expression"
 */
import { parseRange, sizeOf } from "../address.ts";
import { hashName } from "../name.ts";
import { addressOfHost, type Elsewhere, type Peer } from "./elsewhere.ts";

/** UDP port of VXLAN. Source: RFC 7348, 8 */
export const overlayPort = 4789;

/** Bits from the UDP header on: its 8 bytes, VXLAN's 8 with the VNI after 4, Ethernet's 14, the sender 12 bytes into IPv4. */
const vniAt = "@th,96,24";
const kindAt = "@th,224,16";
const senderAt = "@th,336,32";

const peerChain = (address: string): string => `peer_${hashName(address)}`;

/** Sets, maps and chains that changes are elements of. */
export const overlayObjects: readonly string[] = [
  "  map peers { type ipv4_addr : verdict; }",
  "  set hosts { type ipv4_addr; }",
  "  set api_hosts { type ipv4_addr; }",
  "  chain underlay {",
  "  }",
];

/** Rules before anything else. */
export const overlayArrival: readonly string[] = [`    udp dport ${overlayPort} jump underlay`];

/** Rules of what is forwarded, after those about pods' own interfaces. */
export const overlayTransit = (link: string, outsideSet: string): readonly string[] => [
  // Who is outside and came by a Service's address here, on the way to an endpoint there and back.
  `    iifname "${link}" ct direction reply ct state established accept`,
  `    oifname "${link}" ct status dnat meta l4proto . ip daddr . th dport @${outsideSet} accept`,
  `    iifname "${link}" counter name refused_by_pods drop`,
  // What is no pod's does not get onto the overlay: the underlay reaches no pod anywhere.
  `    oifname "${link}" counter name refused_by_pods drop`,
];

/** Rules of what comes to this host itself. */
export const overlayToHost: readonly string[] = [
  "  chain overlay_to_host {",
  "    ct direction reply ct state established accept",
  "    ct state related accept",
  "    counter name refused_by_host drop",
  "  }",
];

/** Statements that turn what is known of other hosts into something else. The sources are not among them. */
export function overlayDifference(table: string, from: Elsewhere, to: Elsewhere): readonly string[] {
  const [before, after] = [rangesByAddress(from.peers), rangesByAddress(to.peers)];
  const gone = [...before.keys()].filter((address) => after.get(address) !== before.get(address));
  const come = [...after.keys()].filter((address) => after.get(address) !== before.get(address));
  const element = (address: string) => `ip ${table} peers { ${address} : jump ${peerChain(address)} }`;
  return [
    ...(from.network === to.network ? [] : arrival(table, to.network)),
    ...gone.flatMap((address) => [
      `delete element ${element(address)}`,
      `flush chain ip ${table} ${peerChain(address)}`,
      `delete chain ip ${table} ${peerChain(address)}`,
    ]),
    ...come.flatMap((address) => [
      `add chain ip ${table} ${peerChain(address)}`,
      ...(after.get(address) ?? "")
        .split(" ")
        .map((range) => `add rule ip ${table} ${peerChain(address)} ${fits(range)}`),
      `add element ${element(address)}`,
    ]),
    ...elements(`delete element ip ${table} hosts`, hosts(from), hosts(to)),
    ...elements(`add element ip ${table} hosts`, hosts(to), hosts(from)),
    ...elements(`delete element ip ${table} api_hosts`, apiHosts(from), apiHosts(to)),
    ...elements(`add element ip ${table} api_hosts`, apiHosts(to), apiHosts(from)),
  ];
}

/** Another cluster's overlay is none of this table's business. */
function arrival(table: string, network: number): readonly string[] {
  const rule = (text: string) => `add rule ip ${table} underlay ${text}`;
  return [
    `flush chain ip ${table} underlay`,
    rule(`${vniAt} != 0x${network.toString(16)} return`),
    rule("ip saddr vmap @peers"),
    rule("counter name spoofed drop"),
  ];
}

function fits(range: string): string {
  const { first, length } = parseRange(range);
  const mask = 2 ** 32 - sizeOf({ first, length });
  return `${kindAt} 0x0800 ${senderAt} & 0x${mask.toString(16)} == 0x${first.toString(16)} accept`;
}

function rangesByAddress(peers: readonly Peer[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { address, range } of peers) found.set(address, [found.get(address) ?? "", range].join(" ").trim());
  return found;
}

const hosts = ({ peers }: Elsewhere): readonly string[] => peers.map(({ range }) => addressOfHost(range));

const apiHosts = ({ peers }: Elsewhere): readonly string[] =>
  peers.flatMap(({ range, servesApi }) => (servesApi ? [addressOfHost(range)] : []));

function elements(verb: string, of: readonly string[], without: readonly string[]): readonly string[] {
  const list = of.filter((each) => !without.includes(each));
  return list.length === 0 ? [] : [`${verb} { ${list.join(", ")} }`];
}
