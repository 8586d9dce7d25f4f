/**
 * Leadership by a Lease: of several processes with the same name, one works.
 *
 *   campaigning ── nobody renewed for a whole lease, as I saw it ──▶ leading ── could not renew in time ──▶ lost
 *
 * Clocks need not agree: a lease is taken over only when this process, by its own monotonic clock, has seen the same
 * record for the whole of its duration, or knows that the holder's process has ended. A leader stops at renewDeadline, before anybody else may begin at leaseDuration.
 * Source: k8s.io/client-go/tools/leaderelection/leaderelection.go
 */
import { Lease } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isConflict, isAlreadyExists, isNotFound } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import type { Clock } from "@atoll/machinery/clock";
import { formatMicroTime } from "@atoll/machinery/clock";
import type { Log } from "./log.ts";

/** How long things may take, ms. Each must be well below the one before. */
export interface LeaseTimes {
  /** A lease that was not renewed for this long may be taken. */
  readonly durationMs: number;
  /** A leader that could not renew for this long stops. */
  readonly renewDeadlineMs: number;
  /** Between tries. */
  readonly retryMs: number;
}

/** The times of kube-controller-manager. */
const defaultLeaseTimes: LeaseTimes = { durationMs: 15_000, renewDeadlineMs: 10_000, retryMs: 2_000 };

/** Which lease, and who asks for it. */
export interface LeaseOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly namespace: string;
  readonly name: string;
  /** Unique among all that ask: host, process and a random part. */
  readonly identity: string;
  readonly times?: LeaseTimes;
  /** Whether the process of an identity certainly runs no more: its lease is then taken at once. */
  readonly hasEnded?: (identity: string) => Promise<boolean>;
}

/** Leads while `work` runs. */
export class Leadership {
  readonly #options: LeaseOptions;
  readonly #times: LeaseTimes;
  /** The record as last seen to change, and when that was on the monotonic clock. */
  #observed: { readonly lease: Lease; readonly atMs: number } | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#times = options.times ?? defaultLeaseTimes;
  }

  /**
   * Waits to become the leader, then runs `work` once. Its signal aborts when leadership is lost or `stopping` aborts.
   * When work has ended the lease is given up, so that another need not wait.
   * @returns whether leadership was ever held
   */
  async lead(work: (signal: AbortSignal) => Promise<void>, stopping: AbortSignal): Promise<boolean> {
    if (!(await this.#campaign(stopping))) return false;
    const lost = new AbortController();
    const ended = new AbortController();
    const renewing = this.#keepRenewing(AbortSignal.any([lost.signal, ended.signal])).then((renewed) => {
      if (!renewed) lost.abort(new Error("leadership is lost"));
    });
    this.#options.log.info("leading", { lease: this.#options.name });
    try {
      await work(AbortSignal.any([lost.signal, stopping]));
    } finally {
      ended.abort();
      await renewing;
      if (!lost.signal.aborted) await this.#release();
    }
    return true;
  }

  async #campaign(stopping: AbortSignal): Promise<boolean> {
    while (!stopping.aborted) {
      if (await this.#tryToHold()) return true;
      await this.#pause(stopping);
    }
    return false;
  }

  /** @returns false when the lease could not be renewed in time, true when asked to end */
  async #keepRenewing(end: AbortSignal): Promise<boolean> {
    const { clock } = this.#options;
    let renewedMs = clock.monotonicMs();
    for (;;) {
      await clock.sleep(this.#times.retryMs, end).catch(() => undefined);
      if (end.aborted) return true;
      const leftMs = renewedMs + this.#times.renewDeadlineMs - clock.monotonicMs();
      if (leftMs <= 0) return false;
      const startMs = clock.monotonicMs();
      if (await this.#tryToHold(leftMs)) renewedMs = startMs;
      else if (this.#heldByOther()) return false;
    }
  }

  #pause(stopping: AbortSignal): Promise<void> {
    const jittered = this.#times.retryMs * (1 + 1.2 * this.#options.random());
    return this.#options.clock.sleep(jittered, stopping).catch(() => undefined);
  }

  /** Takes or renews the lease if it is free or ours. @returns whether we hold it now */
  async #tryToHold(withinMs = this.#times.renewDeadlineMs): Promise<boolean> {
    const { clock, log } = this.#options;
    const late = new AbortController();
    const timer = clock.after(withinMs, () => late.abort(new Error(`no answer in ${withinMs} ms`)));
    try {
      return await this.#hold(late.signal);
    } catch (error) {
      const lostRace = isConflict(error) || isAlreadyExists(error);
      if (!lostRace) log.warn("cannot reach the lease", { lease: this.#options.name, error });
      return false;
    } finally {
      timer.cancel();
    }
  }

  async #hold(signal: AbortSignal): Promise<boolean> {
    const { client, clock, identity, namespace, name } = this.#options;
    const now = formatMicroTime(clock.nowMs());
    const durations = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#times.durationMs / 1000),
      renewTime: now,
    };
    const found = await client.get(Lease, toKey(namespace, name), { signal }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (found === undefined) {
      const spec = { ...durations, acquireTime: now, leaseTransitions: 0 };
      this.#observe(await client.create(Lease, { metadata: { namespace, name }, spec }, { signal }));
      return true;
    }
    if (found.metadata.resourceVersion !== this.#observed?.lease.metadata.resourceVersion) this.#observe(found);
    const ours = found.spec.holderIdentity === identity;
    if (!ours && !this.#isFree(found) && !(await this.#isOrphaned(found))) return false;
    const { acquireTime = now, leaseTransitions = 0 } = found.spec;
    const spec = ours
      ? { ...found.spec, ...durations, acquireTime }
      : { ...found.spec, ...durations, acquireTime: now, leaseTransitions: leaseTransitions + 1 };
    this.#observe(await client.update(Lease, { ...found, spec }, { signal }));
    return true;
  }

  #observe(lease: Lease): void {
    this.#observed = { lease, atMs: this.#options.clock.monotonicMs() };
  }

  /** Nobody holds the lease, or we have watched it go stale. */
  #isFree({ spec }: Lease): boolean {
    if ((spec.holderIdentity ?? "") === "") return true;
    const durationMs = (spec.leaseDurationSeconds ?? 0) * 1000 || this.#times.durationMs;
    return this.#options.clock.monotonicMs() - (this.#observed?.atMs ?? 0) >= durationMs;
  }

  /** Its holder was killed where we can see that. */
  async #isOrphaned({ spec }: Lease): Promise<boolean> {
    return (await this.#options.hasEnded?.(spec.holderIdentity ?? "")) ?? false;
  }

  #heldByOther(): boolean {
    const holder = this.#observed?.lease.spec.holderIdentity ?? "";
    return holder !== this.#options.identity;
  }

  async #release(): Promise<void> {
    const { client, clock, identity, log } = this.#options;
    const held = this.#observed?.lease;
    if (held === undefined || held.spec.holderIdentity !== identity) return;
    const now = formatMicroTime(clock.nowMs());
    const spec = {
      leaseTransitions: held.spec.leaseTransitions ?? 0,
      leaseDurationSeconds: 1,
      acquireTime: now,
      renewTime: now,
    };
    try {
      await client.update(Lease, { ...held, spec: { ...spec, holderIdentity: "" } });
    } catch (error) {
      log.debug("the lease was not given up", { error });
    }
  }
}
