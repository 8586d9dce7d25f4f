/**
 * The range of Service addresses, as numbers.
 * Source: k8s.io/kubernetes/pkg/registry/core/service/ipallocator: the lower part of a range is left to those who ask
 * for an address of their own choice
 */
import { isIPv4 } from "node:net";

/** An IPv4 range without its first and last address. */
export class AddressRange {
  readonly first: number;
  readonly size: number;
  readonly cidr: string;

  /** @throws {RangeError} for anything but an IPv4 CIDR of /8 to /30 */
  constructor(cidr: string) {
    const [address = "", prefix = ""] = cidr.split("/");
    const bits = Number(prefix);
    if (!isIPv4(address) || !Number.isInteger(bits) || bits < 8 || bits > 30) {
      throw new RangeError(`${JSON.stringify(cidr)} is no IPv4 range such as 10.96.0.0/12`);
    }
    const size = 2 ** (32 - bits);
    this.cidr = cidr;
    this.first = Math.floor(toNumber(address) / size) * size + 1;
    this.size = size - 2;
  }

  /** The n-th address, 0-based. */
  at(n: number): string {
    return toAddress(this.first + n);
  }

  has(address: string): boolean {
    if (!isIPv4(address)) return false;
    const n = toNumber(address) - this.first;
    return n >= 0 && n < this.size;
  }

  /** Addresses from here on are given without being asked for. */
  get dynamicFrom(): number {
    return Math.min(Math.max(Math.floor(this.size / 16), 16), 256, this.size - 1);
  }
}

function toNumber(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

function toAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}
