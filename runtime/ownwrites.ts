/**
 * What a controller wrote and its cache does not show yet. Work on a key waits until the cache has caught up with the
 * writes made for it, so that no reconcile decides by a world from before its own deeds (and, say, makes the same Pods twice).
 *
 * - A write that was answered: wait until the informer has reached its revision.
 * - A delete: wait until the informer shows the object gone, going, or made anew.
 * - A create whose answer never came: ask the API, then wait as for one that was answered.
 *
 * Source: k8s.io/kubernetes/pkg/controller/controller_utils.go (ControllerExpectations) counts creations and deletions
 * for the same end; revisions are comparable since 1.35 and need no counting.
 */
import type { Client } from "@atoll/client/client";
import { isNotFound } from "@atoll/client/errors";
import type { Key, Resource } from "@atoll/client/resource";
import { hasReached } from "@atoll/client/revision";
import type { ApiObject } from "@atoll/machinery/object";
import type { Clock } from "@atoll/machinery/clock";

/** What is asked of an informer. */
export interface Seen {
  readonly revision: string;
  get(key: Key): ApiObject | undefined;
}

interface Awaited {
  readonly sinceMs: number;
  isSeen(): boolean;
}

interface Doubt {
  readonly resource: Resource;
  readonly key: Key;
}

/** After which a write is no longer awaited, ms: the watch must be broken. Source: ExpectationsTimeout */
export const patienceMs = 300_000;

/** The writes of one controller that its cache may not show yet, by the key they were made for. */
export class OwnWrites {
  readonly #clock: Clock;
  readonly #awaited = new Map<Key, Awaited[]>();
  readonly #doubts = new Map<Key, Doubt[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something was written for `key`, and the answer had this revision. */
  written(key: Key, informer: Seen, revision: string): void {
    this.#await(key, () => hasReached(informer.revision, revision));
  }

  /** An object was deleted for `key`. */
  deleted(key: Key, informer: Seen, { object, uid }: { object: Key; uid: string | undefined }): void {
    this.#await(key, () => {
      const seen = informer.get(object);
      return seen === undefined || seen.metadata.uid !== uid || seen.metadata.deletionTimestamp !== undefined;
    });
  }

  /** Something may or may not have been created for `key`. */
  doubted(key: Key, doubt: Doubt): void {
    const all = this.#doubts.get(key);
    if (all === undefined) this.#doubts.set(key, [doubt]);
    else all.push(doubt);
  }

  /**
   * Asks the API about creates whose answer never came.
   * @throws {StatusError | TransportFailed} it is still unknown
   */
  async resolve(key: Key, client: Client, informerOf: (resource: Resource) => Seen | undefined): Promise<void> {
    for (const doubt of this.#doubts.get(key) ?? []) {
      const informer = informerOf(doubt.resource);
      try {
        const found = await client.get(doubt.resource, doubt.key);
        if (informer !== undefined) this.written(key, informer, found.metadata.resourceVersion ?? "");
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    this.#doubts.delete(key);
  }

  /** Whether the cache shows everything written for `key`. */
  isSeen(key: Key): boolean {
    const awaited = this.#awaited.get(key);
    if (awaited === undefined) return true;
    const oldestMs = this.#clock.monotonicMs() - patienceMs;
    const left = awaited.filter((write) => write.sinceMs > oldestMs && !write.isSeen());
    if (left.length === 0) this.#awaited.delete(key);
    else this.#awaited.set(key, left);
    return left.length === 0;
  }

  #await(key: Key, isSeen: () => boolean): void {
    if (isSeen()) return;
    const write = { sinceMs: this.#clock.monotonicMs(), isSeen };
    const all = this.#awaited.get(key);
    if (all === undefined) this.#awaited.set(key, [write]);
    else all.push(write);
  }
}
