/** `atoll inventory [WORD…]`: what all clusters have, searched at the hub. */
import { ClusterInventory } from "@atoll/api/fleet/v1alpha1/clusterinventory";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import type { Client } from "@atoll/client/client";
import { type Findings, type Found, searched } from "@atoll/fleet/explain/inventory";
import { humanDuration } from "@atoll/api/cells";
import { parseTime, systemClock } from "@atoll/machinery/clock";
import { exitCode, UsageError } from "./flags.ts";
import { hubFlags, table, withHub } from "./hub.ts";
import { adminKubeconfig } from "./kubeconfig.ts";

interface Options {
  readonly data?: string;
  readonly kind?: readonly string[];
  readonly cluster?: string;
  readonly namespace?: string;
  readonly unhealthy?: boolean;
  readonly org: string;
  readonly output: string;
}

/** @param args words and flags */
export async function run(args: readonly string[]): Promise<number> {
  return await exitCode(async () => {
    const command = hubFlags(
      "atoll inventory",
      "What all clusters have: nodes, namespaces, workloads, deprecated API use.",
    )
      .argument("[words...]", "all must occur in what is told of a thing: its name, kind, image, version, state …")
      .option(
        "--kind <kind...>",
        "Cluster, Node, Namespace, Deployment, StatefulSet, DaemonSet, Job, CronJob, ResourceQuota, DeprecatedAPI",
      )
      .option("--cluster <name>", "this cluster alone")
      .option("-n, --namespace <name>", "this namespace alone, on whatever cluster")
      .option("--unhealthy", "only what is not as it should be")
      .option("--org <namespace>", "the organization", "default")
      .option("-o, --output <format>", "table or json", "table")
      .parse(args, { from: "user" });
    const { data, output, org, kind, ...where } = command.opts<Options>();
    if (output !== "table" && output !== "json") throw new UsageError("-o is table or json");
    const search = { words: command.args, ...where, ...(kind === undefined ? {} : { kinds: kind }) };
    const findings = await withHub(adminKubeconfig(data), async (client) => {
      const { items } = await client.list(FleetCluster, { namespace: org });
      return searched(items, await everyInventory(client), search);
    });
    process.stdout.write(output === "json" ? `${JSON.stringify(findings, undefined, 2)}\n` : told(findings));
    return 0;
  });
}

async function everyInventory(client: Client): Promise<readonly ClusterInventory[]> {
  const all: ClusterInventory[] = [];
  for await (const { items } of client.pages(ClusterInventory, { limit: 100 })) all.push(...items);
  return all;
}

function told({ found, gaps }: Findings): string {
  const rows = found.map((one) => [one.cluster, one.kind, placed(one), one.state, one.version, ageOf(one)]);
  const text =
    rows.length === 0 ? "Nothing found.\n" : table([["CLUSTER", "KIND", "NAME", "STATE", "VERSION", "SEEN"], ...rows]);
  return text + table(gaps.map((gap) => [gap]));
}

function placed({ namespace, name }: Found): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}

function ageOf({ asOf }: Found): string {
  return asOf === undefined ? "never" : `${humanDuration(systemClock.nowMs() - parseTime(asOf))} ago`;
}
