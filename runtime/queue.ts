/**
 * The work queue of a controller: keys, each at most once waiting and at most once at work.
 *
 *            add                  take                 done
 *   (idle) ───────▶ waiting ───────────────▶ at work ───────▶ (idle)
 *      ▲                                     │  ▲ add: remembered, and waits again when done
 *      │   after a delay                     └──┘
 *   delayed (the earliest of its delays counts)
 *
 * Failures back off: each key by itself (5 ms doubling to a minute), and all together by a bucket (10 a second after a
 * burst of 100), so that one broken dependency does not make a storm of retries.
 * Source: k8s.io/client-go/util/workqueue (queue.go, delaying_queue.go, default_rate_limiters.go); the longest delay there is 1,000 s,
 * which leaves a cluster broken for a quarter of an hour after its trouble ended.
 */
import type { Clock, Timer } from "@atoll/machinery/clock";

/** How failures are slowed down. */
export interface Limits {
  /** Delay after a key's first failure, ms; doubles with each. */
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
  /** Retries a second over all keys, in the long run. */
  readonly retriesPerSecond: number;
  /** Retries at once before that counts. */
  readonly burst: number;
}

/** The limits of client-go, but for the longest delay. */
const defaultLimits: Limits = { firstDelayMs: 5, longestDelayMs: 60_000, retriesPerSecond: 10, burst: 100 };

/** What a queue needs. */
export interface QueueOptions {
  readonly clock: Clock;
  readonly limits?: Limits;
}

/** Keys to be worked on. */
export class Queue<K extends string = string> {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #waiting = new Set<K>();
  /** Waiting keys in the order in which they came, from #head on. A Map's own order would make its first key dear. */
  #line: K[] = [];
  #head = 0;
  readonly #working = new Map<K, { again: boolean }>();
  readonly #delayed = new Map<K, { atMs: number; timer: Timer }>();
  readonly #failures = new Map<K, number>();
  readonly #takers: ((key: K | undefined) => void)[] = [];
  /** When the bucket will be full again, monotonic ms. */
  #bucketFullMs = 0;
  #closed = false;

  constructor({ clock, limits = defaultLimits }: QueueOptions) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Keys waiting, not counting those at work or delayed. */
  get depth(): number {
    return this.#waiting.size;
  }

  /** Nothing waits and nothing is at work; delayed keys do not count. */
  get idle(): boolean {
    return this.#waiting.size === 0 && this.#working.size === 0;
  }

  /** The key shall be worked on, as soon as may be. A delay set for it is off. */
  add(key: K): void {
    if (this.#closed) return;
    this.#undelay(key);
    const work = this.#working.get(key);
    if (work !== undefined) work.again = true;
    else if (!this.#waiting.has(key)) this.#enqueue(key);
  }

  /** The key shall be worked on in `afterMs`, or earlier if something else says so. */
  addAfter(key: K, afterMs: number): void {
    if (this.#closed) return;
    if (afterMs <= 0) return this.add(key);
    const atMs = this.#clock.monotonicMs() + afterMs;
    const set = this.#delayed.get(key);
    if (set !== undefined && set.atMs <= atMs) return;
    set?.timer.cancel();
    const timer = this.#clock.after(afterMs, () => this.add(key), { unref: true });
    this.#delayed.set(key, { atMs, timer });
  }

  /** The key failed and shall be tried again later. @returns the delay, ms */
  retry(key: K): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const { firstDelayMs, longestDelayMs } = this.#limits;
    const ownMs = Math.min(firstDelayMs * 2 ** Math.min(failures, 40), longestDelayMs);
    const afterMs = Math.max(ownMs, this.#drawFromBucket());
    this.addAfter(key, afterMs);
    return afterMs;
  }

  /** The key did well: its next failure is its first. */
  forget(key: K): void {
    this.#failures.delete(key);
  }

  /** Failures of a key since it last did well. */
  failures(key: K): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The next key, when there is one; undefined once the queue is closed. done() must follow. */
  take(): Promise<K | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    const next = this.#shift();
    if (next === undefined) return new Promise((resolve) => this.#takers.push(resolve));
    this.#begin(next);
    return Promise.resolve(next);
  }

  /** Work on a key has ended. */
  done(key: K): void {
    const work = this.#working.get(key);
    if (work === undefined) return;
    this.#working.delete(key);
    if (work.again && !this.#closed) this.#enqueue(key);
  }

  /** Takes no more keys and gives none; what is at work may end. */
  close(): void {
    this.#closed = true;
    for (const { timer } of this.#delayed.values()) timer.cancel();
    this.#delayed.clear();
    this.#waiting.clear();
    this.#line = [];
    this.#head = 0;
    for (const resolve of this.#takers.splice(0)) resolve(undefined);
  }

  #enqueue(key: K): void {
    this.#waiting.add(key);
    const taker = this.#takers.shift();
    if (taker === undefined) {
      this.#line.push(key);
      return;
    }
    this.#begin(key);
    taker(key);
  }

  #shift(): K | undefined {
    const next = this.#line[this.#head];
    if (next === undefined) return undefined;
    this.#head++;
    if (this.#head * 2 > this.#line.length) {
      this.#line = this.#line.slice(this.#head);
      this.#head = 0;
    }
    return next;
  }

  #begin(key: K): void {
    this.#waiting.delete(key);
    this.#working.set(key, { again: false });
  }

  #undelay(key: K): void {
    this.#delayed.get(key)?.timer.cancel();
    this.#delayed.delete(key);
  }

  /** Takes one from the bucket. @returns how long that one has to wait, ms */
  #drawFromBucket(): number {
    const { retriesPerSecond, burst } = this.#limits;
    const eachMs = 1000 / retriesPerSecond;
    const nowMs = this.#clock.monotonicMs();
    this.#bucketFullMs = Math.max(this.#bucketFullMs, nowMs) + eachMs;
    return Math.max(0, this.#bucketFullMs - nowMs - burst * eachMs);
  }
}
