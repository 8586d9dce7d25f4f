/** The network of `atoll spherelet`, from its flags. */
import { lookup } from "node:dns/promises";
import type { Client } from "@atoll/client/client";
import type { Clock } from "@atoll/machinery/clock";
import { type NodeRanges, rangesOf } from "@atoll/spherelet/node/joining";
import type { Command } from "commander";
import { usualRanges } from "./ranges.ts";
import { NodeNetwork, type NodeNetworkOptions } from "@atoll/spherelet/network/network";

/** What the flags say. */
export interface NetworkFlags {
  readonly podCidr?: string;
  readonly clusterCidr: string;
  readonly serviceCidr: string;
  readonly clusterDomain: string;
}

const httpsPort = 443;

/** Adds the flags. */
export function networkFlags(command: Command): Command {
  return command
    .option("--pod-cidr <cidr>", "range of this host's pods (default: the cluster says the ranges)")
    .option("--cluster-cidr <cidr>", "with --pod-cidr: range of all hosts' pods", usualRanges.cluster)
    .option("--service-cidr <cidr>", "with --pod-cidr: range of Service addresses", usualRanges.services)
    .option("--cluster-domain <name>", "domain of Services' names", "cluster.local");
}

/** The ranges that the flags say, or else the cluster. @throws {JoinFailed} it does not */
export async function nodeRanges(
  { podCidr: pods, clusterCidr: cluster, serviceCidr: services }: NetworkFlags,
  { client, clock, node }: { client: Client; clock: Clock; node: string },
): Promise<NodeRanges> {
  return pods === undefined ? await rangesOf(client, node, clock) : { pods, cluster, services };
}

/**
 * Takes the network up.
 * @param server URL of the API, as this host reaches it
 */
export async function openNetwork(
  clusterDomain: string,
  {
    server,
    ranges,
    ...rest
  }: { server: string; ranges: NodeRanges } & Pick<
    NodeNetworkOptions,
    "client" | "clock" | "random" | "log" | "data" | "node" | "address" | "term"
  >,
): Promise<NodeNetwork> {
  const { hostname, port } = new URL(server);
  const { address } = await lookup(hostname, { family: 4 });
  return await NodeNetwork.open({
    ...rest,
    podRange: ranges.pods,
    clusterRange: ranges.cluster,
    serviceRange: ranges.services,
    clusterDomain,
    api: { address, port: port === "" ? httpsPort : Number(port) },
  });
}
