/**
 * What a machine boots: a kernel, and an initramfs with process 1 and the modules it loads. Each recorded by digest.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { buildProgram, type Program } from "../build.ts";
import { digestOf, exists, shortDigest, writeWhole } from "../cache.ts";
import { writeCpio, type CpioEntry } from "./cpio.ts";
import { debianKernel, readKernelRecord, type UnpackedKernel } from "./debian.ts";
import { collectModules, laterModules, wantedModules, type KernelModule } from "./modules.ts";

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
  };
}

async function packInitramfs(
  cache: string,
  parts: { kernel: UnpackedKernel; init: Program },
): Promise<{ path: string; digest: string }> {
  const { modules } = parts.kernel;
  const collect = async (names: readonly string[]) =>
    modules === undefined ? [] : await collectModules(modules, names);
  const loaded = await collect(wantedModules);
  const early = new Set(loaded.map(({ name }) => name));
  const later: [string, readonly KernelModule[]][] = [];
  for (const name of laterModules) later.push([name, (await collect([name])).filter((each) => !early.has(each.name))]);
  const archive = writeCpio(initramfsEntries(await readFile(parts.init.path), loaded, later));
  const digest = digestOf(archive);
  const path = join(cache, "initramfs", `${shortDigest(digest)}.cpio`);
  if (!(await exists(path))) await writeWhole(path, archive);
  return { path, digest };
}

/**
 * Options of modules; a kernel that has them built in gets them on its command line. The bus of further disks is not
 * searched, which takes a fifth of a second: what is on it announces itself.
 */
const moduleOptions: Readonly<Record<string, string>> = { scsi_mod: "scan=manual" };

/** @param later what is loaded when it is wanted, each a list of its own */
function initramfsEntries(
  init: Buffer,
  loaded: readonly KernelModule[],
  later: readonly (readonly [name: string, modules: readonly KernelModule[]])[],
): CpioEntry[] {
  const fileOf = (module: KernelModule) => `${module.name}.ko`;
  const list = (name: string, modules: readonly KernelModule[]): CpioEntry => {
    const order = modules.map((each) => `${fileOf(each)} ${moduleOptions[each.name] ?? ""}\n`).join("");
    return { path: `modules/${name}`, mode: 0o100644, content: Buffer.from(order) };
  };
  const all = new Map([...loaded, ...later.flatMap(([, modules]) => modules)].map((each) => [each.name, each]));
  const modules = [...all.values()].map((each) => {
    return { path: `modules/${fileOf(each)}`, mode: 0o100644, content: each.content };
  });
  return [
    { path: "dev", mode: 0o040755 },
    { path: "dev/console", mode: 0o020600, device: [5, 1] },
    { path: "modules", mode: 0o040755 },
    list("order", loaded),
    ...later.filter(([, some]) => some.length > 0).map(([name, some]) => list(name, some)),
    ...modules,
    { path: "init", mode: 0o100755, content: init },
  ];
}
