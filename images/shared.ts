/** Work that several want: done once for all of them, or by so many at a time. */

interface Flight<T> {
  readonly result: Promise<T>;
  readonly abort: AbortController;
  waiting: number;
}

/** Work in flight by key. It is called off only when everyone who waits for it has gone. */
export class SharedWork<T> {
  readonly #flights = new Map<string, Flight<T>>();

  /** Joins the work of that key or begins it. A caller's own signal ends its own wait. */
  async run(key: string, signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    const flight = this.#flights.get(key) ?? this.#begin(key, work);
    flight.waiting += 1;
    const leave = () => {
      flight.waiting -= 1;
      if (flight.waiting > 0) return;
      // Who comes now must not join work that is being called off.
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
      flight.abort.abort(signal?.reason);
    };
    if (signal === undefined) return flight.result;
    let onAbort = () => {};
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => {
        leave();
        reject(signal.reason as Error);
      };
      signal.addEventListener("abort", onAbort, { once: true });
    });
    try {
      return await Promise.race([flight.result, aborted]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  #begin(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const abort = new AbortController();
    const result = Promise.resolve()
      .then(() => work(abort.signal))
      .finally(() => {
        if (this.#flights.get(key)?.result === result) this.#flights.delete(key);
      });
    // Those who wait hear of a failure; with nobody left, nobody needs to.
    result.catch(() => {});
    const flight = { result, abort, waiting: 0 };
    this.#flights.set(key, flight);
    return flight;
  }
}

/** Lets so many pieces of work run at once; the others wait in order. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      // A slot that is waited for passes on without becoming free.
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
