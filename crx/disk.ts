/** Writable disks: raw files with an ext4 file system that only the guest ever mounts. */
import { open, rm } from "node:fs/promises";
import { run } from "./run.ts";

/**
 * Makes a sparse file with an empty file system in it. The host writes it once and never reads it again: what a
 * guest may have put there must not be parsed by the host's kernel.
 * @param bytes its size, at least 1 MiB
 * @throws {ProgramFailed} mkfs.ext4
 */
export async function makeDisk(path: string, bytes: number): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.truncate(bytes);
  } finally {
    await file.close();
  }
  try {
    // The file reads as zeros, so nobody needs to write them; an older mkfs leaves that to the guest, when it has time.
    const lazily = "lazy_itable_init=1,lazy_journal_init=1,nodiscard,root_owner=0:0";
    const options = ["-q", "-F", "-m", "0", "-E"];
    await run("mkfs.ext4", [...options, `${lazily},assume_storage_prezeroed=1`, path]).catch(
      async () => await run("mkfs.ext4", [...options, lazily, path]),
    );
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}
