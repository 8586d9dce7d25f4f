/**
 * A layer's blob as its tar stream: gzip, zstd or plain by what its first bytes say, since media types are often wrong.
 * The ratio of expanded to compressed bytes is watched, and so is the sum over all layers.
 * Source: RFC 1952; RFC 8878; OCI image-spec, media-types.md
 */
import { readSync } from "node:fs";
import { pipeline, Readable, type Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { ImageRefused } from "../errors.ts";
import { type Limits, within } from "../limits.ts";
import { FrameSplitter } from "./frames.ts";

/** A blob in an open file. */
export interface Blob {
  readonly fd: number;
  /** Bytes to read, from `start` or 0. */
  readonly size: number;
  readonly start?: number;
}

const readBytes = 1 << 18;

/** How a blob is packed. */
export type Packing = "gzip" | "zstd" | "tar";

/** By the first four bytes of a blob. */
export function packingOf(head: Buffer): Packing {
  if (head[0] === 0x1f && head[1] === 0x8b) return "gzip";
  if (head.length < 4) return "tar";
  const number = head.readUInt32LE(0);
  return number === 0xfd2fb528 || (number & 0xfffffff0) >>> 0 === 0x184d2a50 ? "zstd" : "tar";
}

function* chunksOf(blob: Blob): Generator<Buffer> {
  const start = blob.start ?? 0;
  let done = 0;
  while (done < blob.size) {
    const into = Buffer.allocUnsafe(Math.min(readBytes, blob.size - done));
    const count = readSync(blob.fd, into, 0, into.length, start + done);
    if (count === 0) throw new ImageRefused("Truncated", `blob ends at ${done} of ${blob.size} bytes`);
    done += count;
    yield into.subarray(0, count);
  }
}

function* framesOf(chunks: Iterable<Buffer>): Generator<Buffer> {
  const splitter = new FrameSplitter();
  for (const chunk of chunks) yield* splitter.split(chunk);
  if (!splitter.atFrameEnd) throw new ImageRefused("Truncated", "zstd: ends in the middle of a frame");
}

function decoded(chunks: Iterable<Buffer>, decoder: Transform): AsyncIterable<Buffer> {
  // Errors of the source and of the decoder both end the loop over the decoder's output.
  return pipeline(Readable.from(chunks, { objectMode: true }), decoder, () => {});
}

function unpacked(blob: Blob, packing: Packing): AsyncIterable<Buffer> | Iterable<Buffer> {
  const chunks = chunksOf(blob);
  if (packing === "gzip") return decoded(chunks, createGunzip({ chunkSize: readBytes }));
  if (packing === "zstd") return decoded(framesOf(chunks), createZstdDecompress({ chunkSize: readBytes }));
  return chunks;
}

/**
 * The expanded bytes of a blob.
 * @param before expanded bytes of the layers before, for the limit on all of them
 * @throws {ImageRefused} Malformed, Truncated, LimitExceeded
 */
export async function* expand(blob: Blob, limits: Limits, before = 0): AsyncGenerator<Buffer> {
  const head = Buffer.alloc(Math.min(4, blob.size));
  readSync(blob.fd, head, 0, head.length, blob.start ?? 0);
  const packing = packingOf(head);
  const most = packing === "tar" ? Number.POSITIVE_INFINITY : blob.size * limits.ratio + limits.ratioFreeBytes;
  let bytes = 0;
  try {
    for await (const chunk of unpacked(blob, packing)) {
      bytes += chunk.length;
      within(bytes, most, "expanded bytes of a layer, for its compressed size");
      within(before + bytes, limits.expandedBytes, "expanded bytes of all layers");
      yield chunk;
    }
  } catch (cause) {
    throw refusal(cause, packing);
  }
}

function refusal(cause: unknown, packing: Packing): unknown {
  const code = (cause as { code?: unknown }).code;
  if (cause instanceof ImageRefused || typeof code !== "string") return cause;
  if (code === "Z_BUF_ERROR") return new ImageRefused("Truncated", `${packing}: ends early`, { cause });
  if (!/^(Z_|ERR_|ZSTD_)/.test(code)) return cause;
  return new ImageRefused("Malformed", `${packing}: ${(cause as Error).message}`, { cause });
}
