/** `atoll up`: the whole system on this machine. */
import { spawn } from "node:child_process";
import { mkdir, open, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { defaultData } from "./datadir.ts";
import { exitCode, flags, port, UsageError } from "./flags.ts";
import { readRecord, runs } from "./up/running.ts";
import { loadBalancerPool, loadBalancerPoolHelp } from "./ranges.ts";
import { withStoreFlags } from "./storeflags.ts";
import type { SystemOptions } from "./up/system.ts";

interface Options extends Omit<SystemOptions, "data"> {
  readonly data: string;
  readonly background?: boolean;
}

/** What `inBackground` waits for. */
const lastWords = "To stop:";

function parse(args: readonly string[]): Options {
  return withStoreFlags(
    flags("atoll up", "The whole system on this machine. Pods need root; without it there is the API alone."),
  )
    .option("--data <dir>", "where everything is kept", defaultData())
    .option("--bind <addr>", "address to listen on", "127.0.0.1")
    .option("--api-port <n>", "port of the API (default: 6443, or a free one when that is taken)", port)
    .option("--kubelet-port <n>", "port of the node's API (default: 10250, or a free one when that is taken)", port)
    .option("--gateway-port <n>", "port for attached clusters (default: 7443, or a free one when that is taken)", port)
    .option(
      "--gateway-address <addr>",
      "address to listen on for attached clusters, as they reach it (default: --bind)",
    )
    .option("--console-port <n>", "port of the console (default: 8443, or a free one when that is taken)", port)
    .option("--pod-cidr <cidr>", "range of pods' addresses (default: the first free one from 10.244.0.0/16 on)")
    .option("--service-cidr <cidr>", "range of Service addresses (default: 10.96.0.0/12)")
    .option("--load-balancer-pool <ranges>", loadBalancerPoolHelp, loadBalancerPool)
    .option("--node-ports", "Services may be of the type NodePort; otherwise that is refused")
    .option("--no-demo", "without the welcome pod")
    .option("--background", "go on in the background once everything is ready")
    .parse(args, { from: "user" })
    .opts();
}

/** @param args flags as above */
export async function run(args: readonly string[]): Promise<number> {
  return await exitCode(async () => {
    const options = parse(args);
    const data = resolve(options.data);
    const known = await readRecord(data);
    if (known !== undefined && (await runs(known.up))) {
      throw new UsageError(`already up in ${data} (process ${known.up.pid}); ./atoll down --data ${data} stops it`);
    }
    if (options.background === true) return await inBackground(args, data);
    await mkdir(join(data, "log"), { recursive: true, mode: 0o700 });
    // Only now: whoever starts it in the background need not load what it is made of.
    const { System } = await import("./up/system.ts");
    return await new System({ ...options, data }, known).run();
  });
}

/**
 * Starts `up` again detached, and follows what it says until it is ready. What it says later, about parts that ended, is
 * in log/up.log.
 */
async function inBackground(args: readonly string[], data: string): Promise<number> {
  await mkdir(join(data, "log"), { recursive: true, mode: 0o700 });
  const log = await open(join(data, "log", "up.log"), "w", 0o600);
  const main = join(import.meta.dirname, "main.ts");
  const rest = args.filter((arg) => arg !== "--background");
  const child = spawn(process.execPath, [...process.execArgv, main, "up", ...rest], {
    detached: true,
    stdio: ["ignore", "pipe", log.fd],
  });
  const code = await new Promise<number>((done) => {
    child.stdout?.on("data", (chunk: Buffer) => {
      process.stdout.write(chunk);
      if (chunk.includes(lastWords)) done(0);
    });
    child.on("exit", (ended) => done(ended ?? 1));
  });
  child.stdout?.destroy();
  child.unref();
  await log.close();
  if (code !== 0) process.stderr.write(await readFile(join(data, "log", "up.log"), "utf8"));
  return code;
}
