/** Time that tests move. Sleeps end at once; timers fire when time is moved past them. */
import type { Clock, Timer } from "@atoll/machinery/clock";

interface Pending {
  readonly atMs: number;
  readonly wake: () => void;
}

/** A clock at rest until it is moved. */
export class TestClock implements Clock {
  #nowMs = 1_700_000_000_000;
  readonly #pending = new Set<Pending>();

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(afterMs: number, wake: () => void): Timer {
    const pending = { atMs: this.#nowMs + afterMs, wake };
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }

  /** Does not wait, and does not move the time: what it stands between is not what a test is about. */
  sleep(_afterMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      setImmediate(() => (signal?.aborted === true ? reject(signal.reason as Error) : resolve()));
    });
  }

  /** Moves on and fires what is due. */
  advance(ms: number): void {
    this.#nowMs += ms;
    for (const pending of [...this.#pending]) {
      if (pending.atMs <= this.#nowMs && this.#pending.delete(pending)) pending.wake();
    }
  }

  /** Moves on without firing timers, as when nothing waits for any. */
  jump(ms: number): void {
    this.#nowMs += ms;
  }
}
