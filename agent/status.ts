/** What the hub is told of each Work. Pure. */
import type { Work } from "@atoll/api/fleet/v1alpha1/work";
import { formatTime } from "@atoll/machinery/clock";
import { parseApiVersion } from "@atoll/machinery/object";
import type { Outcome } from "./apply.ts";
import { refOf } from "./plan.ts";

type Status = NonNullable<Work["status"]>;
const mostTold = 100;

/** The status of each Work after a pass. */
export function statusesOf(
  works: readonly Work[],
  outcomes: readonly Outcome[],
  nowMs: number,
): readonly { readonly work: Work; readonly status: Status }[] {
  const byWork = Map.groupBy(outcomes, ({ item }) => item.work);
  return works.map((work) => ({ work, status: statusOf(work, byWork.get(work.metadata.name ?? "") ?? [], nowMs) }));
}

function statusOf(work: Work, outcomes: readonly Outcome[], nowMs: number): Status {
  const { generation = 0 } = work.metadata;
  const left = outcomes.filter(({ state }) => state !== "Applied");
  const told = [...left, ...outcomes.filter(({ state, reason }) => state === "Applied" && reason !== "")];
  const status = left.length === 0 ? "True" : "False";
  const worst = left.find(({ state }) => state === "Failed") ?? left.at(0);
  const before = work.status?.conditions?.find(({ type }) => type === "Applied");
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : formatTime(nowMs);
  return {
    observedGeneration: generation,
    order: work.spec.order,
    total: outcomes.length,
    applied: outcomes.length - left.length,
    objects: told.slice(0, mostTold).map(({ item, state, reason }) => ({
      source: item.source,
      object: nameOf(item.manifest),
      state,
      reason: reason.slice(0, 1024),
    })),
    conditions: [
      {
        type: "Applied",
        status,
        reason: worst?.state ?? "Applied",
        message: worst === undefined ? "All objects are as they should be." : worst.reason.slice(0, 1024),
        lastTransitionTime,
        observedGeneration: generation,
      },
    ],
  };
}

function nameOf(manifest: Outcome["item"]["manifest"]): string {
  const { group } = parseApiVersion(manifest.apiVersion);
  const { namespace, name } = refOf(manifest);
  const kind = group === "" ? manifest.kind : `${manifest.kind}.${group}`;
  return [kind, ...(namespace === "" ? [] : [namespace]), name].join("/");
}
