/** The fleet agent as a process. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { Agent } from "@atoll/agent/agent";
import { AgentIdentity } from "@atoll/agent/identity";
import { ensureAgentNamespace, InventoryRecord } from "@atoll/agent/inventory";
import { keepTunnel } from "@atoll/agent/tunnel";
import { Client } from "@atoll/client/client";
import { systemClock } from "@atoll/machinery/clock";
import { openKubeconfig } from "@atoll/runtime/kubeconfig";
import { logTo } from "@atoll/runtime/log";
import { nodeTransport } from "@atoll/runtime/transport";
import { exitCode, flags } from "./flags.ts";
import { reachableFlag, reachableHelp } from "./reachable.ts";
import { openLog } from "./log.ts";
import { untilStopped } from "./signals.ts";
import { atollVersion } from "./version.ts";

interface Options {
  readonly gateway: string;
  readonly gatewayCa: string;
  readonly tokenFile?: string;
  readonly kubeconfig: string;
  readonly reachable?: string | boolean;
}

function parse(args: readonly string[]): Options {
  return flags("atoll fleet-agent", "One attached cluster's agent, in the foreground.")
    .requiredOption("--gateway <url>", "the hub's gateway, https://HOST:PORT")
    .requiredOption("--gateway-ca <file>", "certificate of the gateway, PEM")
    .option("--token-file <file>", "the single-use token, for the first start")
    .requiredOption("--kubeconfig <file>", "the cluster, and who to be there")
    .option("--reachable [by]", reachableHelp)
    .parse(args, { from: "user" })
    .opts();
}

/** Runs until SIGTERM or SIGINT. */
export async function keepCluster(args: readonly string[]): Promise<number> {
  return await exitCode(async () => {
    const options = parse(args);
    const logger = openLog("fleet-agent");
    const log = logTo((level, message, fields) => logger[level](fields, message));
    const clock = systemClock;
    const userAgent = `atoll-fleet-agent/${atollVersion}`;
    const opened = await openKubeconfig({ path: options.kubeconfig, clock });
    const { transport } = opened;
    // What stays open keeps a process that was refused for minutes.
    using open = new DisposableStack();
    open.defer(() => transport.close());
    const cluster = new Client({ transport, clock, userAgent });
    await ensureAgentNamespace(cluster);
    const address = { url: options.gateway, ca: await readFile(options.gatewayCa, "utf8") };
    const token = options.tokenFile === undefined ? undefined : (await readFile(options.tokenFile, "utf8")).trim();
    const identity = await AgentIdentity.open(cluster, address, { clock, token });
    const hubTransport = nodeTransport({ server: options.gateway, identity, clock });
    open.defer(() => hubTransport.close());
    const agent = new Agent({
      hub: new Client({ transport: hubTransport, clock, userAgent }),
      hubNamespace: identity.hubNamespace,
      cluster,
      clock,
      log,
      instance: `${hostname()}_${randomBytes(4).toString("hex")}`,
      version: atollVersion,
    });
    if (identity.isNew) await new InventoryRecord(cluster).restart();
    const stop = new AbortController();
    const tunnel = {
      gateway: { url: options.gateway, identity },
      cluster: { server: opened.context.server, identity: opened.identity, client: cluster },
    };
    const by = reachableFlag(options.reachable);
    const tryPolicies = agent.tryPolicies.bind(agent);
    const running = Promise.all([
      keepTunnel({ ...tunnel, by, tryPolicies, clock, log }, stop.signal),
      agent.run(stop.signal).finally(() => stop.abort(new Error("the agent ended"))),
      identity.keepRenewed(stop.signal, (error) => log.warn("cannot renew the certificate", { error })),
    ]);
    process.stdout.write(`ready ${identity.hubNamespace}\n`);
    const signal = await Promise.race([untilStopped(), running.then(() => "detached")]);
    log.info("stopping", { signal });
    stop.abort(new Error("stopping"));
    await running;
    return 0;
  });
}
