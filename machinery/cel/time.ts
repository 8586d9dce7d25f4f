/**
 * Timestamps and durations as text, to the nanosecond, and their parts.
 * Source: Go's time package (ParseDuration, RFC3339Nano); k8s.io/kube-openapi/pkg/validation/strfmt (schema formats)
 */
import { Duration, Timestamp } from "./values.ts";

const nanosPerMs = 1_000_000n;
const nanosPerSecond = 1_000_000_000n;
/** 0001-01-01T00:00:00Z and the last nanosecond of year 9999. */
const minTimestamp = -62_135_596_800n * nanosPerSecond;
const maxTimestamp = 253_402_300_800n * nanosPerSecond - 1n;
const maxDuration = 2n ** 63n - 1n;

/** A timestamp; undefined outside the years 1 to 9999. */
export function timestampOf(nanos: bigint, offsetMinutes = 0): Timestamp | undefined {
  return nanos >= minTimestamp && nanos <= maxTimestamp ? new Timestamp(nanos, offsetMinutes) : undefined;
}

/** A duration; undefined when its nanoseconds do not fit 64 bits. */
export function durationOf(nanos: bigint): Duration | undefined {
  return nanos >= -maxDuration - 1n && nanos <= maxDuration ? new Duration(nanos) : undefined;
}

const rfc3339 = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;
const loose = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d(?::\d\d)?)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):?(\d\d))?$/;

const secondsPerDay = 86_400;

/** A day of the calendar; month and day count from 1. */
interface Day {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** Days since the epoch. Years are taken to start in March, so that a leap day comes last. */
function daysSinceEpoch({ year, month, day }: Day): number {
  const shifted = month > 2 ? year : year - 1;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** The calendar's day, from days since the epoch. */
function dayOf(days: number): Day {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const leaps = Math.floor(dayOfEra / 1_460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leaps) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

/** Seconds since the epoch of a date and time in UTC; undefined when there is no such date or time. */
function utcSeconds(date: string, time: string): bigint | undefined {
  const [year = 0, month = 0, day = 0] = date.split("-").map(Number);
  const [hours = 0, minutes = 0, seconds = 0] = time.split(":").map(Number);
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
  const days = daysSinceEpoch({ year, month, day });
  const there = dayOf(days);
  // 30 February would be a day in March.
  if (there.month !== month || there.day !== day || month < 1) return undefined;
  return BigInt(days * secondsPerDay + hours * 3_600 + minutes * 60 + seconds);
}

function parseWith(pattern: RegExp, text: string): Timestamp | undefined {
  const found = pattern.exec(text);
  if (found === null) return undefined;
  const [, date = "", time = "", fraction = "", sign, hours = "0", minutes = "0"] = found;
  const seconds = utcSeconds(date, time);
  if (seconds === undefined || Number(hours) > 24 || Number(minutes) > 59) return undefined;
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -1 : 1);
  const nanos = seconds * nanosPerSecond + BigInt(fraction.slice(0, 9).padEnd(9, "0"));
  return timestampOf(nanos - BigInt(offset) * 60n * nanosPerSecond, offset);
}

/** An RFC 3339 time, as `timestamp()` takes it. */
export const parseTimestamp = (text: string): Timestamp | undefined => parseWith(rfc3339, text);

/** A time of schema format date-time: seconds, zone and its colon may be missing. */
export const parseDateTime = (text: string): Timestamp | undefined => parseWith(loose, text);

/** A day of schema format date. */
export function parseDate(text: string): Timestamp | undefined {
  return /^\d{4}-\d\d-\d\d$/.test(text) ? parseWith(rfc3339, `${text}T00:00:00Z`) : undefined;
}

/** RFC 3339 in the zone it came in, with as many digits of the second as are needed. */
export function spellTimestamp(time: Timestamp): string {
  const seconds = floorDivide(time.nanos, nanosPerSecond);
  const fraction = time.nanos - seconds * nanosPerSecond;
  const { offsetMinutes } = time;
  const local = spellSeconds(Number(seconds) + offsetMinutes * 60);
  return `${local}${spellFraction(fraction)}${spellOffset(offsetMinutes)}`;
}

const two = (value: number): string => String(value).padStart(2, "0");

function spellSeconds(seconds: number): string {
  const days = Math.floor(seconds / secondsPerDay);
  const { year, month, day } = dayOf(days);
  const rest = seconds - days * secondsPerDay;
  const time = [Math.floor(rest / 3_600), Math.floor(rest / 60) % 60, rest % 60].map(two).join(":");
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}T${time}`;
}

function spellOffset(minutes: number): string {
  if (minutes === 0) return "Z";
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

const spellFraction = (nanos: bigint): string =>
  nanos === 0n ? "" : `.${nanos.toString().padStart(9, "0").replace(/0+$/, "")}`;

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}

const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: nanosPerMs,
  s: nanosPerSecond,
  m: 60n * nanosPerSecond,
  h: 3_600n * nanosPerSecond,
};

/** A duration as Go writes it: `1h30m`, `-1.5s`, `300ms`. */
export function parseDuration(text: string): Duration | undefined {
  const found = /^([-+]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text);
  if (found === null) return undefined;
  let nanos = 0n;
  for (const [, whole = "", fraction = "", unit = ""] of (found[2] ?? "").matchAll(/(\d*)\.?(\d*)([a-zµμ]+)/g)) {
    const scale = units[unit] ?? 0n;
    nanos += BigInt(whole || "0") * scale;
    const digits = fraction.slice(0, 18);
    if (digits !== "") nanos += (BigInt(digits) * scale) / 10n ** BigInt(digits.length);
  }
  return durationOf(found[1] === "-" ? -nanos : nanos);
}

const longUnits: readonly (readonly [RegExp, bigint])[] = [
  [/^(ns|nano)/, 1n],
  [/^(us|µs|micro)/, 1_000n],
  [/^(ms|milli)/, nanosPerMs],
  [/^(s$|sec)/, nanosPerSecond],
  [/^(m$|min)/, 60n * nanosPerSecond],
  [/^(h$|hr|hour)/, 3_600n * nanosPerSecond],
  [/^(d$|day)/, 86_400n * nanosPerSecond],
  [/^(w$|wk|week)/, 604_800n * nanosPerSecond],
];

/** A duration of schema format duration: Go's form, or numbers with units in words as `3 days`. */
export function parseFormatDuration(text: string): Duration | undefined {
  const plain = parseDuration(text);
  if (plain !== undefined) return plain;
  let nanos = 0n;
  let found = false;
  for (const [, amount = "0", unit = ""] of text.matchAll(/(\d+)\s*([A-Za-zµ]+)/g)) {
    const scale = longUnits.find(([pattern]) => pattern.test(unit.toLowerCase()))?.[1];
    if (scale === undefined) return undefined;
    nanos += BigInt(amount) * scale;
    found = true;
  }
  return found ? durationOf(nanos) : undefined;
}

/** Seconds with a unit, as `90s` or `1.5s`: how CEL turns a duration into a string. */
export function spellDuration(duration: Duration): string {
  const { nanos } = duration;
  const absolute = nanos < 0n ? -nanos : nanos;
  const sign = nanos < 0n ? "-" : "";
  return `${sign}${absolute / nanosPerSecond}${spellFraction(absolute % nanosPerSecond)}s`;
}

/** Parts of a point in time in some zone; month and weekday count from 0, day from 1. */
export interface TimeParts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly dayOfYear: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
  readonly milliseconds: number;
}

/** Parts of a time shifted by an offset from UTC. */
export function partsOf(time: Timestamp, offsetMs = 0): TimeParts {
  const ms = Number(floorDivide(time.nanos, nanosPerMs)) + offsetMs;
  const seconds = Math.floor(ms / 1_000);
  const days = Math.floor(seconds / secondsPerDay);
  const rest = seconds - days * secondsPerDay;
  const { year, month, day } = dayOf(days);
  return {
    year,
    month: month - 1,
    day,
    // The epoch was a Thursday.
    weekday: (((days + 4) % 7) + 7) % 7,
    dayOfYear: days - daysSinceEpoch({ year, month: 1, day: 1 }),
    hours: Math.floor(rest / 3_600),
    minutes: Math.floor(rest / 60) % 60,
    seconds: rest % 60,
    milliseconds: ms - seconds * 1_000,
  };
}

/** Offset from UTC, in ms, of a zone at a time: `+05:30`, `-08:00`, or a name as `Europe/Paris`. */
export function zoneOffsetMs(
  zone: string,
  time: Timestamp,
  formatters: Map<string, Intl.DateTimeFormat>,
): number | undefined {
  if (zone === "" || zone === "UTC") return 0;
  const fixed = /^([+-]?)(\d\d):(\d\d)$/.exec(zone);
  if (fixed !== null) {
    const minutes = Number(fixed[2]) * 60 + Number(fixed[3]);
    return (fixed[1] === "-" ? -minutes : minutes) * 60_000;
  }
  const formatter = formatters.get(zone) ?? formatterOf(zone);
  if (formatter === undefined) return undefined;
  formatters.set(zone, formatter);
  const seconds = floorDivide(time.nanos, nanosPerSecond);
  const text = new Map(formatter.formatToParts(Number(seconds) * 1_000).map(({ type, value }) => [type, value]));
  const date = `${text.get("year")}-${text.get("month")}-${text.get("day")}`;
  const local = utcSeconds(date, `${text.get("hour")}:${text.get("minute")}:${text.get("second")}`);
  return local === undefined ? undefined : Number(local - seconds) * 1_000;
}

function formatterOf(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    const two = "2-digit";
    return new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: two,
      day: two,
      hour: two,
      minute: two,
      second: two,
    });
  } catch {
    return undefined;
  }
}
