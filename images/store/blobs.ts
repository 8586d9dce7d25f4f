/**
 * Blobs by digest. One gets its name only after its bytes were hashed and synced, so a file that is there is right.
 *
 *     blobs/sha256/HEX             verified
 *     partial/sha256-HEX           begun, nobody at it: to be resumed
 *     partial/sha256-HEX.PID-X     begun, in use by a process
 *     sources/HOST/HEX             this registry once sent the whole blob
 *
 * The last are there because a blob on the host proves nothing about who may have it: somebody could name another tenant's
 * private layer in a manifest on a registry of their own. A blob is therefore reused only for the registry it came from.
 */
import type { Hash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { type FileHandle, open, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Clock } from "@atoll/machinery/clock";
import { algorithmOf, type Digest, digestOf, finish, hasherFor, hexOf, matches, parseDigest } from "../digest.ts";
import { ImageRefused } from "../errors.ts";
import { within } from "../limits.ts";
import { isAlive, isMissing, privateDirectory, replaceFile, settle, temporaryName } from "./files.ts";

/** A blob that is there. */
export interface StoredBlob {
  readonly digest: Digest;
  readonly bytes: number;
  /** When it came or was last wanted, ms since the epoch. */
  readonly touchedMs: number;
}

const readBytes = 1 << 20;
const algorithms = ["sha256", "sha512"];

/** The blobs below one directory. */
export class BlobStore {
  readonly #dir: string;
  readonly #clock: Clock;

  private constructor(dir: string, clock: Clock) {
    this.#dir = dir;
    this.#clock = clock;
  }

  /** Makes the directories and gives back what dead processes had begun. */
  static async open(dir: string, clock: Clock): Promise<BlobStore> {
    for (const algorithm of algorithms) await privateDirectory(join(dir, "blobs", algorithm));
    await privateDirectory(join(dir, "partial"));
    await privateDirectory(join(dir, "sources"));
    const store = new BlobStore(dir, clock);
    await store.#reclaim();
    return store;
  }

  /** Where a blob is or would be. */
  path(digest: Digest): string {
    return join(this.#dir, "blobs", algorithmOf(digest), hexOf(digest));
  }

  async has(digest: Digest): Promise<boolean> {
    return (await this.size(digest)) !== undefined;
  }

  /** Bytes of a blob; undefined when it is not there. */
  async size(digest: Digest): Promise<number | undefined> {
    try {
      return (await stat(this.path(digest))).size;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Whether this registry once sent the whole of a blob that is here. */
  async cameFrom(digest: Digest, registry: string): Promise<boolean> {
    return (await this.has(digest)) && (await isThere(this.#sourcePath(digest, registry)));
  }

  /** Notes that a registry sent the whole of a blob. */
  async vouch(digest: Digest, registry: string): Promise<void> {
    const path = this.#sourcePath(digest, registry);
    await privateDirectory(dirname(path));
    await (await open(path, "w", 0o600)).close();
  }

  #sourcePath(digest: Digest, registry: string): string {
    return join(this.#dir, "sources", encodeURIComponent(registry), hexOf(digest));
  }

  /** Keeps a blob from being taken for forgotten while an image that needs it is being made. */
  async touch(digest: Digest): Promise<void> {
    const now = this.#clock.nowMs() / 1000;
    await utimes(this.path(digest), now, now).catch(() => {});
  }

  /** A small blob, hashed again on the way, since a disk may lie. @throws {ImageRefused} DigestMismatch, LimitExceeded */
  async read(digest: Digest, mostBytes: number): Promise<Buffer> {
    const handle = await open(this.path(digest), "r");
    try {
      within((await handle.stat()).size, mostBytes, `blob ${digest}: bytes`);
      const bytes = await handle.readFile();
      if (!matches(bytes, digest)) throw new ImageRefused("DigestMismatch", `blob ${digest}: damaged on disk`);
      return bytes;
    } finally {
      await handle.close();
    }
  }

  /** Stores a small document and returns its digest. */
  async put(bytes: Buffer, known?: Digest): Promise<Digest> {
    const digest = known ?? digestOf(bytes);
    if (!matches(bytes, digest)) throw new ImageRefused("DigestMismatch", `document is not ${digest}`);
    if (!(await this.has(digest))) await replaceFile(this.path(digest), bytes, join(this.#dir, "partial"));
    return digest;
  }

  /** Takes over a file of the same file system as a blob, after hashing it. @throws {ImageRefused} DigestMismatch */
  async adopt(digest: Digest, path: string): Promise<void> {
    const hash = hasherFor(digest);
    for await (const chunk of createReadStream(path, { highWaterMark: readBytes })) hash.update(chunk as Buffer);
    if (finish(hash, digest) !== digest) throw new ImageRefused("DigestMismatch", `file is not ${digest}`);
    const handle = await open(path, "r");
    await handle.sync();
    await handle.close();
    await settle(path, this.path(digest));
  }

  /** Begins or resumes writing a blob. */
  async writer(digest: Digest): Promise<BlobWriter> {
    const free = join(this.#dir, "partial", `${algorithmOf(digest)}-${hexOf(digest)}`);
    const mine = `${free}.${basename(temporaryName(""))}`;
    try {
      // Renaming is the claim: of two processes one gets what was begun, the other starts anew.
      await rename(free, mine);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    const handle = await open(mine, constants.O_RDWR | constants.O_CREAT, 0o600);
    const writer = new BlobWriter({ digest, handle, mine, free, final: this.path(digest) });
    await writer.catchUp();
    return writer;
  }

  async remove(digest: Digest): Promise<void> {
    const sources = join(this.#dir, "sources");
    for (const host of await readdir(sources)) await rm(join(sources, host, hexOf(digest)), { force: true });
    await rm(this.path(digest), { force: true });
  }

  /** Everything there is. */
  async list(): Promise<StoredBlob[]> {
    const found: StoredBlob[] = [];
    for (const algorithm of algorithms) {
      for (const name of await readdir(join(this.#dir, "blobs", algorithm))) {
        const digest = parseDigest(`${algorithm}:${name}`);
        const facts = digest && (await stat(this.path(digest)).catch(() => undefined));
        if (digest && facts) found.push({ digest, bytes: facts.size, touchedMs: facts.mtimeMs });
      }
    }
    return found;
  }

  /** Removes what was begun and not touched since. */
  async forgetPartials(beforeMs: number): Promise<void> {
    for (const name of await readdir(join(this.#dir, "partial"))) {
      const path = join(this.#dir, "partial", name);
      const facts = await stat(path).catch(() => undefined);
      if (facts !== undefined && facts.mtimeMs < beforeMs) await rm(path, { force: true });
    }
  }

  async #reclaim(): Promise<void> {
    for (const name of await readdir(join(this.#dir, "partial"))) {
      const [free = "", owner] = name.split(".", 2);
      const path = join(this.#dir, "partial", name);
      const isDocument = /^\d+-/.test(name);
      const pid = Number.parseInt(isDocument ? name : (owner ?? ""), 10);
      if (Number.isNaN(pid) || isAlive(pid)) continue;
      if (isDocument) await rm(path, { force: true });
      else await rename(path, join(this.#dir, "partial", free)).catch(() => {});
    }
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** One blob on its way in. Ends by commit(), pause() or discard(). */
export class BlobWriter {
  readonly digest: Digest;
  readonly #handle: FileHandle;
  readonly #paths: { readonly mine: string; readonly free: string; readonly final: string };
  #hash: Hash;
  #bytes = 0;

  constructor(of: { digest: Digest; handle: FileHandle; mine: string; free: string; final: string }) {
    this.digest = of.digest;
    this.#handle = of.handle;
    this.#paths = of;
    this.#hash = hasherFor(of.digest);
  }

  /** Bytes so far, those of an earlier try included. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Hashes what an earlier try left. */
  async catchUp(): Promise<void> {
    const buffer = Buffer.allocUnsafe(readBytes);
    for (;;) {
      const { bytesRead } = await this.#handle.read(buffer, 0, readBytes, this.#bytes);
      if (bytesRead === 0) return;
      this.#hash.update(buffer.subarray(0, bytesRead));
      this.#bytes += bytesRead;
    }
  }

  async write(chunk: Buffer): Promise<void> {
    this.#hash.update(chunk);
    let done = 0;
    while (done < chunk.length) {
      const { bytesWritten } = await this.#handle.write(chunk, done, chunk.length - done, this.#bytes + done);
      done += bytesWritten;
    }
    this.#bytes += chunk.length;
  }

  /** Back to nothing. */
  async reset(): Promise<void> {
    await this.#handle.truncate(0);
    this.#hash = hasherFor(this.digest);
    this.#bytes = 0;
  }

  /** Gives the blob its name. @throws {ImageRefused} DigestMismatch: the bytes are then gone, and reset() was done */
  async commit(): Promise<void> {
    const found = finish(this.#hash, this.digest);
    if (found !== this.digest) {
      await this.reset();
      throw new ImageRefused("DigestMismatch", `bytes of ${found} came for ${this.digest}`);
    }
    await this.#handle.sync();
    await this.#handle.close();
    await settle(this.#paths.mine, this.#paths.final);
  }

  /** Leaves what came to a later try. */
  async pause(): Promise<void> {
    await this.#handle.close();
    await rename(this.#paths.mine, this.#paths.free);
  }

  /** Leaves nothing. */
  async discard(): Promise<void> {
    await this.#handle.close();
    await rm(this.#paths.mine, { force: true });
  }
}
