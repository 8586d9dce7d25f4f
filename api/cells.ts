/**
 * Columns and cells that many kinds show.
 * Source: k8s.io/kubernetes/pkg/printers/internalversion, k8s.io/apimachinery/pkg/util/duration
 */
import { parseTime } from "@atoll/machinery/clock";
import type { Column } from "./kind.ts";

/** The Name column. */
export const nameColumn: Column = {
  name: "Name",
  type: "string",
  format: "name",
  description: "Name of the object, unique among those of its kind in its namespace.",
  priority: 0,
};

/** The Age column; its cell is age(). */
export const ageColumn: Column = {
  name: "Age",
  type: "string",
  description: "How long ago the object was created.",
  priority: 0,
};

/** A column of text. Priority 1 shows only with -o wide. */
export function column(name: string, description: string, priority = 0): Column {
  return { name, type: "string", description, priority };
}

/**
 * How long ago, in kubectl's short form: 45s, 5m10s, 3h, 2d5h, 400d, 3y20d.
 * Source: k8s.io/apimachinery/pkg/util/duration (HumanDuration)
 */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return withRest(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return withRest(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (hours < 192) return withRest(days, "d", hours % 24, "h");
  const years = Math.floor(days / 365);
  if (years < 2) return `${days}d`;
  return years < 8 ? withRest(years, "y", days % 365, "d") : `${years}y`;
}

function withRest(whole: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${whole}${unit}` : `${whole}${unit}${rest}${restUnit}`;
}

/** An Age cell: how long ago a time was, `<unknown>` when there is none. */
export function age(time: string | undefined | null, nowMs: number): string {
  if (time === undefined || time === null) return "<unknown>";
  const then = parseTime(time);
  return Number.isNaN(then) ? "<invalid>" : humanDuration(nowMs - then);
}
