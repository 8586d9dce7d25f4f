/** A table as a page sees it: the rows in its window, and how many there are in all. The portal finds and sorts. */
import type { Column, Row } from "@atoll/portal/view/rows";
import type { Tone } from "@atoll/portal/view/tones";
import type { View } from "@atoll/portal/view/view";
import type { Phase } from "./collection.ts";

/** What is seen at one moment; a new value for each change. */
export interface Seen {
  readonly phase: Phase;
  /** Why it is stale or refused; "" else. */
  readonly message: string;
  /** Place of the first row. */
  readonly from: number;
  readonly rows: readonly Row[];
  /** How many rows match. */
  readonly found: number;
  /** How many there are. */
  readonly all: number;
  readonly columns: readonly Column[];
  /** How many of each tone. */
  readonly tones: Readonly<Record<Tone, number>>;
  /** Of each column that is counted: values and how many rows have them. */
  readonly counts: readonly (readonly (readonly [string, number])[])[];
}

/** A message of the portal about a table. Source: portal/table.ts */
export interface TableMessage {
  readonly seen?: Omit<Seen, "phase" | "message"> & { readonly isWhole: boolean; readonly stale: string };
  readonly refused?: { readonly message?: string };
}

interface TableWatchOptions {
  /** Asks the portal to show it. */
  ask(view: View): void;
  open(table: TableWatch): void;
  close(): void;
}

const nothing: Seen = {
  phase: "loading",
  message: "",
  from: 0,
  rows: [],
  found: 0,
  all: 0,
  columns: [],
  tones: { good: 0, busy: 0, warn: 0, bad: 0, plain: 0 },
  counts: [],
};

/** One reader's table. */
export class TableWatch {
  readonly #options: TableWatchOptions;
  readonly #listeners = new Set<() => void>();
  #view: View | undefined;
  #next: Seen = nothing;
  #seen: Seen = nothing;

  constructor(options: TableWatchOptions) {
    this.#options = options;
  }

  /** Shows it until the function that is returned is called. */
  open(): () => void {
    this.#options.open(this);
    this.askAgain();
    return () => this.#options.close();
  }

  /** Looks at another part. */
  look(view: View): void {
    this.#view = view;
    this.#options.ask(view);
  }

  /** After the connection was made. */
  askAgain(): void {
    if (this.#view !== undefined) this.#options.ask(this.#view);
  }

  /** Takes in a message. Nobody is told before `flush`. */
  take({ seen, refused }: TableMessage): void {
    if (refused !== undefined) {
      this.#next = { ...nothing, phase: "refused", message: refused.message ?? "The API server refuses this." };
    }
    if (seen === undefined) return;
    const { isWhole, stale, ...rest } = seen;
    this.#next = { ...rest, phase: phaseOf(isWhole, stale), message: stale };
  }

  /** What is shown may be behind. */
  stale(why: string): void {
    if (this.#next.phase === "live") this.#next = { ...this.#next, phase: "stale", message: why };
  }

  /** Tells views, when there is anything to tell. */
  flush(): void {
    if (this.#next === this.#seen) return;
    this.#seen = this.#next;
    for (const tell of this.#listeners) tell();
  }

  /** The latest that views were told of. */
  readonly read = (): Seen => this.#seen;

  /** @returns ends it */
  readonly subscribe = (tell: () => void): (() => void) => {
    this.#listeners.add(tell);
    return () => this.#listeners.delete(tell);
  };
}

function phaseOf(isWhole: boolean, stale: string): Phase {
  if (!isWhole) return "loading";
  return stale === "" ? "live" : "stale";
}
