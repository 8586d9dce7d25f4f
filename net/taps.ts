/** Taps: made, given their pod's route, looked up, taken away. */
import { writeFile } from "node:fs/promises";
import { gateway } from "./name.ts";
import type { Place } from "./records.ts";
import { run } from "./run.ts";

const usualMtu = 1500;
/** Loopback has 65536; a tap has no more than Ethernet's jumbo frames. */
const mostMtu = 9000;

/** Settings of each tap. Source: Linux, Documentation/networking/ip-sysctl.rst */
const settings: readonly (readonly [string, string])[] = [
  // The API and DNS may listen on 127.0.0.1 alone: translated packets may go there (others are dropped before).
  ["ipv4/conf/TAP/route_localnet", "1"],
  ["ipv4/conf/TAP/rp_filter", "1"],
  // Speak for the gateway only, not for the host's other addresses.
  ["ipv4/conf/TAP/arp_ignore", "1"],
  ["ipv4/conf/TAP/accept_redirects", "0"],
  ["ipv4/conf/TAP/send_redirects", "0"],
  ["ipv6/conf/TAP/disable_ipv6", "1"],
];

/**
 * Makes a tap, persistent, up and routed, or makes an existing one so.
 * @param exists whether there is one of the name
 * @throws {ProgramFailed}
 */
export async function setUpTap({ tap, address, mac }: Place, mtu: number, exists: boolean): Promise<void> {
  const lines = [
    ...(exists ? [] : [`tuntap add dev ${tap} mode tap`]),
    `link set dev ${tap} mtu ${mtu} up`,
    `address replace ${gateway}/32 dev ${tap}`,
    `route replace ${address}/32 dev ${tap}`,
    `neighbour replace ${address} lladdr ${mac} dev ${tap} nud permanent`,
  ];
  await run("ip", ["-batch", "-"], `${lines.join("\n")}\n`);
  await Promise.all(
    settings.map(async ([name, value]) => {
      await writeFile(`/proc/sys/net/${name.replace("TAP", tap)}`, value).catch(onlyIpv6MayLack(name));
    }),
  );
}

/** A kernel without IPv6 has nothing to turn off. */
const onlyIpv6MayLack = (name: string) => (error: NodeJS.ErrnoException) => {
  if (error.code !== "ENOENT" || !name.startsWith("ipv6/")) throw error;
};

/** Removes a tap, also under a process that still holds it. */
export async function removeTap(tap: string): Promise<void> {
  await run("ip", ["link", "delete", "dev", tap]);
}

/** Names of the interfaces that begin so. */
export async function listTaps(prefix: string): Promise<readonly string[]> {
  const links = JSON.parse((await run("ip", ["-json", "link", "show"])) || "[]") as readonly { ifname?: string }[];
  return links.flatMap(({ ifname = "" }) => (ifname.startsWith(prefix) ? [ifname] : []));
}

/** What a packet may hold that leaves by the interface with this address, or by the default route; 1500 when there is none. */
export async function uplinkMtu(address?: string): Promise<number> {
  const having = address === undefined ? "[]" : await run("ip", ["-json", "address", "show", "to", `${address}/32`]);
  const own = (JSON.parse(having.trim() || "[]") as { mtu?: number }[]).find(({ mtu }) => mtu !== undefined);
  if (own?.mtu !== undefined) return Math.min(own.mtu, mostMtu);
  const routes = JSON.parse((await run("ip", ["-json", "route", "show", "default"])) || "[]") as { dev?: string }[];
  const device = routes[0]?.dev;
  if (device === undefined) return usualMtu;
  const links = JSON.parse(await run("ip", ["-json", "link", "show", "dev", device])) as { mtu?: number }[];
  return links[0]?.mtu ?? usualMtu;
}

/** Lets the host pass packets on. It stays so: others may have come to count on it. */
export async function enableForwarding(): Promise<void> {
  await writeFile("/proc/sys/net/ipv4/ip_forward", "1");
}
