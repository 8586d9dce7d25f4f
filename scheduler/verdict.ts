/**
 * Why a Pod fits nowhere, in one sentence for its condition and its event.
 * Source: k8s.io/kubernetes/pkg/scheduler/framework/types.go (FitError)
 */

/** @param refusals of each node, why it was refused */
export function explain(refusals: readonly (readonly string[])[]): string {
  if (refusals.length === 0) return "no nodes available to schedule pods";
  const counts = new Map<string, number>();
  for (const reason of refusals.flat()) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).toSorted();
  return `0/${refusals.length} nodes are available: ${reasons.join(", ")}.`;
}
