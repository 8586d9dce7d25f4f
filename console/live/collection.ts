/**
 * What one watch has told so far. Fed by the live connection, read by views.
 *
 *   loading ──listed──▶ live ◀──▶ stale            refused: over
 */
import type { Metadata } from "../model/object.ts";

/** How good what is shown is. */
export type Phase = "loading" | "live" | "stale" | "refused";

/** Objects at one moment; a new value for each change, so that views can compare. */
export interface Snapshot<T> {
  readonly phase: Phase;
  readonly items: readonly T[];
  /** Why it is stale or refused; "" else. */
  readonly message: string;
}

/** One event of the API server. */
export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly object: Readonly<Record<string, unknown>>;
}

/** A message of the portal about one watch. Source: portal/live.ts */
export interface Message {
  readonly id: number;
  readonly begin?: boolean;
  readonly events?: readonly WatchEvent[];
  readonly stale?: string;
  readonly refused?: { readonly message?: string };
}

/** Objects by uid. */
export class Collection<T extends { readonly metadata: Metadata }> {
  #known = new Map<string, T>();
  /** While a watch begins anew: takes the place of what is known when all of it has been told. */
  #fresh: Map<string, T> | undefined;
  #phase: Phase = "loading";
  #message = "";
  #snapshot: Snapshot<T> = { phase: "loading", items: [], message: "" };
  #isChanged = false;
  readonly #listeners = new Set<() => void>();

  /** Takes in a message. Nobody is told before `flush`. */
  take({ begin, events, stale, refused }: Message): void {
    this.#isChanged = true;
    if (begin === true) this.#fresh = new Map();
    for (const event of events ?? []) this.#apply(event);
    if (stale !== undefined) this.stale(stale);
    if (refused !== undefined) {
      this.#phase = "refused";
      this.#message = refused.message ?? "The API server refuses this.";
    }
  }

  /** What is known may be behind, for a reason; "" when it no longer is. */
  stale(why: string): void {
    this.#isChanged = true;
    this.#message = why;
    if (why !== "" && this.#phase === "live") this.#phase = "stale";
    if (why === "" && this.#phase === "stale") this.#phase = "live";
  }

  /** Tells views, when there is anything to tell. */
  flush(): void {
    if (!this.#isChanged) return;
    this.#isChanged = false;
    // The first time what has been told so far is shown at once; later nothing is taken away before all has been told.
    const told = this.#phase === "loading" ? (this.#fresh ?? this.#known) : this.#known;
    const items = [...told.values()];
    this.#snapshot = { phase: this.#phase, items, message: this.#message };
    for (const tell of this.#listeners) tell();
  }

  /** How many objects there are. */
  get size(): number {
    return Math.max(this.#known.size, this.#fresh?.size ?? 0);
  }

  /** The latest that views were told of. */
  readonly read = (): Snapshot<T> => this.#snapshot;

  /** @returns ends it */
  readonly subscribe = (tell: () => void): (() => void) => {
    this.#listeners.add(tell);
    return () => this.#listeners.delete(tell);
  };

  #apply({ type, object }: WatchEvent): void {
    if (type === "BOOKMARK") this.#listed();
    else this.#put(type, object as unknown as T);
  }

  #put(type: WatchEvent["type"], item: T): void {
    const into = this.#fresh ?? this.#known;
    if (type === "DELETED") into.delete(item.metadata.uid);
    else into.set(item.metadata.uid, item);
  }

  /** The first bookmark of a watch comes when all that there is has been told. */
  #listed(): void {
    if (this.#fresh === undefined) return;
    this.#known = this.#fresh;
    this.#fresh = undefined;
    this.#phase = "live";
    this.#message = "";
  }
}
