/** ResourceQuota. Source: k8s.io/kubernetes/pkg/registry/core/resourcequota, pkg/printers (printResourceQuota) */
import type { ResourceQuota } from "../builtin/core/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import type { Strategy } from "../kind.ts";

const limits: ReadonlySet<string> = new Set(["limits.cpu", "limits.memory"]);

export const resourceQuota: Strategy<ResourceQuota> = {
  returnsDeleted: true,
  prepareForCreate(object) {
    object.status = {};
  },
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
  },
  table: {
    columns: [
      nameColumn,
      column("Request", "What is used of each thing that is counted or requested, and how much there may be."),
      column("Limit", "The same of what is limited."),
      ageColumn,
    ],
    cells: ({ metadata, status }, nowMs) => [
      metadata.name ?? "",
      usage(status, (name) => !limits.has(name)),
      usage(status, (name) => limits.has(name)),
      age(metadata.creationTimestamp, nowMs),
    ],
  },
};

function usage({ hard = {}, used = {} }: ResourceQuota["status"], shown: (name: string) => boolean): string {
  return Object.keys(hard)
    .filter(shown)
    .sort()
    .map((name) => `${name}: ${used[name] ?? "0"}/${hard[name]}`)
    .join(", ");
}
