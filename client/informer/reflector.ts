/**
 * Keeps telling a sink what a collection holds: a streaming list, then the changes, for ever.
 *
 *            ┌──────────── Expired ─────────────┐
 *            ▼                                  │
 *   list (streamed, or paged where a server ──▶ watch ──▶ watch ends ──▶ watch from the last revision
 *            ▲                cannot stream)    │
 *            └── back off ◀──── failure ◀───────┘
 *
 * A failure before the list is whole repeats the list; one after it resumes the watch. Sources:
 * k8s.io/client-go/tools/cache/reflector.go; KEP-3157 (streaming lists)
 */
import type { Clock } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import type { Client, Selection } from "../client.ts";
import { isExpired, isRefusal } from "../errors.ts";
import type { Resource } from "../resource.ts";
import type { WatchBatch, WatchEvent } from "../watch.ts";

/** Takes what a reflector tells. Calls never overlap. */
export interface ReflectorSink<T> {
  /** All there is, as of a revision: what is not among them is gone. */
  replaced(objects: readonly T[], revision: string): void;
  /** One change since. */
  changed(type: "ADDED" | "MODIFIED" | "DELETED", object: T): void;
  /** Nothing more happened up to this revision. */
  progressed(revision: string): void;
  /** A try failed; the next one follows. */
  failed(error: unknown): void;
}

/** What a reflector follows, and with what. */
export interface ReflectorOptions<T> {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: () => number;
  readonly resource: Resource<T>;
  readonly selection: Selection;
  readonly sink: ReflectorSink<T>;
  /** Between tries that fail, at most, ms; half as much again by chance. Default 30,000. */
  readonly longestDelayMs?: number | undefined;
}

const firstDelayMs = 100;
const usualLongestDelayMs = 30_000;
/** A watch that lasted this long was healthy, and the next delay is the first again. */
const healthyMs = 10_000;
const shortestWatchSeconds = 300;
/** How long after its own timeout a silent watch is taken for dead. */
const watchGraceSeconds = 30;

/** Follows one collection until the signal aborts. */
export class Reflector<T extends ApiObject> {
  readonly #options: ReflectorOptions<T>;
  /** Up to where everything has been told; undefined: a list is due. */
  #revision: string | undefined;
  #streams = true;
  #delayMs = firstDelayMs;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
  }

  /** Resolves when the signal has aborted; failures go to the sink. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, sink } = this.#options;
    while (!signal.aborted) {
      const startMs = clock.monotonicMs();
      const failure = await this.#follow(signal).then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      if (signal.aborted) return;
      const healthy = clock.monotonicMs() - startMs >= healthyMs;
      if (healthy) this.#delayMs = firstDelayMs;
      if (failure === undefined && healthy) continue;
      if (failure !== undefined && !this.#adjust(failure.error)) sink.failed(failure.error);
      await this.#pause(signal);
    }
  }

  /** Draws the lesson of a failure. @returns whether it was an ordinary turn of events */
  #adjust(error: unknown): boolean {
    if (isExpired(error)) {
      this.#revision = undefined;
      return true;
    }
    // A server from before streaming lists says so in one of these ways.
    if (this.#revision === undefined && this.#streams && isRefusal(error, "Invalid", "BadRequest")) {
      this.#streams = false;
      return true;
    }
    return false;
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const { clock, random, longestDelayMs = usualLongestDelayMs } = this.#options;
    const delayMs = this.#delayMs * (0.5 + random());
    this.#delayMs = Math.min(this.#delayMs * 2, longestDelayMs);
    await clock.sleep(delayMs, signal).catch(() => undefined);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    if (this.#revision === undefined && !this.#streams) await this.#listPaged(signal);
    const initialEvents = this.#revision === undefined;
    const { clock, client, resource, selection } = this.#options;
    const timeoutSeconds = Math.ceil(shortestWatchSeconds * (1 + this.#options.random()));
    const stalled = new AbortController();
    const giveUpMs = (timeoutSeconds + watchGraceSeconds) * 1000;
    const timer = clock.after(giveUpMs, () => stalled.abort(new Error("the watch outlived its timeout")), {
      unref: true,
    });
    try {
      const batches = client.watch(resource, {
        ...selection,
        initialEvents,
        timeoutSeconds,
        ...(this.#revision === undefined ? {} : { resourceVersion: this.#revision }),
        signal: AbortSignal.any([signal, stalled.signal]),
      });
      if (initialEvents) await this.#takeInitial(batches);
      else for await (const batch of batches) this.#takeAll(batch);
    } finally {
      timer.cancel();
    }
  }

  async #listPaged(signal: AbortSignal): Promise<void> {
    const { client, resource, selection, sink } = this.#options;
    const objects: T[] = [];
    let revision = "";
    for await (const page of client.pages(resource, { ...selection, signal })) {
      objects.push(...page.items);
      revision = page.resourceVersion;
    }
    this.#revision = revision;
    sink.replaced(objects, revision);
  }

  /** Gathers the objects of a streaming list, and goes on with the changes after it. */
  async #takeInitial(batches: AsyncIterable<WatchBatch<T>>): Promise<void> {
    const objects = new Map<string, T>();
    for await (const batch of batches) {
      for (const event of batch) {
        if (this.#revision !== undefined) this.#take(event);
        else this.#gather(objects, event);
      }
    }
    // The server takes the parameter for an unknown one: a plain list it is.
    if (this.#revision === undefined) this.#streams = false;
  }

  #gather(objects: Map<string, T>, event: WatchEvent<T>): void {
    if (event.type !== "BOOKMARK") {
      const { namespace = "", name = "" } = event.object.metadata;
      const key = `${namespace}/${name}`;
      if (event.type === "DELETED") objects.delete(key);
      else objects.set(key, event.object);
    } else if (event.listed) {
      this.#revision = event.resourceVersion;
      this.#options.sink.replaced([...objects.values()], event.resourceVersion);
      objects.clear();
    }
  }

  #takeAll(batch: WatchBatch<T>): void {
    for (const event of batch) this.#take(event);
  }

  #take(event: WatchEvent<T>): void {
    if (event.type === "BOOKMARK") {
      this.#revision = event.resourceVersion;
      this.#options.sink.progressed(event.resourceVersion);
    } else {
      this.#revision = event.object.metadata.resourceVersion ?? this.#revision;
      this.#options.sink.changed(event.type, event.object);
    }
  }
}
