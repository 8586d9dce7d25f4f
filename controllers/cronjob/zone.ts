/**
 * Wall-clock time in a time zone, from the zone data that comes with JavaScript.
 */

import { parseTime } from "@atoll/machinery/clock";

/** A time zone. */
export interface Zone {
  /** How far the zone's wall clock is ahead of UTC at an instant, ms. */
  offsetMs(atMs: number): number;
}

const utc: Zone = { offsetMs: () => 0 };

/** The zone of an IANA name, as `Europe/Berlin`; undefined when there is none. */
export function zoneOf(name: string): Zone | undefined {
  if (name === "UTC" || name === "Etc/UTC") return utc;
  // A name only: JavaScript takes offsets, too, and "Local" means something else to everybody.
  if (!/^[A-Za-z][\w+/-]*$/.test(name) || name.toLowerCase() === "local") return undefined;
  try {
    const format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    return { offsetMs: (atMs) => wallMs(format, atMs) - Math.floor(atMs / 1000) * 1000 };
  } catch {
    return undefined;
  }
}

function wallMs(format: Intl.DateTimeFormat, atMs: number): number {
  const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, value]));
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? "";
  const date = `${part("year")}-${part("month")}-${part("day")}`;
  return parseTime(`${date}T${part("hour")}:${part("minute")}:${part("second")}Z`);
}
