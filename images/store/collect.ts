/**
 * Makes room when the disk fills: first what nobody refers to, then the compressed layers of pulled images (their registry
 * still has them), then whole pulled images, least lately used first. Imported and built images stay as long as they have a
 * name: they cannot be had again.
 * Source: kubelet's image garbage collection (thresholds of 85 and 80 %, minimum age of 2 minutes)
 */
import { readdir, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "../digest.ts";
import { isMissing } from "./files.ts";
import type { ImageRecord } from "./records.ts";
import type { ImageStore, StoredImage } from "./store.ts";

/** How full a file system is. */
export interface DiskUse {
  readonly totalBytes: number;
  readonly usedBytes: number;
}

/** When to collect and what to leave. */
export interface CollectOptions {
  /** Collection starts above this share of the disk, 0 to 100. */
  readonly highPercent?: number;
  /** … and goes on until below this one. */
  readonly lowPercent?: number;
  /** A pulled image is left alone this long after it was last used. */
  readonly minimumAgeMs?: number;
  /** Manifests of images that run, or are wanted for other reasons. */
  readonly inUse: ReadonlySet<Digest>;
  /** How full the disk is; asked of the file system when left out. */
  readonly diskUse?: () => Promise<DiskUse>;
}

/** What a collection did. */
export interface Collected {
  readonly freedBytes: number;
  /** Names of images that went, or their digest where they had none. */
  readonly removed: readonly string[];
  /** Whether the disk is below the low threshold, or never was above the high one. */
  readonly enough: boolean;
}

// Longer than any pull takes: what nobody refers to may be on its way to being referred to.
const orphanMs = 6 * 3_600_000;
const partialMs = 24 * 3_600_000;
const minimumAgeMs = 120_000;

/** How full the store's file system is, as an unprivileged user would see it. */
async function diskUseOf(dir: string): Promise<DiskUse> {
  const { blocks, bfree, bavail, bsize } = await statfs(dir);
  const usedBytes = (blocks - bfree) * bsize;
  return { totalBytes: usedBytes + bavail * bsize, usedBytes };
}

/** Removes what nobody refers to, and more while the disk is too full. */
export async function collect(store: ImageStore, options: CollectOptions): Promise<Collected> {
  const { highPercent = 85, lowPercent = 80, diskUse = () => diskUseOf(store.dir) } = options;
  const removed: string[] = [];
  let freedBytes = (await removeNameless(store, options)) + (await removeOrphans(store));
  const before = await diskUse();
  if (percentOf(before) <= highPercent) return { freedBytes, removed, enough: true };
  const isEnough = async () => percentOf(await diskUse()) <= lowPercent;
  for (const image of await candidates(store, options)) {
    if (await isEnough()) return { freedBytes, removed, enough: true };
    freedBytes += await dropLayers(store, image);
  }
  for (const image of await candidates(store, options)) {
    if (await isEnough()) return { freedBytes, removed, enough: true };
    await store.records.removeImage(image.manifest.digest);
    freedBytes += await removeErofs(store, image);
    removed.push(image.names[0] ?? image.manifest.digest);
  }
  return { freedBytes, removed, enough: await isEnough() };
}

function percentOf({ totalBytes, usedBytes }: DiskUse): number {
  return totalBytes === 0 ? 0 : (usedBytes / totalBytes) * 100;
}

async function candidates(store: ImageStore, options: CollectOptions): Promise<StoredImage[]> {
  const newestMs = store.clock.nowMs() - (options.minimumAgeMs ?? minimumAgeMs);
  const images = (await store.list()).filter(
    ({ origin, manifest, usedMs }) => origin === "pulled" && !options.inUse.has(manifest.digest) && usedMs <= newestMs,
  );
  return images.sort((a, b) => a.usedMs - b.usedMs);
}

/** Images whose names have gone to others, as a build leaves them: nobody can ask for them any more. */
async function removeNameless(store: ImageStore, options: CollectOptions): Promise<number> {
  const newestMs = store.clock.nowMs() - (options.minimumAgeMs ?? minimumAgeMs);
  let freed = 0;
  for (const image of await store.list()) {
    if (image.names.length > 0 || options.inUse.has(image.manifest.digest) || image.usedMs > newestMs) continue;
    await store.records.removeImage(image.manifest.digest);
    freed += await removeErofs(store, image);
  }
  return freed;
}

/** Layers no image that must keep its layers shares. */
async function dropLayers(store: ImageStore, image: ImageRecord): Promise<number> {
  const others = (await store.records.images()).filter(({ origin }) => origin !== "pulled");
  const needed = new Set(others.flatMap(({ layers }) => layers.map(({ digest }) => digest)));
  let freed = 0;
  for (const { digest } of image.layers) {
    if (needed.has(digest)) continue;
    freed += (await store.blobs.size(digest)) ?? 0;
    await store.blobs.remove(digest);
  }
  return freed;
}

async function removeErofs(store: ImageStore, image: ImageRecord): Promise<number> {
  await store.removeErofs(image.stack);
  const isStill = await stat(store.erofsPath(image.stack)).catch(() => undefined);
  return isStill === undefined ? image.bytes : 0;
}

async function removeOrphans(store: ImageStore): Promise<number> {
  const nowMs = store.clock.nowMs();
  const records = await store.records.images();
  const blobs = new Set(
    records.flatMap(({ manifest, configDigest, layers }) => [
      manifest.digest,
      configDigest,
      ...layers.map(({ digest }) => digest),
    ]),
  );
  let freed = 0;
  for (const { digest, bytes, touchedMs } of await store.blobs.list()) {
    if (blobs.has(digest) || touchedMs > nowMs - orphanMs) continue;
    await store.blobs.remove(digest);
    freed += bytes;
  }
  await store.blobs.forgetPartials(nowMs - partialMs);
  return freed + (await removeOrphanImages(store, records));
}

async function removeOrphanImages(store: ImageStore, records: readonly ImageRecord[]): Promise<number> {
  const dir = join(store.dir, "erofs");
  const kept = new Set(records.map(({ stack }) => store.erofsPath(stack)));
  let freed = 0;
  for (const name of await readdir(dir)) {
    const path = join(dir, name);
    if (kept.has(path)) continue;
    try {
      const { size, mtimeMs } = await stat(path);
      if (mtimeMs > store.clock.nowMs() - orphanMs) continue;
      await rm(path);
      freed += size;
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return freed;
}
