/**
 * Resource versions compared. They are decimal numbers that rise with each write, for all resources of one store.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions (comparable since 1.35)
 */

/** Whether `seen` is `wanted` or newer. "" is older than everything. */
export function hasReached(seen: string, wanted: string): boolean {
  if (seen.length !== wanted.length) return seen.length > wanted.length;
  return seen >= wanted;
}
