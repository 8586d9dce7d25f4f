/**
 * All objects of one stored resource, for those who act on every request and cannot read them each time: kept up to
 * date by the resource's watch cache, in the same turn as the commit.
 */
import type { Clock } from "@atoll/machinery/clock";
import type { Resource } from "./resource.ts";

export interface FollowedObjectsOptions {
  readonly resource: Resource;
  readonly clock: Clock;
  /** Told at every change, before the write that caused it is answered. Must be quick and must not throw. */
  readonly onChange: () => void;
  /** Told of what failed and is tried again. */
  readonly onError: (error: unknown) => void;
}

const retryMs = 1_000;

export class FollowedObjects<T> {
  readonly #options: FollowedObjectsOptions;
  #unfollow: (() => void) | undefined;
  #closed = false;

  constructor(options: FollowedObjectsOptions) {
    this.#options = options;
  }

  /** Resolves when the objects are known. */
  async start(): Promise<void> {
    const { resource, onChange } = this.#options;
    const { cache } = resource;
    await cache.current();
    if (this.#closed) return;
    this.#unfollow = cache.follow(cache.revision, {
      changes: onChange,
      progress: () => {},
      ended: () => this.#again(),
    });
    onChange();
  }

  close(): void {
    this.#closed = true;
    this.#unfollow?.();
  }

  /** Frozen, by key. */
  all(): readonly T[] {
    const { resource } = this.#options;
    return resource.cache.range(resource.prefix("")).map((entry) => resource.cache.object(entry) as unknown as T);
  }

  /** The store lost history: start over. What was known until now stays in force meanwhile. */
  #again(): void {
    if (this.#closed) return;
    this.start().catch((error: unknown) => {
      if (this.#closed) return;
      const { clock, onError } = this.#options;
      onError(error);
      clock.after(retryMs, () => this.#again(), { unref: true });
    });
  }
}
