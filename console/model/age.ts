/** Ages as kubectl spells them. */

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/**
 * `45s`, `3m20s`, `5h`, `12d`.
 * Source: k8s.io/apimachinery/pkg/util/duration HumanDuration
 */
export function spellAge(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 2 * minute) return `${whole}s`;
  if (whole < 10 * minute) return two(whole, [minute, "m"], [1, "s"]);
  if (whole < 3 * hour) return `${Math.floor(whole / minute)}m`;
  if (whole < 8 * hour) return two(whole, [hour, "h"], [minute, "m"]);
  if (whole < 2 * day) return `${Math.floor(whole / hour)}h`;
  if (whole < 8 * day) return two(whole, [day, "d"], [hour, "h"]);
  if (whole < 730 * day) return `${Math.floor(whole / day)}d`;
  return two(whole, [365 * day, "y"], [day, "d"]);
}

function two(seconds: number, [large, l]: [number, string], [small, s]: [number, string]): string {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)}${l}${rest === 0 ? "" : `${rest}${s}`}`;
}
