/**
 * Controllers run together: shared caches, one writer for everything, one leader, an orderly end.
 *
 *   campaign ──▶ read caches ──▶ work ──▶ stopping: queues close, work under way ends (at most graceMs) ──▶ dead
 *                                  └───── leadership lost: dead at once
 */
import type { Client } from "@atoll/client/client";
import { Cache } from "@atoll/client/informer/cache";
import { groupResource } from "@atoll/client/resource";
import type { Clock } from "@atoll/machinery/clock";
import { chance } from "@atoll/machinery/clock";
import { checkClaims } from "./claims.ts";
import type { Controller, RunningController } from "./controller.ts";
import { Events } from "./events.ts";
import type { LeaseOptions } from "./lease.ts";
import { Leadership } from "./lease.ts";
import type { Log } from "./log.ts";

/** What is run, and where. */
export interface RunOptions {
  readonly controllers: readonly Controller[];
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly random?: () => number;
  /** Names this process among its like, in leases and events. */
  readonly identity: string;
  /** Only the holder of this lease works. Absent: no other process runs these controllers. */
  readonly lease?: Pick<LeaseOptions, "namespace" | "name" | "times" | "hasEnded">;
  /** How long work under way may take after a stop, ms. Default 5,000. */
  readonly graceMs?: number;
}

/** Controllers at work. */
export interface Running {
  /** Resolves when all have stopped; rejects when leadership was lost or a controller broke. */
  readonly ended: Promise<void>;
  /** All caches have been read once; false before leadership. */
  readonly synced: boolean;
  /** Nothing waits, nothing is at work, and the caches show all own writes. For tests. */
  readonly idle: boolean;
  /** Ends in an orderly way. */
  stop(): Promise<void>;
}

/**
 * Starts controllers.
 * @throws {TwoWriters} two of them claim the same part of the API
 */
export function runControllers(options: RunOptions): Running {
  checkClaims(options.controllers);
  return new Run(options);
}

class Run implements Running {
  readonly ended: Promise<void>;
  readonly #options: RunOptions;
  readonly #random: () => number;
  readonly #stopping = new AbortController();
  #running: readonly RunningController[] | undefined;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#random = options.random ?? chance;
    this.ended = this.#run();
  }

  get synced(): boolean {
    return this.#running?.every((controller) => controller.synced) ?? false;
  }

  get idle(): boolean {
    return this.#running?.every((controller) => controller.idle) ?? false;
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("stopping"));
    await this.ended;
  }

  async #run(): Promise<void> {
    const { lease, client, clock, log, identity } = this.#options;
    const stopping = this.#stopping.signal;
    if (lease === undefined) return this.#work(stopping);
    const leadership = new Leadership({ client, clock, log, identity, random: this.#random, ...lease });
    await leadership.lead((signal) => this.#work(signal), stopping);
    if (!stopping.aborted) throw new Error("leadership is lost");
  }

  /** Runs until the signal aborts: in an orderly way when stopping, at once when leadership is lost. */
  async #work(signal: AbortSignal): Promise<void> {
    const { client, clock, log, identity, controllers, graceMs = 5_000 } = this.#options;
    const dead = new AbortController();
    const cache = new Cache({
      client,
      clock,
      random: this.#random,
      onError: (error, resource) => log.warn("cannot follow a resource", { resource: groupResource(resource), error }),
    });
    const events = new Events({ client, clock, log, instance: identity });
    const around = { client, cache, clock, log, random: this.#random, stopping: signal, dead: dead.signal };
    const running = controllers.map((controller) =>
      controller.start({ ...around, events: events.recorder(controller.name) }),
    );
    this.#running = running;
    const aborted = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => aborted.resolve(), { once: true });
    if (signal.aborted) aborted.resolve();
    const all = Promise.all(running.map((controller) => controller.ended));
    await Promise.race([aborted.promise, all]);
    const orderly = this.#stopping.signal.aborted;
    const timer = clock.after(orderly ? graceMs : 0, () => dead.abort(new Error("stopped")));
    await all.finally(() => timer.cancel());
    dead.abort(new Error("stopped"));
    await cache.stop();
    await events.close(orderly ? 1_000 : 0);
  }
}
