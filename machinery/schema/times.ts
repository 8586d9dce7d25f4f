/**
 * RFC 3339 moments as the API keeps them: UTC, with seconds (Time) or microseconds (MicroTime).
 * Source: k8s.io/apimachinery/pkg/apis/meta/v1 (Time, MicroTime), Go's time.Parse
 */

/** Text that is no time. The message is Go's. */
export class TimeError extends Error {
  override readonly name = "TimeError";
}

const shape = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;
const utcSeconds = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const utcMicros = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

const secondsADay = 86_400;
const monthDays: readonly number[] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysIn(year: number, month: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && leap ? 29 : (monthDays[month - 1] ?? 0);
}

/** Days from 0000-01-01 to the year's first day. */
function daysBefore(year: number): number {
  const past = year - 1;
  return year === 0 ? 0 : 366 + past * 365 + Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400);
}

interface Moment {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  /** Of the day. */
  readonly second: number;
}

function pad(value: number, width: number): string {
  return value.toString().padStart(width, "0");
}

function spell({ year, month, day, second }: Moment, fraction: string): string {
  const time = `${pad(Math.floor(second / 3600), 2)}:${pad(Math.floor(second / 60) % 60, 2)}:${pad(second % 60, 2)}`;
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}T${time}${fraction}Z`;
}

/** The moment `seconds` after 0000-01-01T00:00:00. */
function momentAt(seconds: number): Moment {
  const days = Math.floor(seconds / secondsADay);
  let year = Math.floor(days / 366);
  while (daysBefore(year + 1) <= days) year++;
  let day = days - daysBefore(year);
  let month = 1;
  while (day >= daysIn(year, month)) day -= daysIn(year, month++);
  return { year, month, day: day + 1, second: seconds - days * secondsADay };
}

function inUtc(moment: Moment, offsetSeconds: number): Moment {
  if (offsetSeconds === 0) return moment;
  let days = daysBefore(moment.year) + moment.day - 1;
  for (let month = 1; month < moment.month; month++) days += daysIn(moment.year, month);
  return momentAt(days * secondsADay + moment.second - offsetSeconds);
}

function isDate(year: number, month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
}

function isTime(hour: number, minute: number, second: number): boolean {
  return hour < 24 && minute < 60 && second < 60;
}

/** Seconds east of UTC of `+01:30` and its like, 0 for Z; undefined when out of range. */
function offsetOf(
  sign: string | undefined,
  hours: string | undefined,
  minutes: string | undefined,
): number | undefined {
  if (sign === undefined) return 0;
  const [hour, minute] = [Number(hours), Number(minutes)];
  if (hour > 24 || minute > 59) return undefined;
  return (sign === "-" ? -1 : 1) * (hour * 3600 + minute * 60);
}

/** The moment, and the fraction's digits, "" when none. Undefined: no such moment. */
function read(text: string): { moment: Moment; fraction: string } | undefined {
  const match = shape.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const offset = offsetOf(match[8], match[9], match[10]);
  if (offset === undefined || !isDate(year, month, day) || !isTime(hour, minute, second)) return undefined;
  const moment = { year, month, day, second: hour * 3600 + minute * 60 + second };
  return { moment: inUtc(moment, offset), fraction: match[7] ?? "" };
}

/** The moment that Go takes for "no time". */
const zero = "0001-01-01T00:00:00Z";

/** `parsing time …`, as Go says it. */
function message(text: string, layout: string): string {
  return `parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(text)}`;
}

/**
 * A time as it is stored: UTC, seconds, fractions dropped; null for the zero time.
 * @throws {TimeError} no RFC 3339 time
 */
export function normalizeTime(text: string): string | null {
  const time = read(text);
  if (time === undefined) throw new TimeError(message(text, "2006-01-02T15:04:05Z07:00"));
  if (utcSeconds.test(text)) return text === zero ? null : text;
  const spelled = spell(time.moment, "");
  return spelled === zero ? null : spelled;
}

/**
 * The same with microseconds, which must be given in six digits.
 * @throws {TimeError} no RFC 3339 time with six digits of fraction
 */
export function normalizeMicroTime(text: string): string | null {
  const time = read(text);
  if (time === undefined || time.fraction.length !== 6) {
    throw new TimeError(message(text, "2006-01-02T15:04:05.000000Z07:00"));
  }
  const spelled = utcMicros.test(text) ? text : spell(time.moment, `.${time.fraction}`);
  return spelled === "0001-01-01T00:00:00.000000Z" ? null : spelled;
}
