/** `atoll cluster attach | detach | ls`: Mission Control's clusters. */
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { Client } from "@atoll/client/client";
import { toKey } from "@atoll/client/resource";
import { forceDetach } from "@atoll/fleet/cluster/controller";
import { publishedGateway } from "@atoll/fleet/gateway/published";
import { expectCluster, makeToken } from "@atoll/fleet/gateway/offer";
import { systemClock } from "@atoll/machinery/clock";
import { openKubeconfig } from "@atoll/runtime/kubeconfig";
import { exitCode, flags, UsageError } from "./flags.ts";
import { adminKubeconfig } from "./kubeconfig.ts";
import { atollVersion } from "./version.ts";

interface Options {
  readonly org: string;
  readonly group?: string;
  readonly gateway?: string;
  readonly force?: boolean;
  readonly reachable?: boolean;
  readonly out: string;
}

type Verb = (client: Client, name: string, options: Options) => Promise<void>;
const verbs: Readonly<Record<string, Verb>> = { attach, detach, ls };

/** @param args VERB [NAME] and flags; the hub is that of `--data DIR` first, KUBECONFIG, or the usual data directory */
export async function run(args: readonly string[]): Promise<number> {
  return await exitCode(async () => {
    const { kubeconfig, rest } = adminKubeconfig(args);
    const command = flags("atoll cluster", "attach NAME, detach NAME or ls: the clusters of Mission Control.")
      .argument("<verb>", Object.keys(verbs).join(", "))
      .argument("[name]", "name of the cluster")
      .option("--org <namespace>", "the organization", "default")
      .option("--group <group>", "ClusterGroup of the cluster")
      .option("--gateway <url>", "where agents reach the hub's gateway (default: where it says it is)")
      .option("--out <dir>", "where attach writes what the agent needs", ".")
      .option("--reachable", "attach: people reach the cluster's API through the hub (atoll kubeconfig NAME)")
      .option("--force", "detach: do not wait for an agent that will not come back")
      .parse(rest, { from: "user" });
    const [verb = "", name = ""] = command.args;
    const act = verbs[verb];
    if (act === undefined)
      throw new UsageError(`there is no cluster ${verb}; there are ${Object.keys(verbs).join(", ")}`);
    if (name === "" && verb !== "ls") throw new UsageError(`which cluster? ./atoll cluster ${verb} NAME`);
    const { transport } = await openKubeconfig({ path: kubeconfig, clock: systemClock });
    try {
      const client = new Client({ transport, clock: systemClock, userAgent: `atoll-cluster/${atollVersion}` });
      await act(client, name, command.opts());
    } finally {
      transport.close();
    }
    return 0;
  });
}

async function attach(client: Client, name: string, options: Options): Promise<void> {
  const { org, group, gateway, out, reachable } = options;
  const namespace = await expectCluster(client, { organization: org, name, group }, systemClock);
  const published = await publishedGateway(client);
  const folder = resolve(out);
  await mkdir(folder, { recursive: true });
  const [ca, token] = [join(folder, `${name}-gateway.crt`), join(folder, `${name}-token`)];
  await writeFile(ca, published.ca);
  await writeFile(token, await makeToken(client, namespace, systemClock), { mode: 0o600 });
  process.stdout.write(
    [
      `Cluster ${name} waits for its agent. The token is good once, for ten minutes. Where the cluster and the hub`,
      "can be reached, run:",
      "",
      `  ./atoll fleet-agent --gateway ${gateway ?? published.url} --gateway-ca ${ca} --token-file ${token} --kubeconfig KUBECONFIG${reachable === true ? " --reachable" : ""}`,
      "",
      `Then: kubectl get fleetclusters -n ${org}`,
      "",
    ].join("\n"),
  );
}

async function detach(client: Client, name: string, { org, force }: Options): Promise<void> {
  const key = toKey(org, name);
  if (force === true) {
    const body = { metadata: { annotations: { [forceDetach]: "true" } } };
    await client.patch(FleetCluster, { key, patch: { type: "merge", body } });
  }
  await client.delete(FleetCluster, key);
  process.stdout.write(`Cluster ${name} is being detached: its agent removes what it made there.\n`);
}

async function ls(client: Client, _name: string, { org }: Options): Promise<void> {
  const { items } = await client.list(FleetCluster, { namespace: org });
  const rows = items.map(({ metadata, spec, status }) => [
    metadata.name ?? "",
    status?.phase ?? "Pending",
    spec.group ?? "-",
    status?.version ?? "-",
    status?.lastSeen ?? "never",
  ]);
  const table = [["NAME", "PHASE", "GROUP", "VERSION", "LAST SEEN"], ...rows];
  const widths = table[0]?.map((_, at) => Math.max(...table.map((row) => row[at]?.length ?? 0))) ?? [];
  for (const row of table) {
    process.stdout.write(
      `${row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd()}\n`,
    );
  }
}
