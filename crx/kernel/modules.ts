/**
 * Which kernel modules a guest needs, in an order in which they can be loaded. A .deb holds no modules.dep (depmod
 * makes it on installation), so dependencies are read from the modules themselves.
 * Source: Linux Documentation/kbuild/modules.rst; ELF-64 object files; module_info `depends=`.
 */
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";

/** One module file. */
export interface KernelModule {
  readonly name: string;
  readonly content: Buffer;
}

/** Modules of a guest, less what they depend on: its devices, and its file systems. */
export const wantedModules: readonly string[] = [
  ...["virtio_mmio", "virtio_console", "virtio_blk", "virtio_scsi", "sd_mod"],
  ...["virtio_net", "virtio_rng", "virtio_balloon", "pvpanic-mmio"],
  ...["erofs", "overlay"],
];

/** Modules that few guests need: they come on a disk, when a volume wants them. */
export const laterModules = ["xfs"] as const;

/** One of them. */
export type LaterModule = (typeof laterModules)[number];

const block = 4096;

/** A disk with modules, in the order in which they can be loaded. crx/init/modules.c reads it. */
export function moduleDisk(modules: readonly KernelModule[]): Buffer {
  const lines = modules.map(({ name, content }) => `${name} ${content.length}\n`).join("");
  return Buffer.concat([Buffer.from(lines), ...modules.map(({ content }) => content)].map(padded));
}

function padded(part: Buffer): Buffer {
  return Buffer.concat([part, Buffer.alloc((block - (part.length % block)) % block)]);
}

/** A module that is neither a file nor built into the kernel. */
export class ModuleMissing extends Error {
  override readonly name = "ModuleMissing";
}

/**
 * Reads modules and everything they depend on, dependencies first.
 * @param folder `lib/modules/VERSION` of an unpacked kernel package
 * @param names with `-` or `_`
 * @throws {ModuleMissing}
 */
export async function collectModules(folder: string, names: readonly string[]): Promise<readonly KernelModule[]> {
  const files = await indexFiles(folder);
  const builtin = await readBuiltin(folder);
  const done = new Map<string, KernelModule>();
  const visit = async (name: string): Promise<void> => {
    const key = canonical(name);
    if (done.has(key) || builtin.has(key)) return;
    const path = files.get(key);
    if (path === undefined) throw new ModuleMissing(`kernel module ${name} is not in ${folder}`);
    const content = await readFile(path);
    for (const dependency of dependenciesOf(content)) await visit(dependency);
    done.set(key, { name: key, content });
  };
  for (const name of names) await visit(name);
  return [...done.values()];
}

const canonical = (name: string): string => name.replaceAll("-", "_");

async function indexFiles(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true });
  const modules = entries.filter((each) => each.endsWith(".ko"));
  return new Map(modules.map((each) => [canonical(basename(each, ".ko")), join(folder, each)]));
}

async function readBuiltin(folder: string): Promise<Set<string>> {
  const text = await readFile(join(folder, "modules.builtin"), "utf8");
  return new Set(text.split("\n").map((line) => canonical(basename(line, ".ko"))));
}

/** Names in a module's `depends=`. */
function dependenciesOf(module: Buffer): readonly string[] {
  const entries = sectionOf(module, ".modinfo").toString("latin1").split("\0");
  const depends = entries.find((each) => each.startsWith("depends="))?.slice("depends=".length) ?? "";
  return depends.split(",").filter((each) => each !== "");
}

function sectionOf(elf: Buffer, name: string): Buffer {
  const table = Number(elf.readBigUInt64LE(0x28));
  const entrySize = elf.readUInt16LE(0x3a);
  const section = (index: number): Buffer => {
    const entry = elf.subarray(table + index * entrySize);
    const offset = Number(entry.readBigUInt64LE(0x18));
    return elf.subarray(offset, offset + Number(entry.readBigUInt64LE(0x20)));
  };
  const names = section(elf.readUInt16LE(0x3e));
  for (let index = 0; index < elf.readUInt16LE(0x3c); index++) {
    const nameAt = elf.readUInt32LE(table + index * entrySize);
    if (names.toString("latin1", nameAt, names.indexOf(0, nameAt)) === name) return section(index);
  }
  return Buffer.alloc(0);
}
