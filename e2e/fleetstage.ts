/** Mission Control as processes, for more tests than one: a hub with its controllers and gateway, clusters, and their agents. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FleetCluster } from "@atoll/api/fleet/v1alpha1/fleetcluster";
import { Client } from "@atoll/client/client";
import { toKey } from "@atoll/client/resource";
import { eventually } from "@atoll/harness/client";
import { systemClock } from "@atoll/machinery/clock";
import { readKubeconfig } from "@atoll/processes/kubeconfig";
import { openKubeconfig } from "@atoll/runtime/kubeconfig";

const main = join(import.meta.dirname, "..", "processes", "main.ts");
const command = ["--disable-warning=ExperimentalWarning", main];
const startsWithinMs = 120_000;

/** What a server answered. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** How to ask. */
export interface Question {
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A server of the fleet: the hub, or a cluster. */
export interface Site {
  readonly dir: string;
  readonly client: Client;
  readonly server: ChildProcess;
  /** Asks as its administrator, by nothing but HTTP. */
  send(method: string, path: string, question?: Question): Promise<Answer>;
}

/** A process that said that it is ready. */
export interface Started {
  readonly child: ChildProcess;
  /** What followed the word. */
  readonly ready: string;
}

/** The hub of a fleet. */
export interface Hub {
  readonly hub: Site;
  /** Its gateway's address. */
  readonly gateway: string;
  readonly gatewayProcess: ChildProcess;
}

/** A hub, and whatever is attached to it. All ends with close(). */
export class FleetStage {
  readonly folder: string;
  readonly #running: ChildProcess[] = [];
  readonly #closers: (() => void)[] = [];
  #closing = false;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** An empty one. */
  static async open(): Promise<FleetStage> {
    return new FleetStage(await mkdtemp(join(tmpdir(), "atoll-fleet-")));
  }

  /** Ends everything; whoever speaks to a server before it. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const close of this.#closers) close();
    for (const child of this.#running.toReversed()) await this.stop(child);
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Ends a process. */
  async stop(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await gone;
  }

  /** Starts a command, and waits for its word that it is ready. */
  async start(args: readonly string[]): Promise<Started> {
    const child = spawn(process.execPath, [...command, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    this.#running.push(child);
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const word = () => /^ready (.*)$/m.exec(said)?.[1];
    const settled = () => word() !== undefined || child.exitCode !== null;
    await eventually(`${args[0]} is ready`, settled, startsWithinMs).catch(() => undefined);
    const ready = word();
    if (ready === undefined) throw new Error(`${args.join(" ")}: ${said}`);
    return { child, ready };
  }

  /** Runs a command of the hub's administrator to its end. @returns what it said */
  async once(args: readonly string[]): Promise<string> {
    const env = { ...process.env, KUBECONFIG: join(this.folder, "hub", "admin.kubeconfig") };
    const child = spawn(process.execPath, [...command, ...args], { env });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const code = await new Promise((resolve) => child.once("close", resolve));
    if (code !== 0) throw new Error(`${args.join(" ")}: ${said}`);
    return said;
  }

  /** Starts a server with its controllers. @param flags of the server @param more flags of the controllers */
  async site(name: string, flags: readonly string[] = [], more: readonly string[] = []): Promise<Site> {
    const dir = join(this.folder, name);
    const { child: server } = await this.start(["server", "--data", dir, "--api-port", "0", ...flags]);
    this.controllers(name, more);
    const path = join(dir, "admin.kubeconfig");
    const { transport } = await openKubeconfig({ path, clock: systemClock });
    this.#closers.push(() => transport.close());
    const client = new Client({ transport, clock: systemClock, userAgent: "atoll-test" });
    return { dir, client, server, send: await this.#sender(path) };
  }

  /** Starts controllers of a site, anew whenever they end: they do when they cannot keep their lease. @param more flags */
  controllers(name: string, more: readonly string[] = []): void {
    const dir = join(this.folder, name);
    const pki = join(dir, "pki");
    const signing = ["--cluster-signing-cert", join(pki, "ca.crt"), "--cluster-signing-key", join(pki, "ca.key")];
    const args = ["controllers", "--kubeconfig", join(dir, "controllers.kubeconfig"), ...signing, ...more];
    const child = spawn(process.execPath, [...command, ...args], { stdio: "ignore" });
    this.#running.push(child);
    child.once("exit", () => {
      if (!this.#closing) systemClock.after(500, () => this.#closing || this.controllers(name, more));
    });
  }

  /** Starts the site `hub` with its gateway. @param flags of the gateway @param serverFlags of the server */
  async hub(flags: readonly string[] = [], serverFlags: readonly string[] = []): Promise<Hub> {
    const hub = await this.site("hub", serverFlags);
    const served = () =>
      hub.client.list(FleetCluster).then(
        () => true,
        () => false,
      );
    await eventually("the fleet's kinds are served", served, startsWithinMs);
    const { child, ready } = await this.gateway(["--port", "0", ...flags]);
    return { hub, gateway: ready, gatewayProcess: child };
  }

  /** Starts a gateway of the site `hub`. */
  async gateway(flags: readonly string[]): Promise<Started> {
    return await this.start(["gateway", "--kubeconfig", join(this.folder, "hub", "gateway.kubeconfig"), ...flags]);
  }

  /** Attaches a site to the hub. @param flags of attaching @returns its agent */
  async attach(name: string, gateway: string, flags: readonly string[] = []): Promise<Started> {
    await this.once(["cluster", "attach", name, "--gateway", gateway, "--out", this.folder, ...flags]);
    return await this.agent(
      name,
      gateway,
      flags.filter((flag) => flag.startsWith("--reachable")),
    );
  }

  /** Starts the agent of a site that was attached. */
  async agent(name: string, gateway: string, flags: readonly string[] = []): Promise<Started> {
    return await this.start([
      ...["fleet-agent", "--gateway", gateway],
      ...["--gateway-ca", join(this.folder, `${name}-gateway.crt`)],
      ...["--token-file", join(this.folder, `${name}-token`)],
      ...["--kubeconfig", join(this.folder, name, "admin.kubeconfig")],
      ...flags,
    ]);
  }

  /** Waits until a cluster is ready. */
  async untilReady({ client }: Site, name: string): Promise<void> {
    const phase = async () => (await client.get(FleetCluster, toKey("default", name))).status?.phase;
    await eventually(`${name} is ready`, async () => (await phase()) === "Ready", startsWithinMs);
  }

  async #sender(path: string): Promise<Site["send"]> {
    const kubeconfig = await readKubeconfig(path);
    if (kubeconfig === undefined) throw new Error(`${path} is no kubeconfig`);
    const { server, ca, identity } = kubeconfig;
    const agent = new Agent({ ca, cert: identity.cert, key: identity.key, keepAlive: true, maxSockets: 8 });
    this.#closers.push(() => agent.destroy());
    return (method, path_, { body, headers = {} } = {}) =>
      new Promise((resolve, reject) => {
        const type = body === undefined ? {} : { "content-type": "application/json" };
        const options = { method, agent, headers: { ...type, ...headers } };
        const sent = request(new URL(path_, server), options, (response) => {
          let text = "";
          response.on("data", (chunk: Buffer) => (text += chunk.toString()));
          response.on("error", reject);
          response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
        });
        sent.on("error", reject);
        sent.end(body === undefined ? undefined : JSON.stringify(body));
      });
  }
}
