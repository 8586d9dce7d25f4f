/** Watch events that go out as an object's own bytes: made once, and the same buffer handed to every watcher. */
import type { Entry } from "@atoll/storage/store";
import type { Splicer } from "../registry/encoding.ts";

export type EventType = "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";

/** The shared events of one resource. Buffers live as long as the entries they were made from. */
export class SharedEvents {
  readonly #splicer: Splicer;
  readonly #made = new WeakMap<Entry, Map<EventType, Buffer>>();
  readonly #departed = new WeakMap<Entry, Entry>();

  constructor(splicer: Splicer) {
    this.#splicer = splicer;
  }

  bytes(type: EventType, entry: Entry): Buffer {
    const known = this.#made.get(entry);
    const made = known?.get(type);
    if (made !== undefined) return made;
    const bytes = this.#splicer.splice(entry, `{"type":"${type}","object":`, "}\n");
    if (known === undefined) this.#made.set(entry, new Map([[type, bytes]]));
    else known.set(type, bytes);
    return bytes;
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
