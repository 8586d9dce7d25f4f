/**
 * How long a Pod may stay on a node with taints that send Pods away. Pure.
 * Source: k8s.io/kubernetes/pkg/controller/tainteviction/taint_eviction.go
 */
import type { PodStatus, Taint } from "@atoll/api/builtin/core/v1.types";
import type { Node, Pod } from "@atoll/client/builtin";
import { formatTime } from "@atoll/machinery/clock";
import { tolerates } from "../pods/placement.ts";

/** The taints of a node that send Pods away. */
export function evictingTaints(node: Node | undefined): readonly Taint[] {
  return (node?.spec?.taints ?? []).filter(({ effect }) => effect === "NoExecute");
}

/** How long a Pod may stay from when the taints were first seen, ms: 0 not at all, Infinity for as long as it likes. */
export function stayMs({ spec }: Pod, taints: readonly Taint[]): number {
  const tolerations = spec.tolerations ?? [];
  const used = new Set<(typeof tolerations)[number]>();
  for (const taint of taints) {
    const matching = tolerations.filter((toleration) => tolerates(toleration, taint));
    const [first] = matching;
    if (first === undefined) return 0;
    for (const each of matching) used.add(each);
  }
  const limits = [...used].flatMap(({ tolerationSeconds }) =>
    tolerationSeconds === undefined ? [] : [tolerationSeconds],
  );
  return limits.length === 0 ? Number.POSITIVE_INFINITY : Math.max(0, Math.min(...limits)) * 1000;
}

/** The status of a Pod that is sent away, so that who owns it can tell why it goes. */
export function leavingStatus({ status }: Pod, nowMs: number): PodStatus {
  const about = { reason: "DeletionByTaintManager", message: "Taint manager: deleting due to NoExecute taint" };
  const condition = { type: "DisruptionTarget", status: "True", lastProbeTime: null, ...about };
  const others = (status?.conditions ?? []).filter(({ type }) => type !== "DisruptionTarget");
  return { ...status, conditions: [...others, { ...condition, lastTransitionTime: formatTime(nowMs) }] };
}
