/** What a node does for itself, time and again: keeps its disk and memory from running out, and its guests' clocks right. */
import { statfs } from "node:fs/promises";
import { collect } from "@atoll/images/store/collect";
import type { ImageStore } from "@atoll/images/store/store";
import type { Clock } from "@atoll/machinery/clock";
import type { Log } from "@atoll/runtime/log";
import type { PodDriver } from "../pods/driver.ts";
import { ownDiskBytes } from "../volumes/owndisk.ts";
import { type Candidate, evictionFailure, firstToEvict, type Shortage, shortageOf } from "./eviction.ts";
import { availableMemory } from "./host.ts";

/** What upkeep works on. */
export interface UpkeepOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly data: string;
  readonly store: ImageStore;
  /** Pods that something is left of. */
  drivers(): readonly PodDriver[];
}

const lookMs = 10_000;
const clockEvery = 6;
const collectEvery = 30;

/** Works until the signal aborts. Never rejects. */
export async function keepUp(options: UpkeepOptions, signal: AbortSignal): Promise<void> {
  const { clock, log } = options;
  for (let turn = 1; !signal.aborted; turn++) {
    await clock.sleep(lookMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      await relieve(options);
      await Promise.all(options.drivers().map(async (driver) => await driver.growDisks()));
      if (turn % collectEvery === 0) await collectImages(options);
      if (turn % clockEvery === 0) await setClocks(options);
    } catch (error) {
      log.warn("the node's upkeep failed", { error });
    }
  }
}

/** A machine that stood still for a while has lost time. */
async function setClocks({ drivers }: UpkeepOptions): Promise<void> {
  await Promise.all(drivers().map(async ({ sandbox }) => await sandbox?.guest.setTime().catch(() => undefined)));
}

/** Images of Pods that are here stay, whatever the disk says. */
async function collectImages({ store, drivers, log }: UpkeepOptions): Promise<void> {
  const ids = new Set(drivers().flatMap(({ world }) => [...world.containers.values()].map(({ imageId }) => imageId)));
  ids.delete("");
  const images = await Promise.all([...ids].map(async (id) => await store.find(id)));
  const inUse = new Set(images.flatMap((image) => (image === undefined ? [] : [image.manifest.digest])));
  const { removed, freedBytes } = await collect(store, { inUse });
  if (freedBytes > 0) log.info("images were collected", { removed, freedBytes });
}

/** One Pod at a time: what it leaves is looked at before the next goes. */
async function relieve(options: UpkeepOptions): Promise<void> {
  const short = await shortage(options);
  if (short === undefined) return;
  if (short === "ephemeral-storage") await collectImages(options);
  if ((await shortage(options)) !== short) return;
  const running = options.drivers().filter(({ world }) => world.machine !== "none" && world.ending === undefined);
  const found = await Promise.all(
    running.map(async (driver) => ({ driver, usedBytes: await usedBytes(driver, short) })),
  );
  const candidates = found.map(({ driver: { pod }, usedBytes: used }): Candidate => ({ pod, usedBytes: used }));
  const first = firstToEvict(candidates, short);
  const driver = found.find(({ driver: each }) => each.pod === first?.pod)?.driver;
  if (first === undefined || driver === undefined) return;
  options.log.warn("a pod is evicted", { pod: driver.pod.metadata.name, short });
  driver.fail(evictionFailure(first, short), 0);
}

async function shortage({ data }: UpkeepOptions): Promise<Shortage | undefined> {
  const [{ blocks, bavail, bsize }, memoryBytes] = await Promise.all([statfs(data), availableMemory()]);
  return shortageOf({ memoryBytes, diskBytes: bavail * bsize, diskTotalBytes: blocks * bsize });
}

async function usedBytes({ sandbox, folder }: PodDriver, short: Shortage): Promise<number> {
  if (short === "ephemeral-storage") return await ownDiskBytes(folder);
  const usage = await sandbox?.guest.request("usage", {}).catch(() => undefined);
  return Number((usage?.memoryTotalBytes ?? 0n) - (usage?.memoryAvailableBytes ?? 0n));
}
