/**
 * Which Pods to give up first when there are too many.
 * Source: k8s.io/kubernetes/pkg/controller/controller_utils.go (ActivePodsWithRanks)
 */
import type { Pod } from "@atoll/client/builtin";
import { parseTime } from "@atoll/machinery/clock";
import { conditionOf, isReady } from "./state.ts";

const costAnnotation = "controller.kubernetes.io/pod-deletion-cost";
const phases = ["Pending", "Unknown", "Running"];

interface Ranked {
  readonly pod: Pod;
  /** Compared one after the other; the lowest goes first. */
  readonly marks: readonly number[];
}

/**
 * The Pods, the first to go first: unassigned, pending, not ready, cheap, doubled up on a node, ready for a short time,
 * often restarted, young. Ages are compared by their order of magnitude, so that not always the youngest must go.
 * @param related Pods that do the same work, those given included: doubling up is counted among them
 */
export function firstToGo(pods: readonly Pod[], related: readonly Pod[], nowMs: number): readonly Pod[] {
  const onNode = new Map<string, number>();
  for (const { spec } of related) {
    const node = spec.nodeName ?? "";
    if (node !== "") onNode.set(node, (onNode.get(node) ?? 0) + 1);
  }
  const ranked = pods.map(
    (pod): Ranked => ({ pod, marks: marksOf(pod, onNode.get(pod.spec.nodeName ?? "") ?? 0, nowMs) }),
  );
  return ranked.sort(compare).map(({ pod }) => pod);
}

function compare(a: Ranked, b: Ranked): number {
  for (const [i, mark] of a.marks.entries()) {
    const other = b.marks[i] ?? 0;
    if (mark !== other) return mark - other;
  }
  return (a.pod.metadata.uid ?? "") < (b.pod.metadata.uid ?? "") ? -1 : 1;
}

function marksOf(pod: Pod, doubled: number, nowMs: number): readonly number[] {
  const ready = isReady(pod);
  const { regular, sidecars } = restarts(pod);
  return [
    (pod.spec.nodeName ?? "") === "" ? 0 : 1,
    phases.indexOf(pod.status?.phase ?? ""),
    ready ? 1 : 0,
    costOf(pod),
    -doubled,
    ready ? magnitude(conditionOf(pod, "Ready")?.lastTransitionTime, nowMs) : 0,
    -regular,
    -sidecars,
    magnitude(pod.metadata.creationTimestamp, nowMs),
  ];
}

function costOf({ metadata }: Pod): number {
  const cost = Number(metadata.annotations?.[costAnnotation] ?? "0");
  return Number.isInteger(cost) && Math.abs(cost) < 2 ** 31 ? cost : 0;
}

/** Order of magnitude of an age; -1 for none yet. An unknown time counts as the youngest. */
function magnitude(time: string | null | undefined, nowMs: number): number {
  const atMs = parseTime(time ?? "");
  if (Number.isNaN(atMs)) return -2;
  const ageNs = (nowMs - atMs) * 1e6;
  return ageNs > 0 ? Math.floor(Math.log2(ageNs)) : -1;
}

function restarts({ spec, status }: Pod): { regular: number; sidecars: number } {
  const most = (counts: readonly number[]) => Math.max(0, ...counts);
  const restartable = new Set(
    (spec.initContainers ?? []).filter((each) => each.restartPolicy === "Always").map(({ name }) => name),
  );
  const init = (status?.initContainerStatuses ?? []).filter(({ name }) => restartable.has(name));
  return {
    regular: most((status?.containerStatuses ?? []).map(({ restartCount }) => restartCount)),
    sidecars: most(init.map(({ restartCount }) => restartCount)),
  };
}
