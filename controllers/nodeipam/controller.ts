/**
 * Gives each Node a range of addresses for its Pods, and tells it the ranges of the whole cluster, by which a host that
 * joins learns what it needs.
 * Source: k8s.io/kubernetes/pkg/controller/nodeipam/ipam/range_allocator.go
 */
import { podRangeAnnotation, serviceRangeAnnotation } from "@atoll/api/supervisor/annotations";
import { Node } from "@atoll/client/builtin";
import { partOf } from "@atoll/runtime/claims";
import { type Controller, defineController, settled } from "@atoll/runtime/controller";
import { freeNodeRange } from "./plan.ts";

/** The ranges of a cluster. */
export interface ClusterRanges {
  /** All Pods, as 10.244.0.0/16. */
  readonly pods: string;
  /** All Services. */
  readonly services: string;
}

/** Keeps the ranges of Nodes. */
export function nodeIpamController({ pods, services }: ClusterRanges): Controller {
  return defineController({
    name: "node-ipam-controller",
    for: Node,
    writes: [partOf(Node, "its range of addresses", ({ verb, subresource }) => verb === "patch" && subresource === "")],
    // One at a time, from what the server has now: two Nodes must never be given the same.
    concurrency: 1,
    async reconcile(key, { cache, client, events }) {
      const node = cache.get(Node, key);
      if (node === undefined || node.metadata.deletionTimestamp !== undefined) return settled;
      const annotations = { [podRangeAnnotation]: pods, [serviceRangeAnnotation]: services };
      const isTold = Object.entries(annotations).every(([name, value]) => node.metadata.annotations?.[name] === value);
      const has = node.spec?.podCIDR !== undefined;
      if (isTold && has) return settled;
      const range = has ? undefined : freeNodeRange(pods, await client.list(Node));
      if (!has && range === undefined) {
        const note = `Node ${key} status is now: CIDRNotAvailable`;
        events.record(node, { type: "Warning", reason: "CIDRNotAvailable", action: "AllocateCIDR", note });
        throw new Error(`every range of ${pods} is taken; node ${key} has none`);
      }
      const spec = range === undefined ? {} : { spec: { podCIDR: range, podCIDRs: [range] } };
      const { resourceVersion } = node.metadata;
      await client.patch(node, { type: "merge", body: { metadata: { resourceVersion, annotations }, ...spec } });
      return settled;
    },
  });
}
