/** Processes on the host, told apart by number and start time. */
import { readFile } from "node:fs/promises";

/** Start time of a process in clock ticks after boot; undefined when there is none of that number, or a dead one. */
async function startTime(pid: number): Promise<number | undefined> {
  let stat: string;
  try {
    stat = await readFile(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The second field is a name in parentheses that may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? undefined : Number(fields[19]);
}

/** Whether that very process lives. */
export async function isAlive(pid: number, start: number): Promise<boolean> {
  return (await startTime(pid)) === start;
}

/** Signals that very process; does nothing when it is gone. */
export async function signalProcess(pid: number, start: number, signal: NodeJS.Signals): Promise<void> {
  if (!(await isAlive(pid, start))) return;
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** The TSC's frequency as the host's kernel knows it; undefined when it does not say. */
export async function hostTscKhz(): Promise<number | undefined> {
  const text = await readFile("/proc/cpuinfo", "utf8");
  // With a known TSC, delay loops are counted in it: two BogoMIPS a MHz.
  const known = /^flags\s*:.*\b(constant_tsc|tsc_known_freq)\b/m.test(text);
  const bogomips = /^bogomips\s*:\s*([\d.]+)/m.exec(text)?.[1];
  return known && bogomips !== undefined ? Math.round(Number(bogomips) * 500) : undefined;
}
