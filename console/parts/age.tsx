/** How long ago something was; ticks by itself, one clock for all. */
import { parseTime, systemClock } from "@atoll/machinery/clock";
import { useSyncExternalStore } from "react";
import { spellAge } from "../model/age.ts";

const tickMs = 5_000;

/** Runs while somebody looks. */
class Ticker {
  #nowMs = systemClock.nowMs();
  readonly #listeners = new Set<() => void>();

  readonly read = (): number => this.#nowMs;

  readonly subscribe = (tell: () => void): (() => void) => {
    this.#listeners.add(tell);
    if (this.#listeners.size === 1) this.#tick();
    return () => this.#listeners.delete(tell);
  };

  #tick(): void {
    if (this.#listeners.size === 0) return;
    this.#nowMs = systemClock.nowMs();
    for (const tell of this.#listeners) tell();
    systemClock.after(tickMs, () => this.#tick());
  }
}

const ticker = new Ticker();

/** @param since RFC 3339; nothing is shown without it */
export function Age({ since }: { since: string | undefined }) {
  const nowMs = useSyncExternalStore(ticker.subscribe, ticker.read);
  if (since === undefined) return null;
  return (
    <time dateTime={since} title={since}>
      {spellAge((nowMs - parseTime(since)) / 1000)}
    </time>
  );
}
