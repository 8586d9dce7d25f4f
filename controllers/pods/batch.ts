/**
 * Many writes of one kind, begun carefully: when the first fails, as for want of quota, the other thousand are not tried.
 * Source: k8s.io/kubernetes/pkg/controller/replicaset/replica_set.go (slowStartBatch)
 */

/** How many writes did well, and how the others failed. */
export interface Batch {
  readonly succeeded: number;
  readonly failures: readonly unknown[];
}

/** Runs `act` for 0 … count-1: one at first, then twice as many at a time, until some fail. */
export async function slowStart(count: number, act: (i: number) => Promise<unknown>): Promise<Batch> {
  let succeeded = 0;
  for (let begun = 0, size = 1; begun < count; size *= 2) {
    const now = Math.min(size, count - begun);
    const { failures } = await allOf(now, (i) => act(begun + i));
    succeeded += now - failures.length;
    begun += now;
    if (failures.length > 0) return { succeeded, failures };
  }
  return { succeeded, failures: [] };
}

/** Runs `act` for 0 … count-1 at once. */
export async function allOf(count: number, act: (i: number) => Promise<unknown>): Promise<Batch> {
  const results = await Promise.allSettled(Array.from({ length: count }, (_, i) => act(i)));
  const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
  return { succeeded: count - failures.length, failures };
}
