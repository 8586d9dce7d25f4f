/**
 * Which images there are and what they are called: one file an image, one file a name.
 *
 *     images/sha256-HEX.json   by manifest digest; its modification time is when the image was last used
 *     names/HEX.json           by the hash of the normalized name
 *
 * Each is replaced as a whole, so processes need no lock: the last writer of a name is right.
 */
import { createHash } from "node:crypto";
import { readdir, readFile, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { algorithmOf, type Digest, hexOf, parseDigest } from "../digest.ts";
import type { Descriptor } from "../registry/manifest.ts";
import type { ImageConfig } from "./config.ts";
import { isMissing, privateDirectory, replaceFile, syncDirectory } from "./files.ts";

/** Where an image came from. Only pulled ones can be had again. */
export type Origin = "pulled" | "imported" | "built";

/** What is kept about an image. */
export interface ImageRecord {
  readonly manifest: Descriptor;
  readonly configDigest: Digest;
  readonly config: ImageConfig;
  readonly layers: readonly Descriptor[];
  /** Names the EROFS image: see stackId(). */
  readonly stack: Digest;
  /** Bytes of the EROFS image. */
  readonly bytes: number;
  readonly origin: Origin;
}

/** A name and the image it means. */
export interface NameRecord {
  readonly name: string;
  readonly manifest: Digest;
}

/** The record files below one directory. */
export class Records {
  readonly #images: string;
  readonly #names: string;
  readonly #work: string;

  private constructor(dir: string) {
    this.#images = join(dir, "images");
    this.#names = join(dir, "names");
    this.#work = join(dir, "work");
  }

  static async open(dir: string): Promise<Records> {
    const records = new Records(dir);
    for (const path of [records.#images, records.#names, records.#work]) await privateDirectory(path);
    return records;
  }

  async image(manifest: Digest): Promise<ImageRecord | undefined> {
    return readJson<ImageRecord>(this.#imagePath(manifest));
  }

  async images(): Promise<ImageRecord[]> {
    const found = await Promise.all(
      (await readdir(this.#images)).map((name) => readJson<ImageRecord>(join(this.#images, name))),
    );
    return found.filter((record) => record !== undefined);
  }

  async keep(record: ImageRecord): Promise<void> {
    await replaceFile(this.#imagePath(record.manifest.digest), JSON.stringify(record), this.#work);
  }

  /** When an image was last used, ms since the epoch; 0 when it is gone. */
  async usedMs(manifest: Digest): Promise<number> {
    return stat(this.#imagePath(manifest)).then(
      (facts) => facts.mtimeMs,
      () => 0,
    );
  }

  async use(manifest: Digest, nowMs: number): Promise<void> {
    await utimes(this.#imagePath(manifest), nowMs / 1000, nowMs / 1000).catch(() => {});
  }

  async name(name: string): Promise<Digest | undefined> {
    return (await readJson<NameRecord>(this.#namePath(name)))?.manifest;
  }

  async names(): Promise<NameRecord[]> {
    const found = await Promise.all(
      (await readdir(this.#names)).map((name) => readJson<NameRecord>(join(this.#names, name))),
    );
    return found.filter((record) => record !== undefined);
  }

  async setName(name: string, manifest: Digest): Promise<void> {
    await replaceFile(this.#namePath(name), JSON.stringify({ name, manifest }), this.#work);
  }

  async removeName(name: string): Promise<void> {
    await rm(this.#namePath(name), { force: true });
    await syncDirectory(this.#names);
  }

  /** Removes an image's record and all its names. */
  async removeImage(manifest: Digest): Promise<void> {
    for (const { name, manifest: meant } of await this.names()) if (meant === manifest) await this.removeName(name);
    await rm(this.#imagePath(manifest), { force: true });
    await syncDirectory(this.#images);
  }

  #imagePath(manifest: Digest): string {
    // Digests were parsed before they got here; a second look keeps a path from ever being made of anything else.
    if (parseDigest(manifest) === undefined) throw new RangeError("not a digest");
    return join(this.#images, `${algorithmOf(manifest)}-${hexOf(manifest)}.json`);
  }

  #namePath(name: string): string {
    return join(this.#names, `${createHash("sha256").update(name).digest("hex")}.json`);
  }
}

async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as T;
  } catch (error) {
    // Replaced as a whole, a file is never half there; one that is not JSON was not written by us.
    if (isMissing(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
