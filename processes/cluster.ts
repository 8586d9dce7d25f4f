/** `atoll cluster attach | detach | ls`: Mission Control's clusters. */
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { ReachableBy } from "@atoll/api/fleet/reachable";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { ClusterRoleBinding, Deployment, Namespace, Secret, ServiceAccount } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { type Resource, toKey } from "@atoll/client/resource";
import { forceDetach } from "@atoll/fleet/cluster/controller";
import { type AttachObject, attachObjects } from "@atoll/fleet/attach/manifest";
import { isLoopback, type PublishedGateway, publishedGateway } from "@atoll/fleet/gateway/published";
import { expectCluster, makeToken } from "@atoll/fleet/gateway/offer";
import { systemClock } from "@atoll/machinery/clock";
import { formatYaml } from "@atoll/machinery/yaml/format";
import { agentImage } from "@atoll/portal/agentimage";
import { exitCode, UsageError } from "./flags.ts";
import { hubFlags, table, withHub } from "./hub.ts";
import { reachableFlag, reachableHelp } from "./reachable.ts";
import { adminKubeconfig } from "./kubeconfig.ts";

interface Options {
  readonly org: string;
  readonly group?: string;
  readonly gateway?: string;
  readonly force?: boolean;
  readonly reachable?: string | boolean;
  readonly out?: string;
  readonly kubeconfig?: string;
}

/** After so long it is told what is waited for. */
const patienceMs = 2_000;

type Verb = (client: Client, name: string, options: Options) => Promise<void>;
const resources: readonly Resource[] = [Namespace, ServiceAccount, ClusterRoleBinding, Secret, Deployment];
const verbs: Readonly<Record<string, Verb>> = { attach, detach, ls };

/** @param args VERB [NAME] and flags */
export async function run(args: readonly string[]): Promise<number> {
  return await exitCode(async () => {
    const command = hubFlags("atoll cluster", "attach NAME, detach NAME or ls: the clusters of Mission Control.")
      .argument("<verb>", Object.keys(verbs).join(", "))
      .argument("[name]", "name of the cluster")
      .option("--org <namespace>", "the organization", "default")
      .option("--group <group>", "ClusterGroup of the cluster")
      .option("--gateway <url>", "where agents reach the hub's gateway (default: where it says it is)")
      .option("--kubeconfig <file>", "attach: apply the manifest with this, in place of printing it")
      .option("--out <dir>", "attach: write what an agent run by hand needs there, in place of the manifest")
      .option("--reachable [by]", `attach: ${reachableHelp}`)
      .option("--force", "detach: do not wait for an agent that will not come back")
      .parse(args, { from: "user" });
    const [verb = "", name = ""] = command.args;
    const act = verbs[verb];
    if (act === undefined)
      throw new UsageError(`there is no cluster ${verb}; there are ${Object.keys(verbs).join(", ")}`);
    if (name === "" && verb !== "ls") throw new UsageError(`which cluster? ./atoll cluster ${verb} NAME`);
    const options = command.opts<Options & { data?: string }>();
    await withHub(adminKubeconfig(options.data), async (client) => await act(client, name, options));
    return 0;
  });
}

async function attach(client: Client, name: string, options: Options): Promise<void> {
  const { org, group, out } = options;
  const reachable = reachableFlag(options.reachable);
  const namespace = await expectCluster(client, { organization: org, name, group }, systemClock);
  const published = await publishedGateway(client);
  const gateway = { ...published, url: options.gateway ?? published.url };
  if (out !== undefined)
    return await forAgentByHand(client, { name, namespace, gateway, reachable, out: resolve(out) });
  const { host, hostname } = new URL(gateway.url);
  if (isLoopback(gateway)) {
    process.stderr.write(
      `The gateway listens at ${hostname}, where a pod does not reach it. Start the hub with --gateway-address ADDRESS, one that\n` +
        `${name} reaches, and attach again; or run the agent here by hand: ./atoll cluster attach ${name} --out DIR\n`,
    );
  }
  const waiting = systemClock.after(patienceMs, () => {
    process.stderr.write("The gateway makes the agent's image, once: this takes about two minutes.\n");
  });
  const image = `${host}/${await agentImage(gateway).finally(() => waiting.cancel())}`;
  const token = await makeToken(client, namespace, systemClock);
  const objects = await attachObjects({ gateway, token, image, reachable });
  if (options.kubeconfig !== undefined) await applyAll(options.kubeconfig, objects);
  else process.stdout.write(objects.map((object) => `---\n${formatYaml(object)}`).join(""));
  process.stderr.write(
    [
      options.kubeconfig === undefined
        ? `Apply this at ${name} within ten minutes: its token is good once.`
        : `The agent was started at ${name}.`,
      `Its nodes pull the agent's image from ${host}. Hosts of Atoll trust it by what they are given here; with containerd, put`,
      "  ./atoll kubectl -n atoll-fleet get configmap gateway -o jsonpath='{.data.ca\\.crt}'",
      `into /etc/containerd/certs.d/${host}/ca.crt of each node, and beside it hosts.toml:`,
      `  server = "https://${host}"`,
      `  ca = "/etc/containerd/certs.d/${host}/ca.crt"`,
      `Then: kubectl get fleetclusters -n ${org}`,
      "",
    ].join("\n"),
  );
}

async function applyAll(kubeconfig: string, objects: readonly AttachObject[]): Promise<void> {
  await withHub(kubeconfig, async (cluster) => {
    for (const object of objects) {
      const resource = resources.find(({ kind }) => kind === object.kind);
      if (resource === undefined) throw new Error(`${object.kind} is not known here`);
      await cluster.apply(resource, { object, force: true }, { fieldManager: "atoll-attach" });
    }
  });
}

interface ByHand {
  readonly name: string;
  readonly namespace: string;
  readonly gateway: PublishedGateway;
  readonly reachable: ReachableBy | undefined;
  readonly out: string;
}

async function forAgentByHand(client: Client, { name, namespace, gateway, reachable, out }: ByHand): Promise<void> {
  await mkdir(out, { recursive: true });
  const [ca, token] = [join(out, `${name}-gateway.crt`), join(out, `${name}-token`)];
  await writeFile(ca, gateway.ca);
  await writeFile(token, await makeToken(client, namespace, systemClock), { mode: 0o600 });
  process.stdout.write(
    [
      `Cluster ${name} waits for its agent. The token is good once, for ten minutes. Where the cluster and the hub`,
      "can be reached, run:",
      "",
      `  ./atoll fleet-agent --gateway ${gateway.url} --gateway-ca ${ca} --token-file ${token} --kubeconfig KUBECONFIG${reachable === undefined ? "" : ` --reachable=${reachable}`}`,
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
  process.stdout.write(table([["NAME", "PHASE", "GROUP", "VERSION", "LAST SEEN"], ...rows]));
}
