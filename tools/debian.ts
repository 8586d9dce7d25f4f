/**
 * Debian packages of any release, unpacked into a cache folder: apt runs with a state of its own, so the host's sources,
 * lists and packages stay as they are. Nothing is installed and no maintainer script runs.
 *
 *   node tools/debian.ts SUITE PACKAGE...       prints the folder
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";

/** What to fetch. */
export interface DebianRequest {
  /** A release by its code name, as "trixie", or "sid". */
  readonly suite: string;
  /** Names of packages. Their dependencies are not followed: name those that are needed too. */
  readonly packages: readonly string[];
  /** Holds what was fetched, for next time. Default: $ATOLL_CACHE, or ~/.cache/atoll. */
  readonly cache?: string;
}

/** apt could not bring the packages. */
export class DebianFetchFailed extends Error {
  override readonly name = "DebianFetchFailed";
}

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

/**
 * Fetches packages, checked against Debian's archive keys, unless an earlier call has. Safe to call at once from
 * several processes.
 * @returns a folder that holds the packages' files as they would lie under "/"
 * @throws {DebianFetchFailed}
 */
export async function fetchDebian({ suite, packages, cache = cacheFolder() }: DebianRequest): Promise<string> {
  const names = packages.toSorted();
  const digest = createHash("sha256").update(names.join(" ")).digest("hex").slice(0, 16);
  const target = path.join(cache, "debian", suite, digest);
  if (await exists(target)) return target;
  await fs.mkdir(path.dirname(target), { recursive: true });
  const work = await fs.mkdtemp(`${target}.`);
  try {
    await download(suite, names, work);
    const unpacked = path.join(work, "root");
    for (const file of await fs.readdir(path.join(work, "debs"))) {
      await run("dpkg-deb", ["-x", path.join(work, "debs", file), unpacked]);
    }
    await fs.writeFile(path.join(unpacked, ".packages"), `${suite}: ${names.join(" ")}\n`);
    await settle(unpacked, target);
  } finally {
    await fs.rm(work, { recursive: true, force: true });
  }
  return target;
}

async function download(suite: string, names: readonly string[], work: string): Promise<void> {
  const mirror = process.env["ATOLL_DEBIAN_MIRROR"] ?? "http://deb.debian.org/debian";
  for (const folder of ["state/lists/partial", "cache/archives/partial", "debs"]) {
    await fs.mkdir(path.join(work, folder), { recursive: true });
  }
  await fs.writeFile(path.join(work, "sources.list"), `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`);
  // What else the host's apt.conf.d says, a proxy perhaps, stays.
  const settings = {
    "Dir::State": `${work}/state`,
    "Dir::State::status": "/dev/null",
    "Dir::Cache": `${work}/cache`,
    "Dir::Etc::sourcelist": `${work}/sources.list`,
    "Dir::Etc::sourceparts": "/dev/null",
    "Dir::Etc::preferencesparts": "/dev/null",
    "APT::Sandbox::User": "root",
    "Acquire::Languages": "none",
    "Acquire::Retries": "3",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  await run("apt-get", ["-q", ...options, "update"]);
  await run("apt-get", ["-q", ...options, "download", ...names], path.join(work, "debs"));
}

// Another process may have been first: then what it made is kept.
async function settle(from: string, to: string): Promise<void> {
  try {
    await fs.rename(from, to);
  } catch (error) {
    if (!(await exists(to))) throw error;
  }
}

async function run(command: string, given: readonly string[], cwd?: string): Promise<void> {
  try {
    await promisify(execFile)(command, given, { maxBuffer: 2 ** 26, ...(cwd !== undefined && { cwd }) });
  } catch (cause) {
    const said = cause instanceof Error && "stderr" in cause ? String(cause.stderr).trim() : String(cause);
    throw new DebianFetchFailed(`${command} failed: ${said}`, { cause });
  }
}

async function exists(file: string): Promise<boolean> {
  return fs.access(file).then(
    () => true,
    () => false,
  );
}

function cacheFolder(): string {
  return process.env["ATOLL_CACHE"] ?? path.join(os.homedir(), ".cache", "atoll");
}

if (import.meta.main) {
  const [suite = "", ...packages] = process.argv.slice(2);
  process.stdout.write(`${await fetchDebian({ suite, packages })}\n`);
}
