/**
 * Images from a file: what `docker save`, `podman save`, `skopeo copy … oci-archive:` and `buildah push` write, packed or not.
 * The archive's table of contents comes from the worker process; here only ranges of it are copied and hashed.
 * Source: OCI image-spec, image-layout.md; moby image/tarexport (manifest.json)
 */
import { type FileHandle, open, rm } from "node:fs/promises";
import { type Digest, digestOf, hasherFor, parseDigest } from "../digest.ts";
import { ImageRefused } from "../errors.ts";
import type { IndexedEntry } from "../job.ts";
import { packingOf } from "../layers/expand.ts";
import { within } from "../limits.ts";
import {
  choose,
  type Descriptor,
  type ImageManifest,
  ociConfig,
  ociLayer,
  ociManifest,
  parseDocument,
  parseManifest,
  type Platform,
} from "../registry/manifest.ts";
import { formatReference, parseReference } from "../registry/reference.ts";
import { runIndex } from "../worker.ts";
import { temporaryFile } from "./files.ts";
import type { Origin } from "./records.ts";
import type { ImageStore, StoredImage } from "./store.ts";

/** How to import. */
export interface ImportOptions {
  readonly platform: Platform;
  readonly origin?: Origin;
  /** The name to give, when the archive holds one image; in place of those it carries. */
  readonly name?: string;
  readonly signal?: AbortSignal;
}

interface Archive {
  readonly file: FileHandle;
  readonly entries: ReadonlyMap<string, IndexedEntry>;
}

interface Found {
  readonly names: readonly string[];
  readonly manifest: { readonly digest: Digest; readonly bytes: Buffer; readonly mediaType: string };
}

const copyBytes = 1 << 20;
const mostImages = 100;
const mostLinks = 8;
const refName = "org.opencontainers.image.ref.name";
const containerdName = "io.containerd.image.name";

/**
 * Adds the images of an archive to the store.
 * @returns those for the platform, in the archive's order; never none
 * @throws {ImageRefused} {ConversionFailed}
 */
export async function importArchive(store: ImageStore, path: string, options: ImportOptions): Promise<StoredImage[]> {
  const source = await open(path, "r");
  const spool = await temporaryFile(store.workDir);
  await rm(spool.path);
  try {
    const archive = await indexed(store, source, { spool: spool.handle, signal: options.signal });
    const found = await imagesIn(store, archive, options.platform);
    if (options.name !== undefined) within(found.length, 1, "images in an archive that is to have one name");
    const images: StoredImage[] = [];
    for (const { manifest, names } of found) {
      const wanted = options.name === undefined ? names : [options.name];
      const normalized = wanted.map((name) => formatReference(parseReference(name)));
      const admission = { manifest, origin: options.origin ?? "imported", names: normalized };
      images.push(await store.admit(admission, options.signal));
    }
    return images;
  } finally {
    await source.close();
    await spool.handle.close();
  }
}

async function indexed(
  store: ImageStore,
  source: FileHandle,
  { spool, signal }: { spool: FileHandle; signal: AbortSignal | undefined },
): Promise<Archive> {
  const { size } = await source.stat();
  const worker = { confinement: store.confinement, clock: store.clock, ...(signal === undefined ? {} : { signal }) };
  const job = { task: "index", size, limits: store.limits } as const;
  const { entries, inSpool } = await runIndex(job, [source.fd, spool.fd], worker);
  const byPath = new Map(entries.map((entry) => [entry.path.replace(/^(\.\/)+/, ""), entry]));
  return { file: inSpool ? spool : source, entries: byPath };
}

async function imagesIn(store: ImageStore, archive: Archive, platform: Platform): Promise<Found[]> {
  const found = archive.entries.has("index.json")
    ? await layoutImages(store, archive, platform)
    : await dockerImages(store, archive);
  if (found.length === 0) throw new ImageRefused("Unsupported", "archive: no image in it");
  within(found.length, mostImages, "images in the archive");
  return found;
}

/** A file of the archive; links inside it are followed, as old `docker save` makes them for equal layers. */
function entryAt({ entries }: Archive, path: string): IndexedEntry {
  let at = path;
  for (let links = 0; links <= mostLinks; links++) {
    const entry = entries.get(at);
    if (entry?.kind === "file") return entry;
    if (entry?.kind === "link") at = entry.linkTarget;
    else if (entry?.kind === "symlink") at = new URL(entry.linkTarget, `file:///${at}`).pathname.slice(1);
    else break;
  }
  throw new ImageRefused("Malformed", `archive: ${path} is missing`);
}

async function documentAt(archive: Archive, path: string, mostBytes: number): Promise<Buffer> {
  const { offset, size } = entryAt(archive, path);
  within(size, mostBytes, `archive: bytes of ${path}`);
  const bytes = Buffer.alloc(size);
  const { bytesRead } = await archive.file.read(bytes, 0, size, offset);
  if (bytesRead !== size) throw new ImageRefused("Truncated", `archive: ${path} ends early`);
  return bytes;
}

async function* bytesAt(archive: Archive, { offset, size }: IndexedEntry): AsyncGenerator<Buffer> {
  for (let done = 0; done < size; ) {
    const chunk = Buffer.allocUnsafe(Math.min(copyBytes, size - done));
    const { bytesRead } = await archive.file.read(chunk, 0, chunk.length, offset + done);
    if (bytesRead === 0) throw new ImageRefused("Truncated", "archive: ends early");
    done += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
}

async function copyBlob(
  store: ImageStore,
  archive: Archive,
  { entry, digest }: { entry: IndexedEntry; digest: Digest },
) {
  if (await store.blobs.has(digest)) return store.blobs.touch(digest);
  const writer = await store.blobs.writer(digest);
  try {
    await writer.reset();
    for await (const chunk of bytesAt(archive, entry)) await writer.write(chunk);
    await writer.commit();
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

function blobPath(digest: Digest): string {
  return `blobs/${digest.replace(":", "/")}`;
}

async function layoutImages(store: ImageStore, archive: Archive, platform: Platform): Promise<Found[]> {
  const { limits } = store;
  const bytes = await documentAt(archive, "index.json", limits.manifestBytes);
  const top = parseManifest(bytes, undefined, limits);
  if (top.kind !== "index") throw new ImageRefused("Malformed", "archive: index.json is no index");
  const annotations = annotationsOf(bytes);
  const found: Found[] = [];
  for (const [position, entry] of top.entries.entries()) {
    const manifest = await layoutManifest(store, archive, { entry, platform });
    if (manifest === undefined) continue;
    for (const blob of [manifest.parsed.config, ...manifest.parsed.layers]) {
      await copyBlob(store, archive, { entry: entryAt(archive, blobPath(blob.digest)), digest: blob.digest });
    }
    found.push({ names: namesOf(annotations[position] ?? {}), manifest });
  }
  return found;
}

function annotationsOf(index: Buffer): Record<string, unknown>[] {
  const { manifests } = parseDocument(index, "index.json");
  const list = Array.isArray(manifests) ? manifests : [];
  return list.map((entry: { annotations?: unknown }) => {
    const { annotations } = entry;
    return typeof annotations === "object" && annotations !== null ? (annotations as Record<string, unknown>) : {};
  });
}

// A whole name is taken; a mere tag, as some tools write, names nothing.
function namesOf(annotations: Record<string, unknown>): string[] {
  const names = [annotations[containerdName], annotations[refName]].filter((name) => typeof name === "string");
  return names.filter((name) => /[/:]/.test(name)).slice(0, 1);
}

/** The manifest an entry leads to, through one index if need be; undefined when it is for other platforms. */
async function layoutManifest(
  store: ImageStore,
  archive: Archive,
  { entry, platform }: { entry: Descriptor; platform: Platform },
) {
  let descriptor = entry;
  for (let depth = 0; depth < 2; depth++) {
    const bytes = await documentAt(archive, blobPath(descriptor.digest), store.limits.manifestBytes);
    if (digestOf(bytes) !== descriptor.digest) {
      throw new ImageRefused("DigestMismatch", `archive: ${descriptor.digest} holds other bytes`);
    }
    const parsed = parseManifest(bytes, descriptor.mediaType, store.limits);
    if (parsed.kind === "image") return { digest: descriptor.digest, bytes, mediaType: parsed.mediaType, parsed };
    descriptor = choose(parsed, platform);
  }
  throw new ImageRefused("LimitExceeded", "archive: indexes within indexes");
}

interface SavedImage {
  readonly config: string;
  readonly layers: readonly string[];
  readonly names: readonly string[];
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

async function savedImages(store: ImageStore, archive: Archive): Promise<SavedImage[]> {
  const bytes = await documentAt(archive, "manifest.json", store.limits.manifestBytes);
  const { list } = parseDocument(Buffer.from(`{"list":${bytes.toString("utf8")}}`), "manifest.json");
  if (!Array.isArray(list)) throw new ImageRefused("Malformed", "archive: manifest.json is no list");
  return list.map((item: Record<string, unknown> | null) => {
    const config = item?.["Config"];
    if (typeof config !== "string") throw new ImageRefused("Malformed", "archive: an image without config");
    return { config, layers: strings(item?.["Layers"]), names: strings(item?.["RepoTags"]) };
  });
}

async function dockerImages(store: ImageStore, archive: Archive): Promise<Found[]> {
  const { limits } = store;
  const found: Found[] = [];
  for (const { config, layers, names } of await savedImages(store, archive)) {
    within(layers.length, limits.layers, "archive: layers");
    const configBytes = await documentAt(archive, config, limits.configBytes);
    const configDigest = await store.blobs.put(configBytes);
    const described: Descriptor[] = [];
    for (const path of layers) described.push(await dockerLayer(store, archive, path));
    const manifest: Omit<ImageManifest, "kind"> & { schemaVersion: 2 } = {
      schemaVersion: 2,
      mediaType: ociManifest,
      config: { mediaType: ociConfig, digest: configDigest, size: configBytes.length },
      layers: described,
    };
    const bytes = Buffer.from(JSON.stringify(manifest));
    found.push({ names, manifest: { digest: digestOf(bytes), bytes, mediaType: ociManifest } });
  }
  return found;
}

async function dockerLayer(store: ImageStore, archive: Archive, path: string): Promise<Descriptor> {
  const entry = entryAt(archive, path);
  within(entry.size, store.limits.blobBytes, `archive: bytes of ${path}`);
  const hash = hasherFor("sha256:" as Digest);
  let head = Buffer.alloc(0);
  for await (const chunk of bytesAt(archive, entry)) {
    if (head.length === 0) head = Buffer.from(chunk.subarray(0, 4));
    hash.update(chunk);
  }
  const digest = parseDigest(`sha256:${hash.digest("hex")}`);
  if (digest === undefined) throw new Error("a digest that is none");
  await copyBlob(store, archive, { entry, digest });
  const packing = packingOf(head);
  return { mediaType: packing === "tar" ? ociLayer : `${ociLayer}+${packing}`, digest, size: entry.size };
}
