/** `atoll gateway`: where fleet agents come in. */
import { isIPv6 } from "node:net";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { ConfigMap } from "@atoll/client/builtin";
import { Client } from "@atoll/client/client";
import { Cache } from "@atoll/client/informer/cache";
import { toKey } from "@atoll/client/resource";
import { Agents } from "@atoll/fleet/gateway/agents";
import { startGateway } from "@atoll/fleet/gateway/gateway";
import { askForPreviews, PreviewPath } from "@atoll/fleet/gateway/preview";
import { PeerPath } from "@atoll/fleet/gateway/peers";
import { publishGateway } from "@atoll/fleet/gateway/published";
import { servingPair } from "@atoll/fleet/gateway/tls";
import { systemClock } from "@atoll/machinery/clock";
import { openKubeconfig } from "@atoll/runtime/kubeconfig";
import { logTo } from "@atoll/runtime/log";
import { hostAddress } from "@atoll/spherelet/node/host";
import { FleetAgentImage } from "./fleetagentimage.ts";
import { exitCode, flags, port } from "./flags.ts";
import { openLog } from "./log.ts";
import { untilStopped } from "./signals.ts";
import { atollVersion } from "./version.ts";

interface Options {
  readonly kubeconfig: string;
  readonly port: number;
  readonly bind: string;
  readonly advertise?: string;
  readonly name?: readonly string[];
  readonly images?: string;
}

function parse(args: readonly string[]): Options {
  return flags("atoll gateway", "Where fleet agents come in, in the foreground.")
    .requiredOption("--kubeconfig <file>", "the hub, and who to be there")
    .option("--port <n>", "port to listen on", port, 7443)
    .option("--bind <addr>", "address to listen on", "127.0.0.1")
    .option("--advertise <host>", "name or address by which agents and nodes reach it (default: --bind)")
    .option("--name <name...>", "further names or addresses by which agents reach it")
    .option("--images <dir>", "where the agent's image is made and kept (default: it is not served)")
    .parse(args, { from: "user" })
    .opts();
}

/** Runs until SIGTERM or SIGINT. */
export async function run(args: readonly string[]): Promise<number> {
  return await exitCode(async () => {
    const options = parse(args);
    const logger = openLog("gateway");
    const log = logTo((level, message, fields) => logger[level](fields, message));
    const { transport, ca } = await openKubeconfig({ path: options.kubeconfig, clock: systemClock });
    const client = new Client({ transport, clock: systemClock, userAgent: `atoll-gateway/${atollVersion}` });
    const cache = new Cache({
      client,
      clock: systemClock,
      onError: (error, { plural }) => log.warn("cannot follow", { plural, error }),
    });
    const clusters = cache.informer(FleetCluster);
    await clusters.whenSynced();
    const address = await reachableAt(options.bind);
    const advertised = options.advertise ?? address;
    const names = [...new Set(["127.0.0.1", "localhost", address, advertised, ...(options.name ?? [])])];
    const tls = await servingPair(client, systemClock, names);
    const previews = new PreviewPath(tls.secret);
    const gateway = await startGateway({
      client,
      transport,
      agents: new Agents(clusters),
      clock: systemClock,
      log,
      ...(options.images === undefined
        ? {}
        : { image: new FleetAgentImage({ dir: options.images, clock: systemClock }) }),
      tls: { ...tls, clientCa: await clientAuthority(client, ca) },
      previews,
      peering: { host: inUrl(address), ca: tls.ca, path: new PeerPath(tls.secret) },
      bind: options.bind,
      port: options.port,
    });
    const url = `https://${inUrl(advertised)}:${gateway.port}`;
    await publishGateway(client, { url, ca: tls.ca });
    await askForPreviews(client, { url, ca: tls.ca }, previews).catch((error: unknown) =>
      log.warn("the hub does not ask what dry runs would change", { error }),
    );
    process.stdout.write(`ready ${url}\n`);
    const signal = await untilStopped();
    log.info("stopping", { signal });
    await gateway.close();
    await cache.stop();
    transport.close();
    return 0;
  });
}

const inUrl = (host: string) => (isIPv6(host) ? `[${host}]` : host);

/** Nobody reaches "all addresses": then it is that of the default route. */
async function reachableAt(bind: string): Promise<string> {
  return bind === "0.0.0.0" || bind === "::" ? await hostAddress() : bind;
}

/**
 * What signs the certificates of the hub's clients.
 * Source: k8s.io/apiserver/pkg/server/options (the ConfigMap extension-apiserver-authentication)
 */
async function clientAuthority(client: Client, usual: string): Promise<string> {
  try {
    const { data } = await client.get(ConfigMap, toKey("kube-system", "extension-apiserver-authentication"));
    return data?.["client-ca-file"] ?? usual;
  } catch {
    return usual;
  }
}
