/**
 * An image of the store as an OCI layout directory, as other tools read it. Blobs are hard links where they can be.
 * Source: OCI image-spec, image-layout.md
 */
import { constants } from "node:fs";
import { copyFile, link, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { algorithmOf, type Digest, hexOf } from "../digest.ts";
import { ImageRefused } from "../errors.ts";
import { ociIndex } from "../registry/manifest.ts";
import type { ImageStore, StoredImage } from "./store.ts";

/** Whether all of an image's layers are here as they came; collection may have dropped them. */
export async function hasLayers(store: ImageStore, image: StoredImage): Promise<boolean> {
  const there = await Promise.all(image.layers.map(({ digest }) => store.blobs.has(digest)));
  return there.every(Boolean);
}

/**
 * Writes a layout with the one image.
 * @param dir a directory that does not exist yet
 * @throws {ImageRefused} Unsupported: layers that are no longer here
 */
export async function exportLayout(store: ImageStore, image: StoredImage, dir: string): Promise<void> {
  if (!(await hasLayers(store, image))) {
    throw new ImageRefused(
      "Unsupported",
      `image ${image.names[0] ?? image.manifest.digest}: its layers are not kept here`,
    );
  }
  const blobs = [image.manifest.digest, image.configDigest, ...image.layers.map(({ digest }) => digest)];
  for (const digest of new Set(blobs)) await place(store, digest, dir);
  const index = { schemaVersion: 2, mediaType: ociIndex, manifests: [image.manifest] };
  await writeFile(join(dir, "index.json"), JSON.stringify(index));
  await writeFile(join(dir, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
}

async function place(store: ImageStore, digest: Digest, dir: string): Promise<void> {
  const folder = join(dir, "blobs", algorithmOf(digest));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const from = store.blobs.path(digest);
  const to = join(folder, hexOf(digest));
  await link(from, to).catch(() => copyFile(from, to, constants.COPYFILE_EXCL));
}
