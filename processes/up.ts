/** `atoll up`: the whole system on this machine. */
import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createServer } from "node:net";
import { systemClock } from "@atoll/machinery/clock";
import { defaultData } from "./datadir.ts";
import { Child } from "./child.ts";
import { type ConfigurationFlags, configurationArgs, withConfigurationFlags } from "./configuration.ts";
import { exitCode, flags, port, UsageError } from "./flags.ts";
import { type Part, partsOf, type Wish } from "./parts.ts";
import { readRecord, removeRecord, type Running, runs, startOf, writeRecord } from "./running.ts";
import { untilStopped } from "./signals.ts";

interface Options extends ConfigurationFlags {
  readonly data: string;
  readonly bind: string;
  readonly apiPort?: number;
  readonly store: string;
  readonly serviceCidr: string;
  readonly background?: boolean;
}

const usualApiPort = 6443;

function parse(args: readonly string[]): Options {
  return withConfigurationFlags(flags("atoll up", "The whole system on this machine."))
    .option("--data <dir>", "where everything is kept", defaultData())
    .option("--bind <addr>", "address to listen on", "127.0.0.1")
    .option("--api-port <n>", `port of the API (default: ${usualApiPort}, or a free one when that is taken)`, port)
    .option("--store <store>", "sqlite, or etcd=URL,URL…", "sqlite")
    .option("--service-cidr <cidr>", "range of Service addresses", "10.96.0.0/12")
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
    return options.background === true ? await inBackground(args, data) : await inForeground(options, data);
  });
}

async function inForeground(options: Options, data: string): Promise<number> {
  const wish: Wish = {
    ...options,
    configuration: configurationArgs(options),
    data,
    apiPort: options.apiPort ?? (await freePort(options.bind, usualApiPort)),
  };
  await mkdir(join(data, "log"), { recursive: true, mode: 0o700 });
  const children: Child[] = [];
  const stopped = untilStopped();
  try {
    for (const part of partsOf(wish)) children.push(await startPart(part, data));
    const url = children[0]?.readyText ?? "";
    await record(data, children, url);
    process.stdout.write(welcome(data, url));
    await stopped;
  } finally {
    for (const child of children.reverse()) await child.stop();
    await removeRecord(data);
  }
  return 0;
}

async function startPart(part: Part, data: string): Promise<Child> {
  const began = systemClock.monotonicMs();
  const child = new Child({
    part,
    clock: systemClock,
    logFile: join(data, "log", `${part.name}.log`),
    onRestart: ({ does }, how) => process.stderr.write(`${does} ended (${how}); starting it again\n`),
  });
  await child.start();
  const seconds = ((systemClock.monotonicMs() - began) / 1000).toFixed(1);
  process.stdout.write(`  ${part.does.padEnd(14)} ready in ${seconds} s\n`);
  return child;
}

async function record(data: string, children: readonly Child[], url: string): Promise<void> {
  const describe = async (name: string, pid: number): Promise<Running> => ({
    name,
    pid,
    started: (await startOf(pid)) ?? "",
  });
  const up = await describe("up", process.pid);
  const parts = await Promise.all(children.map((child) => describe(child.name, child.pid ?? 0)));
  await writeRecord(data, { up, parts, url });
}

function welcome(data: string, url: string): string {
  const kubeconfig = join(data, "admin.kubeconfig");
  return [
    "",
    `Atoll is up at ${url}`,
    "Running: the API server and its controllers. Not there yet: nodes and pods, so workloads stay Pending.",
    "",
    "Try next:",
    `  export KUBECONFIG=${kubeconfig}`,
    "  kubectl get namespaces",
    "  kubectl create configmap hello --from-literal=who=world",
    "  kubectl get configmap hello -o yaml",
    "",
    `To stop: Ctrl-C, or ./atoll down --data ${data}`,
    "",
  ].join("\n");
}

/** Starts `up` again detached, and follows what it says until it is ready. */
async function inBackground(args: readonly string[], data: string): Promise<number> {
  await mkdir(join(data, "log"), { recursive: true, mode: 0o700 });
  const main = join(import.meta.dirname, "main.ts");
  const rest = args.filter((arg) => arg !== "--background");
  const child = spawn(process.execPath, [...process.execArgv, main, "up", ...rest], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  return await new Promise((done) => {
    const leave = (code: number) => {
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
      done(code);
    };
    child.stderr.on("data", (chunk: Buffer) => process.stderr.write(chunk));
    child.stdout.on("data", (chunk: Buffer) => {
      process.stdout.write(chunk);
      if (chunk.includes("To stop:")) leave(0);
    });
    child.on("exit", (code) => leave(code ?? 1));
  });
}

/** The usual port, or any other when it is taken. */
async function freePort(bind: string, usual: number): Promise<number> {
  return await new Promise((resolvePort) => {
    const probe = createServer();
    probe.once("error", () => resolvePort(0));
    probe.listen(usual, bind, () => probe.close(() => resolvePort(usual)));
  });
}
