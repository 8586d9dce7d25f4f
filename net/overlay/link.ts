/**
 * The interface to other hosts' pods: VXLAN, with a route, a neighbour and a forwarding entry for each host. Nothing is
 * learned from packets. What is there is compared with what is wanted, so a driver that was killed leaves nothing odd.
 * Sources: ip-link(8), bridge(8); flannel's vxlan backend for the addresses
 */
import { writeFile } from "node:fs/promises";
import { macOf } from "../name.ts";
import { run } from "../run.ts";
import { addressOfHost, type Peer } from "./elsewhere.ts";
import { overlayPort } from "./rules.ts";

/** What the outer headers take of a packet. Source: RFC 7348: Ethernet 14, IPv4 20, UDP 8, VXLAN 8 */
export const overlayBytes = 50;

/** The interface as it is to be. */
export interface Link {
  readonly name: string;
  readonly network: number;
  /** This host's, on the network between hosts. */
  readonly address: string;
  /** This host's pods. */
  readonly range: string;
  readonly mtu: number;
}

const settings: readonly (readonly [string, string])[] = [
  ["ipv4/conf/LINK/rp_filter", "1"],
  ["ipv4/conf/LINK/accept_redirects", "0"],
  ["ipv4/conf/LINK/send_redirects", "0"],
  ["ipv6/conf/LINK/disable_ipv6", "1"],
];

/** Makes the interface lead to these peers and no others. @throws {ProgramFailed} */
export async function setUpLink(link: Link, peers: readonly Peer[]): Promise<void> {
  if (!(await isThere(link))) await make(link);
  const { name, range } = link;
  const source = addressOfHost(range);
  const [routes, neighbours, entries] = await Promise.all([
    read<{ dst?: string }>("ip", ["-json", "route", "show", "dev", name]),
    read<{ dst?: string }>("ip", ["-json", "neighbour", "show", "dev", name]),
    read<{ mac?: string; dst?: string }>("bridge", ["-json", "fdb", "show", "dev", name]),
  ]);
  const wanted = peers.map((peer) => ({
    ...peer,
    router: addressOfHost(peer.range),
    mac: macOf(addressOfHost(peer.range)),
  }));
  const ranges = new Set(wanted.map((peer) => peer.range));
  const routers = new Set(wanted.map(({ router }) => router));
  const leads = new Set(wanted.map(({ mac, address }) => `${mac} ${address}`));
  const known = {
    ranges: new Set(routes.map(({ dst }) => dst)),
    routers: new Set(neighbours.map(({ dst }) => dst)),
    leads: new Set(entries.map(({ mac, dst }) => `${mac} ${dst}`)),
  };
  await batch("ip", [
    ...[...known.ranges]
      .filter((each) => each !== undefined && !ranges.has(each))
      .map((each) => `route delete ${each} dev ${name}`),
    ...[...known.routers]
      .filter((each) => each !== undefined && !routers.has(each))
      .map((each) => `neighbour delete ${each} dev ${name}`),
  ]);
  await batch("bridge", [
    ...entries
      .filter(({ mac, dst }) => dst !== undefined && !leads.has(`${mac} ${dst}`))
      .map(({ mac, dst }) => `fdb delete ${mac} dev ${name} dst ${dst}`),
    ...wanted
      .filter(({ mac, address }) => !known.leads.has(`${mac} ${address}`))
      .map(({ mac, address }) => `fdb replace ${mac} dev ${name} dst ${address}`),
  ]);
  await batch("ip", [
    ...wanted
      .filter(({ router }) => !known.routers.has(router))
      .map(({ router, mac }) => `neighbour replace ${router} lladdr ${mac} dev ${name} nud permanent`),
    ...wanted
      .filter((peer) => !known.ranges.has(peer.range))
      .map((peer) => `route replace ${peer.range} via ${peer.router} dev ${name} onlink src ${source}`),
  ]);
}

/** Takes the interface away, and with it all that it led to; nothing where there is none. @throws {ProgramFailed} */
export async function removeLink(name: string): Promise<void> {
  if ((await details(name)) !== undefined) await run("ip", ["link", "delete", "dev", name]);
}

interface Details {
  readonly ifname?: string;
  readonly address?: string;
  readonly mtu?: number;
  readonly linkinfo?: {
    readonly info_data?: { readonly id?: number; readonly local?: string; readonly port?: number };
  };
}

async function details(name: string): Promise<Details | undefined> {
  const links = await read<Details>("ip", ["-json", "-details", "link", "show", "type", "vxlan"]);
  return links.find(({ ifname }) => ifname === name);
}

async function isThere({ name, network, address, mtu, range }: Link): Promise<boolean> {
  const found = await details(name);
  if (found === undefined) return false;
  const { id, local, port } = found.linkinfo?.info_data ?? {};
  const isSame =
    id === network && local === address && port === overlayPort && found.address === macOf(addressOfHost(range));
  if (isSame && found.mtu === mtu) return true;
  await run("ip", ["link", "delete", "dev", name]);
  return false;
}

async function make({ name, network, address, range, mtu }: Link): Promise<void> {
  const own = addressOfHost(range);
  await batch("ip", [
    `link add ${name} address ${macOf(own)} type vxlan id ${network} dstport ${overlayPort} local ${address} nolearning`,
    `address add ${own}/32 dev ${name}`,
  ]);
  for (const [setting, value] of settings) {
    await writeFile(`/proc/sys/net/${setting.replace("LINK", name)}`, value).catch((error: NodeJS.ErrnoException) => {
      // A kernel without IPv6 has nothing to turn off.
      if (error.code !== "ENOENT" || !setting.startsWith("ipv6/")) throw error;
    });
  }
  await run("ip", ["link", "set", "dev", name, "mtu", `${mtu}`, "up"]);
}

async function batch(program: string, lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await run(program, ["-batch", "-"], `${lines.join("\n")}\n`);
}

async function read<T>(program: string, args: readonly string[]): Promise<readonly T[]> {
  return JSON.parse((await run(program, args)).trim() || "[]") as readonly T[];
}
