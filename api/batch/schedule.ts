/** When a CronJob runs, in cron's notation. Source: github.com/robfig/cron/v3 (ParseStandard) */

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const fields: readonly Bounds[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: months },
  { min: 0, max: 6, names: days },
];

const descriptors: ReadonlySet<string> = new Set([
  "@yearly",
  "@annually",
  "@monthly",
  "@weekly",
  "@daily",
  "@midnight",
  "@hourly",
]);
const duration = /^[-+]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))*$/;
const zonePrefix = /^(?:CRON_)?TZ=(\S*)(?:\s+|$)/;

/** What is wrong with a schedule; undefined when nothing is. */
export function scheduleError(schedule: string): string | undefined {
  if (schedule === "") return "empty spec string";
  const zone = zonePrefix.exec(schedule);
  if (zone !== null && !isTimeZone(zone[1] ?? ""))
    return `provided bad location ${zone[1]}: unknown time zone ${zone[1]}`;
  const rest = schedule.slice(zone?.[0].length ?? 0).trim();
  if (rest.startsWith("@")) return descriptorError(rest);
  const given = rest.split(/\s+/);
  if (given.length !== fields.length) {
    return `expected exactly ${fields.length} fields, found ${given.length}: [${given.join(" ")}]`;
  }
  for (const [i, bounds] of fields.entries()) {
    const error = fieldError(given[i] ?? "", bounds);
    if (error !== undefined) return error;
  }
  return undefined;
}

function descriptorError(text: string): string | undefined {
  if (descriptors.has(text)) return undefined;
  const every = "@every ";
  if (!text.startsWith(every)) return `unrecognized descriptor: ${text}`;
  return duration.test(text.slice(every.length)) ? undefined : `failed to parse duration ${text}`;
}

function fieldError(text: string, bounds: Bounds): string | undefined {
  for (const part of text.split(",")) {
    // The parser drops empty parts, but for a field that is nothing else.
    if (part === "") continue;
    const error = rangeError(part, bounds);
    if (error !== undefined) return error;
  }
  return undefined;
}

/** `number | number-number | *`, perhaps with `/number`. */
function rangeError(text: string, bounds: Bounds): string | undefined {
  const [range = "", step, ...tooMany] = text.split("/");
  const [low = "", high, ...more] = range.split("-");
  if (tooMany.length > 0) return `too many slashes: ${text}`;
  if (more.length > 0) return `too many hyphens: ${text}`;
  const any = low === "*" || low === "?";
  const start = any ? bounds.min : numberOf(low, bounds);
  if (start === undefined) return `failed to parse int from ${low}`;
  const end = any || (high === undefined && step !== undefined) ? bounds.max : numberOf(high ?? low, bounds);
  if (end === undefined) return `failed to parse int from ${high}`;
  if (step !== undefined && !/^\+?\d+$/.test(step)) return `failed to parse int from ${step}`;
  if (start < bounds.min) return `beginning of range (${start}) below minimum (${bounds.min}): ${text}`;
  if (end > bounds.max) return `end of range (${end}) above maximum (${bounds.max}): ${text}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${text}`;
  return step !== undefined && Number(step) === 0 ? `step of range should be a positive number: ${text}` : undefined;
}

function numberOf(text: string, { min, names }: Bounds): number | undefined {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return named + min;
  return /^\+?\d+$/.test(text) ? Number(text) : undefined;
}

/** A zone of the IANA database; names are told apart by case, as files are. */
export function isTimeZone(name: string): boolean {
  if (name === "" || name === "UTC" || name === "Local") return true;
  if (!/^[A-Z][A-Za-z0-9_+-]*(\/[A-Z][A-Za-z0-9_+-]*)*$/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
