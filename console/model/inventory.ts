/** What was found in the fleet's inventory, counted. */
import type { Found } from "@atoll/fleet/explain/inventory";

/** Of one kind: how much there is, and how much of it is not as it should be. */
export interface Tally {
  readonly kind: string;
  readonly count: number;
  readonly unhealthy: number;
}

/** As people look for them; others follow by name. */
const order = ["Cluster", "Node", "Namespace", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"];
const rank = (kind: string): number => (order.includes(kind) ? order.indexOf(kind) : order.length);

/** By kind. */
export function talliesOf(found: readonly Found[]): readonly Tally[] {
  const tallies = new Map<string, { kind: string; count: number; unhealthy: number }>();
  for (const { kind, healthy } of found) {
    const tally = tallies.get(kind) ?? { kind, count: 0, unhealthy: 0 };
    tally.count += 1;
    tally.unhealthy += healthy ? 0 : 1;
    tallies.set(kind, tally);
  }
  return [...tallies.values()].toSorted((a, b) => rank(a.kind) - rank(b.kind) || a.kind.localeCompare(b.kind));
}
