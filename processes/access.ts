/** `atoll access who-can VERB RESOURCE`: who may do something on the clusters, by the AccessPolicies. */
import { ClusterRole } from "@atoll/client/builtin";
import { deedOf, whoCan } from "@atoll/fleet/explain/access";
import { readFleet } from "@atoll/fleet/explain/organization";
import { systemClock } from "@atoll/machinery/clock";
import { exitCode, UsageError } from "./flags.ts";
import { hubFlags, table, withHub } from "./hub.ts";
import { adminKubeconfig } from "./kubeconfig.ts";

/** @param args who-can VERB RESOURCE[.GROUP] */
export async function run(args: readonly string[]): Promise<number> {
  return await exitCode(async () => {
    const command = hubFlags("atoll access", "who-can VERB RESOURCE: who may, by the AccessPolicies.")
      .argument("<what>", "who-can")
      .argument("<verb>", "as get, create, delete")
      .argument("<resource>", "as pods, pods/exec, deployments.apps")
      .option("--cluster <name>", "this cluster alone")
      .option("--org <namespace>", "the organization", "default")
      .parse(args, { from: "user" });
    const [what, verb = "", wanted = ""] = command.args;
    if (what !== "who-can") throw new UsageError("./atoll access who-can VERB RESOURCE");
    const { data, cluster, org } = command.opts<{ data?: string; cluster?: string; org: string }>();
    const deed = deedOf(verb, wanted);
    process.stdout.write(
      await withHub(adminKubeconfig(data), async (client) => {
        const fleet = await readFleet(client, org, systemClock.nowMs());
        const clusters = fleet.clusters.filter(({ metadata }) => cluster === undefined || metadata.name === cluster);
        const { items } = await client.list(ClusterRole);
        // The clusters' own roles of these names are those of every Kubernetes; so are the hub's.
        const roles = new Map(items.map(({ metadata, rules }) => [metadata.name ?? "", rules ?? []]));
        const rows = whoCan(deed, { ...fleet, clusters }, roles).map((one) => {
          return [one.cluster, one.subject, one.where, one.role, one.policy, one.level];
        });
        if (rows.length === 0) return `By the AccessPolicies nobody may ${verb} ${wanted}.\n`;
        return table([["CLUSTER", "WHO", "WHERE", "ROLE", "POLICY", "LEVEL"], ...rows]);
      }),
    );
    return 0;
  });
}
