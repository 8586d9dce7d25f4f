/** ResourceQuota. Source: k8s.io/kubernetes/pkg/registry/core/resourcequota, pkg/printers (printResourceQuota) */
import { Path } from "@atoll/machinery/field";
import type { ResourceQuota } from "../builtin/core/v1.types.ts";
import { age, ageColumn, column, nameColumn } from "../cells.ts";
import type { Strategy } from "../kind.ts";
import { roundAmounts } from "./amounts.ts";
import { Place } from "./podspec/place.ts";
import { checkHard, checkQuotaSpec } from "./quotarules.ts";

const limits: ReadonlySet<string> = new Set(["limits.cpu", "limits.memory"]);

/** The rules of ResourceQuotas. */
export const resourceQuota: Strategy<ResourceQuota> = {
  setDefaults({ spec, status }) {
    for (const amounts of [spec.hard, status.hard, status.used]) roundAmounts(amounts);
  },
  returnsDeleted: true,
  prepareForCreate(object) {
    object.status = {};
  },
  prepareForUpdate(object, old) {
    object.status = structuredClone(old.status);
  },
  validate: ({ spec }, errors) => checkQuotaSpec(spec, new Place(errors, Path.of("spec"))),
  validateUpdate({ spec }, old, errors) {
    const at = new Place(errors, Path.of("spec"));
    checkQuotaSpec(spec, at);
    const [now, before] = [new Set(spec.scopes), new Set(old.spec.scopes)];
    if (now.symmetricDifference(before).size > 0) at.invalid("scopes", spec.scopes ?? null, "field is immutable");
  },
  status: {
    validateUpdate({ status }, _, errors) {
      const at = new Place(errors, Path.of("status"));
      checkHard(status.hard, at, "hard");
      checkHard(status.used, at, "used");
    },
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
