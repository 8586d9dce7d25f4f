/**
 * Which Pods nobody else will clear away. Pure.
 * Source: k8s.io/kubernetes/pkg/controller/podgc/gc_controller.go
 */
import type { Node, Pod } from "@atoll/client/builtin";
import { isFinished } from "../pods/state.ts";

/** A Pod to clear away, and why. */
export interface Step {
  readonly pod: Pod;
  /** Set the phase Failed first, with this condition message: it never came to its end. */
  readonly fail: string | undefined;
}

/** The world that a plan is made for. */
export interface World {
  readonly pods: readonly Pod[];
  readonly nodes: ReadonlyMap<string, Node>;
  /** Nodes that are certainly gone, and have been for a while. */
  readonly goneNodes: ReadonlySet<string>;
  /** Ended Pods that are kept to look at. */
  readonly endedLimit: number;
}

const outOfService = "node.kubernetes.io/out-of-service";

/** The Pods to clear away. */
export function plan({ pods, nodes, goneNodes, endedLimit }: World): readonly Step[] {
  const steps = new Map<Pod, Step>();
  const add = (pod: Pod, fail?: string) => {
    if (!steps.has(pod)) steps.set(pod, { pod, fail: isFinished(pod) ? undefined : fail });
  };
  for (const pod of endedBeyond(pods, endedLimit)) add(pod);
  for (const pod of pods) {
    const node = pod.spec.nodeName ?? "";
    const terminating = pod.metadata.deletionTimestamp !== undefined;
    if (node === "") {
      if (terminating) add(pod, "PodGC: unscheduled pod is terminating");
    } else if (goneNodes.has(node)) add(pod, "PodGC: node no longer exists");
    else if (terminating && isOutOfService(nodes.get(node))) add(pod, "PodGC: node is out of service");
  }
  return [...steps.values()];
}

/** Names of nodes that Pods are bound to and that are not there. */
export function missingNodes(pods: readonly Pod[], nodes: ReadonlyMap<string, Node>): ReadonlySet<string> {
  const named = pods.map(({ spec }) => spec.nodeName ?? "").filter((name) => name !== "" && !nodes.has(name));
  return new Set(named);
}

/** Ended Pods beyond the limit: evicted ones first, then the oldest. */
function endedBeyond(pods: readonly Pod[], limit: number): readonly Pod[] {
  const ended = pods.filter((pod) => isFinished(pod) && pod.metadata.deletionTimestamp === undefined);
  if (ended.length <= limit) return [];
  const rank = ({ status, metadata }: Pod) =>
    `${status?.reason === "Evicted" ? 0 : 1} ${metadata.creationTimestamp} ${metadata.name}`;
  return [...ended].sort((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, ended.length - limit);
}

/** The administrator has said that nothing runs there any more. */
function isOutOfService(node: Node | undefined): boolean {
  const isReady = node?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
  return !isReady && (node?.spec?.taints?.some(({ key }) => key === outOfService) ?? false);
}
