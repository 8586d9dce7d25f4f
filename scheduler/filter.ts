/**
 * Whether a Pod may go to a node by what the two are alone, and if not, why, in the words that upstream's events use.
 * Source: k8s.io/kubernetes/pkg/scheduler/framework/plugins (nodeunschedulable, nodename, tainttoleration, nodeaffinity,
 * nodeports, noderesources), in the order in which the default profile asks them
 */
import type {
  ContainerPort,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodSpec,
  Taint,
  Toleration,
} from "@atoll/api/builtin/core/v1.types";
import type { Node } from "@atoll/client/builtin";
import type { Operator } from "@atoll/machinery/selectors/labels";
import { matchesLabels } from "@atoll/machinery/selectors/labels";
import type { Place } from "./places.ts";
import { hostPorts } from "./places.ts";
import { podRequests } from "./requests.ts";
import type { Filter, Refusal } from "./world.ts";
import { fine } from "./world.ts";

const final = (reason: string): readonly Refusal[] => [{ reason, isFinal: true }];

const unschedulable: Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

const cordon: Filter = {
  wakes: ["node"],
  prepare({ spec: { tolerations } }) {
    if (isToleratedBy(unschedulable, tolerations)) return undefined;
    return ({ node }) => (node.spec?.unschedulable === true ? final("node(s) were unschedulable") : fine);
  },
};

const nodeName: Filter = {
  wakes: ["node"],
  prepare({ spec: { nodeName: wanted = "" } }) {
    if (wanted === "") return undefined;
    return ({ name }) => (name === wanted ? fine : final("node(s) didn't match the requested node name"));
  },
};

const taints: Filter = {
  wakes: ["node"],
  prepare:
    ({ spec }) =>
    ({ node }) =>
      hasRepellingTaint(node, spec) ? final("node(s) had untolerated taint(s)") : fine,
};

/** Whether a node keeps new Pods out by a taint that the Pod does not tolerate. */
export function hasRepellingTaint({ spec }: Node, { tolerations }: PodSpec): boolean {
  return (spec?.taints ?? []).some(
    (taint) => taint.effect !== "PreferNoSchedule" && !isToleratedBy(taint, tolerations),
  );
}

/** Whether one of the tolerations is for the taint. */
export function isToleratedBy(taint: Taint, tolerations: readonly Toleration[] | undefined | null): boolean {
  return (tolerations ?? []).some(({ key = "", operator, value = "", effect = "" }) => {
    if (effect !== "" && effect !== taint.effect) return false;
    if (key !== "" && key !== taint.key) return false;
    return operator === "Exists" || value === (taint.value ?? "");
  });
}

const nodeAffinity: Filter = {
  wakes: ["node"],
  prepare({ spec }) {
    const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    if (required === undefined && Object.keys(spec.nodeSelector ?? {}).length === 0) return undefined;
    return ({ node }) => (isChosen(spec, node) ? fine : final("node(s) didn't match Pod's node affinity/selector"));
  },
};

/** Whether a node is one of those that the Pod's node selector and required node affinity name. */
export function isChosen({ nodeSelector, affinity }: PodSpec, node: Node): boolean {
  const { labels = {} } = node.metadata;
  for (const key in nodeSelector) if (labels[key] !== nodeSelector[key]) return false;
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || (required.nodeSelectorTerms ?? []).some((term) => matchesTerm(term, node));
}

/** All of a term must hold; an empty one holds nowhere. */
export function matchesTerm({ matchExpressions, matchFields }: NodeSelectorTerm, { metadata }: Node): boolean {
  const expressions = (matchExpressions ?? []).map(asRequirement);
  const fields = (matchFields ?? []).map(asRequirement);
  if (expressions.length + fields.length === 0) return false;
  return matchesLabels(expressions, metadata.labels) && matchesLabels(fields, { "metadata.name": metadata.name ?? "" });
}

function asRequirement({ key, operator, values }: NodeSelectorRequirement) {
  return { key, operator: operator as Operator, values: values ?? [] };
}

const ports: Filter = {
  wakes: ["node", "pod gone"],
  prepare({ spec }) {
    const wanted = hostPorts(spec);
    if (wanted.length === 0) return undefined;
    const refusal = [{ reason: "node(s) didn't have free ports for the requested pod ports", isFinal: false }];
    return (place) => (wanted.some((port) => place.ports.some((other) => clash(port, other))) ? refusal : fine);
  },
};

function clash(one: ContainerPort, other: ContainerPort): boolean {
  if (one.hostPort !== other.hostPort || (one.protocol ?? "TCP") !== (other.protocol ?? "TCP")) return false;
  const [a, b] = [one, other].map(({ hostIP = "" }) => (hostIP === "" ? "0.0.0.0" : hostIP));
  return a === b || a === "0.0.0.0" || b === "0.0.0.0";
}

const resources: Filter = {
  wakes: ["node", "pod gone"],
  prepare({ spec }) {
    const wanted = [...podRequests(spec)].filter(([, amount]) => amount > 0);
    return (place) => shortages(wanted, place);
  },
};

function shortages(wanted: readonly (readonly [string, number])[], place: Place): readonly Refusal[] {
  const { allocatable, used, pods } = place;
  let short: Refusal[] | undefined;
  if (pods.size + 1 > (allocatable.get("pods") ?? 0)) short = [{ reason: "Too many pods", isFinal: false }];
  for (const [name, amount] of wanted) {
    const total = allocatable.get(name) ?? 0;
    if (amount <= total - (used.get(name) ?? 0)) continue;
    short ??= [];
    short.push({ reason: `Insufficient ${name}`, isFinal: amount > total });
  }
  return short ?? fine;
}

/** Those that look at the Pod and one node alone. */
export const nodeFilters: readonly Filter[] = [cordon, nodeName, taints, nodeAffinity, ports, resources];
