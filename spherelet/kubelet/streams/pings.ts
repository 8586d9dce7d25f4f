/**
 * Whether the far end is still there. While nobody takes its input, a connection is not read, and does not show that it
 * has ended: that shows when something is written. Without it, a shell whose client is gone would stay for good.
 */
import type { Clock } from "@atoll/machinery/clock";

const everyMs = 30_000;

/** Calls `ping` now and then until the far end is gone. */
export async function keepAsking(clock: Clock, gone: AbortSignal, ping: () => void): Promise<void> {
  while (!gone.aborted) {
    await clock.sleep(everyMs, gone).catch(() => undefined);
    if (!gone.aborted) ping();
  }
}
