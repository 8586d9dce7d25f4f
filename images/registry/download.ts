/**
 * Fetches a blob into the store: resumed where it broke off, cut when it is too long or too slow, and only named when
 * its bytes are right.
 */
import type { IncomingMessage } from "node:http";
import { chance, type Clock } from "@atoll/machinery/clock";
import { ImagePullFailed, ImageRefused } from "../errors.ts";
import type { BlobStore, BlobWriter } from "../store/blobs.ts";
import { mayPass, type RegistryClient } from "./client.ts";
import type { Descriptor } from "./manifest.ts";

/** How far a blob is. */
export interface Progress {
  readonly digest: string;
  readonly bytes: number;
  readonly size: number;
}

/** How slow is too slow, and how often to try. */
export interface DownloadPace {
  /** A blob must bring `leastBytes` in every span of this length. */
  readonly stallMs: number;
  readonly leastBytes: number;
  readonly tries: number;
  /** Before the second try; doubles with each. */
  readonly retryMs: number;
}

/** 64 KiB in 30 s; five tries. */
export const defaultPace: DownloadPace = { stallMs: 30_000, leastBytes: 65_536, tries: 5, retryMs: 1_000 };

/** What a download needs. */
export interface DownloadOptions {
  readonly client: RegistryClient;
  /** Host of the registry the image is from, whatever mirror sends its blobs. */
  readonly registry: string;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly pace: DownloadPace;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * Brings a blob into the store; nothing to do when the same registry sent it before.
 * @throws {ImagePullFailed} Unavailable, Stalled: after the last try; what came is kept for the next
 * @throws {ImageRefused} DigestMismatch: wrong bytes, twice; nothing is kept
 */
export async function download(descriptor: Descriptor, options: DownloadOptions): Promise<void> {
  const { blobs, registry } = options;
  if (await blobs.cameFrom(descriptor.digest, registry)) return blobs.touch(descriptor.digest);
  const writer = await blobs.writer(descriptor.digest);
  try {
    await fetchWhole(descriptor, writer, options);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (error instanceof ImageRefused || code === "ENOSPC" || code === "EDQUOT") await writer.discard();
    else await writer.pause();
    throw error;
  }
  await blobs.vouch(descriptor.digest, registry);
}

async function fetchWhole(descriptor: Descriptor, writer: BlobWriter, options: DownloadOptions): Promise<void> {
  let mismatches = 0;
  for (let tries = 1; ; tries++) {
    try {
      if (writer.bytes > descriptor.size) await writer.reset();
      if (writer.bytes < descriptor.size) await fetchRest(descriptor, writer, options);
      return await writer.commit();
    } catch (error) {
      const isMismatch = error instanceof ImageRefused && error.code === "DigestMismatch";
      if (isMismatch) {
        mismatches += 1;
        await writer.reset();
      }
      // Wrong bytes may be an earlier try's fault, so once more from the start; a second time they are the registry's.
      const again = isMismatch ? mismatches === 1 : mayPass(error);
      if (!again || tries === options.pace.tries) throw error;
      await options.clock.sleep(options.pace.retryMs * 2 ** (tries - 1) * (0.5 + chance()), options.signal);
    }
  }
}

async function fetchRest(descriptor: Descriptor, writer: BlobWriter, options: DownloadOptions): Promise<void> {
  const { client, signal } = options;
  const response = await client.blob(descriptor.digest, writer.bytes, signal);
  if (writer.bytes > 0 && !continues(response, writer.bytes)) await writer.reset();
  await receive(response, { descriptor, writer }, options);
  if (writer.bytes < descriptor.size) {
    throw new ImagePullFailed("Unavailable", `blob ended at ${writer.bytes} of ${descriptor.size} bytes`);
  }
}

function continues(response: IncomingMessage, from: number): boolean {
  return response.statusCode === 206 && (response.headers["content-range"] ?? "").startsWith(`bytes ${from}-`);
}

async function receive(
  response: IncomingMessage,
  { descriptor, writer }: { descriptor: Descriptor; writer: BlobWriter },
  { clock, pace, signal, onProgress }: DownloadOptions,
): Promise<void> {
  const guard = watchPace(response, clock, pace);
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      guard.came(chunk.length);
      if (writer.bytes + chunk.length > descriptor.size) {
        throw new ImageRefused("DigestMismatch", `more than ${descriptor.size} bytes came for ${descriptor.digest}`);
      }
      await writer.write(chunk);
      onProgress?.({ digest: descriptor.digest, bytes: writer.bytes, size: descriptor.size });
    }
  } catch (cause) {
    response.destroy();
    signal?.throwIfAborted();
    const isConnection = !(cause instanceof ImagePullFailed || cause instanceof ImageRefused) && isNetwork(cause);
    if (!isConnection) throw cause;
    throw new ImagePullFailed("Unavailable", `blob broke off: ${(cause as Error).message}`, { cause });
  } finally {
    guard.stop();
  }
}

function isNetwork(cause: unknown): boolean {
  const code = (cause as NodeJS.ErrnoException).code ?? "";
  return /^(ECONN|EPIPE|ETIMEDOUT|ENET|EHOST|ERR_STREAM|ERR_SSL|HPE_|EPROTO)/.test(code);
}

/** Ends a response that brings too little in any span of time, so that a byte now and then is not progress. */
function watchPace(response: IncomingMessage, clock: Clock, pace: DownloadPace) {
  let bytes = 0;
  const check = () => {
    if (bytes < pace.leastBytes) {
      response.destroy(new ImagePullFailed("Stalled", `only ${bytes} bytes in ${pace.stallMs / 1000} s`));
      return;
    }
    bytes = 0;
    timer = clock.after(pace.stallMs, check);
  };
  let timer = clock.after(pace.stallMs, check);
  return {
    came(count: number): void {
      bytes += count;
    },
    stop(): void {
      timer.cancel();
    },
  };
}
