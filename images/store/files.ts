/**
 * Files that survive a crash: written aside, synced, renamed, and the directory synced after them.
 */
import { randomBytes } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock } from "@atoll/machinery/clock";

const lockPollMs = 500;

/** Makes a directory only the owner may enter, and those above it. */
export async function privateDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}

/** Makes a rename, creation or removal in a directory last. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Renames a finished, closed and synced file into place. */
export async function settle(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncDirectory(dirname(to));
}

/** Replaces a small file as a whole. @param workDir a directory of the same file system for the file on its way */
export async function replaceFile(path: string, content: string | Buffer, workDir: string): Promise<void> {
  const aside = temporaryName(workDir);
  const handle = await open(aside, "wx", 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await settle(aside, path);
}

/** A name nobody else uses; it carries the process, so that what a dead one left can be told apart. */
export function temporaryName(dir: string): string {
  return join(dir, `${process.pid}-${randomBytes(8).toString("hex")}`);
}

/** Opens a new file under a temporary name. The caller closes and removes or renames it. */
export async function temporaryFile(dir: string, mode = 0o600): Promise<{ path: string; handle: FileHandle }> {
  const path = temporaryName(dir);
  return { path, handle: await open(path, "wx+", mode) };
}

/** Whether a process of that number exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Removes temporary files of processes that are gone. */
export async function sweep(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    const pid = Number.parseInt(name, 10);
    if (Number.isNaN(pid) || !isAlive(pid)) await rm(join(dir, name), { recursive: true, force: true });
  }
}

/**
 * Does `work` while no other process does it under the same lock. A dead holder's lock is taken over.
 * @param path the lock's file; holds the holder's process id
 */
export async function locked<T>(
  path: string,
  { clock, signal }: { clock: Clock; signal?: AbortSignal | undefined },
  work: () => Promise<T>,
): Promise<T> {
  while (!(await tryLock(path))) await clock.sleep(lockPollMs, signal);
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function tryLock(path: string): Promise<boolean> {
  try {
    await writeFile(path, String(process.pid), { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const holder = Number.parseInt(await readFile(path, "utf8").catch(() => ""), 10);
  if (!Number.isNaN(holder) && !isAlive(holder)) await rm(path, { force: true });
  return false;
}

/** Whether an error says that a file is not there. */
export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}
