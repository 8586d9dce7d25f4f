/**
 * Whether a Pod may go to a node, and if not, why, in the words that upstream's events use.
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
import type { Node, Pod } from "@atoll/client/builtin";
import type { Operator } from "@atoll/machinery/selectors/labels";
import { matchesLabels } from "@atoll/machinery/selectors/labels";
import type { Place } from "./places.ts";
import { hostPorts } from "./places.ts";
import { podRequests } from "./requests.ts";

/** Why a Pod cannot go to a node; empty when it can. Only the first filter that refuses is heard, with all its reasons. */
export function refusals({ spec }: Pod, place: Place): readonly string[] {
  for (const filter of filters) {
    const reasons = filter(spec, place);
    if (reasons.length > 0) return reasons;
  }
  return [];
}

type Filter = (spec: PodSpec, place: Place) => readonly string[];

const filters: readonly Filter[] = [isSchedulable, isNamed, isTolerated, isChosen, hasPorts, hasRoom];
const unschedulable: Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

function isSchedulable({ tolerations }: PodSpec, { node }: Place): readonly string[] {
  if (node.spec?.unschedulable !== true || isToleratedBy(unschedulable, tolerations)) return [];
  return ["node(s) were unschedulable"];
}

function isNamed({ nodeName = "" }: PodSpec, { node }: Place): readonly string[] {
  return nodeName === "" || nodeName === node.metadata.name ? [] : ["node(s) didn't match the requested node name"];
}

function isTolerated({ tolerations }: PodSpec, { node }: Place): readonly string[] {
  const repelling = (node.spec?.taints ?? []).find(
    (taint) => taint.effect !== "PreferNoSchedule" && !isToleratedBy(taint, tolerations),
  );
  return repelling === undefined ? [] : [`node(s) had untolerated taint {${repelling.key}: ${repelling.value ?? ""}}`];
}

function isToleratedBy(taint: Taint, tolerations: readonly Toleration[] | undefined | null): boolean {
  return (tolerations ?? []).some(({ key = "", operator, value = "", effect = "" }) => {
    if (effect !== "" && effect !== taint.effect) return false;
    if (key !== "" && key !== taint.key) return false;
    return operator === "Exists" || value === (taint.value ?? "");
  });
}

function isChosen({ nodeSelector, affinity }: PodSpec, { node }: Place): readonly string[] {
  const { labels = {} } = node.metadata;
  const isSelected = Object.entries(nodeSelector ?? {}).every(([key, value]) => labels[key] === value);
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const hasTerm = required === undefined || (required.nodeSelectorTerms ?? []).some((term) => matches(term, node));
  return isSelected && hasTerm ? [] : ["node(s) didn't match Pod's node affinity/selector"];
}

/** All of a term must hold; an empty one holds nowhere. */
function matches({ matchExpressions, matchFields }: NodeSelectorTerm, { metadata }: Node): boolean {
  const expressions = (matchExpressions ?? []).map(asRequirement);
  const fields = (matchFields ?? []).map(asRequirement);
  if (expressions.length + fields.length === 0) return false;
  return matchesLabels(expressions, metadata.labels) && matchesLabels(fields, { "metadata.name": metadata.name ?? "" });
}

function asRequirement({ key, operator, values }: NodeSelectorRequirement) {
  return { key, operator: operator as Operator, values: values ?? [] };
}

function hasPorts(spec: PodSpec, { ports }: Place): readonly string[] {
  const wanted = hostPorts(spec);
  if (wanted.length === 0) return [];
  const clashes = wanted.some((port) => ports.some((other) => clash(port, other)));
  return clashes ? ["node(s) didn't have free ports for the requested pod ports"] : [];
}

function clash(one: ContainerPort, other: ContainerPort): boolean {
  if (one.hostPort !== other.hostPort || (one.protocol ?? "TCP") !== (other.protocol ?? "TCP")) return false;
  const [a, b] = [one, other].map(({ hostIP = "" }) => (hostIP === "" ? "0.0.0.0" : hostIP));
  return a === b || a === "0.0.0.0" || b === "0.0.0.0";
}

function hasRoom(spec: PodSpec, { allocatable, used, pods }: Place): readonly string[] {
  const full = pods.size + 1 > (allocatable.get("pods") ?? 0) ? ["Too many pods"] : [];
  const short = [...podRequests(spec)].filter(
    ([name, amount]) => amount > 0 && amount > (allocatable.get(name) ?? 0) - (used.get(name) ?? 0),
  );
  return [...full, ...short.map(([name]) => `Insufficient ${name}`)];
}
