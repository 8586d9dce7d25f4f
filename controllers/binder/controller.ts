/**
 * Binds Pods to the one host there is. It stands in for the scheduler, which will delete it: with a second Node it does
 * nothing any more, because to choose is not its business.
 */
import { Node, Pod } from "@atoll/client/builtin";
import { isConflict, isNotFound } from "@atoll/client/errors";
import { keyOf } from "@atoll/client/resource";
import { subresourceOf, watching } from "@atoll/runtime/claims";
import type { Controller } from "@atoll/runtime/controller";
import { defineController, settled } from "@atoll/runtime/controller";

const schedulerName = "default-scheduler";

/** Binds Pods that wait for the usual scheduler. */
export const binder: Controller = defineController({
  name: "binder",
  for: Pod,
  reads: [watching(Node, (_, cache) => cache.list(Pod).filter(isWaiting).map(keyOf))],
  writes: [subresourceOf(Pod, "binding")],
  async reconcile(key, { cache, client }) {
    const pod = cache.get(Pod, key);
    const [node, ...others] = cache.list(Node);
    if (pod === undefined || !isWaiting(pod) || node === undefined || others.length > 0 || !takesPods(node))
      return settled;
    const { name, namespace, uid } = pod.metadata;
    const target = { apiVersion: "v1", kind: "Node", name: node.metadata.name };
    const body = { apiVersion: "v1", kind: "Binding", metadata: { name, namespace, uid }, target };
    try {
      await client.createSubresource(pod, "binding", body);
    } catch (error) {
      // It is gone, or somebody bound it.
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
    return settled;
  },
});

function isWaiting({ metadata, spec }: Pod): boolean {
  const isGated = (spec.schedulingGates ?? []).length > 0;
  const isOurs = (spec.schedulerName ?? schedulerName) === schedulerName;
  return (spec.nodeName ?? "") === "" && metadata.deletionTimestamp === undefined && isOurs && !isGated;
}

function takesPods({ spec, status }: Node): boolean {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return spec?.unschedulable !== true && ready?.status === "True";
}
