/** The tables of one page: each is held once, however many views there are of it. */
import type { Clock } from "@atoll/machinery/clock";
import { keepOn, type Source } from "./keep.ts";
import type { Outgoing } from "./outgoing.ts";
import type { Session } from "./sessions.ts";
import { LiveTable } from "./table.ts";
import type { View } from "./view/view.ts";

/** How long a table that nobody looks at is kept, ms: going back to a page shows it at once. */
const keepMs = 15_000;

/** Somebody who looks. */
export interface Looker {
  readonly id: number;
  readonly view: View;
  readonly out: Outgoing;
}

interface Held {
  readonly table: LiveTable;
  readonly stop: AbortController;
}

/** Follows tables while somebody looks at them. */
export class Tables {
  readonly #session: Session;
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();

  constructor(session: Session, clock: Clock) {
    this.#session = session;
    this.#clock = clock;
  }

  /** Shows a table to somebody. @returns looks away */
  look(source: Source, looker: Looker): () => void {
    const key = `${source.path}?${new URLSearchParams(source.query).toString()}`;
    const held = this.#held.get(key) ?? this.#hold(key, source);
    const leave = held.table.look(looker);
    return () => {
      leave();
      this.#clock.after(keepMs, () => this.#forget(key, held), { unref: true });
    };
  }

  /** Ends all. */
  close(): void {
    for (const { stop } of this.#held.values()) stop.abort();
    this.#held.clear();
  }

  #hold(key: string, source: Source): Held {
    const stop = new AbortController();
    const table = new LiveTable({ source, session: this.#session, clock: this.#clock, signal: stop.signal });
    const held = { table, stop };
    this.#held.set(key, held);
    void keepOn(table, this.#clock, stop.signal);
    return held;
  }

  #forget(key: string, held: Held): void {
    if (held.table.isSeen || this.#held.get(key) !== held) return;
    held.stop.abort();
    this.#held.delete(key);
  }
}
