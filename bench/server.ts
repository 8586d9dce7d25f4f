/** An API server of its own for a benchmark: on SQLite, every write on disk before it is acknowledged. */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { issue } from "@atoll/server/pki/authority";
import type { Target } from "./load.ts";

const main = join(import.meta.dirname, "..", "processes", "main.ts");

/** A server that runs. */
export interface Started {
  readonly pid: number;
  readonly readyMs: number;
  /** As its admin. */
  readonly target: Target;
  stop(): Promise<void>;
}

/** Starts a server on a data directory. */
export async function start(data: string): Promise<Started> {
  const began = performance.now();
  const child = spawn(process.execPath, [...process.execArgv, main, "server", "--data", data, "--api-port", "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => line.startsWith("ready ") && resolve(line.slice(6)));
    child.on("exit", (code) => reject(new Error(`the server ended with ${code}`)));
  });
  const readyMs = performance.now() - began;
  const config = JSON.parse(await readFile(join(data, "admin.kubeconfig"), "utf8"));
  const pem = (text: string) => Buffer.from(text, "base64").toString();
  const { user } = config.users[0];
  const target = {
    url,
    ca: pem(config.clusters[0].cluster["certificate-authority-data"]),
    cert: pem(user["client-certificate-data"]),
    key: pem(user["client-key-data"]),
  };
  const stop = async () => {
    child.removeAllListeners("exit");
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  };
  return { pid: child.pid ?? 0, readyMs, target, stop };
}

/** The same server as somebody who is in no group. */
export async function asUser(target: Target, data: string, commonName: string): Promise<Target> {
  const read = async (name: string) => await readFile(join(data, "pki", name), "utf8");
  const authority = { cert: await read("ca.crt"), key: await read("ca.key") };
  return { ...target, ...(await issue(authority, { commonName, usage: "client", days: 1 }, Date.now())) };
}

/** What a process has used since it began. */
export async function usage(pid: number): Promise<{ cpuSeconds: number; residentMiB: number }> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const residentKiB = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
  return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100, residentMiB: residentKiB / 1024 };
}
