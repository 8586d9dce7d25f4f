/**
 * The cache folder: kernels, initramfs and programs, each under the digest of what it was made from. Everything in
 * it can be made again; nothing in it belongs to one machine.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/** The folder: `$ATOLL_CACHE`, or /var/cache/atoll. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const set = environment["ATOLL_CACHE"];
  return set === undefined || set === "" ? "/var/cache/atoll" : set;
}

/** `sha256:` and 64 hex digits of the bytes, in order. */
export function digestOf(...parts: readonly (Uint8Array | string)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return `sha256:${hash.digest("hex")}`;
}

/** The first 16 hex digits of a digest: enough to name a file. */
export const shortDigest = (digest: string): string => digest.slice("sha256:".length, "sha256:".length + 16);

/** Whether a path exists. Errors other than its absence are thrown. */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

/**
 * Writes a file so that it is either wholly there or not at all, also after a power loss.
 * @param mode permission bits
 */
export async function writeWhole(path: string, content: Uint8Array | string, mode = 0o644): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = join(dirname(path), `.draft-${randomUUID()}`);
  const file = await open(draft, "wx", mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await rename(draft, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Makes the entries of a folder durable. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
