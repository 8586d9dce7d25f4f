/** What this host brings to the machines of a data directory: the same for whoever starts, ends or examines them. */
import { createHash } from "node:crypto";
import { mkdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { probeAccelerator } from "@atoll/crx/accelerator";
import { cacheFolder } from "@atoll/crx/cache";
import { groupOf, type MachineHost, prepareHost, type Verdict } from "@atoll/crx/host";
import { systemClock } from "@atoll/machinery/clock";

/** User ids of machines begin here; each data directory has so many of its own. */
const firstUid = 0x6a00_0000;
const uidsOfAHost = 8192;
const uidShares = 2048;

/** Folder of a data directory's machines. */
export const machinesHome = (data: string): string => join(data, "crx");

/** Name of the control group of a data directory's machines. */
export const controlGroup = (data: string): string => groupOf(machinesHome(data));

/** The cache folder, or one within the data directory where that is another file system: files are hard-linked. */
export async function cacheFor(data: string): Promise<string> {
  const usual = cacheFolder();
  await Promise.all([mkdir(usual, { recursive: true }), mkdir(data, { recursive: true, mode: 0o700 })]);
  const [one, other] = await Promise.all([stat(usual), stat(data)]);
  return one.dev === other.dev ? usual : join(data, "cache");
}

/** Where guests are booted to find out how. */
export const probeHome = (data: string): string => join(data, "probe");

/** How machines are executed here, found by booting one unless it is known. */
export async function verdictFor(data: string): Promise<Verdict> {
  return await probeAccelerator({ cache: await cacheFor(data), home: probeHome(data), clock: systemClock });
}

/**
 * The host of a data directory's machines.
 * @throws {ProgramFailed} something could not be fetched or compiled, or QEMU is not installed
 */
export async function machineHostOf(data: string, verdict: Verdict): Promise<MachineHost> {
  const share = createHash("sha256").update(resolve(data)).digest().readUInt32BE(0) % uidShares;
  return await prepareHost({
    home: machinesHome(data),
    cache: await cacheFor(data),
    verdict,
    firstUid: firstUid + share * uidsOfAHost,
    clock: systemClock,
  });
}
