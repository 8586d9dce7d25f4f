/**
 * Disks that are a Pod's own and go with it: what its containers write, and emptyDir volumes that have a size.
 * Source: docs/rfd/0036-sized-volumes.md
 */
import { readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { exists } from "@atoll/crx/cache";
import { makeDisk } from "@atoll/crx/disk";

const ending = ".ext4";
const mebi = 1024 * 1024;
/** What a small file system needs for itself: a journal and room for inodes. */
const ownBytes = 8 * mebi;
const ownShare = 1 / 12;
const blockBytes = 512;

/**
 * A disk in a Pod's folder, made unless it is there.
 * @param name names the file; a part of a path
 * @returns its path
 * @throws {ProgramFailed} mkfs.ext4
 */
export async function ownDisk(folder: string, name: string, bytes: number): Promise<string> {
  const path = join(folder, `${name}${ending}`);
  if (await exists(path)) return path;
  const draft = `${path}.new`;
  await rm(draft, { force: true });
  await makeDisk(draft, bytes);
  await rename(draft, path);
  return path;
}

/** Size of a disk that takes so many bytes of files, and little more. */
export const diskBytesFor = (fileBytes: number): number =>
  Math.ceil((fileBytes * (1 + ownShare) + ownBytes) / mebi) * mebi;

/** What the disks of a Pod take of the host's. */
export async function ownDiskBytes(folder: string): Promise<number> {
  const facts = await Promise.all((await ownDisks(folder)).map((path) => stat(path).catch(() => undefined)));
  return facts.reduce((sum, each) => sum + (each?.blocks ?? 0) * blockBytes, 0);
}

/** Removes the disks of a Pod that is over. */
export async function removeOwnDisks(folder: string): Promise<void> {
  await Promise.all((await ownDisks(folder)).map((path) => rm(path, { force: true })));
}

async function ownDisks(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => name.endsWith(ending)).map((name) => join(folder, name));
}
