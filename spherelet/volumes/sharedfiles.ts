/**
 * What is done to files on a share. By programs and never by this process: a share that does not answer holds up whoever
 * asks it, and this process has few threads to lose.
 */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { SeenDatastore } from "@atoll/api/volumes/disks";
import { type DiskContent, formatDisk } from "@atoll/crx/disk";
import { run } from "@atoll/crx/run";
import { VolumeUnfilled } from "./contents.ts";

const timeoutMs = 10_000;
/** crx/shim/lease.c has the same name. */
const diskFile = "disk.raw";

/**
 * Makes the folder of a disk unless it is there.
 * @throws {VolumeUnfilled} the share is not mounted: what would be made then, no other host would see
 */
export async function makeFolder(folder: string): Promise<void> {
  const share = dirname(folder);
  if (!(await isMounted(share))) throw new VolumeUnfilled(`the datastore is not mounted at ${share} of this host`);
  await run("mkdir", ["-p", "-m", "700", folder], { timeoutMs });
}

async function isMounted(share: string): Promise<boolean> {
  const mounts = await readFile("/proc/self/mountinfo", "utf8");
  return mounts.split("\n").some((line) => line.split(" ")[4] === share);
}

/**
 * How much room a share has.
 * @returns undefined when it is not mounted here
 * @throws {ProgramFailed} it does not answer
 */
export async function roomOn(share: string): Promise<SeenDatastore | undefined> {
  if (!(await isMounted(share))) return undefined;
  const text = (await run("stat", ["--file-system", "--format=%S %b %a", share], { timeoutMs })).toString("utf8");
  const [size = 0, blocks = 0, free = 0] = text.trim().split(" ").map(Number);
  return { capacityBytes: size * blocks, freeBytes: size * free };
}

/** Whether the disk is there. */
export async function hasDisk(folder: string): Promise<boolean> {
  const names = (await run("ls", ["-1", folder], { timeoutMs })).toString("utf8");
  return names.split("\n").includes(diskFile);
}

/** Makes the disk, whole or not at all. */
export async function makeSharedDisk(folder: string, bytes: number, content: DiskContent): Promise<void> {
  const draft = join(folder, `${diskFile}.new`);
  await run("rm", ["-f", draft], { timeoutMs });
  await run("truncate", ["-s", `${bytes}`, draft], { timeoutMs });
  await formatDisk(draft, content);
  await replaceBy(draft, folder);
}

/** Puts a copy in the disk's place: what is written late to the old one, nobody reads. Takes its time where no clone is possible. */
export async function renewSharedDisk(folder: string): Promise<void> {
  const draft = join(folder, `${diskFile}.new`);
  await run("rm", ["-f", draft], { timeoutMs });
  await run("cp", ["--reflink=auto", "--sparse=always", join(folder, diskFile), draft]);
  await replaceBy(draft, folder);
}

/** Removes the disk and its leases. */
export async function removeShared(folder: string): Promise<void> {
  await run("rm", ["-rf", folder], { timeoutMs });
}

async function replaceBy(draft: string, folder: string): Promise<void> {
  await run("sync", [draft]);
  await run("mv", ["-f", "-T", draft, join(folder, diskFile)], { timeoutMs });
  await run("sync", [folder]);
}
