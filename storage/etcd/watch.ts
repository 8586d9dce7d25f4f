/**
 * One watch on etcd, on a stream of its own. When the stream breaks it goes on, on another member, after the revision
 * it has told last.
 *
 *   connecting -> streaming -> (the stream breaks) connecting ...
 *   -> over: ended() was called
 */
import type { ClientDuplexStream } from "@grpc/grpc-js";
import type { Clock, Timer } from "@atoll/machinery/clock";
import type { EtcdSession } from "./session.ts";
import { isRestored } from "./value.ts";
import { methods, prefixEnd, type WatchEvent, type WatchRequest, type WatchResponse } from "./wire.ts";
import { type Change, Compacted, StoreRefused, StoreUnavailable, type Watch, type WatchSink } from "../store.ts";

type Stream = ClientDuplexStream<WatchRequest, WatchResponse>;

/** What a watch is told to watch, and what it needs. */
export interface WatchOptions {
  readonly session: EtcdSession;
  readonly clock: Clock;
  readonly prefix: string;
  /** Changes above it are told. */
  readonly after: number;
  readonly sink: WatchSink;
  /** Called once, when it is over. */
  readonly onOver: (watch: EtcdWatch) => void;
}

// How long an answer to a request for progress may take before it is asked again: etcd gives none while it catches up.
const askAgainMs = 50;

/** See the module. */
export class EtcdWatch implements Watch {
  readonly #options: WatchOptions;
  #at: number;
  #stream: Stream | undefined;
  // Whether etcd has told anything on this stream: from then on no compaction can overtake it.
  #running = false;
  #wanted = 0;
  #asking: Timer | undefined;
  #over = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#at = options.after;
    void this.#run();
  }

  close(): void {
    this.end(undefined);
  }

  /** Ends the watch. ended() comes a moment later, so that it never runs inside another call to the sink. */
  end(error: Error | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#asking?.cancel();
    this.#stream?.cancel();
    this.#options.onOver(this);
    queueMicrotask(() => this.#options.sink.ended(error));
  }

  /** Asks for progress up to a revision of the store. */
  want(revision: number): void {
    this.#wanted = Math.max(this.#wanted, revision);
    if (this.#running && this.#at >= this.#wanted) queueMicrotask(() => this.#progress());
    else this.#ask();
  }

  async #run(): Promise<void> {
    for (let waitMs = 10; !this.#over; waitMs = Math.min(waitMs * 2, 1000)) {
      try {
        await this.#connect();
        waitMs = 10;
      } catch (error) {
        if (error instanceof Compacted || error instanceof StoreRefused) this.end(error);
      }
      if (!this.#over) await this.#options.clock.sleep(waitMs);
    }
  }

  // Resolves or rejects when the stream is over.
  async #connect(): Promise<void> {
    const { session, prefix } = this.#options;
    // Also finds out whether etcd went back, in which case it would wait silently for its revision to come again.
    await session.revision();
    if (this.#over) return;
    const { offset, floor } = session.epoch;
    if (this.#at < floor) throw new Compacted(this.#at, floor);
    const key = session.keyOf(prefix);
    // From #at, not after it: compacted at #at + 1, etcd would forget to tell a delete at that revision.
    // https://github.com/etcd-io/etcd/issues/19179
    const startRevision = Math.max(1, this.#at - offset);
    const stream = session.members.stream(methods.watch);
    this.#stream = stream;
    stream.write({
      createRequest: { key, rangeEnd: prefixEnd(key), startRevision, progressNotify: true, prevKv: true },
    });
    try {
      await new Promise<void>((resolve, reject) => {
        stream.on("data", (response: WatchResponse) => {
          try {
            this.#take(response);
          } catch (error) {
            reject(error);
          }
        });
        stream.on("end", resolve);
        stream.on("error", reject);
      });
    } finally {
      this.#stream = undefined;
      this.#running = false;
      stream.cancel();
    }
  }

  #take({ header, created, canceled, compactRevision, cancelReason, events }: WatchResponse): void {
    if (this.#over) return;
    const { session } = this.#options;
    const { offset } = session.epoch;
    if (canceled && compactRevision > 0) throw new Compacted(this.#at, compactRevision + offset);
    if (canceled) throw new Error(`etcd canceled a watch: ${cancelReason}`);
    if (created) return this.#ask();
    this.#running = true;
    const changes = events.filter(({ kv }) => kv.modRevision + offset > this.#at).map((event) => this.#changeOf(event));
    // Without events an answer means that everything up to its revision has been told.
    const reached = events.length === 0 ? header.revision + offset : (changes.at(-1)?.revision ?? this.#at);
    session.saw(reached);
    this.#at = Math.max(this.#at, reached);
    if (changes.length > 0) this.#call(() => this.#options.sink.changes(changes));
    if (events.length === 0) this.#wanted = Math.max(this.#wanted, this.#at);
    this.#progress();
  }

  #changeOf({ type, kv, prevKv }: WatchEvent): Change {
    const { session } = this.#options;
    const revision = kv.modRevision + session.epoch.offset;
    // This server does not know yet: connecting again it will.
    if (type === "PUT" && isRestored(kv)) throw new StoreUnavailable("a backup is being restored into this etcd");
    // etcd looks the previous value up when it tells the event: a compaction may have come before.
    if (prevKv === null && (type === "DELETE" || kv.version > 1)) throw new Compacted(this.#at, revision);
    return {
      key: kv.key.toString("utf8", session.dataPrefix.length),
      revision,
      entry: type === "PUT" ? session.entryOf(kv) : undefined,
      previous: prevKv === null ? undefined : session.entryOf(prevKv),
    };
  }

  #progress(): void {
    if (this.#over || this.#wanted === 0 || this.#at < this.#wanted) return;
    this.#wanted = 0;
    this.#asking?.cancel();
    this.#asking = undefined;
    this.#call(() => this.#options.sink.progress(this.#at));
  }

  #ask(): void {
    this.#asking?.cancel();
    if (this.#over || this.#wanted === 0) return;
    this.#stream?.write({ progressRequest: {} });
    this.#asking = this.#options.clock.after(askAgainMs, () => this.#ask());
  }

  #call(call: () => void): void {
    if (this.#over) return;
    try {
      call();
    } catch (error) {
      this.end(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

/**
 * The revision that the store was compacted to. etcd tells it only to a watch that starts too early: here of the
 * epoch's key, whose first event is told if there was no compaction yet.
 * @throws {StoreUnavailable}
 */
export async function oldestRevision(session: EtcdSession, clock: Clock): Promise<number> {
  for (let attempt = 0; attempt < 5; attempt++) {
    await session.revision();
    const compacted = await firstCompaction(session, clock);
    const { offset, floor } = session.epoch;
    if (compacted !== undefined) return Math.max(floor, compacted === 0 ? 0 : compacted + offset);
  }
  throw new StoreUnavailable("etcd does not tell what it has compacted");
}

// etcd's revision of the compaction, 0 if there was none; undefined when the member did not answer.
async function firstCompaction(session: EtcdSession, clock: Clock): Promise<number | undefined> {
  const stream = session.members.stream(methods.watch);
  stream.write({ createRequest: { key: session.epochKey, startRevision: 1 } });
  try {
    return await new Promise((resolve) => {
      stream.on("data", ({ canceled, compactRevision, events }: WatchResponse) => {
        if (canceled) resolve(compactRevision);
        else if (events.length > 0) resolve(0);
      });
      stream.on("end", () => resolve(undefined));
      stream.on("error", () => resolve(undefined));
      clock.after(2000, () => resolve(undefined), { unref: true });
    });
  } finally {
    stream.cancel();
  }
}
