/**
 * Tells the API a Pod's status: one write at a time, and of what changes meanwhile only the last.
 */
import type { PodStatus } from "@atoll/api/builtin/core/v1.types";
import { Pod } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isConflict, isNotFound } from "@atoll/client/errors";
import { keyOf } from "@atoll/client/resource";
import { type Clock, type Timer } from "@atoll/machinery/clock";
import { deepEqual } from "@atoll/machinery/equal";
import type { Log } from "@atoll/runtime/log";

/** What a reporter writes with. */
export interface ReporterOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
}

/** A first status says little and the next one follows soon: it may wait for that. */
const patienceMs = 250;
const firstRetryMs = 500;
const longestRetryMs = 10_000;

/** Reports one Pod. */
export class StatusReporter {
  readonly #options: ReporterOptions;
  readonly #pod: Pod;
  readonly #stop = new AbortController();
  #wanted: PodStatus | undefined;
  #told: PodStatus | undefined;
  #writing: Promise<void> | undefined;
  #held: Timer | undefined;
  #gone = false;

  /** @param told what the API has already, if this spherelet wrote it */
  constructor(options: ReporterOptions, pod: Pod, told?: PodStatus) {
    this.#options = options;
    this.#pod = pod;
    this.#told = told;
  }

  /** What was offered last. */
  get last(): PodStatus | undefined {
    return this.#wanted ?? this.#told;
  }

  /** This is the status now. */
  offer(status: PodStatus): void {
    if (deepEqual(status, this.last)) return;
    this.#wanted = status;
    if (this.#writing !== undefined) return;
    if (this.#told === undefined && isPlain(status)) {
      this.#held ??= this.#options.clock.after(patienceMs, () => this.#begin());
      return;
    }
    this.#begin();
  }

  /** Resolves when the API knows the status, or the Pod is gone from it. */
  async flush(): Promise<void> {
    this.#begin();
    while (this.#writing !== undefined) await this.#writing;
  }

  /** Writes nothing more. */
  close(): void {
    this.#held?.cancel();
    this.#stop.abort(new Error("the pod is gone"));
  }

  #begin(): void {
    this.#held?.cancel();
    this.#held = undefined;
    if (this.#writing !== undefined || this.#wanted === undefined) return;
    this.#writing = this.#writeAll().finally(() => {
      this.#writing = undefined;
      if (this.#wanted !== undefined && !this.#stop.signal.aborted) this.#begin();
    });
  }

  async #writeAll(): Promise<void> {
    const { clock, log } = this.#options;
    let delayMs = firstRetryMs;
    while (this.#wanted !== undefined && !this.#gone && !this.#stop.signal.aborted) {
      const status = this.#wanted;
      try {
        await this.#write(status);
        this.#told = status;
        if (this.#wanted === status) this.#wanted = undefined;
        delayMs = firstRetryMs;
      } catch (error) {
        // Another object of that name, or none, is not this Pod.
        this.#gone = isNotFound(error) || isConflict(error);
        if (this.#gone || this.#stop.signal.aborted) break;
        log.warn("a pod's status was not written", { pod: keyOf(this.#pod), error });
        await clock.sleep(delayMs, this.#stop.signal).catch(() => undefined);
        delayMs = Math.min(delayMs * 2, longestRetryMs);
      }
    }
    if (this.#gone) this.#wanted = undefined;
  }

  async #write(status: PodStatus): Promise<void> {
    const body = {
      metadata: { uid: this.#pod.metadata.uid },
      status: withRemovals(this.#told ?? this.#pod.status, status),
    };
    const where = { key: keyOf(this.#pod), patch: { type: "strategic", body }, subresource: "status" } as const;
    await this.#options.client.patch(Pod, where, { signal: this.#stop.signal });
  }
}

/** Nothing has happened yet that anybody waits for. */
function isPlain({ phase, containerStatuses = [], initContainerStatuses = [] }: PodStatus): boolean {
  const plain = new Set(["ContainerCreating", "PodInitializing"]);
  const all = [...containerStatuses, ...initContainerStatuses];
  return phase === "Pending" && all.every(({ state }) => plain.has(state.waiting?.reason ?? ""));
}

/** A patch keeps what it does not name: what is no longer so is named as nothing. Conditions are merged by their type. */
export function withRemovals(before: PodStatus | undefined, after: PodStatus): Record<string, unknown> {
  const conditions = after.conditions?.map((condition) => {
    const earlier = before?.conditions?.find(({ type }) => type === condition.type);
    return { ...condition, ...removals(["reason", "message"], earlier, condition) };
  });
  const own = removals(["reason", "message", "podIP", "podIPs"], before, after);
  const over = (before?.conditions ?? []).filter(({ type }) => {
    return passing.has(type) && after.conditions?.every((condition) => condition.type !== type);
  });
  const gone = over.map(({ type }) => ({ type, $patch: "delete" }));
  return { ...after, ...own, ...(conditions === undefined ? {} : { conditions: [...conditions, ...gone] }) };
}

/** Conditions of ours that are there only while they hold. */
const passing: ReadonlySet<string> = new Set(["PodResizePending", "PodResizeInProgress"]);

function removals<T extends object>(fields: readonly (keyof T)[], before: T | undefined, after: T): object {
  const gone = fields.filter((field) => before?.[field] !== undefined && after[field] === undefined);
  return Object.fromEntries(gone.map((field) => [field, null]));
}
