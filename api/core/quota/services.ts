/** What services count. Source: k8s.io/kubernetes/pkg/quota/v1/evaluator/core/services.go */
import { quantityOf } from "@atoll/machinery/quantity";
import type { Service, ServiceSpec } from "../../builtin/core/v1.types.ts";
import type { Measure } from "./measure.ts";

const names: ReadonlySet<string> = new Set([
  "count/services",
  "services",
  "services.nodeports",
  "services.loadbalancers",
]);

/** The measure of services. */
export const services: Measure = {
  counts: (name) => names.has(name),
  inScope: () => false,
  usage(object) {
    const { spec } = object as unknown as Service;
    return new Map([
      ["count/services", quantityOf(1)],
      ["services", quantityOf(1)],
      ["services.loadbalancers", quantityOf(spec.type === "LoadBalancer" ? 1 : 0)],
      ["services.nodeports", quantityOf(nodePorts(spec))],
    ]);
  },
};

/** By what is wanted: they need not be given yet. */
function nodePorts({ type, ports, allocateLoadBalancerNodePorts }: ServiceSpec): number {
  const all = ports ?? [];
  if (type === "LoadBalancer" && allocateLoadBalancerNodePorts === false) {
    return all.filter(({ nodePort }) => nodePort !== undefined && nodePort !== 0).length;
  }
  return type === "NodePort" || type === "LoadBalancer" ? all.length : 0;
}
