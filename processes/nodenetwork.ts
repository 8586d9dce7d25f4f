/** The network of `atoll spherelet`, from its flags. */
import { lookup } from "node:dns/promises";
import type { Command } from "commander";
import { NodeNetwork, type NodeNetworkOptions } from "@atoll/spherelet/network/network";

/** What the flags say. */
export interface NetworkFlags {
  readonly podCidr: string;
  readonly clusterCidr: string;
  readonly serviceCidr: string;
  readonly clusterDomain: string;
}

/** Ranges that nothing was said about. Sources: --pod-network-cidr of common network add-ons; kubeadm's service range */
export const usualRanges = { pods: "10.244.0.0/24", cluster: "10.244.0.0/16", services: "10.96.0.0/12" } as const;

const httpsPort = 443;

/** Adds the flags. */
export function networkFlags(command: Command): Command {
  return command
    .option("--pod-cidr <cidr>", "range of this host's pods", usualRanges.pods)
    .option("--cluster-cidr <cidr>", "range of all hosts' pods", usualRanges.cluster)
    .option("--service-cidr <cidr>", "range of Service addresses, as the server has it", usualRanges.services)
    .option("--cluster-domain <name>", "domain of Services' names", "cluster.local");
}

/**
 * Takes the network up.
 * @param server URL of the API, as this host reaches it
 */
export async function openNetwork(
  flags: NetworkFlags,
  { server, ...rest }: { server: string } & Pick<NodeNetworkOptions, "client" | "clock" | "random" | "log" | "data">,
): Promise<NodeNetwork> {
  const { hostname, port } = new URL(server);
  const { address } = await lookup(hostname, { family: 4 });
  return await NodeNetwork.open({
    ...rest,
    podRange: flags.podCidr,
    clusterRange: flags.clusterCidr,
    serviceRange: flags.serviceCidr,
    clusterDomain: flags.clusterDomain,
    api: { address, port: port === "" ? httpsPort : Number(port) },
  });
}
