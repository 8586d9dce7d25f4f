/**
 * IP addresses and networks.
 * Source: k8s.io/apiserver/pkg/cel/library/ip.go, cidr.go
 */
import { type CallCost, characterCost, fixedCost, type Range, ranges, scaled, sizeOf, traversalCost } from "../cost.ts";
import { global, method } from "../define.ts";
import {
  containsIp,
  type IpAddress,
  type IpNetwork,
  ipTests,
  isMapped,
  maskNetwork,
  parseIp,
  parseNetwork,
  spellIp,
  spellNetwork,
} from "../ip-address.ts";
import type { Library, Overload } from "../library.ts";
import { Boxed, unbox } from "../opaque.ts";
import { boolType, type CelType, intType, opaqueType, stringType } from "../types.ts";
import { CelError, type Value } from "../values.ts";

const text = stringType;
const ipType = opaqueType("net.IP");
const cidrType = opaqueType("net.CIDR");

/** What is wrong with text that is no address, in Go's words. */
function ipFault(given: string): string {
  const parts = given.split(".");
  if (given.includes(":") || !parts.every((part) => /^\d+$/.test(part))) return "unable to parse IP";
  if (parts.length !== 4) return `IPv4 address too ${parts.length < 4 ? "short" : "long"}`;
  return parts.some((part) => Number(part) > 255)
    ? "IPv4 field has value >255"
    : "IPv4 field has octet with leading zero";
}

/** What is wrong with text that is no network, in Go's words. */
function networkFault(given: string): string {
  const at = given.lastIndexOf("/");
  if (at < 0) return "no '/'";
  const address = given.slice(0, at);
  const bits = given.slice(at + 1);
  if (parseIp(address) === undefined) return `ParseAddr(${JSON.stringify(address)}): ${ipFault(address)}`;
  return /^(0|[1-9]\d{0,2})$/.test(bits)
    ? "prefix length out of range"
    : `bad bits after slash: ${JSON.stringify(bits)}`;
}

function readIp(given: string): IpAddress | CelError {
  const zoned = given.includes(":") && /%.+$/.test(given);
  const ip = parseIp(zoned ? given.replace(/%.*$/, "") : given);
  if (ip === undefined) {
    const shown = JSON.stringify(given);
    return new CelError(
      `IP Address ${shown} parse error during conversion from string: ParseAddr(${shown}): ${ipFault(given)}`,
    );
  }
  if (zoned) return new CelError(`IP address ${JSON.stringify(given)} with zone value is not allowed`);
  if (isMapped(ip)) return new CelError(`IPv4-mapped IPv6 address ${JSON.stringify(given)} is not allowed`);
  return ip;
}

function readCidr(given: string): IpNetwork | CelError {
  const network = parseNetwork(given);
  const opening = "network address parse error during conversion from string: ";
  if (network === undefined) {
    return new CelError(`${opening}${opening}netip.ParsePrefix(${JSON.stringify(given)}): ${networkFault(given)}`);
  }
  if (!isMapped(network.address)) return network;
  return new CelError(`${opening}IPv4-mapped IPv6 address ${JSON.stringify(given)} is not allowed`);
}

const boxIp = (ip: IpAddress): Value => new Boxed(ipType, ip, { key: spellIp(ip), size: ip.bits / 8 });

const boxCidr = (network: IpNetwork): Value =>
  new Boxed(cidrType, network, { key: spellNetwork(network), size: Math.ceil(network.prefix / 8) });

/** Turns what was read into a result, if it was read. */
const onRead = <T>(read: T | CelError, then: (value: T) => Value): Value =>
  read instanceof CelError ? read : then(read);

/** The same where text stands for an address in a network: there, upstream does not say what is wrong with it. */
const onText = <T>(read: T | CelError, then: (value: T) => Value): Value =>
  read instanceof CelError ? new CelError("no such overload") : then(read);

const ipTest = (name: string, id: string, test: (ip: IpAddress) => boolean): [string, Overload[]] => [
  name,
  [method(id, { of: [ipType], to: boolType, cost: fixedCost(1) }, ([ip]) => test(unbox<IpAddress>(ip)))],
];

/** IP addresses. */
export const ip: Library = {
  name: "kubernetes.net.ip",
  types: { "net.IP": ipType },
  functions: {
    ip: [
      global("string_to_ip", { of: [text], to: ipType, cost: traversalCost(0) }, ([given]) =>
        onRead(readIp(given as string), boxIp),
      ),
    ],
    isIP: [
      global(
        "is_ip",
        { of: [text], to: boolType, cost: traversalCost(0) },
        ([given]) => !(readIp(given as string) instanceof CelError),
      ),
    ],
    "ip.isCanonical": [
      global("ip_is_canonical", { of: [text], to: boolType, cost: traversalCost(0, { passes: 2 }) }, ([given]) =>
        onRead(readIp(given as string), (address) => spellIp(address) === given),
      ),
    ],
    family: [
      method("ip_family", { of: [ipType], to: intType, cost: fixedCost(1) }, ([address]) =>
        unbox<IpAddress>(address).bits === 32 ? 4n : 6n,
      ),
    ],
    string: [global("ip_to_string", { of: [ipType], to: text }, ([address]) => spellIp(unbox<IpAddress>(address)))],
    ...Object.fromEntries([
      ipTest("isUnspecified", "ip_is_unspecified", ipTests.isUnspecified),
      ipTest("isLoopback", "ip_is_loopback", ipTests.isLoopback),
      ipTest("isLinkLocalMulticast", "ip_is_link_local_multicast", ipTests.isLinkLocalMulticast),
      ipTest("isLinkLocalUnicast", "ip_is_link_local_unicast", ipTests.isLinkLocalUnicast),
      ipTest("isGlobalUnicast", "ip_is_global_unicast", ipTests.isGlobalUnicast),
    ]),
  },
};

/** Two addresses compared byte by byte; parsing the second when it is text, masking when it is a network. */
function containmentCost(options: { parses: boolean; masks: boolean }): CallCost {
  const addressSize: Range = { min: 4, max: 16 };
  return {
    run(args, _result, sizes) {
      const size = sizeOf(args[0], sizes);
      const masking = options.masks ? scaled(size, characterCost) + 1 : 0;
      const parsing = options.parses ? scaled(sizeOf(args[1], sizes), characterCost) : 0;
      return scaled(size * 2, characterCost) + masking + parsing;
    },
    estimate(site) {
      let cost = ranges.scale(ranges.add(addressSize, addressSize), characterCost);
      if (options.masks)
        cost = ranges.add(cost, ranges.add(ranges.scale(addressSize, characterCost), ranges.exactly(1)));
      if (options.parses) cost = ranges.add(cost, ranges.scale(site.size(1), characterCost));
      return { cost };
    },
  };
}

const covers = (outer: IpNetwork, inner: IpNetwork): boolean =>
  containsIp(outer, inner.address) && outer.prefix <= inner.prefix;

interface Containment {
  readonly other: CelType;
  readonly parses: boolean;
  readonly masks: boolean;
}

const containment = (id: string, kind: Containment, test: (network: IpNetwork, other: Value) => Value): Overload =>
  method(id, { of: [cidrType, kind.other], to: boolType, cost: containmentCost(kind) }, ([network, other]) =>
    test(unbox<IpNetwork>(network), other as Value),
  );

/** Networks. */
export const cidr: Library = {
  name: "kubernetes.net.cidr",
  types: { "net.CIDR": cidrType },
  functions: {
    cidr: [
      global("string_to_cidr", { of: [text], to: cidrType, cost: traversalCost(0) }, ([given]) =>
        onRead(readCidr(given as string), boxCidr),
      ),
    ],
    isCIDR: [
      global(
        "is_cidr",
        { of: [text], to: boolType, cost: traversalCost(0) },
        ([given]) => !(readCidr(given as string) instanceof CelError),
      ),
    ],
    containsIP: [
      containment("cidr_contains_ip_string", { other: text, parses: true, masks: false }, (network, other) =>
        onText(readIp(other as string), (address) => containsIp(network, address)),
      ),
      containment("cidr_contains_ip_ip", { other: ipType, parses: false, masks: false }, (network, other) =>
        containsIp(network, unbox<IpAddress>(other)),
      ),
    ],
    containsCIDR: [
      containment("cidr_contains_cidr_string", { other: text, parses: true, masks: true }, (network, other) =>
        onRead(readCidr(other as string), (inner) => covers(network, inner)),
      ),
      containment("cidr_contains_cidr", { other: cidrType, parses: false, masks: true }, (network, other) =>
        covers(network, unbox<IpNetwork>(other)),
      ),
    ],
    ip: [
      method("cidr_ip", { of: [cidrType], to: ipType, cost: fixedCost(1) }, ([network]) =>
        boxIp(unbox<IpNetwork>(network).address),
      ),
    ],
    prefixLength: [
      method("cidr_prefix_length", { of: [cidrType], to: intType, cost: fixedCost(1) }, ([network]) =>
        BigInt(unbox<IpNetwork>(network).prefix),
      ),
    ],
    masked: [
      method("cidr_masked", { of: [cidrType], to: cidrType, cost: fixedCost(1) }, ([network]) =>
        boxCidr(maskNetwork(unbox<IpNetwork>(network))),
      ),
    ],
    string: [
      global("cidr_to_string", { of: [cidrType], to: text }, ([network]) => spellNetwork(unbox<IpNetwork>(network))),
    ],
  },
};
