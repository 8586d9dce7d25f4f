import assert from "node:assert/strict";
import test from "node:test";
import type { NodeSelectorTerm, Taint, Toleration } from "@atoll/api/builtin/core/v1.types";
import type { Node } from "@atoll/client/builtin";
import { fitsNode, isRepelled } from "./placement.ts";

function node(labels: Record<string, string> = {}, taints: Taint[] = []): Node {
  return { apiVersion: "v1", kind: "Node", metadata: { name: "n1", labels }, spec: { taints }, status: {} as never };
}

const pod = (extra: object) => ({ containers: [], ...extra });
const requiring = (...nodeSelectorTerms: NodeSelectorTerm[]) =>
  pod({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } } });

test("fitsNode() heeds the name, the selector and the required affinity", () => {
  const ssd = node({ disk: "ssd", cores: "8" });
  assert.equal(fitsNode(pod({}), ssd), true);
  assert.equal(fitsNode(pod({ nodeName: "n2" }), ssd), false);
  assert.equal(fitsNode(pod({ nodeSelector: { disk: "ssd" } }), ssd), true);
  assert.equal(fitsNode(pod({ nodeSelector: { disk: "hdd" } }), ssd), false);
  const is = (operator: string, key: string, values?: string[]) => ({
    key,
    operator,
    ...(values !== undefined && { values }),
  });
  assert.equal(
    fitsNode(requiring({ matchExpressions: [is("In", "disk", ["hdd", "ssd"]), is("Gt", "cores", ["4"])] }), ssd),
    true,
  );
  assert.equal(fitsNode(requiring({ matchExpressions: [is("Gt", "cores", ["8"])] }), ssd), false);
  assert.equal(
    fitsNode(
      requiring({ matchExpressions: [is("Exists", "gpu")] }, { matchExpressions: [is("DoesNotExist", "gpu")] }),
      ssd,
    ),
    true,
  );
  assert.equal(fitsNode(requiring({ matchFields: [is("In", "metadata.name", ["n1"])] }), ssd), true);
  assert.equal(fitsNode(requiring({}), ssd), false);
});

test("isRepelled() by a taint of an effect that no toleration is for", () => {
  const tainted = node({}, [
    { key: "a", value: "1", effect: "NoSchedule" },
    { key: "b", effect: "PreferNoSchedule" },
  ]);
  const repelled = (tolerations: Toleration[], effects = ["NoSchedule"]) => isRepelled(tainted, tolerations, effects);
  assert.equal(repelled([]), true);
  assert.equal(repelled([], ["NoExecute"]), false);
  assert.equal(repelled([{ key: "a", value: "1" }]), false);
  assert.equal(repelled([{ key: "a", value: "2" }]), true);
  assert.equal(repelled([{ key: "a", operator: "Exists", effect: "NoExecute" }]), true);
  assert.equal(repelled([{ operator: "Exists" }]), false);
});
