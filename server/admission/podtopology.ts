/**
 * A pod that gets its node gets that node's zone and region as labels, by which its containers may know where they run.
 * A node that is not there, or has no such labels, changes nothing.
 * Source: k8s.io/kubernetes/plugin/pkg/admission/podtopologylabels, KEP-4742
 */
import type { Binding, Pod } from "@atoll/api/builtin/core/v1.types";
import type { Catalogue } from "../registry/catalogue.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";

const copied = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"] as const;

/** The plugin; it reads nodes. */
export function podTopologyLabels(catalogue: Catalogue): AdmissionPlugin {
  return {
    name: "PodTopologyLabels",
    handles: ({ kind, operation, subresource, object }) =>
      operation === "CREATE" &&
      kind.group === "" &&
      kind.plural === "pods" &&
      (subresource === "binding" || (subresource === "" && (object as unknown as Pod).spec.nodeName !== undefined)),
    mutate: async (request) => {
      const nodes = catalogue.resource("", "nodes");
      if (nodes === undefined) return;
      await nodes.cache.loaded();
      const node = nodes.cache.get(nodes.key("", nodeOf(request)));
      if (node === undefined || request.object === undefined) return;
      const { labels = {} } = nodes.cache.object(node).metadata;
      for (const key of copied) {
        const value = labels[key];
        const { metadata } = request.object;
        if (value !== undefined) metadata.labels = { ...metadata.labels, [key]: value };
      }
    },
  };
}

function nodeOf({ subresource, object }: AdmissionRequest): string {
  const name =
    subresource === "binding" ? (object as unknown as Binding).target?.name : (object as unknown as Pod).spec.nodeName;
  return name ?? "";
}
