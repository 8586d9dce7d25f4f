/**
 * Whether guests can be accelerated here: found out by booting one. A /dev/kvm that opens proves nothing; seen were
 * ones on which a stock kernel hangs, or dies of an emulation failure. So time is judged as well as failure.
 */
import { randomUUID } from "node:crypto";
import { open, readFile, rm } from "node:fs/promises";
import { cpus, release } from "node:os";
import { join } from "node:path";
import type { Clock } from "@atoll/machinery/clock";
import { digestOf, writeWhole } from "./cache.ts";
import { prepareHost, type MachineHost, type Verdict } from "./host.ts";
import type { Machine } from "./machine.ts";
import { Machines } from "./machines.ts";

/** A guest that needs longer than this to answer, in ms, is not accelerated in any useful way. */
const readyWithinMs = 2000;
/** The probe gives up on a guest that hangs after so many ms. */
const giveUpMs = 5000;
/** A busy host gets a second chance. */
const tries = 2;

interface Kept {
  readonly key: string;
  readonly verdict: Verdict;
  readonly atMs: number;
}

/** What is known about KVM before anything is booted. */
export type KvmDevice = "absent" | "denied" | "there";

/** Looks at /dev/kvm. */
export async function lookAtKvm(path = "/dev/kvm"): Promise<KvmDevice> {
  try {
    await (await open(path, "r+")).close();
    return "there";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "absent" : "denied";
  }
}

/**
 * Judges attempts to boot: pure.
 * @param attempts ms to the guest's answer, or why there was none
 */
export function judge(attempts: readonly (number | string)[]): Verdict {
  const times = attempts.filter((each) => typeof each === "number");
  const best = Math.min(...times);
  if (best <= readyWithinMs) return { accelerator: "kvm", reason: `a guest answered after ${Math.round(best)} ms` };
  const [why = "no guest was booted"] = attempts.filter((each) => typeof each === "string");
  if (times.length === 0) return { accelerator: "tcg", reason: `/dev/kvm opens, but no guest came up with it: ${why}` };
  return { accelerator: "tcg", reason: `/dev/kvm opens, but a guest needed ${Math.round(best)} ms to answer` };
}

/**
 * The verdict for this host: kept from before if kernel, CPU and QEMU are the same, otherwise found by booting.
 * @param options.cache the cache folder
 * @param options.home where machines may be made
 * @param options.again boots even if there is a verdict
 */
export async function probeAccelerator(options: {
  cache: string;
  home: string;
  clock: Clock;
  again?: boolean;
}): Promise<Verdict> {
  const device = await lookAtKvm();
  if (device === "absent") return { accelerator: "tcg", reason: "there is no /dev/kvm" };
  if (device === "denied") return { accelerator: "tcg", reason: "/dev/kvm cannot be opened" };
  const host = await prepareHost({
    cache: options.cache,
    home: join(options.home, `probe-${randomUUID()}`),
    verdict: { accelerator: "kvm", reason: "being probed" },
    clock: options.clock,
  });
  const key = digestOf(release(), cpus()[0]?.model ?? "", host.qemuVersion, host.system.kernelDigest);
  const path = join(options.cache, "accelerator.json");
  const kept = options.again === true ? undefined : await readKept(path);
  if (kept?.key === key) return kept.verdict;
  const verdict = await bootProbes(host);
  await writeWhole(path, JSON.stringify({ key, verdict, atMs: options.clock.nowMs() } satisfies Kept, undefined, 2));
  return verdict;
}

async function readKept(path: string): Promise<Kept | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Kept;
  } catch {
    return undefined;
  }
}

async function bootProbes(host: MachineHost): Promise<Verdict> {
  const attempts: (number | string)[] = [];
  try {
    for (let i = 0; i < tries && judge(attempts).accelerator === "tcg"; i++) attempts.push(await bootOnce(host));
  } finally {
    await rm(host.home, { recursive: true, force: true });
  }
  return judge(attempts);
}

/** Boots the real kernel and init once. @returns ms to its answer, or why there was none */
async function bootOnce(host: MachineHost): Promise<number | string> {
  const machines = new Machines(host);
  const id = `probe-${randomUUID().slice(0, 8)}`;
  // Not awaited: a guest that hangs would be waited for much longer than its verdict needs.
  const starting = machines.start({
    id,
    owner: "accelerator probe",
    memoryMiB: 128,
    vcpus: 1,
    disks: [],
    start: "boot",
  });
  const answered = starting.then(startTimeOf).catch((error: Error) => error.message);
  const timer = new AbortController();
  const late = host.clock.sleep(giveUpMs, timer.signal).then(
    () => `no answer within ${giveUpMs} ms`,
    () => "answered",
  );
  const result = await Promise.race([answered, late]);
  timer.abort();
  const machine = machines.get(id);
  await machine?.kill();
  await answered;
  if (machine !== undefined) await machines.remove(machine);
  return result;
}

const startTimeOf = (machine: Machine): number | string =>
  machine.state.phase === "running" ? machine.state.startMs : "it ended at once";
