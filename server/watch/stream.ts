/**
 * One client's watch: from changes of the cache to bytes on its connection.
 *
 *     cache ─changes─▶ what it means to this client ─▶ buffer ─once a tick─▶ connection
 *
 * Where many watch the same, most of the work is to encrypt and send each piece to each of them; so there the pieces of a
 * few milliseconds go out as one.
 *
 * The buffer is bounded: a client that reads too slowly is cut off, and never holds up another.
 */
import type { ServerResponse } from "node:http";
import type { Clock, Timer } from "@atoll/machinery/clock";
import { StatusError } from "@atoll/machinery/status";
import { type Change, Compacted, type Entry } from "@atoll/storage/store";
import type { Follower } from "../registry/cache.ts";
import type { Resource } from "../registry/resource.ts";
import { statusOf } from "../reply.ts";
import type { Selection } from "../verbs/select.ts";
import type { Start } from "../verbs/watch.ts";
import type { EventEncoder } from "./encoder.ts";
import type { EventType } from "./events.ts";

export interface StreamOptions {
  readonly resource: Resource;
  readonly encoder: EventEncoder;
  readonly response: ServerResponse;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Only keys that begin with it. */
  readonly prefix: string;
  /** Only this key, when given. */
  readonly key: string | undefined;
  readonly selection: Selection;
  readonly bookmarks: boolean;
  readonly timeoutMs: number;
}

/** Bytes that may wait for a slow client. Source: design promise 6, each stalled buffer at most 1 MiB */
const bufferMax = 1024 * 1024;
/** Source: apiserver's cacher sends bookmarks about once a minute. */
const bookmarkMs = 60_000;
/** … and one this long before a watch times out. */
const lastBookmarkMs = 2_000;
/** With this many others a watcher gets its pieces at least `paceMs` apart. */
const crowd = 20;
const paceMs = 10;
// A watch that is this short gets none but the one that ends its initial objects.
const shortWatchMs = 4_000;

export class Stream implements Follower {
  readonly #options: StreamOptions;
  #pending: (Buffer | Promise<Buffer>)[] = [];
  #pendingBytes = 0;
  #scheduled = false;
  #flushing = false;
  #over = false;
  /** The initial objects may be larger than the buffer: they are written as the client reads. */
  #initial = false;
  #unfollow: (() => void) | undefined;
  #timers: Timer[] = [];
  #told = 0;
  #wroteMs = 0;

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  start({ after, announceEnd }: Start): void {
    const { response, encoder, clock, signal, resource, timeoutMs } = this.#options;
    const type = encoder.contentType;
    response.writeHead(200, { "content-type": type, "cache-control": "no-cache, private" });
    response.flushHeaders();
    response.on("close", () => this.#end());
    signal.addEventListener("abort", () => this.#finish(), { once: true });
    this.#timers.push(clock.after(timeoutMs, () => this.#finish(), { unref: true }));
    if (this.#options.bookmarks && timeoutMs >= shortWatchMs)
      this.#nextBookmark(Math.max(0, Math.min(bookmarkMs, timeoutMs - lastBookmarkMs)));
    if (after === undefined) this.#tellInitial(announceEnd);
    this.#unfollow = resource.cache.follow(after ?? resource.cache.revision, this);
    if (this.#over) this.#unfollow();
  }

  #tellInitial(announceEnd: boolean): void {
    const { resource, prefix, key, selection, encoder } = this.#options;
    const { cache } = resource;
    this.#initial = true;
    for (const entry of key === undefined ? cache.range(prefix) : present(cache.get(key))) {
      if (selection.everything || selection.matches(cache.object(entry))) this.#push(encoder.event("ADDED", entry));
    }
    this.#told = cache.revision;
    if (announceEnd) this.#push(encoder.bookmark(cache.revision, true));
  }

  changes(changes: readonly Change[]): void {
    for (const change of changes) {
      this.#told = change.revision;
      if (!this.#concerns(change.key)) continue;
      const event = this.#eventOf(change);
      if (event !== undefined) this.#push(this.#options.encoder.event(event.type, event.entry));
    }
  }

  progress(revision: number): void {
    this.#told = Math.max(this.#told, revision);
  }

  ended(error: Error | undefined): void {
    if (error === undefined) return this.#finish();
    const told =
      error instanceof Compacted
        ? new StatusError("Expired", `too old resource version: history starts at ${error.oldest}`)
        : new StatusError("ServiceUnavailable", "the watch was interrupted; start again");
    this.#push(this.#options.encoder.error(statusOf(told)));
    this.#finish();
  }

  #concerns(key: string): boolean {
    const { key: only, prefix } = this.#options;
    return only === undefined ? key.startsWith(prefix) : key === only;
  }

  /** An object that begins or ceases to match appears or disappears, whatever was done to it. */
  #eventOf({ entry, previous, revision }: Change): { type: EventType; entry: Entry } | undefined {
    const { selection, resource } = this.#options;
    const matches = (candidate: Entry | undefined): candidate is Entry =>
      candidate !== undefined && (selection.everything || selection.matches(resource.cache.object(candidate)));
    const before = matches(previous);
    if (matches(entry)) return { type: before ? "MODIFIED" : "ADDED", entry };
    return before ? { type: "DELETED", entry: resource.events.departed(previous, revision) } : undefined;
  }

  #push(event: Buffer | Promise<Buffer>): void {
    if (this.#over) return;
    this.#pending.push(event);
    this.#pendingBytes += event instanceof Promise ? 0 : event.length;
    if (!this.#initial && this.#pendingBytes + this.#options.response.writableLength > bufferMax) {
      return this.#cut();
    }
    if (this.#scheduled || this.#flushing) return;
    this.#scheduled = true;
    const { clock, resource } = this.#options;
    const flush = () => {
      this.#scheduled = false;
      this.#flush();
    };
    const waitMs = resource.cache.followers < crowd ? 0 : this.#wroteMs + paceMs - clock.monotonicMs();
    if (waitMs > 0) clock.after(waitMs, flush, { unref: true });
    else setImmediate(flush);
  }

  /** Writes what has gathered in this tick as one piece. */
  #flush(): void {
    if (this.#over || this.#pending.length === 0) return;
    const events = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    if (events.some((event) => event instanceof Promise)) void this.#flushLater(events);
    else this.#write(events as Buffer[]);
  }

  /** Events that a webhook converts arrive later, and keep their order. */
  async #flushLater(events: (Buffer | Promise<Buffer>)[]): Promise<void> {
    this.#flushing = true;
    try {
      this.#write(await Promise.all(events));
    } catch (error) {
      this.#write([this.#options.encoder.error(statusOf(error))]);
      this.#finish();
    } finally {
      this.#flushing = false;
    }
    this.#flush();
  }

  #write(events: Buffer[]): void {
    const { response, resource, clock } = this.#options;
    if (this.#over) return;
    this.#wroteMs = clock.monotonicMs();
    response.write(resource.events.joined(events), () => {
      this.#initial = false;
    });
  }

  #nextBookmark(afterMs: number): void {
    const { clock, encoder } = this.#options;
    const timer = clock.after(
      afterMs,
      () => {
        if (this.#over) return;
        if (this.#told > 0) this.#push(encoder.bookmark(this.#told, false));
        this.#nextBookmark(bookmarkMs);
      },
      { unref: true },
    );
    this.#timers.push(timer);
  }

  /** Ends in order: what is pending is written first. */
  #finish(): void {
    if (this.#over) return;
    this.#flush();
    this.#end();
    this.#options.response.end();
  }

  #cut(): void {
    this.#end();
    this.#options.response.destroy();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#unfollow?.();
    for (const timer of this.#timers) timer.cancel();
    this.#timers = [];
    this.#pending = [];
  }
}

function present(entry: Entry | undefined): readonly Entry[] {
  return entry === undefined ? [] : [entry];
}
