/**
 * A clock that moves when told to.
 */
import { type Clock, sleepBy, type Timer } from "@atoll/machinery/clock";

interface Alarm {
  readonly atMs: number;
  readonly order: number;
  readonly wake: () => void;
}

/** Lets promises that are ready go on, timers of the machine excepted. */
export async function turn(times = 20): Promise<void> {
  for (let i = 0; i < times; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Time for tests: stands still but for advance() and jump(). */
export class ManualClock implements Clock {
  #wallMs: number;
  #monotonicMs = 0;
  #made = 0;
  readonly #alarms = new Set<Alarm>();

  constructor(startMs = 1_700_000_000_000) {
    this.#wallMs = startMs;
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  /** Timers set and not yet due. */
  get pending(): number {
    return this.#alarms.size;
  }

  after(afterMs: number, wake: () => void): Timer {
    const alarm = { atMs: this.#monotonicMs + Math.max(afterMs, 0), order: this.#made++, wake };
    this.#alarms.add(alarm);
    return { cancel: () => this.#alarms.delete(alarm) };
  }

  sleep(afterMs: number, signal?: AbortSignal): Promise<void> {
    return sleepBy(this, afterMs, signal);
  }

  /** Moves both clocks on, and wakes what falls due in order, each at its own time. Waits only for what is ready. */
  async advance(byMs: number): Promise<void> {
    const endMs = this.#monotonicMs + byMs;
    await turn();
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#moveTo(next.atMs);
      this.#alarms.delete(next);
      next.wake();
      await turn();
    }
    this.#moveTo(endMs);
  }

  /** As advance(), without letting promises go on: for pure code. */
  advanceNow(byMs: number): void {
    const endMs = this.#monotonicMs + byMs;
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#moveTo(next.atMs);
      this.#alarms.delete(next);
      next.wake();
    }
    this.#moveTo(endMs);
  }

  /** Sets the wall clock alone, as an administrator or a broken NTP would. */
  jump(byMs: number): void {
    this.#wallMs += byMs;
  }

  #moveTo(monotonicMs: number): void {
    this.#wallMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }

  #next(endMs: number): Alarm | undefined {
    let first: Alarm | undefined;
    for (const alarm of this.#alarms) {
      if (alarm.atMs > endMs) continue;
      if (first === undefined || alarm.atMs < first.atMs || (alarm.atMs === first.atMs && alarm.order < first.order))
        first = alarm;
    }
    return first;
  }
}
