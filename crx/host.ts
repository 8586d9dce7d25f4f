/** What a host brings to its machines: put together once, then shared by all of them. */
import { join } from "node:path";
import { systemClock, type Clock } from "@atoll/machinery/clock";
import { buildProgram, type Program } from "./build.ts";
import { digestOf, shortDigest } from "./cache.ts";
import { HostGroups } from "./confinement.ts";
import { prepareGuestSystem, type GuestSystem } from "./kernel/system.ts";
import { hostTscKhz } from "./processes.ts";
import { hostBootId } from "./records.ts";
import { run } from "./run.ts";
import { qemuPath, type AcceleratorName } from "./argv.ts";

/** How guests are executed here, and why so. */
export interface Verdict {
  readonly accelerator: AcceleratorName;
  /** For people: why not KVM, or how it was found to work. */
  readonly reason: string;
}

/** A host's part of every machine. */
export interface MachineHost {
  /** Folder of all machines and templates, on the file system of the images. */
  readonly home: string;
  /** Folder of what can be made again, templates among it. */
  readonly cache: string;
  readonly system: GuestSystem;
  readonly shim: Program;
  readonly verdict: Verdict;
  readonly qemuVersion: string;
  readonly tscKhz: number | undefined;
  readonly groups: HostGroups;
  readonly bootId: string;
  /** First of the user ids that machines get; the first itself belongs to templates. */
  readonly firstUid: number;
  readonly clock: Clock;
}

/** What is decided by whoever runs machines. */
export interface HostOptions {
  readonly home: string;
  readonly cache: string;
  readonly verdict: Verdict;
  readonly firstUid?: number;
  readonly clock?: Clock;
  readonly flavour?: GuestSystem["flavour"];
  /** Another process 1, for tests. */
  readonly init?: Program;
}

/** User ids nobody else has: above those of containers' user namespaces. */
const defaultFirstUid = 0x6a00_0000;

/** Folder of the machines below a host's home. */
export const machinesFolder = (home: string): string => join(home, "machines");

/** Folder of the templates below a host's home. */
export const templatesFolder = (home: string): string => join(home, "templates");

/** Name of the control group that holds a home's machines. */
export const groupOf = (home: string): string => `atoll-${shortDigest(digestOf(home))}`;

/**
 * Prepares a host: kernel, init and shim are fetched or compiled if the cache does not hold them.
 * @throws {ProgramFailed} something could not be fetched or compiled, or QEMU is not installed
 */
export async function prepareHost(options: HostOptions): Promise<MachineHost> {
  const { cache, flavour, init } = options;
  const version = (await run(qemuPath, ["--version"])).toString("utf8");
  return {
    home: options.home,
    cache,
    system: await prepareGuestSystem({
      cache,
      ...(flavour === undefined ? {} : { flavour }),
      ...(init === undefined ? {} : { init }),
    }),
    shim: await buildProgram("shim", { cache }),
    verdict: options.verdict,
    qemuVersion: /version (\S+)/.exec(version)?.[1] ?? "unknown",
    tscKhz: await hostTscKhz(),
    groups: await HostGroups.open(groupOf(options.home)),
    bootId: await hostBootId(),
    firstUid: options.firstUid ?? defaultFirstUid,
    clock: options.clock ?? systemClock,
  };
}
