/**
 * Charges the quotas of one namespace, one batch of requests at a time: all that came while the last batch was written
 * are reckoned together, and each quota is written once. So many creators at once cost few writes; and as each write
 * holds only on the state it was reckoned on, several servers together never give out more than there is.
 *
 *   ask ─► waiting ─► reckon on the current state ─► write each quota ─► admitted, or refused and given back
 */
import { less, formatAmounts, type Amounts } from "@atoll/api/core/quota/amounts";
import type { ApiObject } from "@atoll/machinery/object";
import { StatusError } from "@atoll/machinery/status";
import { type Change, type Resource, unavailable } from "../../registry/resource.ts";
import { clone } from "../../registry/versions.ts";
import type { AdmissionRequest } from "../admission.ts";
import { type Book, type Charges, chargesOf, enter, openBook } from "./books.ts";

/** A request that waits for its answer. */
interface Asking {
  readonly request: AdmissionRequest;
  readonly admitted: () => void;
  readonly refused: (error: unknown) => void;
}

/** One that has been reckoned and is being written. */
interface Charging {
  readonly asking: Asking;
  readonly charges: Charges;
  /** Names of the quotas in which it is written. */
  readonly written: Set<string>;
  refusal: unknown;
}

/** What a teller works with. */
export interface TellerOptions {
  readonly quotas: Resource;
  readonly namespace: string;
  readonly nowMs: () => number;
  readonly onError: (error: unknown) => void;
  /** Called when there is nothing left to do. */
  readonly onIdle: () => void;
}

/** One namespace's. */
export class Teller {
  readonly #options: TellerOptions;
  #waiting: Asking[] = [];
  #returned: Charges[] = [];
  #working = false;

  constructor(options: TellerOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the request's share has been taken.
   * @throws {StatusError} Forbidden, or the store's refusal
   */
  ask(request: AdmissionRequest): Promise<void> {
    return new Promise((admitted, refused) => {
      this.#waiting.push({ request, admitted, refused });
      this.#wake();
    });
  }

  #giveBack(charges: Charges): void {
    if (charges.size === 0) return;
    this.#returned.push(charges);
    this.#wake();
  }

  #wake(): void {
    if (this.#working) return;
    this.#working = true;
    void this.#work();
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0 || this.#returned.length > 0) {
      const batch = this.#waiting;
      const returned = this.#returned;
      this.#waiting = [];
      this.#returned = [];
      try {
        await this.#settle(batch, returned);
      } catch (error) {
        // What could not be given back is counted again by the controller.
        if (returned.length > 0) this.#options.onError(error);
        for (const { refused } of batch) refused(unavailable(error));
      }
    }
    this.#working = false;
    this.#options.onIdle();
  }

  async #settle(batch: readonly Asking[], returned: readonly Charges[]): Promise<void> {
    const { quotas, namespace } = this.#options;
    await quotas.cache.current();
    const books = new Map<string, Book>();
    for (const entry of quotas.cache.range(quotas.prefix(namespace))) {
      const book = openBook(quotas.cache.object(entry));
      books.set(book.quota.metadata.name ?? "", book);
    }
    for (const charges of returned) {
      for (const [name, charge] of charges) {
        const book = books.get(name);
        if (book !== undefined) book.used = less(book.used, charge);
      }
    }
    const charging = batch.flatMap((asking) => this.#reckon(asking, books) ?? []);
    for (const name of books.keys()) await this.#write(name, charging, returned);
    for (const each of charging) this.#answer(each);
  }

  /** Whether all quotas together have what a request takes; if so it is entered in all. */
  #reckon(asking: Asking, books: ReadonlyMap<string, Book>): Charging | undefined {
    const { request } = asking;
    const before = new Map([...books].map(([name, { used }]) => [name, used]));
    try {
      const charges = chargesOf(request, books.values(), this.#options.nowMs());
      for (const [name, charge] of charges) {
        const book = books.get(name);
        if (book !== undefined) enter(book, charge, request);
      }
      if (charges.size > 0 && !request.dryRun) {
        return { asking, charges, written: new Set(), refusal: undefined };
      }
      restore(books, before);
      asking.admitted();
    } catch (error) {
      restore(books, before);
      asking.refused(error);
    }
    return undefined;
  }

  /** Writes one quota; reckons anew if another server was there in between. */
  async #write(name: string, charging: readonly Charging[], returned: readonly Charges[]): Promise<void> {
    const mine = charging.filter(({ charges, refusal }) => charges.has(name) && refusal === undefined);
    const back = returned.flatMap((charges) => charges.get(name) ?? []);
    if (mine.length === 0 && back.length === 0) return;
    const { quotas, namespace } = this.#options;
    try {
      await quotas.update({ namespace, name }, ({ object }) => changed(object, { name, mine, back }));
      for (const each of mine) if (each.refusal === undefined) each.written.add(name);
    } catch (error) {
      // A quota that is gone forbids nothing.
      if (error instanceof StatusError && error.reason === "NotFound") return;
      if (back.length > 0) this.#options.onError(error);
      for (const each of mine) each.refusal = error;
    }
  }

  #answer({ asking, charges, written, refusal }: Charging): void {
    const held: Charges = new Map([...charges].filter(([name]) => written.has(name)));
    if (refusal === undefined) {
      asking.request.undo.push(() => this.#giveBack(held));
      asking.admitted();
    } else {
      this.#giveBack(held);
      asking.refused(refusal);
    }
  }
}

function restore(books: ReadonlyMap<string, Book>, before: ReadonlyMap<string, Amounts>): void {
  for (const [name, book] of books) book.used = before.get(name) ?? book.used;
}

/** The quota with what is taken and given back. May run several times, so it forgets what it found before. */
function changed(
  object: ApiObject,
  { name, mine, back }: { name: string; mine: readonly Charging[]; back: readonly Amounts[] },
): Change {
  const book = openBook(object);
  for (const amounts of back) book.used = less(book.used, amounts);
  for (const each of mine) {
    each.refusal = undefined;
    try {
      enter(book, each.charges.get(name) ?? new Map(), each.asking.request);
    } catch (error) {
      each.refusal = error;
    }
  }
  if (back.length === 0 && mine.every(({ refusal }) => refusal !== undefined)) return "unchanged";
  const quota = clone(object);
  const { status } = quota as unknown as Book["quota"];
  status.used = formatAmounts(book.used);
  return { object: quota };
}
