/**
 * All objects of one stored resource, for those who act on every request and look through them again only when
 * something has changed.
 */
import { Mirror, type MirrorOptions } from "./mirror.ts";
import type { Resource } from "./resource.ts";

export interface FollowedObjectsOptions extends Omit<MirrorOptions, "into"> {
  /** Told at every change, before the write that caused it is answered. Must be quick and must not throw. */
  readonly onChange: () => void;
}

export class FollowedObjects<T> {
  readonly #resource: Resource;
  readonly #mirror: Mirror;

  constructor({ onChange, ...options }: FollowedObjectsOptions) {
    this.#resource = options.resource;
    this.#mirror = new Mirror({ ...options, into: { put: onChange, drop: onChange } });
  }

  /** Resolves when the objects are known. */
  start(): Promise<void> {
    return this.#mirror.start();
  }

  close(): void {
    this.#mirror.close();
  }

  /** Frozen, by key. */
  all(): readonly T[] {
    const { cache } = this.#resource;
    return cache.range(this.#resource.prefix("")).map((entry) => cache.object(entry) as unknown as T);
  }
}
