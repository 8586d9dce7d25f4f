/**
 * Pulls images: name → manifest → config and layers → EROFS image → record.
 *
 * The registry is asked for the manifest every time, with the caller's own credentials: what is on the host already saves
 * bytes, never the permission.
 */
import { createHash } from "node:crypto";
import { type Clock, systemClock } from "@atoll/machinery/clock";
import { BackOff } from "./backoff.ts";
import type { Digest } from "./digest.ts";
import { ImagePullFailed, ImageRefused } from "./errors.ts";
import { mayPass, RegistryClient } from "./registry/client.ts";
import { defaultPace, download, type DownloadPace } from "./registry/download.ts";
import { emptyKeyring, type Keyring } from "./registry/keyring.ts";
import { choose, type Descriptor, type ImageManifest, parseManifest, type Platform } from "./registry/manifest.ts";
import { formatReference, nameOf, parseReference, type Reference } from "./registry/reference.ts";
import { type RegistrySettings, Transport } from "./registry/transport.ts";
import { SharedWork } from "./shared.ts";
import type { ImageStore, StoredImage } from "./store/store.ts";

/** How far a pull is; bytes are of the layers that were not here. */
export interface PullProgress {
  readonly phase: "resolving" | "downloading" | "converting";
  readonly bytes: number;
  readonly total: number;
}

/** What a puller works with. */
export interface PullerOptions {
  readonly store: ImageStore;
  readonly settings?: RegistrySettings;
  readonly clock?: Clock;
  /** What the guests run; Linux on this machine's architecture when left out. */
  readonly platform?: Platform;
  readonly pace?: DownloadPace;
}

/** One wish for an image. */
export interface PullRequest {
  readonly image: string;
  readonly keyring?: Keyring;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: PullProgress) => void;
}

interface Resolved {
  /** Digest the name leads to first: an index's, or the manifest's own. */
  readonly named: Digest;
  readonly digest: Digest;
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly manifest: ImageManifest;
}

const layersAtOnce = 3;
const deepestIndex = 3;
const architectures: Record<string, string> = { x64: "amd64", arm64: "arm64" };

/** The platform of guests on this host. */
export function hostPlatform(): Platform {
  return { os: "linux", architecture: architectures[process.arch] ?? process.arch };
}

/** Pulls into one store. */
export class ImagePuller {
  readonly #options: Required<Omit<PullerOptions, "settings">> & { settings: RegistrySettings };
  readonly #transport: Transport;
  readonly #backOff: BackOff;
  readonly #flights = new SharedWork<StoredImage>();
  readonly #listeners = new Map<string, Set<(progress: PullProgress) => void>>();

  constructor(options: PullerOptions) {
    const clock = options.clock ?? systemClock;
    const defaults = { settings: {}, platform: hostPlatform(), pace: defaultPace };
    this.#options = { ...defaults, ...options, clock };
    this.#transport = new Transport(this.#options.settings, clock);
    this.#backOff = new BackOff(clock);
  }

  /**
   * Pulls an image. Those who ask for the same with the same credentials meanwhile share the work.
   * @throws {ImagePullFailed} with a fault that says whose doing it was; BackOff without trying after a recent failure
   */
  async pull(request: PullRequest): Promise<StoredImage> {
    const { image, keyring = emptyKeyring, signal, onProgress } = request;
    const reference = parseReference(image);
    const key = keyOf(reference, keyring);
    const waiting = this.#backOff.waiting(key);
    if (waiting !== undefined) {
      const text = `${image}: back-off after: ${waiting.message}`;
      throw new ImagePullFailed("BackOff", text, { retryAfterMs: Math.ceil(waiting.ms) });
    }
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners);
    if (onProgress !== undefined) listeners.add(onProgress);
    try {
      return await this.#flights.run(key, signal, (shared) =>
        this.#guarded(key, reference, { keyring, signal: shared }),
      );
    } finally {
      if (onProgress !== undefined) listeners.delete(onProgress);
      if (listeners.size === 0) this.#listeners.delete(key);
    }
  }

  /** Ends idle connections. */
  close(): void {
    this.#transport.close();
  }

  async #guarded(
    key: string,
    reference: Reference,
    how: { keyring: Keyring; signal: AbortSignal },
  ): Promise<StoredImage> {
    try {
      const image = await this.#pull(key, reference, how);
      this.#backOff.succeeded(key);
      return image;
    } catch (cause) {
      how.signal.throwIfAborted();
      const failure = failureOf(cause);
      const cached = await this.#cached(reference, failure);
      if (cached !== undefined) return cached;
      this.#backOff.failed(key, failure.message);
      throw failure;
    }
  }

  /** A digest means the same bytes whether or not the registry can be reached. */
  async #cached(reference: Reference, failure: ImagePullFailed): Promise<StoredImage | undefined> {
    const isOurs = reference.digest !== undefined && mayPass(failure);
    return isOurs ? this.#options.store.find(formatReference(reference)) : undefined;
  }

  async #pull(key: string, reference: Reference, how: { keyring: Keyring; signal: AbortSignal }): Promise<StoredImage> {
    const { store, settings, clock } = this.#options;
    const tell = (progress: PullProgress) => this.#tell(key, progress);
    tell({ phase: "resolving", bytes: 0, total: 0 });
    const { limits } = store;
    const parts = { transport: this.#transport, settings, limits, clock, keyring: how.keyring };
    const client = new RegistryClient(reference, parts);
    const resolved = await this.#resolve(client, reference, how.signal);
    const names = namesOf(reference, resolved.named);
    const known = await this.#known(reference, resolved, names);
    if (known !== undefined) return known;
    await this.#fetch(client, reference, { manifest: resolved.manifest, signal: how.signal, tell });
    const total = resolved.manifest.layers.reduce((sum, { size }) => sum + size, 0);
    tell({ phase: "converting", bytes: total, total });
    return store.admit({ manifest: resolved, origin: "pulled", names }, how.signal);
  }

  #tell(key: string, progress: PullProgress): void {
    for (const listener of this.#listeners.get(key) ?? []) listener(progress);
  }

  async #resolve(client: RegistryClient, reference: Reference, signal: AbortSignal): Promise<Resolved> {
    const { store, platform } = this.#options;
    let which: string = reference.digest ?? reference.tag ?? "latest";
    let named: Digest | undefined;
    let expected: Descriptor | undefined;
    for (let depth = 0; depth < deepestIndex; depth++) {
      const { bytes, digest, contentType } = await client.manifest(which, signal);
      if (expected !== undefined && expected.size !== bytes.length) {
        throw new ImageRefused("DigestMismatch", `manifest ${digest} is not of the size its index says`);
      }
      named ??= digest;
      const manifest = parseManifest(bytes, contentType ?? expected?.mediaType, store.limits);
      if (manifest.kind === "image") return { named, digest, bytes, mediaType: manifest.mediaType, manifest };
      expected = choose(manifest, platform);
      which = expected.digest;
    }
    throw new ImageRefused("LimitExceeded", "indexes within indexes");
  }

  /** The image, when this very registry gave it before: nothing needs to be fetched again. */
  async #known(reference: Reference, resolved: Resolved, names: readonly string[]): Promise<StoredImage | undefined> {
    const { store } = this.#options;
    const image = await store.get(resolved.digest);
    const isFromHere = image?.names.some((name) => parseReference(name).registry === reference.registry) ?? false;
    if (image === undefined || !isFromHere) return undefined;
    for (const name of names) await store.records.setName(name, resolved.digest);
    return store.get(resolved.digest);
  }

  async #fetch(
    client: RegistryClient,
    reference: Reference,
    {
      manifest,
      signal,
      tell,
    }: { manifest: ImageManifest; signal: AbortSignal; tell: (progress: PullProgress) => void },
  ): Promise<void> {
    const { store, clock, pace } = this.#options;
    const came = new Map<string, number>();
    const total = manifest.layers.reduce((sum, { size }) => sum + size, 0);
    const onProgress = ({ digest, bytes }: { digest: string; bytes: number }) => {
      if (digest === manifest.config.digest) return;
      came.set(digest, bytes);
      tell({ phase: "downloading", bytes: [...came.values()].reduce((sum, count) => sum + count, 0), total });
    };
    const unique = [...new Map([manifest.config, ...manifest.layers].map((blob) => [blob.digest, blob])).values()];
    const { registry } = reference;
    // One blob that fails calls off the others; what they have is kept for the next try.
    const abort = new AbortController();
    const both = AbortSignal.any([signal, abort.signal]);
    const options = { client, registry, blobs: store.blobs, clock, pace, signal: both, onProgress };
    await inParallel(unique, layersAtOnce, (descriptor) =>
      download(descriptor, options).catch((error: unknown) => {
        abort.abort(error);
        throw error;
      }),
    );
  }
}

function keyOf(reference: Reference, keyring: Keyring): string {
  const who = createHash("sha256")
    .update(JSON.stringify([keyring.lookup(reference), keyring.authority(reference)]))
    .digest("hex");
  return `${formatReference(reference)} ${who}`;
}

function namesOf(reference: Reference, named: Digest): string[] {
  const byDigest = `${nameOf(reference)}@${named}`;
  return reference.digest === undefined ? [formatReference(reference), byDigest] : [byDigest];
}

function failureOf(cause: unknown): ImagePullFailed {
  if (cause instanceof ImagePullFailed) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new ImagePullFailed(cause instanceof ImageRefused ? "Refused" : "HostFailed", message, { cause });
}

/** Runs `work` on every item, so many at once. The first failure is told after those under way have ended. */
async function inParallel<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const todo = [...items];
  let failure: { error: unknown } | undefined;
  const worker = async () => {
    for (let item = todo.shift(); item !== undefined && failure === undefined; item = todo.shift()) {
      try {
        await work(item);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (failure !== undefined) throw failure.error;
}
