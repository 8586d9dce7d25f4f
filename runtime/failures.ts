/**
 * Failures that were gathered on the way: told to people, and thrown in the end.
 */

/** What went wrong, in words. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join("; ");
  return error instanceof Error ? error.message : JSON.stringify(error);
}

/** Throws when something has failed, with all of it. @throws {AggregateError} */
export function throwGathered(failures: readonly unknown[]): void {
  if (failures.length > 0) throw new AggregateError(failures, failures.map(messageOf).join("; "));
}
