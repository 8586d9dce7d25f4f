/** `atoll kubeconfig CLUSTER`: a kubeconfig that reaches an attached cluster through the hub, as who the hub's own one names. */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { toKey } from "@atoll/client/resource";
import { publishedGateway } from "@atoll/fleet/gateway/published";
import { parseYaml } from "@atoll/machinery/yaml/yaml";
import { exitCode, UsageError } from "./flags.ts";
import { hubFlags, withHub } from "./hub.ts";
import { adminKubeconfig } from "./kubeconfig.ts";

interface Named {
  readonly name: string;
}
interface Config {
  readonly "current-context"?: string;
  readonly contexts?: readonly (Named & { readonly context?: { readonly user?: string } })[];
  readonly users?: readonly (Named & { readonly user?: Readonly<Record<string, unknown>> })[];
}

/** @param args NAME and flags */
export async function run(args: readonly string[]): Promise<number> {
  return await exitCode(async () => {
    const command = hubFlags("atoll kubeconfig", "A kubeconfig for an attached cluster, reached through the hub.")
      .argument("<cluster>", "name of the cluster")
      .option("--org <namespace>", "the organization", "default")
      .option("--gateway <url>", "where people reach the hub's gateway (default: where it says it is)")
      .parse(args, { from: "user" });
    const { data, org, gateway } = command.opts<{ data?: string; org: string; gateway?: string }>();
    const kubeconfig = adminKubeconfig(data);
    const [name = ""] = command.args;
    if (name.includes("/")) throw new UsageError("a cluster's name has no slash; its organization is given by --org");
    const published = await withHub(kubeconfig, async (client) => {
      await client.get(FleetCluster, toKey(org, name));
      return await publishedGateway(client);
    });
    const server = `${(gateway ?? published.url).replace(/\/+$/, "")}/clusters/${org}/${name}`;
    const ca = Buffer.from(published.ca).toString("base64");
    const config = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name, cluster: { server, "certificate-authority-data": ca } }],
      users: [{ name: "hub", user: await userOf(kubeconfig) }],
      contexts: [{ name, context: { cluster: name, user: "hub" } }],
      "current-context": name,
    };
    process.stdout.write(`${JSON.stringify(config, undefined, 2)}\n`);
    return 0;
  });
}

/** How the person proves to the hub who they are. Files are named from the root, since the new one is elsewhere. */
async function userOf(path: string): Promise<Readonly<Record<string, unknown>>> {
  const config = parseYaml(await readFile(path, "utf8")).value as Config;
  const context = config.contexts?.find(({ name }) => name === config["current-context"])?.context;
  const user = config.users?.find(({ name }) => name === context?.user)?.user ?? {};
  const files = ["client-certificate", "client-key", "tokenFile"];
  const entries = Object.entries(user).map(([field, value]) => [
    field,
    files.includes(field) && typeof value === "string" ? resolve(dirname(path), value) : value,
  ]);
  return Object.fromEntries(entries);
}
