/**
 * Disks that other hosts have, too: plugged in once the machine's shim holds the lease, made or put in order before.
 * Source: docs/rfd/0038-shared-datastores.md
 */
import type { SharedPlace } from "@atoll/api/volumes/disks";
import type { Machine } from "@atoll/crx/machine";
import type { LeaseState } from "@atoll/crx/shares";
import type { Clock } from "@atoll/machinery/clock";
import type { ClaimedDisk } from "./claims.ts";
import { VolumeUnfilled } from "./contents.ts";
import type { Datastore } from "./datastore.ts";
import { hasDisk, makeFolder, makeSharedDisk, renewSharedDisk } from "./sharedfiles.ts";

/** A shared disk that a Pod wants. */
export interface SharedWish {
  readonly serial: string;
  /** Uid of the Pod. */
  readonly holder: string;
  readonly place: SharedPlace;
  readonly disk: ClaimedDisk;
}

/** What it is done with. */
export interface SharedMeans {
  readonly datastore: Datastore;
  readonly clock: Clock;
}

const patienceMs = 3_000;
const pauseMs = 200;
/** Its shim goes on waiting meanwhile, and has the lease as soon as can be. */
const retryAfterMs = 1_000;

/** @throws {VolumeUnfilled} another machine has it, or it is gone */
export async function plugShared(machine: Machine, wish: SharedWish, means: SharedMeans): Promise<void> {
  const { serial, disk, place } = wish;
  const { folder } = place;
  await makeFolder(folder);
  const state = await leased(machine, wish, means);
  if (state.is === "held") {
    if (!(await hasDisk(folder))) {
      if (disk.wasMade) throw new VolumeUnfilled(`the disk of volume ${disk.name} is no longer at ${folder}`);
      await makeSharedDisk(folder, disk.bytes, disk.content);
    } else if (!state.isClean) await renewSharedDisk(folder);
  }
  await means.datastore.noteShared(disk.name, folder);
  await machine.attachShared(serial);
}

/** Waits for a while for the lease; then whoever has it is told to the API, which may say at the next try that it is over. */
async function leased(machine: Machine, wish: SharedWish, { datastore, clock }: SharedMeans): Promise<LeaseState> {
  const { serial, holder, place, disk } = wish;
  const { folder, leaseMs } = place;
  const giveUpMs = clock.monotonicMs() + patienceMs;
  for (;;) {
    const state = await machine.leaseOf({ serial, folder, holder, leaseMs }, disk.over);
    if (state.is === "held" || state.is === "given") {
      await datastore.tellWaiting(disk.name, undefined);
      return state;
    }
    if (clock.monotonicMs() > giveUpMs) {
      if (state.is === "trouble") throw new VolumeUnfilled(state.why);
      await datastore.tellWaiting(disk.name, { waiter: holder, holder: state.holder });
      throw new VolumeUnfilled(inUse(disk.name), { retryAfterMs });
    }
    await clock.sleep(pauseMs);
  }
}

/** Source: k8s.io/kubernetes/pkg/controller/volume/attachdetach/reconciler (wording) */
const inUse = (name: string): string =>
  `Multi-Attach error for volume "${name}" Volume is already used by another pod, whose machine can still write`;
