/** `atoll up`: the whole system on this machine. */
import { spawn } from "node:child_process";
import { mkdir, open, readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { Client } from "@atoll/client/client";
import type { Verdict } from "@atoll/crx/host";
import { systemClock } from "@atoll/machinery/clock";
import { formatRange, parseRange } from "@atoll/net/address";
import { openKubeconfig } from "@atoll/runtime/kubeconfig";
import { defaultData } from "./datadir.ts";
import { Child } from "./child.ts";
import { exitCode, flags, port, UsageError } from "./flags.ts";
import { installPackages, missingPackages } from "./hostpackages.ts";
import { machineHostOf, verdictFor } from "./machinehost.ts";
import { controllersPart, gatewayPart, type Part, serverPart, sphereletPart, type Wish } from "./parts.ts";
import { endOrphans, readRecord, removeRecord, type Running, runs, startOf, writeRecord } from "./running.ts";
import { settle, type Settings } from "./settings.ts";
import { untilStopped } from "./signals.ts";
import { step } from "./steps.ts";
import { sweep } from "./sweep.ts";
import { atollVersion } from "./version.ts";
import {
  buildWelcomeImage,
  createWelcomePod,
  readyPods,
  untilNodeServes,
  untilWelcomePodReady,
  welcomePod,
} from "./welcome.ts";

interface Options extends Partial<Settings> {
  readonly data: string;
  readonly bind: string;
  readonly store: string;
  readonly background?: boolean;
  readonly demo: boolean;
}

/** What `inBackground` waits for. */
const lastWords = "To stop:";

function parse(args: readonly string[]): Options {
  return flags("atoll up", "The whole system on this machine. Pods need root; without it there is the API alone.")
    .option("--data <dir>", "where everything is kept", defaultData())
    .option("--bind <addr>", "address to listen on", "127.0.0.1")
    .option("--api-port <n>", "port of the API (default: 6443, or a free one when that is taken)", port)
    .option("--kubelet-port <n>", "port of the node's API (default: 10250, or a free one when that is taken)", port)
    .option("--gateway-port <n>", "port for attached clusters (default: 7443, or a free one when that is taken)", port)
    .option("--store <store>", "sqlite, or etcd=URL,URL…", "sqlite")
    .option("--pod-cidr <cidr>", "range of pods' addresses (default: the first free one from 10.244.0.0/16 on)")
    .option("--service-cidr <cidr>", "range of Service addresses (default: 10.96.0.0/12)")
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
    await endOrphans(known);
    return await new System(options, data).run();
  });
}

/** The parts that run, and what they need of the host. */
class System {
  readonly #options: Options;
  readonly #data: string;
  readonly #hasPods = process.getuid?.() === 0;
  readonly #children: Child[] = [];
  #stopping = false;

  constructor(options: Options, data: string) {
    this.#options = options;
    this.#data = data;
  }

  async run(): Promise<number> {
    const stopped = untilStopped();
    // Whoever listened may go away.
    for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
    try {
      const ready = this.#start();
      const signal = await Promise.race([stopped, ready]);
      if (signal === undefined) await stopped;
      else ready.catch(() => undefined);
    } finally {
      await this.#stop();
    }
    return 0;
  }

  async #start(): Promise<undefined> {
    const { data, store, bind } = { ...this.#options, data: this.#data };
    if (this.#hasPods) await this.#prepareHost();
    const settings = await settle(data, bind, this.#options);
    const { apiPort, serviceCidr, gatewayPort } = settings;
    const wish: Wish = { data, bind, store, apiPort, serviceCidr, gatewayPort };
    const server = await this.#startPart(serverPart(wish));
    await this.#startPart(controllersPart(wish));
    await this.#startPart(gatewayPart(wish));
    if (this.#hasPods) await this.#startSpherelet(wish, settings);
    if (this.#hasPods) await this.#welcome();
    process.stdout.write(lastLines(this.#data, server.readyText, this.#hasPods && this.#options.demo));
  }

  /** What the rest stands on: programs, the guest's kernel, and the word on how guests are executed. */
  async #prepareHost(): Promise<void> {
    const missing = await missingPackages();
    if (missing.length > 0) {
      process.stdout.write(`  Debian packages to install: ${missing.join(" ")}\n`);
      await step("installing them", async () => await installPackages(missing));
    }
    const verdict = await verdictFor(this.#data);
    process.stdout.write(`${describeVerdict(verdict)}\n`);
    await step("guest kernel, init and shim", async () => await machineHostOf(this.#data, verdict));
  }

  async #startSpherelet(wish: Wish, { podCidr, kubeletPort }: Settings): Promise<void> {
    const node = { name: nodeName(), kubeletPort, podCidr: firstHosts(podCidr), clusterCidr: podCidr };
    await this.#startPart(sphereletPart(wish, node));
  }

  /** The welcome pod, and word of the others. */
  async #welcome(): Promise<void> {
    const { client, close } = await this.#client();
    try {
      if (this.#options.demo) {
        await hopefully("image of the welcome pod", async () => await buildWelcomeImage(this.#data));
        const { namespace, name } = welcomePod;
        await hopefully(`pod ${namespace}/${name}, a machine of its own`, async () => {
          await createWelcomePod(client);
          await untilWelcomePodReady(client);
        });
      }
      await hopefully("the node's own API", async () => await untilNodeServes(client, nodeName()));
      const { ready, all } = await readyPods(client, nodeName());
      if (all > 0) process.stdout.write(`  pods ready: ${ready} of ${all}\n`);
    } finally {
      close();
    }
  }

  async #client(): Promise<{ client: Client; close(): void }> {
    const path = join(this.#data, "admin.kubeconfig");
    const { transport } = await openKubeconfig({ path, clock: systemClock });
    const client = new Client({ transport, clock: systemClock, userAgent: `atoll-up/${atollVersion}` });
    return { client, close: () => transport.close() };
  }

  async #startPart(part: Part): Promise<Child> {
    if (this.#stopping) throw new Error("it is being stopped");
    const child = new Child({
      part,
      clock: systemClock,
      logFile: join(this.#data, "log", `${part.name}.log`),
      onRestart: ({ does }, how) => process.stderr.write(`${does} ended (${how}); starting it again\n`),
      onStart: () => void this.#record(),
    });
    this.#children.push(child);
    await step(part.does, async () => await child.start());
    return child;
  }

  /** For `status` and `down`, and for the next `up` should this one be killed. */
  async #record(): Promise<void> {
    const describe = async (name: string, pid: number): Promise<Running> => ({
      name,
      pid,
      started: (await startOf(pid)) ?? "",
    });
    const up = await describe("up", process.pid);
    const parts = await Promise.all(this.#children.map((child) => describe(child.name, child.pid ?? 0)));
    const server = this.#children.find(({ name }) => name === "server");
    await writeRecord(this.#data, { up, parts, url: server?.readyText ?? "" });
  }

  /** The spherelet first, so that nothing starts machines while they are ended. */
  async #stop(): Promise<void> {
    this.#stopping = true;
    const spherelet = this.#children.find(({ name }) => name === "spherelet");
    const others = this.#children.filter((child) => child !== spherelet).toReversed();
    await spherelet?.stop();
    if (this.#hasPods) await sweep(this.#data);
    for (const child of others) await child.stop();
    await removeRecord(this.#data);
  }
}

const nodeName = (): string => hostname().toLowerCase();

/** A step that the rest can do without. */
async function hopefully(title: string, work: () => Promise<unknown>): Promise<void> {
  await step(title, work).catch((error: unknown) => {
    process.stdout.write(
      `    ${error instanceof Error ? error.message : String(error)}; kubectl describe pods tells more\n`,
    );
  });
}

/** What of the pods' range is this host's: a share that leaves room for other hosts. */
function firstHosts(podCidr: string): string {
  const range = parseRange(podCidr);
  return formatRange({ ...range, length: Math.max(range.length, 24) });
}

/** What QEMU itself said is long, and in the conditions of the Node. */
function describeVerdict({ accelerator, reason: whole }: Verdict): string {
  const [reason] = whole.split(" (");
  return accelerator === "kvm"
    ? `Machines run under KVM, at the processor's own speed: ${reason}.`
    : `Machines are emulated (TCG): ${reason}. Everything works; programs in pods run about 8 times slower.`;
}

function lastLines(data: string, url: string, hasDemo: boolean): string {
  const { namespace, name } = welcomePod;
  const next = hasDemo
    ? [
        `kubectl get pods -A -o wide`,
        `kubectl -n ${namespace} logs ${name}`,
        `kubectl -n ${namespace} exec -it ${name} -- sh`,
      ]
    : [
        "kubectl get nodes",
        "kubectl create configmap hello --from-literal=who=world",
        "kubectl get configmap hello -o yaml",
      ];
  return [
    "",
    `Atoll is up at ${url}`,
    "",
    "Try next (./atoll kubectl is there for who has no kubectl):",
    `  export KUBECONFIG=${join(data, "admin.kubeconfig")}`,
    ...next.map((line) => `  ${line}`),
    "",
    `${lastWords} Ctrl-C, or ./atoll down --data ${data}`,
    "",
  ].join("\n");
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
