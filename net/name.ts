/**
 * What things on the host are called: names derive from the data directory, so that several are up at once, each
 * finds its own again, and none touches another's.
 */
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { parseAddress, type Range } from "./address.ts";

/** The router's address as every pod sees it: on every tap, on no other interface, never routed. */
export const gateway = "169.254.1.1";

/** Names of one data directory. */
export interface HostNames {
  /** nftables tables, one in each family that is needed. */
  readonly table: string;
  /** What every tap's name begins with, and no other interface's. */
  readonly tapPrefix: string;
  /** The interface to other hosts' pods. */
  readonly overlay: string;
  /** Label of addresses that the host answers to for LoadBalancers. */
  readonly announced: string;
}

/** @param data the data directory */
export function hostNames(data: string): HostNames {
  const id = hashName(resolve(data)).slice(0, 6);
  return { table: `atoll_${id}`, tapPrefix: `at${id}p`, overlay: `at${id}v`, announced: `lo:at${id}` };
}

/** A tap's name, at most 15 characters: its pod's offset in the host's range, in hexadecimal. */
export const tapName = ({ tapPrefix }: HostNames, range: Range, address: string): string =>
  `${tapPrefix}${(parseAddress(address) - range.first).toString(16)}`;

/** A locally administered MAC that says which address it belongs to. */
export function macOf(address: string): string {
  const bytes = [2, 0, ...address.split(".").map(Number)];
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** Twelve hexadecimal digits that stand for a text where only letters and digits may be: never a word of nftables. */
export const hashName = (...parts: readonly string[]): string =>
  createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 12);
