/** Takes away what a data directory's pods have on the host: machines, templates, groups, taps, rules. */
import { readdir } from "node:fs/promises";
import type { Machine } from "@atoll/crx/machine";
import { Machines } from "@atoll/crx/machines";
import { machinesFolder, templatesFolder } from "@atoll/crx/host";
import { systemClock } from "@atoll/machinery/clock";
import { removeNetwork } from "@atoll/net/host";
import { machineHostOf, machinesHome } from "../machinehost.ts";

/** What containers get between SIGTERM and SIGKILL when the whole system stops, ms. */
const graceMs = 3_000;

/**
 * Ends every machine, its containers first, and clears the network away. Nothing may run that starts new ones.
 * @returns how many machines there were
 */
export async function sweep(data: string): Promise<number> {
  if (process.getuid?.() !== 0) return 0;
  const ended = await endMachines(data);
  await removeNetwork(data).catch(onlyIfNeverUsed);
  return ended;
}

async function endMachines(data: string): Promise<number> {
  const home = machinesHome(data);
  const found = await Promise.all(
    [machinesFolder(home), templatesFolder(home)].map((folder) => readdir(folder).catch(() => [])),
  );
  if (found.flat().length === 0) return 0;
  // How it executes guests matters to none that is only to be ended.
  const host = await machineHostOf(data, { accelerator: "tcg", reason: "ending machines" });
  const machines = new Machines(host);
  const adopted = await machines.adopt();
  await Promise.all(
    adopted.map(async (machine) => {
      await end(machine);
      await machines.remove(machine);
    }),
  );
  await machines.templates.prune([]);
  await host.groups.close();
  return adopted.length;
}

async function end(machine: Machine): Promise<void> {
  if (machine.state.phase !== "running") return void (await machine.kill());
  const late = systemClock.after(graceMs, () => void machine.kill());
  await machine.shutDown(graceMs).catch(async () => await machine.kill());
  late.cancel();
}

/** A host without nft or ip has had no network of ours. */
function onlyIfNeverUsed(error: unknown): void {
  const { cause } = error as { cause?: NodeJS.ErrnoException };
  if (cause?.code !== "ENOENT") throw error;
}
