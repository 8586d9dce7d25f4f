/** What a machine is to be. The only words in which others ask crx for one. */

/** A disk of a machine: a raw file. */
export interface DiskSpec {
  /** By which the guest finds it: 1 to 20 of a-z, 0-9 and `-`. */
  readonly serial: string;
  /** On the file system that holds the machines' folder, because it is hard-linked there. */
  readonly path: string;
  /** A writable file is given to the machine's own user. */
  readonly readOnly: boolean;
}

/** A machine to start. */
export interface MachineSpec {
  /** Names its folder: 1 to 63 of a-z, 0-9 and `-`, beginning with a letter or digit. */
  readonly id: string;
  /** Whom it is for, in words for people. */
  readonly owner: string;
  readonly memoryMiB: number;
  readonly vcpus: number;
  readonly disks: readonly DiskSpec[];
  /** An existing tap; without one the machine has an unconnected network card. */
  readonly tap?: string;
  /** Ends the machine unless its lease is renewed this often, in ms. */
  readonly leaseMs?: number;
  /** `boot` never uses a template. */
  readonly start?: "clone" | "boot";
}

/** A spec that cannot be a machine. `path` names the field. */
export class SpecInvalid extends Error {
  override readonly name = "SpecInvalid";
  readonly path: string;
  constructor(path: string, message: string) {
    super(`${path}: ${message}`);
    this.path = path;
  }
}

/** Limits of one machine. */
const machineLimits = {
  memoryMiB: { least: 64, most: 1 << 20 },
  vcpus: { least: 1, most: 64 },
  disks: 32,
  tapLength: 15,
} as const;

/** Disks that have a place in every machine from the start; the others are plugged in while it runs. */
export const blockSlots = 3;

/**
 * Checks a spec.
 * @throws {SpecInvalid}
 */
export function checkSpec(spec: MachineSpec): void {
  const { memoryMiB, vcpus } = machineLimits;
  require(/^[a-z0-9][a-z0-9-]{0,62}$/.test(spec.id), "id", "must be 1 to 63 of a-z, 0-9 and -");
  requireWithin(spec.memoryMiB, "memoryMiB", memoryMiB);
  requireWithin(spec.vcpus, "vcpus", vcpus);
  require(spec.disks.length <= machineLimits.disks, "disks", `at most ${machineLimits.disks}`);
  if (spec.tap !== undefined) require(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,14}$/.test(spec.tap), "tap", "no interface name");
  if (spec.leaseMs !== undefined) requireWithin(spec.leaseMs, "leaseMs", { least: 100, most: 2 ** 31 - 1 });
  spec.disks.forEach((disk, index) => checkDisk(disk, `disks[${index}]`));
  const serials = new Set(spec.disks.map((disk) => disk.serial));
  require(serials.size === spec.disks.length, "disks", "serials must differ");
}

/**
 * Checks one disk.
 * @throws {SpecInvalid}
 */
export function checkDisk(disk: DiskSpec, path: string): void {
  require(/^[a-z0-9-]{1,20}$/.test(disk.serial), `${path}.serial`, "must be 1 to 20 of a-z, 0-9 and -");
  require(disk.path.startsWith("/") && !disk.path.includes("\0"), `${path}.path`, "must be absolute");
}

function requireWithin(value: number, path: string, { least, most }: { least: number; most: number }): void {
  const good = Number.isSafeInteger(value) && value >= least && value <= most;
  require(good, path, `must be a whole number from ${least} to ${most}`);
}

function require(good: boolean, path: string, message: string): void {
  if (!good) throw new SpecInvalid(path, message);
}
