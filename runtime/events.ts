/**
 * Events: what controllers tell the people who watch an object. Telling never waits and never fails; what cannot be
 * written is dropped.
 *
 * An event that repeats becomes a series: one object whose count rises, written when the count has doubled and when the
 * series ends (6 minutes of silence). One object about which too much happens is heard less: 25 new events at once, then
 * one in five minutes. Sources: k8s.io/client-go/tools/events/event_broadcaster.go (series), tools/record/events_cache.go (spam)
 */
import type { Client } from "@atoll/client/client";
import { Event } from "@atoll/client/builtin";
import { keyOf } from "@atoll/client/resource";
import type { Clock, Timer } from "@atoll/machinery/clock";
import { formatMicroTime } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import type { Log } from "./log.ts";

/** Something that happened. */
export interface Happening {
  readonly type: "Normal" | "Warning";
  /** Why, for machines: `FailedCreate`. */
  readonly reason: string;
  /** What was done or tried, for machines: `Create`. */
  readonly action: string;
  /** For people; at most 1,024 bytes are kept. */
  readonly note: string;
  /** The part of the object that it is about: `spec.containers{web}`. */
  readonly fieldPath?: string;
  /** A second object that it is about. */
  readonly related?: ApiObject;
}

/** Takes what controllers tell. */
export interface Recorder {
  record(regarding: ApiObject, happening: Happening): void;
}

/** How events are written. */
export interface EventsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  /** Who reports, unique: as pod name or host and process id. */
  readonly instance: string;
}

interface Reference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly fieldPath?: string;
}

interface Series {
  /** undefined while it is being created. */
  event: Event | undefined;
  count: number;
  writtenCount: number;
  lastMs: number;
}

const seriesEndMs = 360_000;
const sweepEveryMs = 60_000;
const burst = 25;
const refillMs = 300_000;
const longestNote = 1024;
/** Writes under way or waiting; beyond, events are dropped. */
const mostPending = 1000;

function referenceTo({ apiVersion, kind, metadata: { name = "", namespace, uid } }: ApiObject): Reference {
  return {
    apiVersion,
    kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
  };
}

/** The events of a process, told by several controllers. */
export class Events {
  readonly #options: EventsOptions;
  readonly #series = new Map<string, Series>();
  /** When each object's allowance will be whole again, monotonic ms. */
  readonly #allowances = new Map<string, number>();
  readonly #closing = new AbortController();
  #pending = 0;
  #last: Promise<void> = Promise.resolve();
  #sweep: Timer | undefined;
  #dropped = 0;
  #made = 0;

  constructor(options: EventsOptions) {
    this.#options = options;
  }

  /** Events not told, for one of the reasons above. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The recorder of one controller. */
  recorder(controller: string): Recorder {
    return { record: (regarding, happening) => this.#record(controller, regarding, happening) };
  }

  /** Resolves when all that has been told so far is written or dropped. */
  flush(): Promise<void> {
    return this.#last;
  }

  /** Writes the last counts and stops; what is not written within `withinMs` is dropped. */
  async close(withinMs = 1_000): Promise<void> {
    this.#sweep?.cancel();
    for (const series of this.#series.values()) this.#writeCount(series);
    this.#series.clear();
    const late = this.#options.clock.after(withinMs, () => this.#closing.abort(new Error("stopped")));
    await this.flush();
    late.cancel();
  }

  #record(controller: string, object: ApiObject, happening: Happening): void {
    const { fieldPath } = happening;
    const regarding = { ...referenceTo(object), ...(fieldPath === undefined ? {} : { fieldPath }) };
    const note = cut(happening.note);
    const related = happening.related === undefined ? undefined : referenceTo(happening.related);
    const { type, reason, action } = happening;
    const name = JSON.stringify([controller, regarding, type, reason, action, note, related]);
    const series = this.#series.get(name);
    if (series !== undefined) return this.#repeat(series);
    if (!this.#allow(regarding)) return this.#drop();
    const nowMs = this.#options.clock.nowMs();
    const made: Series = { event: undefined, count: 1, writtenCount: 1, lastMs: nowMs };
    this.#series.set(name, made);
    this.#watchSeries();
    const draft = {
      metadata: {
        name: `${regarding.name}.${nowMs.toString(16)}${(this.#made++).toString(16)}`,
        namespace: regarding.namespace ?? "default",
      },
      eventTime: formatMicroTime(nowMs),
      reportingController: controller,
      reportingInstance: this.#options.instance,
      type,
      reason,
      action,
      note,
      regarding,
      ...(related === undefined ? {} : { related }),
    };
    this.#write(async () => {
      made.event = await this.#options.client.create(Event, draft, { signal: this.#closing.signal });
    });
  }

  #repeat(series: Series): void {
    series.count++;
    series.lastMs = this.#options.clock.nowMs();
    if (series.count >= 2 * series.writtenCount) this.#writeCount(series);
  }

  #writeCount(series: Series): void {
    if (series.count === series.writtenCount) return;
    series.writtenCount = series.count;
    const { client } = this.#options;
    const { signal } = this.#closing;
    const count = series.count;
    const body = { series: { count, lastObservedTime: formatMicroTime(series.lastMs) } };
    this.#write(async () => {
      if (series.event !== undefined)
        await client.patch(Event, { key: keyOf(series.event), patch: { type: "merge", body } }, { signal });
    });
  }

  /** Writes one after the other: a series' count must not overtake its creation. */
  #write(write: () => Promise<void>): void {
    if (this.#pending >= mostPending) return this.#drop();
    this.#pending++;
    this.#last = this.#last.then(write).then(
      () => {
        this.#pending--;
      },
      (error: unknown) => {
        this.#pending--;
        this.#drop();
        this.#options.log.debug("an event was not written", { error });
      },
    );
  }

  #drop(): void {
    this.#dropped++;
  }

  #allow(regarding: Reference): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    const name = regarding.uid ?? JSON.stringify(regarding);
    const wholeMs = Math.max(this.#allowances.get(name) ?? 0, nowMs) + refillMs;
    if (wholeMs - nowMs > burst * refillMs) return false;
    this.#allowances.set(name, wholeMs);
    return true;
  }

  #watchSeries(): void {
    this.#sweep ??= this.#options.clock.after(sweepEveryMs, () => this.#endSeries(), { unref: true });
  }

  #endSeries(): void {
    const { clock } = this.#options;
    this.#sweep = undefined;
    for (const [name, series] of this.#series) {
      if (clock.nowMs() - series.lastMs < seriesEndMs) continue;
      this.#writeCount(series);
      this.#series.delete(name);
    }
    for (const [name, wholeMs] of this.#allowances) if (wholeMs <= clock.monotonicMs()) this.#allowances.delete(name);
    if (this.#series.size + this.#allowances.size > 0) this.#watchSeries();
  }
}

function cut(note: string): string {
  if (Buffer.byteLength(note) <= longestNote) return note;
  return new TextDecoder().decode(Buffer.from(note).subarray(0, longestNote - 4)).replace(/\uFFFD+$/, "") + "…";
}
