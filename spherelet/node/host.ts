/** What this host has, asked of the kernel. */
import { readFile } from "node:fs/promises";
import { arch, cpus, networkInterfaces, release, totalmem } from "node:os";
import type { HostFacts } from "./status.ts";

const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };
const mebi = 1024 * 1024;

async function line(path: string): Promise<string> {
  return (await readFile(path, "utf8").catch(() => "")).trim();
}

/** Facts that do not change while the host runs. */
export async function hostFacts(address: string): Promise<HostFacts> {
  const osRelease = await line("/etc/os-release");
  return {
    address,
    cpus: cpus().length,
    memoryBytes: Math.floor(totalmem() / mebi) * mebi,
    architecture: architectures[arch()] ?? arch(),
    kernel: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(osRelease)?.[1] ?? "Linux",
    machineId: await line("/etc/machine-id"),
    systemUuid: (await line("/sys/class/dmi/id/product_uuid")).toLowerCase(),
    bootId: await line("/proc/sys/kernel/random/boot_id"),
  };
}

/** Bytes of memory that could be had now. */
export async function availableMemory(): Promise<number> {
  const found = /^MemAvailable:\s+(\d+) kB$/m.exec(await line("/proc/meminfo"));
  return Number(found?.[1] ?? 0) * 1024;
}

/** Process ids: those in use, and how many there may be. */
export async function processIds(): Promise<{ used: number; most: number }> {
  const [, tasks] = /\d+\/(\d+)/.exec(await line("/proc/loadavg")) ?? [];
  return { used: Number(tasks ?? 0), most: Number(await line("/proc/sys/kernel/pid_max")) };
}

/** The address of the interface with the default route; loopback where there is none. */
export async function hostAddress(): Promise<string> {
  const routes = (await line("/proc/net/route")).split("\n").map((text) => text.split("\t"));
  const [device] = routes.find(([, destination]) => destination === "00000000") ?? [];
  const all = networkInterfaces();
  const candidates = [...(all[device ?? ""] ?? []), ...Object.values(all).flatMap((each) => each ?? [])];
  return candidates.find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? "127.0.0.1";
}
