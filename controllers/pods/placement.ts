/**
 * Whether a Pod may be on a node, as far as names, labels and taints tell.
 * Source: k8s.io/component-helpers/scheduling/corev1 (MatchNodeSelectorTerms, FindMatchingUntoleratedTaint)
 */
import type {
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodSpec,
  Taint,
  Toleration,
} from "@atoll/api/builtin/core/v1.types";
import type { Node } from "@atoll/client/builtin";
import type { Operator } from "@atoll/machinery/selectors/labels";
import { matchesLabels } from "@atoll/machinery/selectors/labels";

/** Whether the node is one that the Pod's nodeName, nodeSelector and required affinity allow. */
export function fitsNode({ nodeName = "", nodeSelector = {}, affinity }: PodSpec, node: Node): boolean {
  const { name, labels = {} } = node.metadata;
  if (nodeName !== "" && nodeName !== name) return false;
  if (!Object.entries(nodeSelector).every(([key, value]) => labels[key] === value)) return false;
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return terms === undefined || (terms ?? []).some((term) => fitsTerm(term, node));
}

/** All of a term must hold; an empty one holds nowhere. */
function fitsTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, { metadata }: Node): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false;
  const fields = { "metadata.name": metadata.name ?? "" };
  return (
    matchesLabels(matchExpressions.map(asRequirement), metadata.labels) &&
    matchesLabels(matchFields.map(asRequirement), fields)
  );
}

function asRequirement({ key, operator, values }: NodeSelectorRequirement) {
  return { key, operator: operator as Operator, values: values ?? [] };
}

/** Whether a toleration is one for a taint. */
export function tolerates({ key = "", operator, value = "", effect = "" }: Toleration, taint: Taint): boolean {
  if (effect !== "" && effect !== taint.effect) return false;
  if (key !== "" && key !== taint.key) return false;
  if (operator === "Exists") return true;
  return key !== "" && value === (taint.value ?? "");
}

/** Whether a node has a taint of one of the effects that nothing tolerates. */
export function isRepelled({ spec }: Node, tolerations: readonly Toleration[], effects: readonly string[]): boolean {
  const taints = (spec?.taints ?? []).filter(({ effect }) => effects.includes(effect));
  return taints.some((taint) => !tolerations.some((toleration) => tolerates(toleration, taint)));
}
