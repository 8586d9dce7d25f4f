/** What tests and benchmarks of machines share: a host, a tiny image, a look at what is left behind. */
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder, digestOf, exists, shortDigest } from "./cache.ts";
import type { ContainerSpec, ProcessSpec } from "./guest.ts";
import { prepareHost, type HostOptions, type MachineHost } from "./host.ts";
import { run } from "./run.ts";

const applets =
  "sh cat echo ls sleep id env printf dd head tail true false hostname mount stat grep wc kill ps nc od yes test touch mkdir rm stty tty ulimit sync mknod df du ln chmod date ip".split(
    " ",
  );

const passwd = "root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000:Web:/home/web:/bin/sh\n";
const group = "root:x:0:\nweb:x:1000:\nlogs:x:2000:web\n";

/**
 * An EROFS image with BusyBox in it, made once and kept in the cache.
 * @returns its path
 */
export async function tinyImage(cache = cacheFolder()): Promise<string> {
  const busybox = await readFile("/bin/busybox");
  const path = join(cache, "test-images", `${shortDigest(digestOf(busybox, passwd, group, ...applets, "4"))}.erofs`);
  if (await exists(path)) return path;
  await mkdir(join(cache, "test-images"), { recursive: true });
  const draft = await mkdtemp(join(cache, "test-images", ".draft-"));
  try {
    const root = join(draft, "root");
    for (const folder of ["bin", "etc", "tmp", "home/web", "root", "var/run"])
      await mkdir(join(root, folder), { recursive: true });
    await chmod(root, 0o755);
    await chmod(join(root, "tmp"), 0o1777);
    await copyFile("/bin/busybox", join(root, "bin", "busybox"));
    await chmod(join(root, "bin", "busybox"), 0o755);
    for (const applet of applets) await symlink("busybox", join(root, "bin", applet));
    await writeFile(join(root, "etc", "passwd"), passwd);
    await writeFile(join(root, "etc", "group"), group);
    await run("mkfs.erofs", ["-T0", "--all-root", join(draft, "image"), root]);
    await rename(join(draft, "image"), path);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return path;
}

/** A host below a folder of its own in the cache's file system, executing by TCG. */
export async function testHost(options: Partial<HostOptions> = {}): Promise<MachineHost> {
  const cache = cacheFolder();
  // Not in one call: the mode would be the cache's, too, which machines' users read.
  await mkdir(cache, { recursive: true });
  await mkdir(join(cache, "test-hosts"), { recursive: true, mode: 0o700 });
  const home = await mkdtemp(join(cache, "test-hosts", "h"));
  return prepareHost({
    home,
    cache,
    verdict: { accelerator: "tcg", reason: "asked for by a test" },
    firstUid: firstUidFor(options.home ?? home),
    ...options,
  });
}

/** Test hosts run side by side, so each has users of its own; the same home has the same. */
function firstUidFor(home: string): number {
  const share = Number.parseInt(digestOf(home).slice("sha256:".length, "sha256:".length + 3), 16);
  return 0x6b00_0000 + share * usersOfAHost;
}

const usersOfAHost = 8192;

/** A process that runs a line of shell. */
export const shell = (line: string, more: ProcessSpec = {}): ProcessSpec => ({
  args: ["/bin/sh", "-c", line],
  env: ["PATH=/bin", "LANG=C"],
  capabilities: defaultCapabilities,
  ...more,
});

/** A container of the tiny image, mounted as volume `image`. */
export const tinyContainer = (line: string, more: Partial<ContainerSpec> = {}): ContainerSpec => ({
  name: "main",
  root: { layers: ["image"] },
  ...more,
  process: shell(line, more.process),
});

/** What containers have unless told otherwise: the fourteen of every container runtime. */
export const defaultCapabilities = 0xa80425fbn;

/** What a host has that a test may leave behind: processes of the shim and QEMU, taps, control groups. */
export async function inventory(host: MachineHost): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (command.includes(host.home)) found.push(`process ${command.replaceAll("\0", " ").slice(0, 120)}`);
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    // One that is dead and not reaped yet is the matter of the host's first process.
    const uid = /^State:\s+Z/m.test(status) ? undefined : /^Uid:\s+(\d+)/m.exec(status)?.[1];
    if (Number(uid) >= host.firstUid && Number(uid) < host.firstUid + usersOfAHost)
      found.push(`process of user ${uid}`);
  }
  for (const controller of ["", "memory", "pids", "cpu"]) {
    const groups = await readdir(join("/sys/fs/cgroup", controller, host.groups.parent), { withFileTypes: true }).catch(
      () => [],
    );
    for (const each of groups) if (each.isDirectory()) found.push(`group ${controller}/${each.name}`);
  }
  for (const folder of ["machines", "templates"]) {
    const entries = await readdir(join(host.home, folder)).catch(() => []);
    found.push(...entries.map((name) => `${folder}/${name}`));
  }
  return found.sort();
}
