/**
 * The one live connection to the portal. Watches outlive it: when it breaks they are asked for anew, and until then what
 * they told is shown as it is, with word that it may be behind.
 */
import { type Clock, systemClock } from "@atoll/machinery/clock";
import { collectionPath, type Resource } from "../model/resources.ts";
import type { Metadata } from "../model/object.ts";
import { Collection, type Message as ObjectsMessage } from "./collection.ts";
import { TableWatch, type TableMessage } from "./table.ts";

/** What is to be watched. */
export interface Wanted {
  readonly resource: Resource;
  /** "" for all. */
  readonly namespace: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

type Message = ObjectsMessage & TableMessage;

/** How long a watch that nobody reads is kept, ms: going back to a page shows it at once. */
const keepMs = 15_000;
/** From this size on, drawing takes longer than a frame. */
const large = 2_000;
const largeMs = 250;
const retryMs = { first: 250, most: 8_000 } as const;

const broke = "The connection to the console broke.";

type AnyCollection = Collection<{ readonly metadata: Metadata }>;

interface Kept {
  readonly id: number;
  readonly wanted: Wanted;
  readonly collection: AnyCollection;
  readers: number;
}

/** Opens the connection when it is first needed. */
export class LiveConnection {
  readonly #url: string;
  readonly #clock: Clock;
  readonly #onSignedOut: () => void;
  readonly #kept = new Map<string, Kept>();
  readonly #byId = new Map<number, Kept>();
  readonly #tables = new Map<number, TableWatch>();
  #socket: WebSocket | undefined;
  #nextId = 1;
  #waitMs: number = retryMs.first;
  #isFlushing = false;

  constructor(options: { url: string; onSignedOut: () => void; clock?: Clock }) {
    this.#url = options.url;
    this.#clock = options.clock ?? systemClock;
    this.#onSignedOut = options.onSignedOut;
  }

  /** The collection of a watch, shared by all who want the same. Readers announce themselves with `hold`. */
  collection(wanted: Wanted): AnyCollection {
    return this.#keptOf(wanted).collection;
  }

  /** Keeps a watch going. @returns lets it go */
  hold(wanted: Wanted): () => void {
    const kept = this.#keptOf(wanted);
    kept.readers += 1;
    return () => {
      kept.readers -= 1;
      this.#clock.after(keepMs, () => this.#forget(kept));
    };
  }

  /** A table, seen through a window. Each reader has its own; the portal holds the rows once for all. */
  table(wanted: Wanted): TableWatch {
    const id = this.#nextId++;
    return new TableWatch({
      ask: (view) => this.#say({ id, ...asked(wanted), view }),
      open: (table) => {
        this.#tables.set(id, table);
        this.#open();
      },
      close: () => {
        this.#tables.delete(id);
        this.#say({ id, stop: true });
      },
    });
  }

  /** Ends everything. */
  close(): void {
    this.#kept.clear();
    this.#byId.clear();
    this.#socket?.close();
  }

  #keptOf(wanted: Wanted): Kept {
    const key = JSON.stringify([
      collectionPath(wanted.resource, wanted.namespace),
      wanted.fieldSelector,
      wanted.labelSelector,
    ]);
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const kept: Kept = { id: this.#nextId++, wanted, collection: new Collection(), readers: 0 };
    this.#kept.set(key, kept);
    this.#byId.set(kept.id, kept);
    if (this.#socket?.readyState === WebSocket.OPEN) this.#ask(kept);
    else this.#open();
    return kept;
  }

  #forget(kept: Kept): void {
    if (kept.readers > 0 || !this.#byId.delete(kept.id)) return;
    for (const [key, each] of this.#kept) if (each === kept) this.#kept.delete(key);
    this.#say({ id: kept.id, stop: true });
  }

  #ask({ id, wanted }: Kept): void {
    this.#say({ id, ...asked(wanted) });
  }

  /** What is said before there is a connection is said again when there is. */
  #say(message: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #open(): void {
    if (this.#socket !== undefined) return;
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#waitMs = retryMs.first;
      for (const kept of this.#byId.values()) this.#ask(kept);
      for (const table of this.#tables.values()) table.askAgain();
    });
    socket.addEventListener("message", ({ data }) => {
      const message = JSON.parse(String(data)) as Message;
      this.#tables.get(message.id)?.take(message);
      this.#byId.get(message.id)?.collection.take(message);
      this.#flushSoon();
    });
    socket.addEventListener("close", ({ code }) => {
      this.#socket = undefined;
      if (code === 4401) return this.#onSignedOut();
      if (this.#byId.size + this.#tables.size === 0) return;
      for (const { collection } of this.#byId.values()) collection.stale(broke);
      for (const table of this.#tables.values()) table.stale(broke);
      this.#flushSoon();
      this.#clock.after(this.#waitMs, () => this.#open());
      this.#waitMs = Math.min(2 * this.#waitMs, retryMs.most);
    });
  }

  /** Views hear of changes once a frame; of large collections, and while nobody looks, less often. */
  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    const flush = () => {
      this.#isFlushing = false;
      for (const { collection } of this.#byId.values()) collection.flush();
      for (const table of this.#tables.values()) table.flush();
    };
    const isLarge = [...this.#byId.values()].some(({ collection }) => collection.size > large);
    if (isLarge || document.hidden) this.#clock.after(largeMs, flush);
    else requestAnimationFrame(flush);
  }
}

/** A wish as the portal wants it. Source: portal/live.ts */
function asked({ resource, namespace, fieldSelector, labelSelector }: Wanted): object {
  const query = {
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
  };
  return { watch: collectionPath(resource, namespace), query };
}
