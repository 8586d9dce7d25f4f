/** A real etcd cluster for tests, on free ports of this machine, whose members can be killed, frozen and cut off. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { systemClock } from "@atoll/machinery/clock";
import { PeerProxy } from "./proxy.ts";

/** What to start. */
export interface ClusterOptions {
  /** Folder with etcd's programs: fetchDebian({suite: "trixie", packages: ["etcd-server", "etcd-client"]}) + "/usr/bin". */
  readonly bin: string;
  /** How many members. Default 1. */
  readonly members?: number;
  /** More flags for every member. */
  readonly flags?: readonly string[];
}

/** One member. */
export interface EtcdMember {
  readonly endpoint: string;
  readonly folder: string;
  /** What `etcdutl snapshot restore` must be told to make this member's folder. */
  readonly clusterFlags: readonly string[];
  /** Starts it, again after a kill, and waits until it serves. */
  start(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  /** SIGSTOP, until thaw(). */
  freeze(): void;
  thaw(): void;
  /** Cuts it off from the other members, both ways, until heal(); clients still reach it. */
  cut(): void;
  heal(): void;
}

/** Started members. */
export interface EtcdCluster {
  readonly endpoints: readonly string[];
  readonly members: readonly EtcdMember[];
  /** Stops everything and removes the data. */
  stop(): Promise<void>;
}

/** Starts a cluster and waits until it serves. */
export async function startEtcd({ bin, members: count = 1, flags = [] }: ClusterOptions): Promise<EtcdCluster> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "atoll-etcd-"));
  const proxies = await Promise.all(Array.from({ length: count }, async () => new PeerProxy(await freePort())));
  await Promise.all(proxies.map((proxy) => proxy.listen()));
  const names = proxies.map((proxy, i) => `m${i}=${proxy.url}`).join(",");
  const members = await Promise.all(
    proxies.map(async (proxy, i) => {
      const own = path.join(folder, `m${i}`);
      const port = await freePort();
      return new LocalMember({ bin, name: `m${i}`, folder: own, cluster: names, flags, proxy, port, proxies });
    }),
  );
  await Promise.all(members.map((member) => member.start()));
  return {
    members,
    endpoints: members.map(({ endpoint }) => endpoint),
    async stop() {
      for (const member of members) await member.kill();
      for (const proxy of proxies) proxy.close();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface LocalOptions {
  readonly bin: string;
  readonly name: string;
  readonly folder: string;
  readonly cluster: string;
  readonly flags: readonly string[];
  readonly port: number;
  readonly proxy: PeerProxy;
  readonly proxies: readonly PeerProxy[];
}

class LocalMember implements EtcdMember {
  readonly endpoint: string;
  readonly folder: string;
  readonly clusterFlags: readonly string[];
  readonly #options: LocalOptions;
  #process: ChildProcess | undefined;

  constructor(options: LocalOptions) {
    this.#options = options;
    this.folder = options.folder;
    this.clusterFlags = ["--initial-cluster", options.cluster, "--initial-advertise-peer-urls", options.proxy.url];
    this.endpoint = `http://127.0.0.1:${options.port}`;
  }

  async start(): Promise<void> {
    const { bin, name, folder, flags, proxy } = this.#options;
    const command = [
      ["--name", name, "--data-dir", folder, "--log-level", "error"],
      ["--listen-client-urls", this.endpoint, "--advertise-client-urls", this.endpoint],
      ["--listen-peer-urls", proxy.targetUrl, ...this.clusterFlags],
      flags,
    ].flat();
    this.#process = spawn(path.join(bin, "etcd"), command, { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    this.#process.stderr?.on("data", (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-4000)));
    for (let i = 0; !(await this.#serves()); i++) {
      if (this.#process.exitCode !== null || i > 600) throw new Error(`etcd did not start: ${said}`);
      await systemClock.sleep(50);
    }
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  freeze(): void {
    this.#process?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#process?.kill("SIGCONT");
  }

  cut(): void {
    const { proxy, proxies } = this.#options;
    const { memberId } = proxy;
    for (const one of proxies) one.refuse((peer) => one === proxy || peer === memberId);
  }

  heal(): void {
    for (const one of this.#options.proxies) one.refuse(() => false);
  }

  async #serves(): Promise<boolean> {
    try {
      const response = await fetch(`${this.endpoint}/health`, { signal: AbortSignal.timeout(1000) });
      return response.ok;
    } catch {
      return false;
    }
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
