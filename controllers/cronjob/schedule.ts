/**
 * Cron schedules as Kubernetes reads them: five fields, names of months and days, `@daily` and the like, `@every 1h`.
 *
 * The next time is the first minute after a moment whose wall-clock time fits. A time that the clocks leap over in spring
 * does not come; one that they go through twice in autumn comes twice. When both day of month and day of week are
 * given, either is enough.
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax; robfig/cron/v3 parser.go, spec.go
 */
import { formatTime } from "@atoll/machinery/clock";
import type { Zone } from "./zone.ts";

/** A schedule that was read. */
export interface Schedule {
  /** The first time after a moment, ms since the epoch; undefined when there is none within five years. */
  next(afterMs: number, zone: Zone): number | undefined;
}

/** A schedule's text could not be read. */
export class ScheduleInvalid extends Error {
  override readonly name = "ScheduleInvalid";
}

interface Bounds {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  readonly names: readonly string[];
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const bounds: readonly Bounds[] = [
  { name: "minute", first: 0, last: 59, names: [] },
  { name: "hour", first: 0, last: 23, names: [] },
  { name: "day of month", first: 1, last: 31, names: [] },
  { name: "month", first: 1, last: 12, names: months },
  { name: "day of week", first: 0, last: 6, names: days },
];

const descriptors: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

interface Field {
  readonly values: ReadonlySet<number>;
  /** Given as `*` or `?`. */
  readonly any: boolean;
}

/** Reads a schedule. @throws {ScheduleInvalid} */
export function parseSchedule(text: string): Schedule {
  const trimmed = text.trim();
  if (trimmed.startsWith("@every ")) return new Every(parseDuration(trimmed.slice("@every ".length)));
  const fields = (descriptors[trimmed.toLowerCase()] ?? trimmed).split(/\s+/);
  if (trimmed.startsWith("@") && descriptors[trimmed.toLowerCase()] === undefined) {
    throw new ScheduleInvalid(`unrecognized descriptor: ${trimmed}`);
  }
  if (fields.length !== bounds.length) {
    throw new ScheduleInvalid(`expected exactly 5 fields, found ${fields.length}: [${fields.join(" ")}]`);
  }
  const parsed = fields.map((field, i) => parseField(field, bounds[i] as Bounds));
  const [minutes, hours, daysOfMonth, inMonths, daysOfWeek] = parsed as [Field, Field, Field, Field, Field];
  return new Calendar({ minutes, hours, daysOfMonth, inMonths, daysOfWeek });
}

function parseField(text: string, within: Bounds): Field {
  const values = new Set<number>();
  let any = false;
  for (const part of text.split(",")) {
    const [range = "", step, ...rest] = part.split("/");
    if (rest.length > 0) throw new ScheduleInvalid(`too many slashes: ${part}`);
    const { first, last, isAny } = parseRange(range, within, step !== undefined);
    const by = step === undefined ? 1 : parseNumber(step, { ...within, names: [] });
    any ||= isAny && by === 1;
    if (by === 0) throw new ScheduleInvalid(`step of range should be a positive number: ${part}`);
    for (let value = first; value <= last; value += by) values.add(value);
  }
  return { values, any };
}

function parseRange(text: string, within: Bounds, stepped: boolean): { first: number; last: number; isAny: boolean } {
  if (text === "*" || text === "?") return { first: within.first, last: within.last, isAny: true };
  const [from = "", to, ...rest] = text.split("-");
  if (rest.length > 0) throw new ScheduleInvalid(`too many hyphens: ${text}`);
  const first = parseNumber(from, within);
  const single = stepped ? within.last : first;
  const last = to === undefined ? single : parseNumber(to, within);
  if (first < within.first)
    throw new ScheduleInvalid(`beginning of range (${first}) below minimum (${within.first}): ${text}`);
  if (last > within.last) throw new ScheduleInvalid(`end of range (${last}) above maximum (${within.last}): ${text}`);
  if (first > last) throw new ScheduleInvalid(`beginning of range (${first}) beyond end of range (${last}): ${text}`);
  return { first, last, isAny: false };
}

function parseNumber(text: string, { name, first, names }: Bounds): number {
  const named = names.indexOf(text.toLowerCase());
  if (named >= 0) return named + first;
  if (!/^\d{1,9}$/.test(text)) throw new ScheduleInvalid(`failed to parse ${name} from ${JSON.stringify(text)}`);
  return Number(text);
}

const unitsMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

function parseDuration(text: string): number {
  const parts = [...text.trim().matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)];
  const isWhole = parts.map(([part]) => part).join("") === text.trim() && parts.length > 0;
  if (!isWhole) throw new ScheduleInvalid(`failed to parse duration @every ${text}`);
  const ms = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitsMs[unit ?? ""] ?? 0), 0);
  return Math.max(1_000, Math.floor(ms / 1000) * 1000);
}

class Every implements Schedule {
  readonly #ms: number;
  constructor(ms: number) {
    this.#ms = ms;
  }
  next(afterMs: number): number {
    return Math.floor(afterMs / 1000) * 1000 + this.#ms;
  }
}

interface Fields {
  readonly minutes: Field;
  readonly hours: Field;
  readonly daysOfMonth: Field;
  readonly inMonths: Field;
  readonly daysOfWeek: Field;
}

const dayMs = 86_400_000;
const minuteMs = 60_000;
/** 1970 began on a Thursday. */
const epochWeekday = 4;
const mostDays = 5 * 366;

class Calendar implements Schedule {
  readonly #fields: Fields;
  readonly #minutesOfDay: readonly number[];

  constructor(fields: Fields) {
    this.#fields = fields;
    const hours = [...fields.hours.values].sort((a, b) => a - b);
    const minutes = [...fields.minutes.values].sort((a, b) => a - b);
    this.#minutesOfDay = hours.flatMap((hour) => minutes.map((minute) => hour * 60 + minute));
  }

  next(afterMs: number, zone: Zone): number | undefined {
    // Days are those of the wall clock, written as if it were UTC's.
    const today = Math.floor((afterMs + zone.offsetMs(afterMs)) / dayMs);
    for (let day = today - 1; day <= today + mostDays; day++) {
      if (!this.#fits(day)) continue;
      const found = this.#firstOn(day, afterMs, zone);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #fits(day: number): boolean {
    const { daysOfMonth, inMonths, daysOfWeek } = this.#fields;
    const date = formatTime(day * dayMs);
    if (!inMonths.values.has(Number(date.slice(5, 7)))) return false;
    const byMonth = daysOfMonth.values.has(Number(date.slice(8, 10)));
    const byWeek = daysOfWeek.values.has((day + epochWeekday) % 7);
    return daysOfMonth.any || daysOfWeek.any ? byMonth && byWeek : byMonth || byWeek;
  }

  #firstOn(day: number, afterMs: number, zone: Zone): number | undefined {
    const wallMs = day * dayMs;
    const before = zone.offsetMs(wallMs - dayMs);
    const after = zone.offsetMs(wallMs + 2 * dayMs);
    const offsets = before === after ? [before] : [before, after];
    let first: number | undefined;
    for (const minute of this.#minutesOfDay) {
      for (const offset of offsets) {
        const atMs = wallMs + minute * minuteMs - offset;
        if (atMs <= afterMs || (first !== undefined && atMs >= first)) continue;
        // On a day when the clocks change, a wall-clock time may be there twice, or not at all.
        if (offsets.length === 1 || zone.offsetMs(atMs) === offset) first = atMs;
      }
      if (first !== undefined && offsets.length === 1) return first;
    }
    return first;
  }
}
