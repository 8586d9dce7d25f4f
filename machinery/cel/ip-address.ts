/**
 * IP addresses and networks as numbers.
 * Source: Go's net/netip (ParseAddr, ParsePrefix, String)
 */

/** An address; `bits` is 32 or 128. */
export interface IpAddress {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/** A network: an address and how many of its leading bits count. */
export interface IpNetwork {
  readonly address: IpAddress;
  readonly prefix: number;
}

function parseV4(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return undefined;
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function parseGroups(text: string): bigint[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const groups: bigint[] = [];
  for (const [index, part] of parts.entries()) {
    if (index === parts.length - 1 && part.includes(".")) {
      const v4 = parseV4(part);
      if (v4 === undefined) return undefined;
      groups.push(v4 >> 16n, v4 & 0xffffn);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return groups;
}

function parseV6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? "");
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? "") : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0n), ...tail];
  return groups.reduce((value, group) => (value << 16n) | group, 0n);
}

/** An address in text; undefined when it is none. Zones are not part of addresses. */
export function parseIp(text: string): IpAddress | undefined {
  const v6 = text.includes(":");
  const value = v6 ? parseV6(text) : parseV4(text);
  return value === undefined ? undefined : { bits: v6 ? 128 : 32, value };
}

/** Whether an IPv6 address is an IPv4 one in disguise: `::ffff:1.2.3.4`. */
export const isMapped = (ip: IpAddress): boolean => ip.bits === 128 && ip.value >> 32n === 0xffffn;

/** A network in text, as `10.0.0.0/8`; bits beyond the prefix are kept. */
export function parseNetwork(text: string): IpNetwork | undefined {
  const [address = "", prefix = "", ...more] = text.split("/");
  const ip = parseIp(address);
  if (ip === undefined || more.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(prefix)) return undefined;
  return Number(prefix) <= ip.bits ? { address: ip, prefix: Number(prefix) } : undefined;
}

const octets = (value: bigint): string => [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join(".");

/** The canonical spelling. */
export function spellIp(ip: IpAddress): string {
  if (ip.bits === 32) return octets(ip.value);
  if (isMapped(ip)) return `::ffff:${octets(ip.value & 0xffffffffn)}`;
  const groups = Array.from({ length: 8 }, (_none, index) =>
    ((ip.value >> BigInt(112 - index * 16)) & 0xffffn).toString(16),
  );
  const runs = [...groups.join(":").matchAll(/(?<![0-9a-f])0(?::0)+(?![0-9a-f])/g)];
  const longest = runs.reduce((best, run) => (run[0].length > best.length ? run[0] : best), "");
  const text = groups.join(":");
  if (longest === "") return text;
  const at = runs.find((run) => run[0] === longest)?.index ?? 0;
  const [before, after] = [text.slice(0, at), text.slice(at + longest.length)];
  return `${before.replace(/:$/, "")}::${after.replace(/^:/, "")}`;
}

/** The canonical spelling of a network. */
export const spellNetwork = (network: IpNetwork): string => `${spellIp(network.address)}/${network.prefix}`;

/** The network with the bits beyond its prefix cleared. */
export function maskNetwork({ address, prefix }: IpNetwork): IpNetwork {
  const host = BigInt(address.bits - prefix);
  return { address: { bits: address.bits, value: (address.value >> host) << host }, prefix };
}

/** Whether an address is in a network. */
export function containsIp(network: IpNetwork, ip: IpAddress): boolean {
  const host = BigInt(network.address.bits - network.prefix);
  return ip.bits === network.address.bits && ip.value >> host === network.address.value >> host;
}

/** Whether an address is in the network given as text. */
const within = (ip: IpAddress, text: string): boolean => {
  const network = parseNetwork(text);
  return network !== undefined && containsIp(network, ip);
};

/** What an address is for. */
export const ipTests = {
  isUnspecified: (ip: IpAddress): boolean => ip.value === 0n,
  isLoopback: (ip: IpAddress): boolean => within(ip, "127.0.0.0/8") || within(ip, "::1/128"),
  isLinkLocalMulticast: (ip: IpAddress): boolean =>
    within(ip, "224.0.0.0/24") || (within(ip, "ff00::/8") && ((ip.value >> 112n) & 0xfn) === 2n),
  isLinkLocalUnicast: (ip: IpAddress): boolean => within(ip, "169.254.0.0/16") || within(ip, "fe80::/10"),
  isGlobalUnicast: (ip: IpAddress): boolean =>
    ip.value !== 0n &&
    !(ip.bits === 32 && ip.value === 0xffffffffn) &&
    !ipTests.isLoopback(ip) &&
    !within(ip, "224.0.0.0/4") &&
    !within(ip, "ff00::/8") &&
    !ipTests.isLinkLocalUnicast(ip),
} as const;
