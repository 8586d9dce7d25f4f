/** What `./atoll bench fleet` runs: the hub's processes, the farms of simulated clusters, one agent as a process. */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { Client } from "@atoll/client/client";
import { Cache } from "@atoll/client/informer/cache";
import type { Informer } from "@atoll/client/informer/informer";
import { expectCluster, makeToken } from "@atoll/fleet/gateway/offer";
import { publishedGateway } from "@atoll/fleet/gateway/published";
import { systemClock } from "@atoll/machinery/clock";
import { nodeTransport } from "@atoll/runtime/transport";
import type { Order, Told } from "./farm.ts";
import { type Started, start, usage } from "./server.ts";

/** The namespace that is the organization. */
export const organization = "default";
const farms = 4;
const gatewayPort = 17443;
const main = join(import.meta.dirname, "..", "processes", "main.ts");

/** Asks every 20 ms. @throws {Error} after ten minutes */
export async function until(what: string, ask: () => boolean | Promise<boolean>): Promise<void> {
  for (let n = 0; n < 30_000; n++) {
    if (await ask()) return;
    await systemClock.sleep(20);
  }
  throw new Error(`not within ten minutes: ${what}`);
}

/** What processes of one purpose have used since they began. */
export interface Used {
  readonly part: string;
  readonly cpuSeconds: number;
  readonly residentMiB: number;
}

/** @param log what it says is added to this file */
function startPart(args: readonly string[], log: string): ChildProcess {
  const file = openSync(log, "a");
  const child = spawn(process.execPath, [...process.execArgv, main, ...args], { stdio: ["ignore", "pipe", file] });
  closeSync(file);
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await ended;
}

function isReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    if (child.stdout !== null)
      createInterface({ input: child.stdout }).on("line", (line) => line.startsWith("ready ") && resolve());
    child.on("exit", (code) => reject(new Error(`a part ended with ${code}`)));
  });
}

async function usedBy(part: string, children: readonly ChildProcess[]): Promise<Used> {
  const each = await Promise.all(children.map(({ pid = 0 }) => usage(pid)));
  const sum = (of: "cpuSeconds" | "residentMiB") => each.reduce((total, used) => total + used[of], 0);
  return { part, cpuSeconds: sum("cpuSeconds"), residentMiB: sum("residentMiB") };
}

/** All farms: who is told what, and what they tell. */
export class Farms {
  readonly #processes: ChildProcess[] = [];
  readonly #share: number;
  readonly failed: string[] = [];
  /** When each cluster had what is expected, in milliseconds since 1970. */
  has = new Map<number, number>();
  #ready = 0;

  constructor(count: number) {
    this.#share = Math.ceil(count / farms);
    for (let n = 0; n < farms; n++) {
      const size = Math.min(this.#share, count - n * this.#share);
      const args = [String(n * this.#share), String(size)];
      const child = fork(join(import.meta.dirname, "farm.ts"), args, {
        execArgv: [...process.execArgv, "--max-old-space-size=8192"],
      });
      child.on("message", (told: Told) => this.#heard(told));
      this.#processes.push(child);
    }
  }

  get ready(): boolean {
    return this.#ready === farms;
  }

  attach(order: Order & { do: "attach" }): void {
    this.#processes[Math.floor(order.at / this.#share)]?.send(order);
  }

  expect(text: string): void {
    this.has = new Map();
    this.#tellAll({ do: "expect", text });
  }

  /** For the clusters and their agents so much time is over. */
  pass(ms: number): void {
    this.#tellAll({ do: "pass", ms });
  }

  used(): Promise<Used> {
    return usedBy("simulated clusters", this.#processes);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map(end));
  }

  #tellAll(order: Order): void {
    for (const child of this.#processes) child.send(order);
  }

  #heard(told: Told): void {
    if (told.is === "ready") this.#ready += 1;
    if (told.is === "failed") this.failed.push(`${told.at}: ${told.message}`);
    if (told.is === "has") this.has.set(told.at, told.atMs);
  }
}

/** The hub: an API server on SQLite, controllers and a gateway, each a process. */
export class Hub {
  readonly data: string;
  readonly client: Client;
  readonly clusters: Informer<FleetCluster>;
  readonly #server: Started;
  readonly #close: () => Promise<void>;
  #controllers: ChildProcess;
  #gateway: ChildProcess | undefined;
  #isClosing = false;

  private constructor(data: string, server: Started) {
    const { url, ...tls } = server.target;
    const identity = { tls: async () => tls, authorization: async () => undefined };
    const transport = nodeTransport({ server: url, identity, clock: systemClock });
    this.data = data;
    this.#server = server;
    this.client = new Client({ transport, clock: systemClock, userAgent: "atoll-bench" });
    this.#controllers = this.#startControllers();
    const cache = new Cache({ client: this.client, clock: systemClock, onError: () => {} });
    this.clusters = cache.informer(FleetCluster);
    this.#close = async () => {
      await cache.stop();
      transport.close();
    };
  }

  /** Resolves when agents may come. */
  static async start(): Promise<Hub> {
    const data = await mkdtemp(join(tmpdir(), "atoll-bench-"));
    const hub = new Hub(data, await start(data));
    const isServed = () =>
      hub.client.list(FleetCluster).then(
        () => true,
        () => false,
      );
    await until("the fleet's kinds are served", isServed);
    await hub.openGateway();
    await hub.clusters.whenSynced();
    return hub;
  }

  async openGateway(): Promise<void> {
    const args = ["gateway", "--kubeconfig", join(this.data, "gateway.kubeconfig"), "--port", String(gatewayPort)];
    this.#gateway = startPart(args, this.#log("gateway"));
    await isReady(this.#gateway);
  }

  /** Nobody outside reaches the hub any more. */
  async closeGateway(): Promise<void> {
    if (this.#gateway !== undefined) await end(this.#gateway);
    this.#gateway = undefined;
  }

  async used(): Promise<readonly Used[]> {
    const { cpuSeconds, residentMiB } = await usage(this.#server.pid);
    return [
      { part: "hub's server", cpuSeconds, residentMiB },
      await usedBy("hub's controllers", [this.#controllers]),
      await usedBy("hub's gateway", this.#gateway === undefined ? [] : [this.#gateway]),
    ];
  }

  /** What a part said last, for who wants to know why it failed. */
  async said(part: "gateway" | "controllers"): Promise<string> {
    const text = await readFile(this.#log(part), "utf8").catch(() => "");
    return text.split("\n").slice(-20).join("\n");
  }

  async stop(): Promise<void> {
    this.#isClosing = true;
    await this.#close();
    await Promise.all([this.closeGateway(), end(this.#controllers)]);
    await this.#server.stop();
    await rm(this.data, { recursive: true, force: true });
  }

  #log(part: string): string {
    return join(this.data, `${part}.log`);
  }

  #startControllers(): ChildProcess {
    const pki = (name: string) => join(this.data, "pki", name);
    const args = [
      ...["controllers", "--kubeconfig", join(this.data, "controllers.kubeconfig")],
      ...["--cluster-signing-cert", pki("ca.crt"), "--cluster-signing-key", pki("ca.key")],
    ];
    const child = startPart(args, this.#log("controllers"));
    // Controllers that lose their lease end, and whoever supervises them starts them anew.
    child.once("exit", () => {
      if (!this.#isClosing) this.#controllers = this.#startControllers();
    });
    return child;
  }
}

/** A cluster whose server and agent are processes of their own: what an agent uses is its process's. */
export async function withAgent<T>(hub: Hub, work: (used: () => Promise<Used>) => Promise<T>): Promise<T> {
  const data = await mkdtemp(join(tmpdir(), "atoll-bench-"));
  const cluster = await start(data);
  const { client } = hub;
  const home = await expectCluster(client, { organization, name: "alone" }, systemClock);
  const { url, ca } = await publishedGateway(client);
  const file = (name: string) => join(data, name);
  await writeFile(file("token"), await makeToken(client, home, systemClock));
  await writeFile(file("gateway.crt"), ca);
  const args = ["fleet-agent", "--gateway", url, "--gateway-ca", file("gateway.crt"), "--token-file", file("token")];
  const agent = startPart([...args, "--kubeconfig", file("admin.kubeconfig")], file("agent.log"));
  try {
    await isReady(agent);
    return await work(async () => await usedBy("an agent", [agent]));
  } finally {
    await end(agent);
    await cluster.stop();
    await rm(data, { recursive: true, force: true });
  }
}
