/**
 * The state of one evaluation: variables, cost so far, and when to stop.
 * Source: cel-go interpreter/runtimecost.go (limit), interpreter/interpretable.go (interrupts)
 */
import type { Sizes } from "./cost.ts";
import type { CallContext, Matcher } from "./library.ts";
import { countCodePoints } from "./source.ts";
import { CelError, type Value } from "./values.ts";

/** How often loops ask whether to stop, in iterations. */
const iterationsPerCheck = 100;
// Shorter strings are counted faster than looked up.
const longString = 64;

/** Work without a cost that an evaluation may do for each unit of its cost limit; one is about 50 ns, as a cost is. */
const strainPerCost = 10;

/** Thrown to leave an evaluation that costs too much or was interrupted; nothing inside it absorbs that. */
export class Stopped extends Error {
  readonly kind: "cost" | "interrupted";

  constructor(kind: "cost" | "interrupted") {
    super(kind === "cost" ? "operation cancelled: actual cost limit exceeded" : "operation interrupted");
    this.kind = kind;
  }
}

/** Regular expressions and time zones that a program has met; kept between evaluations. */
export interface Caches {
  matcher(pattern: string): Matcher | Error;
  readonly zones: Map<string, Intl.DateTimeFormat>;
}

/** Reads the variable at a slot from what the caller bound. */
export type Loader = (slot: number) => Value;

/** One evaluation. Steps read variables from it and charge their costs to it. */
export class Frame implements CallContext, Sizes {
  /** Values of variables; undefined until first read. Loops and bindings use the slots after the variables. */
  readonly slots: (Value | undefined)[] = [];
  cost = 0;
  readonly #limit: number;
  readonly #interrupted: (() => boolean) | undefined;
  readonly #load: Loader;
  readonly #caches: Caches;
  #iterations = 0;
  #strain = 0;
  #lengths: Map<string, number> | undefined;

  constructor(
    options: { limit: number; interrupted: (() => boolean) | undefined; load: Loader; caches: Caches },
    slots: number,
  ) {
    // A frame is made for each evaluation: this is the fastest way to a list without holes.
    for (let i = 0; i < slots; i++) this.slots.push(undefined);
    this.#limit = options.limit;
    this.#interrupted = options.interrupted;
    this.#load = options.load;
    this.#caches = options.caches;
  }

  /** Adds to the cost. @throws {Stopped} over the limit */
  charge(cost: number): void {
    this.cost += cost;
    if (this.cost > this.#limit) throw new Stopped("cost");
  }

  /**
   * Counts work that costs nothing by upstream's rules: sorting an untyped list costs 1, however long it is.
   * @throws {Stopped} when it comes to many times the limit
   */
  strain(work: number): void {
    this.#strain += work;
    if (this.#strain > this.#limit * strainPerCost) throw new Stopped("cost");
  }

  /** A variable of the environment. */
  variable(slot: number): Value {
    const known = this.slots[slot];
    if (known !== undefined) return known;
    const value = this.#load(slot);
    this.slots[slot] = value;
    return value;
  }

  /** Counts one iteration of a loop. @throws {Stopped} when the caller says so */
  iterate(): void {
    this.#iterations++;
    if (this.#iterations % iterationsPerCheck !== 0 || this.#interrupted === undefined) return;
    if (this.#interrupted()) throw new Stopped("interrupted");
  }

  length(text: string): number {
    if (text.length < longString) return countCodePoints(text);
    this.#lengths ??= new Map();
    const known = this.#lengths.get(text);
    if (known !== undefined) return known;
    const length = countCodePoints(text);
    this.#lengths.set(text, length);
    return length;
  }

  matcher(pattern: string): Matcher | Error {
    return this.#caches.matcher(pattern);
  }

  get zones(): Map<string, Intl.DateTimeFormat> {
    return this.#caches.zones;
  }
}

/** The error of a call whose arguments fit no overload. */
export const noSuchOverload = (): CelError => new CelError("no such overload");

/** Evaluates one part of an expression. */
export type Step = (frame: Frame) => Value;

/** A frame for what needs no data: literals. */
export function detachedFrame(): Frame {
  const load = (): Value => new CelError("no data");
  const caches: Caches = { matcher: () => new Error("no patterns"), zones: new Map() };
  return new Frame({ limit: Number.POSITIVE_INFINITY, interrupted: undefined, load, caches }, 0);
}
