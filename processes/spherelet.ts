/** `atoll spherelet`: this host as a node, in the foreground. Needs root. */
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { connect } from "node:net";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { Client } from "@atoll/client/client";
import { Machines } from "@atoll/crx/machines";
import { chance, systemClock } from "@atoll/machinery/clock";
import { openKubeconfig } from "@atoll/runtime/kubeconfig";
import { logTo } from "@atoll/runtime/log";
import { hostAddress } from "@atoll/spherelet/node/host";
import { keepIdentity } from "@atoll/spherelet/node/joining";
import { LeaseTerm } from "@atoll/spherelet/node/leaseterm";
import { Spherelet, usualSize } from "@atoll/spherelet/spherelet";
import { exitCode, flags, port } from "./flags.ts";
import { openLog } from "./log.ts";
import { gatewayImages } from "./gatewayimage.ts";
import { machineHostOf, verdictFor } from "./machinehost.ts";
import { type NetworkFlags, networkFlags, nodeRanges, openNetwork } from "./nodenetwork.ts";
import { registriesOf } from "./registries.ts";
import { untilStopped } from "./signals.ts";
import { atollVersion } from "./version.ts";

interface Options extends NetworkFlags {
  readonly kubeconfig: string;
  readonly node: string;
  readonly data: string;
  readonly port: number;
  readonly address?: string;
  readonly requireKvm?: boolean;
}

const usualPort = 10250;
const httpsPort = 443;
const listenPatienceMs = 5_000;
const lookEveryMs = 20;

function parse(args: readonly string[]): Options {
  const command = flags("atoll spherelet", "This host as a node, in the foreground. Needs root.")
    .requiredOption("--kubeconfig <file>", "the API server, and who to be there")
    .option("--node <name>", "name of the Node", hostname().toLowerCase())
    .requiredOption("--data <dir>", "where machines, images and logs are kept")
    .option("--port <n>", "port of the kubelet's API", port, usualPort)
    .option("--address <addr>", "address that others reach this host at (default: that of the default route)")
    .option("--require-kvm", "do not run where machines would be emulated");
  return networkFlags(command).parse(args, { from: "user" }).opts();
}

/** Runs until SIGTERM or SIGINT; the machines run on. */
export async function run(args: readonly string[]): Promise<number> {
  return await exitCode(async () => {
    const options = parse(args);
    const data = resolve(options.data);
    const logger = openLog("spherelet");
    const log = logTo((level, message, fields) => logger[level](fields, message));
    await mkdir(data, { recursive: true, mode: 0o700 });
    const { transport, context, ca } = await openKubeconfig({ path: options.kubeconfig, clock: systemClock });
    const client = new Client({ transport, clock: systemClock, userAgent: `atoll-spherelet/${atollVersion}` });
    const term = new LeaseTerm(systemClock);
    const common = { client, clock: systemClock, random: chance, log, data, term };
    // A server that starts at the same moment is waited for here, while machines are prepared: its clients back off.
    const [machines] = await Promise.all([machinesOf(data, options), untilListens(context.server)]);
    const ranges = await nodeRanges(options, { ...common, node: options.node });
    const address = options.address ?? (await hostAddress());
    const network = await openNetwork(options.clusterDomain, {
      ...common,
      address,
      node: options.node,
      server: context.server,
      ranges,
    });
    const spherelet = await Spherelet.start({
      ...common,
      network,
      clusterDomain: options.clusterDomain,
      name: options.node,
      machines,
      registries: await registriesOf(data),
      ownImages: gatewayImages(),
      podRange: ranges.pods,
      address,
      port: options.port,
      version: atollVersion,
      ca,
    });
    const stop = new AbortController();
    const renewing = keepIdentity({ ...common, node: options.node }, stop.signal);
    process.stdout.write(`ready ${options.node}\n`);
    const signal = await untilStopped();
    log.info("stopping", { signal });
    stop.abort(new Error("the spherelet stops"));
    await renewing;
    await spherelet.stop();
    await network.close();
    transport.close();
    // A template may be in the making, which takes seconds; half made, it is found and made anew.
    return process.exit(0);
  });
}

/** The machines of this host, the usual template among them as soon as can be. */
async function machinesOf(data: string, { requireKvm }: Options): Promise<Machines> {
  const verdict = await verdictFor(data);
  if (requireKvm === true && verdict.accelerator !== "kvm") throw new Error(`no KVM: ${verdict.reason}`);
  const machines = new Machines(await machineHostOf(data, verdict));
  void machines.templates.obtain(await usualSize());
  return machines;
}

/** Resolves when somebody listens at a server's address, or it has taken too long: whoever speaks to it tries again. */
async function untilListens(server: string): Promise<void> {
  const { hostname: host, port: number } = new URL(server);
  const where = { host, port: number === "" ? httpsPort : Number(number) };
  const giveUpMs = systemClock.monotonicMs() + listenPatienceMs;
  while (!(await listens(where)) && systemClock.monotonicMs() < giveUpMs) await systemClock.sleep(lookEveryMs);
}

async function listens(where: { host: string; port: number }): Promise<boolean> {
  const socket = connect(where);
  const answered = once(socket, "connect").then(
    () => true,
    () => false,
  );
  const late = systemClock.after(listenPatienceMs, () => socket.destroy(new Error("no answer")));
  const answer = await answered;
  late.cancel();
  socket.destroy();
  return answer;
}
