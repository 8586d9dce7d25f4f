/** Cells of volumes and claims. Source: k8s.io/kubernetes/pkg/apis/core/v1/helper (GetAccessModesAsString) */
import type { PersistentVolumeClaim } from "../builtin/core/v1.types.ts";

const shortModes = [
  ["ReadWriteOnce", "RWO"],
  ["ReadOnlyMany", "ROX"],
  ["ReadWriteMany", "RWX"],
  ["ReadWriteOncePod", "RWOP"],
] as const;

/** Access modes in short, in a fixed order. */
export function accessCell(modes: readonly string[] | undefined): string {
  const shown = shortModes.filter(([mode]) => modes?.includes(mode));
  return shown.map(([, short]) => short).join(",");
}

/** What a claim has, once it has a volume. */
export function claimAccessCell({ spec, status }: PersistentVolumeClaim): { capacity: string; modes: string } {
  if (!spec.volumeName) return { capacity: "", modes: "" };
  return { capacity: status.capacity?.["storage"] ?? "0", modes: accessCell(status.accessModes) };
}
