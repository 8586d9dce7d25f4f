/**
 * Time, timers and chance, passed in wherever they are used, so that tests decide them.
 * The only module that touches the global Date, timers and Math.random.
 */

/** A timer that can be called off. */
export interface Timer {
  cancel(): void;
}

/** What time it is, and waking up later. */
export interface Clock {
  /** Wall clock, ms since the epoch; may jump. */
  nowMs(): number;
  /** Monotonic, ms since some fixed point; never jumps. */
  monotonicMs(): number;
  /** Runs `wake` once after `afterMs`. An unreferenced timer does not keep the process alive. */
  after(afterMs: number, wake: () => void, options?: { unref?: boolean }): Timer;
  /** Resolves after `afterMs`; rejects with the signal's reason when aborted. */
  sleep(afterMs: number, signal?: AbortSignal): Promise<void>;
}

// setTimeout fires at once for delays it cannot hold.
const longestTimerMs = 2 ** 31 - 1;

/** The machine's own clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(afterMs, wake, options = {}) {
    const timer = setTimeout(wake, Math.min(Math.max(afterMs, 0), longestTimerMs));
    if (options.unref === true) (timer as unknown as { unref?: () => void }).unref?.();
    return { cancel: () => clearTimeout(timer) };
  },
  sleep: (afterMs, signal) => sleepBy(systemClock, afterMs, signal),
};

/** Sleeps by a clock's timers. @throws the signal's reason when it aborts */
export function sleepBy(clock: Pick<Clock, "after">, afterMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason);
    const timer = clock.after(afterMs, () => {
      signal?.removeEventListener("abort", abort);
      resolve();
    });
    const abort = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** Waits for work, but not for ever. @returns whether it ended in time @throws what it fails with, in time */
export async function endsWithin(
  clock: Pick<Clock, "after">,
  withinMs: number,
  work: Promise<unknown>,
): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = clock.after(withinMs, () => late.resolve(false));
  try {
    return await Promise.race([work.then(() => true), late.promise]);
  } finally {
    timer.cancel();
  }
}

/** RFC 3339 in UTC, to the second: `2026-01-02T03:04:05Z`, as metav1.Time is written. */
export function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** RFC 3339 in UTC, to the microsecond, as metav1.MicroTime is written. */
export function formatMicroTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 23)}000Z`;
}

/** Milliseconds since the epoch of an RFC 3339 time; NaN when it is none. */
export function parseTime(text: string): number {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
}

/** Milliseconds since the epoch of a date in any form the language reads, as OpenSSL's; NaN when it is none. */
export const parseDate = (text: string): number => Date.parse(text);

/** A moment as the language's own object, for libraries that take one. */
export const dateOf = (ms: number): Date => new Date(ms);

/** A number in [0, 1), not for secrets. */
export const chance = (): number => Math.random();
