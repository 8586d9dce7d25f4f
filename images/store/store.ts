/**
 * The host's images: blobs as they came, one EROFS image for each stack of layers, records of what is what.
 * Everything is written aside and renamed, so a crash at any moment leaves at worst a file nobody refers to.
 */
import { type FileHandle, open, rm, stat, utimes } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Clock, systemClock } from "@atoll/machinery/clock";
import { algorithmOf, type Digest, hexOf, type LayerIdentity, parseDigest, stackId } from "../digest.ts";
import { ErofsReader } from "../erofs/reader.ts";
import { ImageRefused } from "../errors.ts";
import type { ConvertJob } from "../job.ts";
import { defaultLimits, type Limits } from "../limits.ts";
import { type ImageManifest, parseManifest } from "../registry/manifest.ts";
import { formatReference, nameOf, parseReference } from "../registry/reference.ts";
import { SharedWork, Slots } from "../shared.ts";
import { type Confinement, probeConfinement, runConversion } from "../worker.ts";
import { BlobStore } from "./blobs.ts";
import { parseConfig } from "./config.ts";
import { privateDirectory, settle, sweep, temporaryFile } from "./files.ts";
import { type ImageRecord, type Origin, Records } from "./records.ts";

/** How to open a store. */
export interface StoreOptions {
  /** The store's own directory; made when it is not there. */
  readonly dir: string;
  readonly clock?: Clock;
  readonly limits?: Limits;
  /** How conversions are confined; probed when left out. */
  readonly confinement?: Confinement;
}

/** An image that can be used. */
export interface StoredImage extends ImageRecord {
  /** Normalized names that mean it, by tag or digest, sorted. */
  readonly names: readonly string[];
  /** The read-only EROFS image; may be hard-linked. */
  readonly erofsPath: string;
  /** ms since the epoch. */
  readonly usedMs: number;
}

/** What to add to the store once its blobs are there. */
export interface Admission {
  readonly manifest: { readonly digest: Digest; readonly bytes: Buffer; readonly mediaType?: string };
  readonly origin: Origin;
  /** Normalized names. */
  readonly names: readonly string[];
}

// Each may take a processor and a gigabyte and a half.
const conversionsAtOnce = 2;

// Part of the file's name: another writer's images would be other files.
const formatVersion = 1;

/** One store; several processes may have it open. */
export class ImageStore {
  readonly blobs: BlobStore;
  readonly records: Records;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly confinement: Confinement;
  readonly dir: string;
  readonly #conversions = new SharedWork<number>();
  readonly #slots = new Slots(conversionsAtOnce);

  private constructor(options: StoreOptions, parts: { blobs: BlobStore; records: Records; confinement: Confinement }) {
    this.dir = options.dir;
    this.clock = options.clock ?? systemClock;
    this.limits = options.limits ?? defaultLimits;
    this.blobs = parts.blobs;
    this.records = parts.records;
    this.confinement = parts.confinement;
  }

  static async open(options: StoreOptions): Promise<ImageStore> {
    const { clock = systemClock } = options;
    const dir = resolve(options.dir);
    await privateDirectory(join(dir, "erofs"));
    await privateDirectory(join(dir, "work"));
    await sweep(join(dir, "work"));
    const blobs = await BlobStore.open(dir, clock);
    const records = await Records.open(dir);
    const confinement = options.confinement ?? (await probeConfinement());
    return new ImageStore({ ...options, dir }, { blobs, records, confinement });
  }

  /** For files on their way; on the same file system as everything else. Emptied of dead processes' files by open(). */
  get workDir(): string {
    return join(this.dir, "work");
  }

  /** Where the EROFS image of a stack of layers is or would be. */
  erofsPath(stack: Digest): string {
    return join(this.dir, "erofs", `${algorithmOf(stack)}-${hexOf(stack)}.v${formatVersion}`);
  }

  /**
   * An image by any of its names: tag, digest, or image id (`sha256:…` of config or manifest).
   * @throws {ImagePullFailed} InvalidName
   */
  async find(name: string): Promise<StoredImage | undefined> {
    const id = parseDigest(name);
    if (id !== undefined) return this.#findById(id);
    const reference = parseReference(name);
    const manifest = await this.records.name(formatReference(reference));
    if (manifest !== undefined) return this.get(manifest);
    // A digest of an image that came under another kind of name of the same repository.
    if (reference.digest === undefined) return undefined;
    const prefix = nameOf(reference);
    const byDigest = await this.get(reference.digest);
    const isOurs = byDigest?.names.some((known) => nameOf(parseReference(known)) === prefix) ?? false;
    return isOurs ? byDigest : undefined;
  }

  /** An image by its manifest's digest. */
  async get(manifest: Digest): Promise<StoredImage | undefined> {
    const record = await this.records.image(manifest);
    return record && this.#complete(record, await this.records.names());
  }

  /** Every usable image, by name. */
  async list(): Promise<StoredImage[]> {
    const names = await this.records.names();
    const found = await Promise.all((await this.records.images()).map((record) => this.#complete(record, names)));
    const images = found.filter((image) => image !== undefined);
    return images.sort((a, b) => ((a.names[0] ?? "") < (b.names[0] ?? "") ? -1 : 1));
  }

  /** Tells that an image is being used now, so that collection takes it last. */
  async use(manifest: Digest): Promise<void> {
    await this.records.use(manifest, this.clock.nowMs());
  }

  /** Gives an image another name, or a name another image. @throws {ImagePullFailed} InvalidName */
  async tag(manifest: Digest, name: string): Promise<void> {
    await this.records.setName(formatReference(parseReference(name)), manifest);
  }

  /** Takes a name away; the last one takes the image with it. False when there was none. */
  async remove(name: string): Promise<boolean> {
    const image = await this.find(name);
    if (image === undefined) return false;
    const isId = parseDigest(name) !== undefined;
    const normalized = isId ? "" : formatReference(parseReference(name));
    if (!isId) await this.records.removeName(normalized);
    if (isId || image.names.every((other) => other === normalized || other.includes("@"))) {
      await this.records.removeImage(image.manifest.digest);
      await this.removeErofs(image.stack);
    }
    return true;
  }

  /** Removes an EROFS image unless another image needs it. */
  async removeErofs(stack: Digest): Promise<void> {
    const needed = (await this.records.images()).some((record) => record.stack === stack);
    if (!needed) await rm(this.erofsPath(stack), { force: true });
  }

  /**
   * Makes an image usable whose config and layers are in the blobs: converts the layers if that was not done, and records it.
   * @throws {ImageRefused} {ConversionFailed}
   */
  async admit({ manifest, origin, names }: Admission, signal?: AbortSignal): Promise<StoredImage> {
    const parsed = parseManifest(manifest.bytes, manifest.mediaType, this.limits);
    if (parsed.kind !== "image") throw new ImageRefused("Unsupported", "manifest: an index where an image should be");
    const config = parseConfig(
      await this.blobs.read(parsed.config.digest, this.limits.configBytes),
      parsed.layers.length,
    );
    const layers = identities(parsed, config.diffIds);
    const stack = stackId(layers);
    const bytes = await this.#conversions.run(stack, signal, (shared) =>
      this.#slots.run(() => this.#convert(parsed, layers, shared)),
    );
    await this.blobs.put(manifest.bytes, manifest.digest);
    const { digest } = manifest;
    const described = { mediaType: parsed.mediaType, digest, size: manifest.bytes.length };
    const facts = { configDigest: parsed.config.digest, config, layers: parsed.layers, stack, bytes, origin };
    await this.records.keep({ manifest: described, ...facts });
    for (const name of names) await this.records.setName(name, digest);
    const image = await this.get(digest);
    if (image === undefined) throw new ImageRefused("Unsupported", `image ${digest} vanished while it was added`);
    return image;
  }

  /** Opens an image's files for reading, as resolving a user does, for as long as `look` takes. */
  async reading<T>(image: ImageRecord, look: (reader: ErofsReader) => Promise<T>): Promise<T> {
    const file = await open(this.erofsPath(image.stack), "r");
    try {
      return await look(await ErofsReader.open(file));
    } finally {
      await file.close();
    }
  }

  async #findById(id: Digest): Promise<StoredImage | undefined> {
    const direct = await this.get(id);
    if (direct !== undefined) return direct;
    return (await this.list()).find(({ configDigest }) => configDigest === id);
  }

  async #complete(record: ImageRecord, names: readonly { name: string; manifest: Digest }[]) {
    const erofsPath = this.erofsPath(record.stack);
    const isThere = await stat(erofsPath).then(
      (facts) => facts.size === record.bytes,
      () => false,
    );
    if (!isThere) return undefined;
    const mine = names.filter(({ manifest }) => manifest === record.manifest.digest).map(({ name }) => name);
    return { ...record, names: mine.sort(), erofsPath, usedMs: await this.records.usedMs(record.manifest.digest) };
  }

  /** Returns the image's bytes. */
  async #convert(manifest: ImageManifest, identities: readonly LayerIdentity[], signal: AbortSignal): Promise<number> {
    const path = this.erofsPath(stackId(identities));
    const known = await stat(path).catch(() => undefined);
    if (known !== undefined) {
      const now = this.clock.nowMs() / 1000;
      await utimes(path, now, now);
      return known.size;
    }
    // Readable by all once it has its name: a machine's own user opens it through a hard link.
    const image = await temporaryFile(this.workDir, 0o644);
    const spool = await temporaryFile(this.workDir);
    await rm(spool.path);
    const layers = await openAll(manifest.layers.map(({ digest }) => this.blobs.path(digest)));
    const handles = [image.handle, spool.handle, ...layers];
    try {
      const fds = handles.map(({ fd }) => fd);
      const converted = await runConversion(this.#job(manifest, identities), fds, this.#workerOptions(signal));
      await image.handle.chmod(0o444);
      await image.handle.sync();
      await settle(image.path, path);
      return converted.bytes;
    } finally {
      await rm(image.path, { force: true });
      for (const handle of handles) await handle.close();
    }
  }

  #workerOptions(signal: AbortSignal) {
    return { confinement: this.confinement, clock: this.clock, signal };
  }

  #job(manifest: ImageManifest, identities: readonly LayerIdentity[]): ConvertJob {
    const layers = identities.map(({ diffId }, index) => ({ size: manifest.layers[index]?.size ?? 0, diffId }));
    return { task: "convert", layers, uuid: hexOf(stackId(identities)).slice(0, 32), limits: this.limits };
  }
}

/** Layers with the diff ids the config gives them; parseConfig() saw to it that there are as many. */
function identities(manifest: ImageManifest, diffIds: readonly Digest[]): LayerIdentity[] {
  return manifest.layers.flatMap(({ digest }, index) => {
    const diffId = diffIds[index];
    return diffId === undefined ? [] : [{ digest, diffId }];
  });
}

async function openAll(paths: readonly string[]): Promise<FileHandle[]> {
  const handles: FileHandle[] = [];
  try {
    for (const path of paths) handles.push(await open(path, "r"));
    return handles;
  } catch (error) {
    for (const handle of handles) await handle.close();
    throw error;
  }
}
