/** Watch events that go out as an object's own bytes: made once, and the same buffer handed to every watcher. */
import type { Entry } from "@atoll/storage/store";
import type { Splicer } from "../registry/encoding.ts";

export type EventType = "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";

/** Watchers are told of a change in one go, so the last few events are enough to share. */
const kept = 64;

/** The shared events of one resource. */
export class SharedEvents {
  readonly #splicer: Splicer;
  readonly #made = new Map<Entry, { readonly type: EventType; readonly bytes: Buffer }>();
  #joined: { readonly events: readonly Buffer[]; readonly bytes: Buffer } = { events: [], bytes: Buffer.alloc(0) };
  readonly #departed = new WeakMap<Entry, Entry>();

  constructor(splicer: Splicer) {
    this.#splicer = splicer;
  }

  bytes(type: EventType, entry: Entry): Buffer {
    const known = this.#made.get(entry);
    if (known?.type === type) return known.bytes;
    const bytes = this.#splicer.splice(entry, `{"type":"${type}","object":`, "}\n");
    if (this.#made.size >= kept) this.#forgetOldest();
    this.#made.set(entry, { type, bytes });
    return bytes;
  }

  /** Several events as one piece: watchers who are told the same get the same piece. */
  joined(events: readonly Buffer[]): Buffer {
    const [only] = events;
    if (events.length === 1 && only !== undefined) return only;
    const last = this.#joined;
    if (last.events.length === events.length && last.events.every((event, i) => event === events[i])) return last.bytes;
    this.#joined = { events, bytes: Buffer.concat(events) };
    return this.#joined.bytes;
  }

  #forgetOldest(): void {
    for (const oldest of this.#made.keys()) {
      this.#made.delete(oldest);
      return;
    }
  }

  /** The last state of an object, with the revision at which it went or ceased to match. */
  departed(last: Entry, revision: number): Entry {
    const known = this.#departed.get(last);
    if (known?.modRevision === revision) return known;
    const gone = { ...last, modRevision: revision };
    this.#departed.set(last, gone);
    return gone;
  }
}
