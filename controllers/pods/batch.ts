/**
 * Many writes of one kind, begun carefully: when the first fails, as for want of quota, the other thousand are not tried.
 * Source: k8s.io/kubernetes/pkg/controller/replicaset/replica_set.go (slowStartBatch)
 */

/** How many writes did well, and how the others failed. */
export interface Batch {
  readonly succeeded: number;
  readonly failures: readonly unknown[];
}

/** Runs `act` for each: one at first, then twice as many at a time, until some fail. */
export async function slowStart<T>(items: readonly T[], act: (item: T) => Promise<unknown>): Promise<Batch> {
  let succeeded = 0;
  for (let begun = 0, size = 1; begun < items.length; size *= 2) {
    const now = items.slice(begun, begun + size);
    const { failures } = await allOf(now, act);
    succeeded += now.length - failures.length;
    begun += now.length;
    if (failures.length > 0) return { succeeded, failures };
  }
  return { succeeded, failures: [] };
}

/** Runs `act` for each at once. */
export async function allOf<T>(items: readonly T[], act: (item: T) => Promise<unknown>): Promise<Batch> {
  const results = await Promise.allSettled(items.map((item) => act(item)));
  const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
  return { succeeded: items.length - failures.length, failures };
}
