/** The record of what `up` runs in a data directory, for `down` and `status`. */
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "@atoll/machinery/clock";
import { startOf } from "@atoll/runtime/identity";
import { writePrivate } from "@atoll/server/pki/private";

/** One process, told from a later one of the same number by when it began. */
export interface Running {
  readonly name: string;
  readonly pid: number;
  /** Field 22 of /proc/PID/stat, in clock ticks since boot. */
  readonly started: string;
}

/** What is up. */
export interface UpRecord {
  readonly up: Running;
  readonly parts: readonly Running[];
  readonly url: string;
}

const file = (data: string) => join(data, "run", "up.json");

/** Whether exactly this process still runs. */
export async function runs({ pid, started }: Running): Promise<boolean> {
  return (await startOf(pid)) === started;
}

/** Records what is up, whole or not at all. */
export async function writeRecord(data: string, record: UpRecord): Promise<void> {
  await mkdir(join(data, "run"), { recursive: true, mode: 0o700 });
  await writePrivate(file(data), `${JSON.stringify(record, undefined, 2)}\n`);
}

/** Undefined when nothing was recorded. */
export async function readRecord(data: string): Promise<UpRecord | undefined> {
  try {
    return JSON.parse(await readFile(file(data), "utf8")) as UpRecord;
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Forgets the record. */
export async function removeRecord(data: string): Promise<void> {
  await rm(file(data), { force: true });
}

const wholePatienceMs = 30_000;

/** Ends what is up, its parts and machines with it. @throws {Error} it does not end */
export async function endWhole({ up }: UpRecord): Promise<void> {
  process.kill(up.pid, "SIGTERM");
  const deadlineMs = systemClock.monotonicMs() + wholePatienceMs;
  while (await runs(up)) {
    if (systemClock.monotonicMs() > deadlineMs) throw new Error(`process ${up.pid} does not end; kill it by hand`);
    await systemClock.sleep(lookEveryMs);
  }
}

const orphanPatienceMs = 1_000;
const lookEveryMs = 20;

/** Ends the parts of an `up` that was killed: all are made to be killed at any moment. Machines run on, and are taken up again. */
export async function endOrphans(record: UpRecord | undefined): Promise<void> {
  const parts = (record?.parts ?? []).filter(({ pid }) => pid !== 0);
  await Promise.all(parts.map(endOrphan));
}

async function endOrphan(part: Running): Promise<void> {
  const deadlineMs = systemClock.monotonicMs() + orphanPatienceMs;
  for (let asked = false; await runs(part); asked = true) {
    if (!asked) process.kill(part.pid, "SIGTERM");
    if (systemClock.monotonicMs() > deadlineMs) process.kill(part.pid, "SIGKILL");
    await systemClock.sleep(lookEveryMs);
  }
}
