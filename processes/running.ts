/** The record of what `up` runs in a data directory, for `down` and `status`. */
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "@atoll/machinery/clock";
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

/** When a process began; undefined when there is none of that number. */
export async function startOf(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // One that has ended may wait for its parent to notice.
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

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

const orphanPatienceMs = 10_000;
const lookEveryMs = 50;

/** Ends the parts of an `up` that was killed. Machines run on, and are taken up again. */
export async function endOrphans(record: UpRecord | undefined): Promise<void> {
  for (const part of record?.parts ?? []) {
    if (part.pid === 0 || !(await runs(part))) continue;
    process.kill(part.pid, "SIGTERM");
    const deadlineMs = systemClock.monotonicMs() + orphanPatienceMs;
    while (await runs(part)) {
      if (systemClock.monotonicMs() > deadlineMs) process.kill(part.pid, "SIGKILL");
      await systemClock.sleep(lookEveryMs);
    }
  }
}
