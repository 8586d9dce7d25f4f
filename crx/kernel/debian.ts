/**
 * Debian's cloud kernel, taken from its package and never installed: installing it would rebuild the host's own
 * initramfs for nothing.
 */
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { digestOf, exists, writeWhole } from "../cache.ts";
import { run } from "../run.ts";
import { extractVmlinux } from "./vmlinux.ts";

/** An unpacked kernel: a folder in the cache. */
export interface UnpackedKernel {
  /** As `uname -r` prints it. */
  readonly release: string;
  /** Debian's package version. */
  readonly version: string;
  /** ELF file to boot by PVH. */
  readonly vmlinux: string;
  readonly vmlinuxDigest: string;
  /** `lib/modules/RELEASE`; undefined for a kernel that has no modules. */
  readonly modules: string | undefined;
}

const metaPackage = "linux-image-cloud-amd64";
const recordName = "kernel.json";

/**
 * Debian's current cloud kernel, fetched by apt (which checks its signature) unless the cache holds one already.
 * @param folder the cache folder
 * @param options.refresh asks apt even when the cache holds a kernel
 * @throws {ProgramFailed} apt-get cannot fetch it
 */
export async function debianKernel(folder: string, options: { refresh?: boolean } = {}): Promise<UnpackedKernel> {
  const home = join(folder, "kernels");
  if (options.refresh !== true) {
    const kept = await newestKept(home);
    if (kept !== undefined) return kept;
  }
  await mkdir(home, { recursive: true, mode: 0o755 });
  const draft = await mkdtemp(join(home, ".draft-"));
  try {
    return await fetchInto(draft, home);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function newestKept(home: string): Promise<UnpackedKernel | undefined> {
  if (!(await exists(home))) return undefined;
  const releases = (await readdir(home)).filter((each) => each.startsWith("debian-")).sort();
  const newest = releases.at(-1);
  if (newest === undefined) return undefined;
  return await readKernelRecord(join(home, newest, recordName));
}

/** A kernel's record, with its paths where the record lies now: a cache may have been moved. */
export async function readKernelRecord(path: string): Promise<UnpackedKernel> {
  const record = JSON.parse(await readFile(path, "utf8")) as UnpackedKernel;
  const folder = dirname(path);
  const modules = record.modules === undefined ? undefined : join(folder, "modules");
  return { ...record, vmlinux: join(folder, "vmlinux"), modules };
}

async function fetchInto(draft: string, home: string): Promise<UnpackedKernel> {
  const depends = (await run("apt-cache", ["depends", metaPackage])).toString("utf8");
  const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
  if (name === undefined) throw new Error(`apt knows no kernel for ${metaPackage}; run apt-get update`);
  await run("apt-get", ["-qq", "-o", "APT::Sandbox::User=root", "download", name], { cwd: draft });
  const archive = (await readdir(draft)).find((each) => each.endsWith(".deb"));
  if (archive === undefined) throw new Error(`apt-get download ${name} left no package`);
  await run("dpkg-deb", ["-x", archive, "root"], { cwd: draft });
  const version = (await run("dpkg-deb", ["-f", archive, "Version"], { cwd: draft })).toString("utf8").trim();
  const boot = join(draft, "root", "boot");
  const image = (await readdir(boot)).find((each) => each.startsWith("vmlinuz-"));
  if (image === undefined) throw new Error(`${name} holds no kernel`);
  const vmlinux = extractVmlinux(await readFile(join(boot, image)));
  return keep(draft, { home, release: image.slice("vmlinuz-".length), version, vmlinux });
}

async function keep(
  draft: string,
  found: { home: string; release: string; version: string; vmlinux: Buffer },
): Promise<UnpackedKernel> {
  const { home, release, version, vmlinux } = found;
  const target = join(home, `debian-${release}-${version.replaceAll(/[^\w.+-]/g, "_")}`);
  const record: UnpackedKernel = {
    release,
    version,
    vmlinux: join(target, "vmlinux"),
    vmlinuxDigest: digestOf(vmlinux),
    modules: join(target, "modules"),
  };
  const ready = join(draft, "ready");
  await mkdir(ready, { mode: 0o755 });
  await rename(join(draft, "root", "lib", "modules", release), join(ready, "modules"));
  await writeWhole(join(ready, "vmlinux"), vmlinux);
  await writeWhole(join(ready, recordName), JSON.stringify(record, undefined, 2));
  await rm(target, { recursive: true, force: true });
  await rename(ready, target);
  return record;
}
