/**
 * The Pods of a DaemonSet: each for one node, put there by the scheduler, and bearing with most of a node's troubles.
 * Source: k8s.io/kubernetes/pkg/controller/daemon/util/daemonset_util.go
 */
import type { Affinity, PodSpec, Toleration } from "@atoll/api/builtin/core/v1.types";
import type { Node, Pod } from "@atoll/client/builtin";
import { DaemonSet } from "@atoll/client/builtin";
import type { Given } from "@atoll/client/client";
import { fitsNode, isRepelled } from "../pods/placement.ts";
import { podFrom } from "../pods/template.ts";
import { revisionLabel } from "../revisions/revision.ts";

const prefix = "node.kubernetes.io/";

/** What a daemon bears with beyond what its template says. */
function tolerationsOf({ tolerations = [], hostNetwork }: PodSpec): Toleration[] {
  const bear = (name: string, effect: string): Toleration => ({ key: `${prefix}${name}`, operator: "Exists", effect });
  const own = [
    bear("not-ready", "NoExecute"),
    bear("unreachable", "NoExecute"),
    bear("disk-pressure", "NoSchedule"),
    bear("memory-pressure", "NoSchedule"),
    bear("pid-pressure", "NoSchedule"),
    bear("unschedulable", "NoSchedule"),
    ...(hostNetwork === true ? [bear("network-unavailable", "NoSchedule")] : []),
  ];
  const added = own.filter(
    (toleration) => !tolerations.some(({ key, effect }) => key === toleration.key && effect === toleration.effect),
  );
  return [...tolerations, ...added];
}

/** Binds a Pod to a node by its name, in place of what the template asks of nodes: that has been looked at. */
function boundTo(affinity: Affinity | undefined, nodeName: string): Affinity {
  const nodeSelectorTerms = [{ matchFields: [{ key: "metadata.name", operator: "In", values: [nodeName] }] }];
  return {
    ...affinity,
    nodeAffinity: { ...affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
  };
}

/** A Pod for a node, to be created. @param hash which template */
export function daemonPod(set: DaemonSet, nodeName: string, hash: string): Given<Pod> {
  const pod = podFrom(set.spec.template, DaemonSet, set);
  const template = specOf(set);
  const spec = { ...template, tolerations: tolerationsOf(template), affinity: boundTo(template.affinity, nodeName) };
  return { metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, [revisionLabel]: hash } }, spec };
}

function specOf({ spec }: DaemonSet): PodSpec {
  return spec.template.spec ?? { containers: [] };
}

/** The node that a Pod is on or meant for; undefined when it is meant for none. */
export function nodeOf({ spec }: Pod): string | undefined {
  if ((spec.nodeName ?? "") !== "") return spec.nodeName;
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  for (const { matchFields = [] } of terms) {
    const named = matchFields.find(({ key, operator }) => key === "metadata.name" && operator === "In");
    if (named?.values?.length === 1) return named.values[0];
  }
  return undefined;
}

/** Whether a node is to have a Pod, and whether one that is there may stay. */
export function judgeNode(set: DaemonSet, node: Node): { readonly run: boolean; readonly stay: boolean } {
  const spec = specOf(set);
  if (!fitsNode(spec, node)) return { run: false, stay: false };
  const tolerations = tolerationsOf(spec);
  if (!isRepelled(node, tolerations, ["NoSchedule", "NoExecute"])) return { run: true, stay: true };
  return { run: false, stay: !isRepelled(node, tolerations, ["NoExecute"]) };
}

/** Whether a Pod was made from the template of this hash. */
export function isOfHash({ metadata }: Pod, hash: string): boolean {
  return metadata.labels?.[revisionLabel] === hash;
}
