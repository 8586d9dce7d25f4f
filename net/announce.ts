/**
 * Addresses that this host answers to for LoadBalancers. They are on the loopback interface, under a label of the data
 * directory's own, so nothing of the uplink changes: the kernel answers to ARP for an address of whatever interface
 * (arp_ignore 0, the usual). Neighbours who know another host by one are told.
 * The kernel takes them away when their time is over, so that a host which nobody hears of stops answering though whoever
 * gave them to it has died or hangs.
 * Sources: ip-address(8), valid_lft; ip-sysctl of the kernel, arp_ignore; RFC 5227, 1.1 (announcements)
 */
import { run } from "./run.ts";

interface Listed {
  readonly ifname?: string;
  readonly addr_info?: readonly { readonly local?: string; readonly label?: string }[];
}

/**
 * Makes the addresses under a label so.
 * @param at uplink: the host's address on the network where they are told; without it nobody is
 * @param forMs how long they are answered to from now on; in whole seconds, and with less than one none is
 * @throws {ProgramFailed}
 */
export async function announce(
  { label, uplink }: { readonly label: string; readonly uplink: string | undefined },
  addresses: ReadonlySet<string>,
  forMs: number,
): Promise<void> {
  const seconds = Math.floor(forMs / 1_000);
  const listed = await read(["address", "show", "dev", "lo"]);
  const have = listed
    .flatMap(({ addr_info: all = [] }) => all)
    .flatMap(({ local = "", label: of }) => (of === label ? [local] : []));
  const gone = have.filter((address) => !addresses.has(address));
  const kept = seconds > 0 ? [...addresses] : [];
  const come = kept.filter((address) => !have.includes(address));
  const lines = [
    ...gone.map((address) => `address delete ${address}/32 dev lo`),
    ...kept.map(
      (address) => `address replace ${address}/32 dev lo label ${label} valid_lft ${seconds} preferred_lft ${seconds}`,
    ),
  ];
  if (lines.length > 0) await run("ip", ["-batch", "-"], `${lines.join("\n")}\n`);
  if (uplink === undefined || come.length === 0) return;
  const device = (await read(["address", "show", "to", `${uplink}/32`])).find(({ ifname }) => ifname !== undefined);
  if (device?.ifname === undefined) return;
  // Without it neighbours find the address all the same, once they have forgotten who had it.
  for (const address of come)
    await run("arping", ["-U", "-q", "-c", "1", "-I", device.ifname, address]).catch(() => undefined);
}

async function read(args: readonly string[]): Promise<readonly Listed[]> {
  return JSON.parse((await run("ip", ["-json", ...args])).trim() || "[]") as readonly Listed[];
}
