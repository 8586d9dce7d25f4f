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

/** Milliseconds since the epoch of a date and time in UTC; undefined when there is no such date. */
function utcMs(date: string, time: string): bigint | undefined {
  const ms = parseUtc(`${date}T${time.length === 5 ? `${time}:00` : time}.000Z`);
  // The engine lets 30 February run over into March.
  if (Number.isNaN(ms) || isoText(ms).slice(0, 10) !== date) return undefined;
  return BigInt(ms);
}

const parseUtc = (text: string): number => Date.parse(text);
const isoText = (ms: number): string => new Date(ms).toISOString();

function parseWith(pattern: RegExp, text: string): Timestamp | undefined {
  const found = pattern.exec(text);
  if (found === null) return undefined;
  const [, date = "", time = "", fraction = "", sign, hours = "0", minutes = "0"] = found;
  const ms = utcMs(date, time);
  if (ms === undefined || Number(hours) > 24 || Number(minutes) > 59) return undefined;
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -1 : 1);
  const nanos = ms * nanosPerMs + BigInt(fraction.slice(0, 9).padEnd(9, "0"));
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
  const local = isoText((Number(seconds) + offsetMinutes * 60) * 1000).slice(0, 19);
  return `${local}${spellFraction(fraction)}${spellOffset(offsetMinutes)}`;
}

function spellOffset(minutes: number): string {
  if (minutes === 0) return "Z";
  const two = (value: number): string => String(value).padStart(2, "0");
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
  const date = new Date(ms);
  const year = date.getUTCFullYear();
  const newYear = new Date(ms);
  newYear.setUTCMonth(0, 1);
  return {
    year,
    month: date.getUTCMonth(),
    day: date.getUTCDate(),
    weekday: date.getUTCDay(),
    dayOfYear: Math.round((ms - newYear.getTime()) / 86_400_000),
    hours: date.getUTCHours(),
    minutes: date.getUTCMinutes(),
    seconds: date.getUTCSeconds(),
    milliseconds: date.getUTCMilliseconds(),
  };
}

/** Offset from UTC, in ms, of a zone at a time: `+05:30`, `-08:00`, or a name as `Europe/Paris`. */
export function zoneOffsetMs(zone: string, time: Timestamp, formatters: Map<string, Intl.DateTimeFormat>): number | undefined {
  if (zone === "" || zone === "UTC") return 0;
  const fixed = /^([+-]?)(\d\d):(\d\d)$/.exec(zone);
  if (fixed !== null) {
    const minutes = Number(fixed[2]) * 60 + Number(fixed[3]);
    return (fixed[1] === "-" ? -minutes : minutes) * 60_000;
  }
  const formatter = formatters.get(zone) ?? formatterOf(zone);
  if (formatter === undefined) return undefined;
  formatters.set(zone, formatter);
  const ms = Number(floorDivide(time.nanos, nanosPerSecond)) * 1000;
  const text = Object.fromEntries(formatter.formatToParts(ms).map((part) => [part.type, part.value]));
  const year = String(text["year"]).padStart(4, "0");
  const local = parseUtc(`${year}-${text["month"]}-${text["day"]}T${text["hour"]}:${text["minute"]}:${text["second"]}Z`);
  return local - ms;
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
