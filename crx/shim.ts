/** Starts the shim, and through it QEMU. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { machineFiles, readExit } from "./records.ts";

/** How to confine a machine. */
export interface ShimOptions {
  readonly program: string;
  readonly folder: string;
  readonly name: string;
  readonly uid: number;
  readonly tap?: string | undefined;
  readonly kvm: boolean;
  readonly leaseMs?: number | undefined;
  /** `cgroup.procs` files of the groups it belongs to. */
  readonly cgroups: readonly string[];
  /** Makes this machine a template with so much RAM, in bytes. */
  readonly templateBytes?: number | undefined;
  /** File with the memory of a finished template: it is held as it is, and no QEMU runs. */
  readonly templateFile?: string | undefined;
  /** Where a template is kept on disk: first in a draft folder, then, whole, under its name. */
  readonly keep?: { readonly draft: string; readonly folder: string } | undefined;
  /** The process that holds the RAM to copy, and the file with the devices' state. */
  readonly template?: { readonly pid: number; readonly start: number; readonly state: string } | undefined;
  readonly command: readonly string[];
}

/** The machine could not be started; the message says at what. */
export class StartFailed extends Error {
  override readonly name = "StartFailed";
}

/** The shim's arguments. */
export function shimArguments(options: ShimOptions): readonly string[] {
  const { uid, tap, leaseMs, templateBytes, template } = options;
  const given: readonly (readonly [string, string | number | undefined])[] = [
    ["--folder", options.folder],
    ["--name", options.name],
    ["--uid", uid],
    ["--gid", uid],
    ["--tap", tap],
    ["--kvm", options.kvm ? "yes" : undefined],
    ["--lease-ms", leaseMs],
    ["--template-ram", templateBytes],
    ["--template-load", options.templateFile],
    ["--template-draft", options.keep?.draft],
    ["--template-keep", options.keep?.folder],
    ["--template-from", template?.pid],
    ["--template-started", template?.start],
    ["--state", template?.state],
    ...options.cgroups.map((path) => ["--cgroup", path] as const),
  ];
  const options_ = given.flatMap(([name, value]) => (value === undefined ? [] : [name, `${value}`]));
  return [...options_, "--", ...options.command];
}

/**
 * Starts a machine's process. When this returns, its sockets listen and its processes are on record; it lives on when
 * this process ends.
 * @throws {StartFailed}
 */
export async function startShim(options: ShimOptions): Promise<void> {
  const child = spawn(options.program, shimArguments(options), {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {},
    cwd: "/",
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors = `${errors}${text}`.slice(-2000);
  });
  const exited = new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("exit", (code) => resolve(errors.trim() || `the shim exited with ${code}`));
  });
  const ready = once(child.stdout, "data").then(() => undefined);
  const problem = await Promise.race([ready, exited]);
  child.stderr.destroy();
  child.stdout.destroy();
  child.unref();
  if (problem !== undefined) throw new StartFailed((await readExit(options.folder))?.reason ?? problem);
}

/**
 * Connects to a socket of a machine.
 * @throws {StartFailed} nobody listens any more
 */
export async function connectTo(folder: string, which: "qmp" | "channel" | "control"): Promise<Socket> {
  return await withShortPath(folder, async (short) => {
    const socket = connect(join(short, machineFiles[which]));
    socket.on("error", () => undefined); // whoever uses it learns of the end by its closing
    try {
      await once(socket, "connect");
    } catch (error) {
      socket.destroy();
      throw new StartFailed(`cannot connect to ${which}`, { cause: error });
    }
    return socket;
  });
}

/** Names a folder so that the address of a socket in it, 107 bytes at most, is never too long. */
export async function withShortPath<T>(folder: string, use: (short: string) => Promise<T>): Promise<T> {
  const handle = await open(folder, constants.O_DIRECTORY | constants.O_RDONLY);
  try {
    return await use(`/proc/self/fd/${handle.fd}`);
  } finally {
    await handle.close();
  }
}
