/**
 * How long to leave something alone that keeps failing.
 * Source: kubelet's image pull back-off: 10 s, doubling to 300 s, forgotten after twice the longest
 */
import type { Clock } from "@atoll/machinery/clock";

interface Failure {
  readonly delayMs: number;
  readonly untilMs: number;
  readonly message: string;
}

const firstMs = 10_000;
const longestMs = 300_000;

/** Failures by key. */
export class BackOff {
  readonly #clock: Clock;
  readonly #failures = new Map<string, Failure>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long the key is still to be left alone, and what went wrong last; undefined when it may be tried. */
  waiting(key: string): { ms: number; message: string } | undefined {
    const failure = this.#failures.get(key);
    const ms = (failure?.untilMs ?? 0) - this.#clock.monotonicMs();
    return failure === undefined || ms <= 0 ? undefined : { ms, message: failure.message };
  }

  failed(key: string, message: string): void {
    const now = this.#clock.monotonicMs();
    for (const [other, { untilMs }] of this.#failures) {
      if (untilMs + 2 * longestMs < now) this.#failures.delete(other);
    }
    const last = this.#failures.get(key);
    const delayMs = last === undefined ? firstMs : Math.min(last.delayMs * 2, longestMs);
    this.#failures.set(key, { delayMs, untilMs: now + delayMs, message });
  }

  succeeded(key: string): void {
    this.#failures.delete(key);
  }
}
