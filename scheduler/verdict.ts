/**
 * Why a Pod fits nowhere, in one sentence for its condition and its event.
 * Source: k8s.io/kubernetes/pkg/scheduler/framework/types.go (FitError)
 */

/** What a sentence is made of. */
export interface Findings {
  /** How many nodes there are. */
  readonly nodes: number;
  /** Of each node that was refused, why. */
  readonly refusals?: Iterable<readonly string[]>;
  /** Why the Pod may go nowhere, said in place of the reasons of nodes. */
  readonly nowhere?: string | undefined;
  /** What preemption came to; "" when it makes room. */
  readonly preemption?: string;
}

/** The sentence. */
export function explain({ nodes, refusals = [], nowhere, preemption = "" }: Findings): string {
  if (nodes === 0) return "no nodes available to schedule pods";
  const counts = new Map<string, number>();
  for (const reasons of refusals) for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const sorted = [...counts].map(([reason, count]) => `${count} ${reason}`).toSorted();
  const why = nowhere ?? sorted.join(", ");
  const parts = [`0/${nodes} nodes are available:`, ...(why === "" ? [] : [`${why}.`])];
  return [...parts, ...(preemption === "" ? [] : [`preemption: ${preemption}`])].join(" ");
}
