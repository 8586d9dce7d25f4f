/**
 * A pod stays five minutes on a node that is not ready or cannot be reached, unless it says otherwise.
 * Source: k8s.io/kubernetes/plugin/pkg/admission/defaulttolerationseconds
 */
import type { Pod, Toleration } from "@atoll/api/builtin/core/v1.types";
import type { AdmissionPlugin } from "./admission.ts";

const taints = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] as const;
const seconds = 300;

export const defaultTolerations: AdmissionPlugin = {
  name: "DefaultTolerationSeconds",
  handles: ({ kind, operation, subresource }) =>
    kind.plural === "pods" &&
    kind.group === "" &&
    (operation === "CREATE" || operation === "UPDATE") &&
    subresource === "",
  mutate: ({ object }) => {
    const { spec } = object as unknown as Pod;
    const missing = taints.filter((key) => !(spec.tolerations ?? []).some((toleration) => covers(toleration, key)));
    if (missing.length === 0) return;
    const added = missing.map((key) => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: seconds }));
    spec.tolerations = [...(spec.tolerations ?? []), ...added];
  },
};

function covers({ key = "", effect = "" }: Toleration, taint: string): boolean {
  return (key === taint || key === "") && (effect === "NoExecute" || effect === "");
}
