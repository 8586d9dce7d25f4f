/** Which range of Pods' addresses a Node gets. Pure. Source: k8s.io/kubernetes/pkg/controller/nodeipam/ipam/cidrset */
import type { Node } from "@atoll/api/builtin/core/v1.types";
import { AddressInvalid, addressAt, formatRange, overlap, parseRange, type Range, sizeOf } from "@atoll/net/address";

/** Of each Node's range: 256 addresses, as upstream's --node-cidr-mask-size. */
const nodeLength = 24;

/**
 * The first range that no Node has.
 * @param all the range of all Pods, as 10.244.0.0/16; one that is not larger than a Node's is the only one there is
 * @param nodes every other Node
 * @returns undefined when all are taken
 */
export function freeNodeRange(all: string, nodes: readonly Node[]): string | undefined {
  const whole = parseRange(all);
  const length = Math.max(whole.length, nodeLength);
  const size = 2 ** (32 - length);
  const taken = nodes.flatMap(rangesOf);
  for (let offset = 0; offset < sizeOf(whole); offset += size) {
    const range = parseRange(`${addressAt(whole, offset)}/${length}`);
    if (!taken.some((other) => overlap(other, range))) return formatRange(range);
  }
  return undefined;
}

/** What a Node has that is a range of IPv4 addresses. */
function rangesOf({ spec }: Node): readonly Range[] {
  return [spec?.podCIDR ?? "", ...(spec?.podCIDRs ?? [])].flatMap((text) => {
    try {
      return [parseRange(text)];
    } catch (error) {
      if (error instanceof AddressInvalid) return [];
      throw error;
    }
  });
}
