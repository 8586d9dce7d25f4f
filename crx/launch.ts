/** From a machine's folder to a running QEMU: files linked, groups made, shim started, sockets connected. */
import { chmod, chown, link, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { bootFiles, qemuCommand, type Backing, type Birth, type Shape, type SlotDisk } from "./argv.ts";
import type { MachineHost } from "./host.ts";
import { machineFiles } from "./records.ts";
import { startShim, StartFailed } from "./shim.ts";
import { blockSlots, type DiskSpec } from "./spec.ts";

/** What is to be launched. */
export interface Launch {
  readonly folder: string;
  readonly name: string;
  readonly uid: number;
  readonly shape: Shape;
  readonly birth: Birth;
  readonly disks: readonly DiskSpec[];
  readonly tap?: string | undefined;
  readonly leaseMs?: number | undefined;
  /** Where a template is kept on disk. */
  readonly keep?: { readonly draft: string; readonly folder: string } | undefined;
  /** What a clone is copied from. */
  readonly template?: { readonly pid: number; readonly start: number; readonly state: string } | undefined;
}

/** Memory QEMU itself may need beside the guest's RAM: translated code, device state, threads. */
const overheadBytes = 320 << 20;
const threads = 128;

/**
 * Starts QEMU. When this returns its sockets can be connected to.
 * @throws {StartFailed}
 */
export async function launch(host: MachineHost, what: Launch): Promise<void> {
  const { shape, birth } = what;
  const disks = await linkFiles(host, what);
  const cgroups = await host.groups.make(what.name, limitsOf(shape));
  const backing: Backing = { birth, disks, tap: what.tap !== undefined, tscKhz: host.tscKhz };
  await startShim({
    program: host.shim.path,
    folder: what.folder,
    name: what.name,
    uid: what.uid,
    tap: what.tap,
    kvm: shape.accelerator === "kvm",
    leaseMs: what.leaseMs,
    cgroups,
    templateBytes: birth === "template" ? shape.memoryMiB * 2 ** 20 : undefined,
    template: what.template,
    keep: what.keep,
    command: qemuCommand(shape, backing),
  });
}

/** What a machine's processes may use of the host. */
export function limitsOf(shape: Shape): { memoryBytes: number; cpus: number; processes: number } {
  return {
    memoryBytes: shape.memoryMiB * 2 ** 20 + overheadBytes,
    cpus: shape.vcpus + 0.5,
    processes: threads,
  };
}

/** The shape of a machine on this host. */
export function shapeOf(host: MachineHost, size: { memoryMiB: number; vcpus: number }): Shape {
  const { accelerator } = host.verdict;
  return { memoryMiB: size.memoryMiB, vcpus: size.vcpus, accelerator, acpi: host.system.acpi };
}

/** Name of a disk among a machine's files. */
export const diskFile = (disk: { serial: string }): string => `disk-${disk.serial}`;

async function linkFiles(host: MachineHost, what: Launch): Promise<readonly SlotDisk[]> {
  const files = join(what.folder, machineFiles.files);
  // Whatever is there is left from an attempt that failed.
  await rm(files, { recursive: true, force: true });
  await mkdir(files, { recursive: true });
  await chmod(files, 0o755);
  if (what.birth !== "clone") {
    await linkFile(host.system.kernel, join(files, bootFiles.kernel));
    await linkFile(host.system.initramfs, join(files, bootFiles.initramfs));
  }
  for (const disk of what.disks) await linkDisk(what, disk);
  const slots = what.disks.slice(0, blockSlots);
  return slots.map((disk) => ({ file: diskFile(disk), serial: disk.serial, readOnly: disk.readOnly }));
}

/**
 * Shows a machine a file, and gives it the file if it may write.
 * @throws {StartFailed} the file is not there, or on another file system than the machines
 */
export async function linkDisk(machine: { folder: string; uid: number }, disk: DiskSpec): Promise<void> {
  const path = join(machine.folder, machineFiles.files, diskFile(disk));
  await linkFile(disk.path, path);
  if (disk.readOnly) return;
  await chown(path, machine.uid, machine.uid);
  await chmod(path, 0o600);
}

async function linkFile(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "EXDEV" ? "is on another file system than the machines" : `cannot be linked (${code})`;
    throw new StartFailed(`${from} ${why}`, { cause: error });
  }
}
