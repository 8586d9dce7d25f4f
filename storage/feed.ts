/**
 * Watches of a store that commits in this process: replay of the past, then the commits as they come.
 *
 *   watch() -> catching up: reads history in pieces, new commits wait in `pending`
 *           -> live: each commit is told at once
 *           -> over: ended() was called
 */
import { type Change, StoreUnavailable, type Watch, type WatchSink } from "./store.ts";

/** A piece of history: all changes under the prefix after the asked revision up to `reached`. */
export interface Past {
  readonly changes: readonly Change[];
  /** Above the asked `after`; beyond `upTo` only when the changes go as far. */
  readonly reached: number;
}

/**
 * Reads history: at least one step from `after` towards `upTo`.
 * @throws {Compacted} when history no longer reaches `after`
 */
export type ReadPast = (prefix: string, after: number, upTo: number) => Promise<Past>;

// A watch that is this far behind drops what waits for it and reads it again from history.
const pendingLimit = 10_000;

interface Running {
  readonly prefix: string;
  readonly sink: WatchSink;
  /** Told up to this revision. */
  at: number;
  /** Commits that wait until the past is told; undefined once live. */
  pending: Change[] | undefined;
  wantsProgress: boolean;
  over: boolean;
}

/** The watches of one store. */
export class Feed {
  readonly #watches = new Set<Running>();
  readonly #readPast: ReadPast;
  readonly #waiting: (readonly Change[])[] = [];
  #telling = false;
  #closed = false;
  #revision: number;

  constructor(revision: number, readPast: ReadPast) {
    this.#revision = revision;
    this.#readPast = readPast;
  }

  /** Revision of the newest commit published. */
  get revision(): number {
    return this.#revision;
  }

  /** Tells one commit: its changes, ascending. A commit made inside a sink is told after the one being told. */
  publish(changes: readonly Change[]): void {
    this.#revision = changes.at(-1)?.revision ?? this.#revision;
    this.#waiting.push(changes);
    if (!this.#telling) this.#alone(() => {});
  }

  /** Starts a watch; see Store.watch. No sink call happens before this returns. */
  watch(prefix: string, after: number, sink: WatchSink): Watch {
    const watch = this.#start(prefix, after, sink);
    return { close: () => this.#end(watch, undefined) };
  }

  /**
   * Collects every change after a revision and runs `done` with them in the very moment they are complete.
   * @throws {Compacted}
   */
  since<T>(prefix: string, after: number, done: (changes: readonly Change[]) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const seen: Change[] = [];
      const sink: WatchSink = {
        changes(changes) {
          for (const change of changes) seen.push(change);
        },
        progress: () => {
          resolve(done(seen));
          this.#end(watch, undefined);
        },
        ended: (error) => reject(error ?? new StoreUnavailable("the store is closed")),
      };
      const watch = this.#start(prefix, after, sink);
      watch.wantsProgress = true;
    });
  }

  /** See Store.progress. */
  progress(): void {
    for (const watch of this.#watches) watch.wantsProgress = true;
    queueMicrotask(() => {
      this.#alone(() => {
        for (const watch of this.#watches) if (watch.pending === undefined) this.#tellProgress(watch);
      });
    });
  }

  /** Ends every watch; one that is started later ends at once. */
  close(): void {
    this.#closed = true;
    for (const watch of this.#watches) this.#end(watch, undefined);
  }

  #start(prefix: string, after: number, sink: WatchSink): Running {
    const watch: Running = { prefix, sink, at: after, pending: [], wantsProgress: false, over: false };
    this.#watches.add(watch);
    if (this.#closed) this.#end(watch, new StoreUnavailable("the store is closed"));
    this.#catchUp(watch, this.#revision).catch((error: unknown) => this.#end(watch, asError(error)));
    return watch;
  }

  async #catchUp(watch: Running, until: number): Promise<void> {
    await undefined;
    let upTo = until;
    while (watch.at < upTo && !watch.over) {
      const past = await this.#readPast(watch.prefix, watch.at, upTo);
      this.#tell(watch, past.changes);
      watch.at = Math.max(watch.at, past.reached);
      if ((watch.pending?.length ?? 0) > pendingLimit) {
        watch.pending = [];
        upTo = this.#revision;
      }
    }
    this.#alone(() => {
      const { pending } = watch;
      const now = this.#revision;
      watch.pending = undefined;
      this.#tell(watch, pending ?? []);
      watch.at = Math.max(watch.at, now);
      this.#tellProgress(watch);
    });
  }

  // Runs calls to sinks, then tells the commits that were made inside them: calls never overlap.
  #alone(calls: () => void): void {
    this.#telling = true;
    calls();
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      for (const watch of this.#watches) this.#tellOrKeep(watch, next);
    }
    this.#telling = false;
  }

  #tellOrKeep(watch: Running, changes: readonly Change[]): void {
    if (watch.pending === undefined) return this.#tell(watch, changes);
    for (const change of matching(watch, changes)) watch.pending.push(change);
  }

  #tell(watch: Running, changes: readonly Change[]): void {
    if (watch.over) return;
    const told = matching(watch, changes);
    if (told.length > 0) this.#call(watch, () => watch.sink.changes(told));
    watch.at = Math.max(watch.at, changes.at(-1)?.revision ?? 0);
  }

  #tellProgress(watch: Running): void {
    if (watch.over || !watch.wantsProgress) return;
    watch.wantsProgress = false;
    this.#call(watch, () => watch.sink.progress(watch.at));
  }

  #call(watch: Running, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#end(watch, asError(error));
    }
  }

  // ended() comes a moment later, so that it never runs inside another call to the sink.
  #end(watch: Running, error: Error | undefined): void {
    if (watch.over) return;
    watch.over = true;
    this.#watches.delete(watch);
    queueMicrotask(() => watch.sink.ended(error));
  }
}

function matching({ prefix, at }: Running, changes: readonly Change[]): readonly Change[] {
  const matches = (change: Change): boolean => change.revision > at && change.key.startsWith(prefix);
  return changes.every(matches) ? changes : changes.filter(matches);
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
