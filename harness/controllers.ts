/**
 * Controllers at work on the server under test.
 */
import type { Transport } from "@atoll/client/transport";
import { type Clock, systemClock } from "@atoll/machinery/clock";
import type { Controller } from "@atoll/runtime/controller";
import { logTo } from "@atoll/runtime/log";
import { type Running, runControllers } from "@atoll/runtime/run";
import { clientOf, eventually, transportTo } from "./client.ts";
import { ManualClock } from "./clock.ts";
import { Faults } from "./faults.ts";
import type { Harness } from "./server.ts";

/** Controllers running, and what they said that was not routine. They stop when the block of `await using` ends. */
export interface Workshop extends AsyncDisposable {
  readonly running: Running;
  readonly faults: Faults;
  /** Warnings and errors, as `level message error`. */
  readonly complaints: readonly string[];
  /** Resolves when there has been nothing to do for `quietMs` of the machine's time. */
  quiet(quietMs?: number): Promise<void>;
  stop(): Promise<void>;
}

/** What controllers run with. */
export interface WorkshopOptions {
  /** Default: the network. */
  readonly transport?: Transport;
  /** The controllers' time; default: the machine's. */
  readonly clock?: Clock;
}

const graceMs = 200;

/** Starts controllers through a transport with faults, none of them active. */
export function startControllers(
  harness: Pick<Harness, "url" | "tls">,
  controllers: readonly Controller[],
  { transport = transportTo(harness), clock = systemClock }: WorkshopOptions = {},
): Workshop {
  const faults = new Faults(transport);
  const complaints: string[] = [];
  const log = logTo((level, message, fields) => {
    if (level === "warn" || level === "error") complaints.push(`${level} ${message} ${JSON.stringify(fields)}`);
  });
  const client = clientOf(harness, faults, clock);
  const running = runControllers({ controllers, client, clock, log, identity: "test", graceMs });
  running.ended.catch(() => undefined);
  const stop = async () => {
    let hasStopped = false;
    const stopped = running.stop().finally(() => {
      hasStopped = true;
    });
    // On a clock that stands still nothing would ever be waited out.
    while (clock instanceof ManualClock && !hasStopped) await clock.advance(graceMs);
    await stopped;
    faults.close();
  };
  return {
    running,
    faults,
    complaints,
    quiet: (quietMs = 100) => quiet(running, quietMs),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function quiet(running: Running, quietMs: number): Promise<void> {
  let sinceMs = Number.POSITIVE_INFINITY;
  await eventually("the controllers are idle", () => {
    if (!running.idle) sinceMs = Number.POSITIVE_INFINITY;
    else if (sinceMs === Number.POSITIVE_INFINITY) sinceMs = systemClock.monotonicMs();
    return systemClock.monotonicMs() - sinceMs >= quietMs;
  });
}
