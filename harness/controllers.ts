/**
 * Controllers at work on the server under test.
 */
import type { Transport } from "@atoll/client/transport";
import { systemClock } from "@atoll/machinery/clock";
import type { Controller } from "@atoll/runtime/controller";
import { logTo } from "@atoll/runtime/log";
import type { Running } from "@atoll/runtime/run";
import { runControllers } from "@atoll/runtime/run";
import { clientOf, eventually } from "./client.ts";
import { Faults } from "./faults.ts";
import { transportTo } from "./client.ts";
import type { Harness } from "./server.ts";

/** Controllers running, and what they said that was not routine. */
export interface Workshop {
  readonly running: Running;
  readonly faults: Faults;
  /** Warnings and errors, as `level message error`. */
  readonly complaints: readonly string[];
  /** Resolves when there has been nothing to do for `quietMs`. */
  quiet(quietMs?: number): Promise<void>;
  stop(): Promise<void>;
}

/** Starts controllers through a transport with faults, none of them active. */
export function startControllers(
  harness: Harness,
  controllers: readonly Controller[],
  transport: Transport = transportTo(harness),
): Workshop {
  const faults = new Faults(transport);
  const complaints: string[] = [];
  const log = logTo((level, message, fields) => {
    if (level === "warn" || level === "error") complaints.push(`${level} ${message} ${JSON.stringify(fields)}`);
  });
  const client = clientOf(harness, faults);
  const running = runControllers({ controllers, client, clock: systemClock, log, identity: "test", graceMs: 200 });
  running.ended.catch(() => undefined);
  return {
    running,
    faults,
    complaints,
    quiet: (quietMs = 100) => quiet(running, quietMs),
    async stop() {
      await running.stop();
      faults.close();
    },
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
