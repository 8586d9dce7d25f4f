/** Every machine of the hosts, by host or by namespace. */
import type { HostVM } from "@atoll/api/supervisor/v1alpha1/hostvm";

/** By what they are grouped. */
export type Grouping = "host" | "namespace";

/** A host, or a namespace, and its machines. */
export interface Grove {
  readonly name: string;
  readonly memoryMiB: number;
  readonly machines: readonly HostVM[];
}

/** The groves, by name; machines by their owners' names. */
export function grovesOf(machines: readonly HostVM[], by: Grouping): readonly Grove[] {
  const keyOf = ({ spec }: HostVM): string => (by === "host" ? spec.node : (spec.owner.namespace ?? ""));
  const groups = Map.groupBy(machines, keyOf);
  return [...groups]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([name, own]) => ({
      name,
      memoryMiB: own.reduce((sum, { spec }) => sum + spec.memoryMiB, 0),
      machines: own.toSorted((a, b) => (a.spec.owner.name ?? "").localeCompare(b.spec.owner.name ?? "")),
    }));
}
