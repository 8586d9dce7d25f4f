/**
 * How many refusals of people who could not say who they are may be told. Whoever is nobody could otherwise fill the log
 * until it has forgotten everybody else: each address may have some told, and all addresses together.
 */
import type { Clock } from "@atoll/machinery/clock";

/** At once, and each second from then on. */
interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

const ofAddress: Rate = { burst: 20, perSecond: 1 };
const ofAll: Rate = { burst: 200, perSecond: 20 };
const mostAddresses = 1_000;

class Bucket {
  readonly #rate: Rate;
  #left: number;
  #lastMs: number;

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#left = rate.burst;
    this.#lastMs = nowMs;
  }

  take(nowMs: number): boolean {
    const { burst, perSecond } = this.#rate;
    this.#left = Math.min(burst, this.#left + ((nowMs - this.#lastMs) * perSecond) / 1000);
    this.#lastMs = nowMs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}

/** Says which refusals are told, and how many were not since the last that was. */
export class Allowance {
  readonly #clock: Clock;
  readonly #all: Bucket;
  readonly #addresses = new Map<string, Bucket>();
  #untold = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#all = new Bucket(ofAll, clock.monotonicMs());
  }

  /** Undefined: it is not told. Otherwise how many before it were not. */
  take(address: string): number | undefined {
    const nowMs = this.#clock.monotonicMs();
    if (!this.#bucketOf(address, nowMs).take(nowMs) || !this.#all.take(nowMs)) {
      this.#untold++;
      return undefined;
    }
    const untold = this.#untold;
    this.#untold = 0;
    return untold;
  }

  #bucketOf(address: string, nowMs: number): Bucket {
    const known = this.#addresses.get(address);
    this.#addresses.delete(address);
    const bucket = known ?? new Bucket(ofAddress, nowMs);
    this.#addresses.set(address, bucket);
    const [oldest] = this.#addresses.keys();
    if (this.#addresses.size > mostAddresses && oldest !== undefined) this.#addresses.delete(oldest);
    return bucket;
  }
}
