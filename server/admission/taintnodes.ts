/**
 * A new node takes no pods before it has said that it is ready; the node lifecycle controller takes the taint away.
 * Source: k8s.io/kubernetes/plugin/pkg/admission/nodetaint
 */
import type { Node } from "@atoll/api/builtin/core/v1.types";
import type { AdmissionPlugin } from "./admission.ts";

const key = "node.kubernetes.io/not-ready";
const effect = "NoSchedule";

export const taintNodes: AdmissionPlugin = {
  name: "TaintNodesByCondition",
  handles: ({ kind, operation, subresource }) =>
    kind.plural === "nodes" && kind.group === "" && operation === "CREATE" && subresource === "",
  mutate({ object }) {
    const node = object as unknown as Node;
    const taints = node.spec?.taints ?? [];
    if (taints.some((taint) => taint.key === key && taint.effect === effect)) return;
    node.spec = { ...node.spec, taints: [...taints, { key, effect }] };
  },
};
