/**
 * The shape of a controller: a kind it is for, what it reads and writes, and a reconcile that makes the world of one key
 * as it should be.
 *
 * reconcile() takes a key, never an event: whatever woke it, it reads the world, plans, acts, reports. So a restart, a
 * lost event and a second replica run one code path. It ends in one of five ways:
 *   settled               nothing more until something changes
 *   again({ afterMs })    waiting for the world; look again
 *   throw                 failed: back off and try again
 *   throw terminal(error) failed for good: until something changes, a retry would fail the same way
 *   throw after abort     the process is stopping
 */
import type { Filter } from "@atoll/client/informer/cache";
import type { Cache } from "@atoll/client/informer/cache";
import { listFrom } from "@atoll/client/informer/cache";
import type { Informer } from "@atoll/client/informer/informer";
import { isConflict, isNamespaceTerminating, isNotFound } from "@atoll/client/errors";
import type { Client } from "@atoll/client/client";
import type { AnyResource, Key, Resource } from "@atoll/client/resource";
import { groupResource, keyOf } from "@atoll/client/resource";
import type { Clock } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import type { Claim, Read, View } from "./claims.ts";
import type { Recorder } from "./events.ts";
import type { Log } from "./log.ts";
import { OwnWrites, patienceMs } from "./ownwrites.ts";
import type { Limits } from "./queue.ts";
import { Queue } from "./queue.ts";
import { Writer } from "./writer.ts";

/** How a reconcile ended that did not fail. */
export type Result = { readonly afterMs: number | undefined };

/** Nothing more to do until something changes. */
export const settled: Result = { afterMs: undefined };

/** Look again in `afterMs`, if nothing changes before. */
export function again({ afterMs }: { readonly afterMs: number }): Result {
  return { afterMs };
}

/** A failure that a retry would only repeat. */
export class Terminal extends Error {
  override readonly name = "Terminal";
}

/** Marks a failure as one that a retry would only repeat. */
export function terminal(error: unknown): Terminal {
  return new Terminal(error instanceof Error ? error.message : String(error), { cause: error });
}

/** What a reconcile works with. */
export interface Reconcile {
  readonly cache: View;
  readonly client: Writer;
  readonly events: Recorder;
  readonly clock: Clock;
  readonly log: Log;
  /** In [0, 1). */
  readonly random: () => number;
  /** Aborts when the process must stop now. */
  readonly signal: AbortSignal;
}

/** A controller, as its author writes it. */
export interface ControllerShape<T extends ApiObject> {
  /** Lower-case, unique; names its events and what it logs. */
  readonly name: string;
  readonly for: Resource<T>;
  readonly reads?: readonly Read<never>[];
  readonly writes: readonly Claim[];
  /** Keys at work at once. Default 4. */
  readonly concurrency?: number;
  /**
   * How long a key that a change woke waits for further ones, ms, so that what comes together is reconciled once; for
   * reconciles that cost more than they are urgent. Default 0.
   */
  readonly gatherMs?: number;
  readonly limits?: Limits;
  reconcile(key: Key, tools: Reconcile): Promise<Result>;
}

/** What a controller runs with. */
export interface Surroundings {
  readonly client: Client;
  readonly cache: Cache;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly events: Recorder;
  /** Aborts: take no more work, finish what is begun. */
  readonly stopping: AbortSignal;
  /** Aborts: drop everything. */
  readonly dead: AbortSignal;
}

/** A controller as the runtime runs it. Most are made by defineController; garbage collection has a loop of its own. */
export interface Controller {
  readonly name: string;
  readonly reads: readonly (AnyResource | "any")[];
  readonly writes: readonly Claim[];
  start(surroundings: Surroundings): RunningController;
}

/** A controller at work. */
export interface RunningController {
  /** Resolves when it has stopped. */
  readonly ended: Promise<void>;
  /** Its caches have been read once. */
  readonly synced: boolean;
  /** Nothing is at work or waits to be, and the caches show its own writes. */
  readonly idle: boolean;
}

/** A controller of the usual shape. */
export function defineController<T extends ApiObject>(shape: ControllerShape<T>): Controller {
  const reads = [shape.for as AnyResource, ...(shape.reads ?? []).map(({ resource }) => resource as AnyResource)];
  return {
    name: shape.name,
    reads,
    writes: shape.writes,
    start: (surroundings) => new Loop(shape as unknown as ControllerShape<ApiObject>, surroundings),
  };
}

class Loop implements RunningController, View {
  readonly ended: Promise<void>;
  readonly #shape: ControllerShape<ApiObject>;
  readonly #around: Surroundings;
  readonly #queue: Queue<Key>;
  readonly #ownWrites: OwnWrites;
  readonly #informers = new Map<string, Informer>();
  /** Keys that wait for the cache to show what was written for them. */
  readonly #held = new Set<Key>();
  /** Keys that wait for further changes. */
  readonly #gathering = new Set<Key>();
  readonly #log: Log;

  constructor(shape: ControllerShape<ApiObject>, around: Surroundings) {
    this.#shape = shape;
    this.#around = around;
    this.#log = around.log.with({ controller: shape.name });
    this.#ownWrites = new OwnWrites(around.clock);
    const { limits } = shape;
    this.#queue = new Queue({ clock: around.clock, ...(limits === undefined ? {} : { limits }) });
    this.ended = this.#run();
  }

  get synced(): boolean {
    return [...this.#informers.values()].every((informer) => informer.synced);
  }

  get idle(): boolean {
    return this.synced && this.#queue.idle && this.#held.size === 0 && this.#gathering.size === 0;
  }

  get<T extends ApiObject>(resource: Resource<T>, key: Key): T | undefined {
    return this.#declared(resource).get(key);
  }

  list<T extends ApiObject>(resource: Resource<T>, filter?: Filter): readonly T[] {
    return listFrom(this.#declared(resource), filter ?? {});
  }

  #declared<T extends ApiObject>(resource: Resource<T>): Informer<T> {
    const informer = this.#informers.get(groupResource(resource));
    if (informer === undefined)
      throw new Error(`${this.#shape.name} does not declare that it reads ${groupResource(resource)}`);
    return informer as unknown as Informer<T>;
  }

  async #run(): Promise<void> {
    const { stopping } = this.#around;
    const unsubscribe = this.#subscribe();
    stopping.addEventListener("abort", () => this.#queue.close(), { once: true });
    if (stopping.aborted) this.#queue.close();
    await this.#whenSynced();
    const { concurrency = 4 } = this.#shape;
    await Promise.all(Array.from({ length: concurrency }, () => this.#work()));
    for (const end of unsubscribe) end();
  }

  #whenSynced(): Promise<unknown> {
    const aborted = new Promise<void>((resolve) => {
      if (this.#around.stopping.aborted) resolve();
      this.#around.stopping.addEventListener("abort", () => resolve(), { once: true });
    });
    const all = Promise.all([...this.#informers.values()].map((informer) => informer.whenSynced()));
    return Promise.race([aborted, all]);
  }

  #subscribe(): (() => void)[] {
    const own: Read = { resource: this.#shape.for, keys: (object) => [keyOf(object)] };
    const reads = [own, ...((this.#shape.reads ?? []) as unknown as readonly Read[])];
    // All informers first: finding keys may look into any of them.
    for (const { resource, selection, indexes = [] } of reads) {
      const informer = this.#around.cache.informer(resource, selection);
      for (const { name, by } of indexes) informer.addIndex(name, by);
      this.#informers.set(groupResource(resource), informer);
    }
    const ends = reads.map(({ resource, keys, matters }) => {
      const wake = (object: ApiObject | undefined) => {
        if (object !== undefined) for (const key of keys(object, this)) this.#wake(key);
      };
      return this.#declared(resource).onChange(({ before, after }) => {
        if (before !== undefined && after !== undefined && matters?.(before, after) === false) return;
        wake(before);
        wake(after);
      });
    });
    const progress = [...this.#informers.values()].map((informer) => informer.onProgress(() => this.#release()));
    return [...ends, ...progress];
  }

  #wake(key: Key): void {
    const { gatherMs = 0 } = this.#shape;
    if (gatherMs === 0) return this.#queue.add(key);
    this.#gathering.add(key);
    this.#queue.addAfter(key, gatherMs);
  }

  /** Lets keys go on whose writes the cache shows by now. */
  #release(): void {
    for (const key of this.#held) {
      if (!this.#ownWrites.isSeen(key)) continue;
      this.#held.delete(key);
      this.#queue.add(key);
    }
  }

  async #work(): Promise<void> {
    for (;;) {
      const key = await this.#queue.take();
      if (key === undefined) return;
      this.#gathering.delete(key);
      try {
        if (this.#ownWrites.isSeen(key)) await this.#reconcile(key);
        else this.#hold(key);
      } finally {
        this.#queue.done(key);
      }
    }
  }

  #hold(key: Key): void {
    this.#held.add(key);
    this.#queue.addAfter(key, patienceMs);
  }

  async #reconcile(key: Key): Promise<void> {
    const { client } = this.#around;
    this.#held.delete(key);
    try {
      await this.#ownWrites.resolve(key, client, (resource) => this.#informers.get(groupResource(resource)));
      if (!this.#ownWrites.isSeen(key)) return this.#hold(key);
      const result = await this.#shape.reconcile(key, this.#toolsFor(key));
      this.#queue.forget(key);
      if (result.afterMs !== undefined) this.#queue.addAfter(key, result.afterMs);
    } catch (error) {
      this.#failed(key, error);
    }
  }

  #failed(key: Key, error: unknown): void {
    if (this.#around.dead.aborted) return;
    if (error instanceof Terminal) {
      this.#queue.forget(key);
      this.#log.error("gave up until something changes", { key, error: error.cause });
      return;
    }
    const afterMs = this.#queue.retry(key);
    // These only say that the cache was behind, or that all of the namespace is going.
    const isPassing = isConflict(error) || isNotFound(error) || isNamespaceTerminating(error);
    const level = isPassing ? "debug" : "warn";
    this.#log[level]("failed, will try again", { key, afterMs, error });
  }

  #toolsFor(key: Key): Reconcile {
    const { client, clock, random, events, dead } = this.#around;
    const writer = new Writer({
      client,
      controller: this.#shape.name,
      claims: this.#shape.writes,
      resources: [this.#shape.for, ...[...this.#informers.values()].map(({ resource }) => resource)],
      ownWrites: this.#ownWrites,
      informerOf: (resource) => this.#informers.get(groupResource(resource)),
      random,
      key,
      signal: dead,
    });
    return { cache: this, client: writer, events, clock, log: this.#log.with({ key }), random, signal: dead };
  }
}
