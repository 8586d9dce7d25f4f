/**
 * One at a time in a folder, also among processes. The lock is SQLite's on an empty file: the kernel frees it when its
 * holder is gone, however it went.
 */
import { open } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { systemClock } from "@atoll/machinery/clock";

const retryMs = 20;
const busy = 5;

/** Runs `work` while nobody else does in this folder; waits for those who do. */
export async function alone<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const path = join(folder, ".lock");
  // Whoever can read the file could hold the lock.
  await (await open(path, "a", 0o600)).close();
  const lock = new DatabaseSync(path, { timeout: 0 });
  try {
    while (!taken(lock)) await systemClock.sleep(retryMs);
    return await work();
  } finally {
    lock.close();
  }
}

function taken(lock: DatabaseSync): boolean {
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === busy) return false;
    throw error;
  }
}
