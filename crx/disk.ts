/** Writable disks: raw files with a file system that only the guest ever mounts. */
import { open, rm } from "node:fs/promises";
import { run } from "./run.ts";

/** What is on a new disk: a file system, or nothing. */
export type DiskContent = "ext4" | "xfs" | "nothing";

/**
 * Makes a sparse file with an empty file system in it. The host writes it once and never reads it again: what a
 * guest may have put there must not be parsed by the host's kernel.
 * @param bytes its size, at least 1 MiB
 * @throws {ProgramFailed} the program that makes the file system
 */
export async function makeDisk(path: string, bytes: number, content: DiskContent = "ext4"): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.truncate(bytes);
  } finally {
    await file.close();
  }
  try {
    await formatDisk(path, content);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

/** Makes an empty file system in a file that reads as zeros. @throws {ProgramFailed} */
export async function formatDisk(path: string, content: DiskContent): Promise<void> {
  if (content === "nothing") return;
  if (content === "xfs") {
    await run("mkfs.xfs", ["-q", "-K", path]);
    return;
  }
  // Nobody needs to write zeros; an older mkfs leaves that to the guest, when it has time.
  const lazily = "lazy_itable_init=1,lazy_journal_init=1,nodiscard,root_owner=0:0";
  const options = ["-q", "-F", "-m", "0", "-E"];
  await run("mkfs.ext4", [...options, `${lazily},assume_storage_prezeroed=1`, path]).catch(
    async () => await run("mkfs.ext4", [...options, lazily, path]),
  );
}
