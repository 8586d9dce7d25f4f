/**
 * What a machine boots: a kernel, and an initramfs with process 1 and the modules it loads. Each recorded by digest.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { buildProgram, type Program } from "../build.ts";
import { digestOf, exists, shortDigest, writeWhole } from "../cache.ts";
import { writeCpio, type CpioEntry } from "./cpio.ts";
import { debianKernel, readKernelRecord, type UnpackedKernel } from "./debian.ts";
import {
  collectModules,
  type KernelModule,
  laterModules,
  type LaterModule,
  moduleDisk,
  wantedModules,
} from "./modules.ts";

/** A kernel and initramfs, ready to boot. */
export interface GuestSystem {
  readonly kernel: string;
  readonly kernelDigest: string;
  /** As `uname -r` prints it. */
  readonly release: string;
  /** `debian` or `small`. */
  readonly flavour: "debian" | "small";
  /** Whether the kernel finds its devices by ACPI; otherwise QEMU puts them on the command line. */
  readonly acpi: boolean;
  readonly initramfs: string;
  readonly initramfsDigest: string;
  readonly initDigest: string;
  /** Disks with modules that few guests need; none where the kernel has what it has built in. */
  readonly moduleDisks: ReadonlyMap<LaterModule, string>;
}

/** Where `build-kernel` leaves the small kernel, and with what record. */
export const smallKernelRecord = (cache: string): string => join(cache, "kernels", "small", "kernel.json");

/**
 * The guest of this host: with the self-built small kernel if there is one, otherwise Debian's.
 * Slow only the first time: fetches the kernel and compiles the init.
 * @param options.cache the cache folder
 * @param options.flavour asks for one kernel; by default the small one when present
 * @param options.init another process 1, for tests
 */
export async function prepareGuestSystem(options: {
  cache: string;
  flavour?: GuestSystem["flavour"];
  init?: Program;
}): Promise<GuestSystem> {
  const record = smallKernelRecord(options.cache);
  const small = options.flavour !== "debian" && (await exists(record));
  if (options.flavour === "small" && !small) throw new Error("the small kernel has not been built");
  const kernel = small ? await readKernelRecord(record) : await debianKernel(options.cache);
  const init = options.init ?? (await buildProgram("init", { cache: options.cache }));
  const initramfs = await packInitramfs(options.cache, { kernel, init });
  return {
    kernel: kernel.vmlinux,
    kernelDigest: kernel.vmlinuxDigest,
    release: kernel.release,
    flavour: small ? "small" : "debian",
    acpi: !small,
    initramfs: initramfs.path,
    initramfsDigest: initramfs.digest,
    initDigest: init.digest,
    moduleDisks: await packModuleDisks(options.cache, kernel),
  };
}

async function packInitramfs(
  cache: string,
  parts: { kernel: UnpackedKernel; init: Program },
): Promise<{ path: string; digest: string }> {
  const { modules } = parts.kernel;
  const loaded = modules === undefined ? [] : await collectModules(modules, wantedModules);
  const archive = writeCpio(initramfsEntries(await readFile(parts.init.path), loaded));
  const digest = digestOf(archive);
  const path = join(cache, "initramfs", `${shortDigest(digest)}.cpio`);
  if (!(await exists(path))) await writeWhole(path, archive);
  return { path, digest };
}

async function packModuleDisks(
  cache: string,
  { modules, vmlinuxDigest }: UnpackedKernel,
): Promise<ReadonlyMap<LaterModule, string>> {
  const disks = new Map<LaterModule, string>();
  if (modules === undefined) return disks;
  for (const name of laterModules) {
    const path = join(cache, "initramfs", `${name}-${shortDigest(vmlinuxDigest)}.img`);
    disks.set(name, path);
    if (await exists(path)) continue;
    const early = new Set((await collectModules(modules, wantedModules)).map((each) => each.name));
    const own = await collectModules(modules, [name]);
    await writeWhole(path, moduleDisk(own.filter((each) => !early.has(each.name))));
  }
  return disks;
}

/**
 * Options of modules; a kernel that has them built in gets them on its command line. The bus of further disks is not
 * searched, which takes a fifth of a second: what is on it announces itself.
 */
const moduleOptions: Readonly<Record<string, string>> = { scsi_mod: "scan=manual" };

function initramfsEntries(init: Buffer, loaded: readonly KernelModule[]): CpioEntry[] {
  const pathOf = (module: KernelModule) => `modules/${module.name}.ko`;
  const order = loaded.map((each) => `/${pathOf(each)} ${moduleOptions[each.name] ?? ""}\n`).join("");
  const modules = loaded.map((each) => ({ path: pathOf(each), mode: 0o100644, content: each.content }));
  return [
    { path: "dev", mode: 0o040755 },
    { path: "dev/console", mode: 0o020600, device: [5, 1] },
    { path: "modules", mode: 0o040755 },
    { path: "modules/order", mode: 0o100644, content: Buffer.from(order) },
    ...modules,
    { path: "init", mode: 0o100755, content: init },
  ];
}
