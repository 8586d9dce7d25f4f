/** Images made in tests, in memory. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Digest, digestOf } from "../digest.ts";
import { ociConfig, ociLayer, ociManifest } from "../registry/manifest.ts";
import type { Origin } from "../store/records.ts";
import type { ImageStore, StoredImage } from "../store/store.ts";
import { type TarPart, tarball } from "./tarball.ts";

/** An image's documents and blobs. */
export interface TestImage {
  readonly digest: Digest;
  readonly manifest: Buffer;
  readonly config: Buffer;
  /** Packed layers, lowest first. */
  readonly layers: readonly Buffer[];
}

function descriptor(bytes: Buffer, mediaType: string) {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

/** An image of these layers; `run` is its config's inner part. */
export function testImage(layers: readonly (readonly TarPart[])[], run: Record<string, unknown> = {}): TestImage {
  const tars = layers.map((parts) => tarball(parts));
  const packed = tars.map((tar) => gzipSync(tar));
  const rootfs = { type: "layers", diff_ids: tars.map(digestOf) };
  const config = Buffer.from(JSON.stringify({ os: "linux", architecture: "amd64", config: run, rootfs }));
  const described = packed.map((bytes) => descriptor(bytes, `${ociLayer}+gzip`));
  const fields = { schemaVersion: 2, mediaType: ociManifest, config: descriptor(config, ociConfig), layers: described };
  const manifest = Buffer.from(JSON.stringify(fields));
  return { digest: digestOf(manifest), manifest, config, layers: packed };
}

/** Every blob but the manifest. */
export function blobsOf(image: TestImage): Buffer[] {
  return [image.config, ...image.layers];
}

/** Adds an image to a store as if it had come from somewhere. */
export async function admitImage(
  store: ImageStore,
  image: TestImage,
  how: { origin: Origin; names: string[] },
): Promise<StoredImage> {
  for (const blob of blobsOf(image)) await store.blobs.put(blob);
  return store.admit({ manifest: { digest: image.digest, bytes: image.manifest, mediaType: ociManifest }, ...how });
}

/** Writes an OCI layout. */
export function writeLayout(dir: string, image: TestImage): void {
  const blobs = join(dir, "blobs/sha256");
  mkdirSync(blobs, { recursive: true });
  for (const bytes of [image.manifest, ...blobsOf(image)]) writeFileSync(join(blobs, digestOf(bytes).slice(7)), bytes);
  writeFileSync(join(dir, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  const manifests = [descriptor(image.manifest, ociManifest)];
  writeFileSync(join(dir, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
}
