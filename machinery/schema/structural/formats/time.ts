/**
 * Dates, times and durations as text.
 * Source: k8s.io/kube-openapi/pkg/validation/strfmt/{date,time,duration}.go; Go time.ParseDuration
 */

const days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** `2006-01-02`, a day that exists. */
export function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  if (match === null) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day >= 1 && day <= (days[month - 1] ?? 0) + (leap ? 1 : 0);
}

// The dot before the fraction stands for any character, as it does upstream.
const clockTime = /^([0-9]{2}):([0-9]{2}):([0-9]{2})(?:.[0-9]+)?(?:z|[+-][0-9]{2}:[0-9]{2})$/;

/** RFC 3339 date-time; what follows a second `t` is not looked at. */
export function isDateTime(text: string): boolean {
  const [date = "", time] = text.toLowerCase().split("t", 2);
  if (time === undefined || !isDate(date)) return false;
  const match = clockTime.exec(time);
  return match !== null && Number(match[1]) <= 23 && Number(match[2]) <= 59 && Number(match[3]) <= 59;
}

const goUnits = {
  ns: 1n,
  us: 1_000n,
  "\u00b5s": 1_000n,
  "\u03bcs": 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
} as const;

const goPart = /(\d*)(?:\.(\d*))?(ns|us|\u00b5s|\u03bcs|ms|s|m|h)(?=[\d.]|$)/y;

/** Whether Go's time.ParseDuration takes the text: `1h30m`, `-1.5s`, `0`; at most some 290 years. */
function isGoDuration(text: string): boolean {
  const unsigned = /^[-+]/.test(text) ? text.slice(1) : text;
  if (unsigned === "0") return true;
  // Leading zeros do not count, but no real duration has thousands of digits.
  if (unsigned === "" || unsigned.length > 4096) return false;
  const limit = text.startsWith("-") ? 2n ** 63n : 2n ** 63n - 1n;
  const part = new RegExp(goPart);
  let total = 0n;
  while (part.lastIndex < unsigned.length) {
    const match = part.exec(unsigned);
    if (match === null) return false;
    const [, whole = "", fraction = "", unit = "s"] = match;
    if (whole === "" && fraction === "") return false;
    total += nanoseconds(whole, fraction, goUnits[unit as keyof typeof goUnits]);
    if (total > limit) return false;
  }
  return true;
}

function nanoseconds(whole: string, fraction: string, unit: bigint): bigint {
  const digits = fraction.slice(0, 18);
  const part = digits === "" ? 0n : (BigInt(digits) * unit) / 10n ** BigInt(digits.length);
  return BigInt(whole === "" ? "0" : whole) * unit + part;
}

// The unit's names; a word may also begin with the last of them.
const wordUnits: readonly (readonly string[])[] = [
  ["ns", "nano"],
  ["us", "\u00b5s", "micro"],
  ["ms", "milli"],
  ["s", "sec"],
  ["m", "min"],
  ["h", "hr", "hour"],
  ["d", "day"],
  ["w", "wk", "week"],
];

/** A Go duration, or a text with a number and a unit somewhere, as Scala writes them: `3 days`. */
export function isDuration(text: string): boolean {
  if (isGoDuration(text)) return true;
  let found = false;
  // Units are optional here so that each run of digits is read once.
  for (const [, digits = "", word = ""] of text.matchAll(/(\d+)[\t\n\f\r ]*([A-Za-z\u00b5]*)/g)) {
    if (word === "") continue;
    if (digits.length > 4096 || BigInt(digits) >= 2n ** 63n) return false;
    const unit = word.toLowerCase();
    if (wordUnits.some((names) => names.includes(unit) || unit.startsWith(names[names.length - 1] ?? ""))) found = true;
  }
  return found;
}
