import { parsePool } from "@atoll/controllers/loadbalancer/pool";
import { AddressInvalid } from "@atoll/net/address";
import { UsageError } from "./flags.ts";

/** Ranges that nothing was said about. Sources: --pod-network-cidr of common network add-ons; kubeadm's service range */
export const usualRanges = { cluster: "10.244.0.0/16", services: "10.96.0.0/12" } as const;

/** What `--load-balancer-pool` is. */
export const loadBalancerPoolHelp =
  "addresses of the hosts' network for LoadBalancers, as 192.0.2.100-192.0.2.120,198.51.100.0/28 (default: hosts' own)";

/** @throws {UsageError} it holds no addresses */
export function loadBalancerPool(text: string): string {
  try {
    parsePool(text);
    return text;
  } catch (error) {
    if (error instanceof AddressInvalid) throw new UsageError(`--load-balancer-pool: ${error.message}`);
    throw error;
  }
}
