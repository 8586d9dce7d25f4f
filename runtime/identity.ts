/**
 * Processes by a name that tells, on the same host, whether they still run: pid and start time within one boot of the host
 * and one pid namespace are never given twice.
 */
import { createHash, randomBytes } from "node:crypto";
import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";

/** When a process began, field 22 of /proc/PID/stat; undefined when there is none of that number. Source: proc(5) */
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

/** Where process numbers mean the same as here; undefined on a host without /proc. */
async function place(): Promise<string | undefined> {
  try {
    const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8");
    const namespace = await readlink("/proc/self/ns/pid");
    return createHash("sha256").update(`${boot}${namespace}`).digest("hex").slice(0, 16);
  } catch {
    return undefined;
  }
}

/** A name for this process that no other has: host, place, number, start time, a random part. */
export async function processIdentity(): Promise<string> {
  const parts = [(await place()) ?? "", `${process.pid}`, (await startOf(process.pid)) ?? ""];
  return `${hostname()}_${parts.join("-")}_${randomBytes(4).toString("hex")}`;
}

/** Whether the process of such a name ran here and certainly runs no more. What cannot be known is not so. */
export async function hasEnded(identity: string): Promise<boolean> {
  const [, where, pid, start] = /_([0-9a-f]{16})-(\d+)-(\d+)_[0-9a-f]{8}$/.exec(identity) ?? [];
  if (where === undefined || where !== (await place())) return false;
  return (await startOf(Number(pid))) !== start;
}
