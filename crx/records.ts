/**
 * What is on disk about a machine: the driver's intent, written and synced before anything runs, and the shim's
 * records of the processes and of their end. A restarted driver knows nothing else.
 */
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exists, writeWhole } from "./cache.ts";
import type { AcceleratorName } from "./argv.ts";
import type { MachineSpec } from "./spec.ts";

/** Files in a machine's folder. */
export const machineFiles = {
  intent: "intent.json",
  pid: "pid",
  exit: "exit",
  start: "start.json",
  qmp: "qmp.sock",
  channel: "channel.sock",
  control: "shim.sock",
  console: "console",
  log: "qemu.log",
  lease: "lease",
  files: "files",
} as const;

/** What the driver was about to do. */
export interface Intent {
  readonly spec: MachineSpec;
  readonly uid: number;
  readonly createdMs: number;
  /** Host boot during which it was written: after another one, nothing of the machine can be left. */
  readonly bootId: string;
  readonly accelerator: AcceleratorName;
  readonly kernelDigest: string;
  readonly initramfsDigest: string;
  /** 32 hex digits. */
  readonly machineId: string;
  readonly hostname: string;
}

/** Processes of a machine. A number alone may be reused; with its start time it is one process. */
export interface ProcessRecord {
  readonly shim: number;
  readonly shimStart: number;
  readonly qemu: number;
  readonly qemuStart: number;
  readonly atMs: number;
}

/** How a machine's QEMU ended, as the shim saw it. */
export interface ExitRecord {
  /** `exited`, `stopped`, `lease ran out`, `template`, or why it could not start. */
  readonly reason: string;
  readonly code: number;
  readonly signal: number;
  readonly atMs: number;
}

/** How a machine came up, for a driver that comes later. */
export interface StartRecord {
  readonly startedAs: "clone" | "boot";
  readonly startMs: number;
  /** Why it was not a clone. */
  readonly why: string;
}

/** Identifies this boot of the host. */
export async function hostBootId(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
}

/** Makes an intent durable; after this returns, the machine exists. */
export async function writeIntent(folder: string, intent: Intent): Promise<void> {
  await writeWhole(join(folder, machineFiles.intent), JSON.stringify(intent), 0o600);
}

/** The intent in a folder; undefined when there is none or it cannot be read as one. */
export const readIntent = (folder: string): Promise<Intent | undefined> => readRecord(folder, machineFiles.intent);

/** The shim's record of its processes, if it came that far. */
export const readProcesses = (folder: string): Promise<ProcessRecord | undefined> =>
  readRecord(folder, machineFiles.pid);

/** The shim's record of the end, if there was one. */
export const readExit = (folder: string): Promise<ExitRecord | undefined> => readRecord(folder, machineFiles.exit);

/** How the machine came up, once it did. */
export const readStart = (folder: string): Promise<StartRecord | undefined> => readRecord(folder, machineFiles.start);

/** Keeps how it came up. Not synced: it matters only while the machine runs. */
export async function writeStart(folder: string, record: StartRecord): Promise<void> {
  await writeFile(join(folder, machineFiles.start), JSON.stringify(record), { mode: 0o600 });
}

async function readRecord<T>(folder: string, name: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, name), "utf8")) as T;
  } catch {
    return undefined;
  }
}

/** Folders below `home` that hold an intent. */
export async function listMachines(home: string): Promise<readonly string[]> {
  if (!(await exists(home))) return [];
  const entries = await readdir(home, { withFileTypes: true });
  return entries.filter((each) => each.isDirectory()).map((each) => each.name);
}

/** Removes everything that is on disk about a machine. */
export async function forget(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

/** The last line QEMU wrote to its error output; empty when it wrote none. */
export async function lastLogLine(folder: string): Promise<string> {
  const text = await readFile(join(folder, machineFiles.log), "utf8").catch(() => "");
  return text.trimEnd().split("\n").at(-1) ?? "";
}

/** The newest part of what the guest printed, at most 512 KiB. For people: it is the guest's word. */
export async function readConsole(folder: string): Promise<string> {
  const parts = [`${machineFiles.console}.old`, machineFiles.console].map((name) => join(folder, name));
  const texts = await Promise.all(parts.map((path) => readFile(path, "utf8").catch(() => "")));
  return texts.join("");
}
