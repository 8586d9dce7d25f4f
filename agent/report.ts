/** What the agent says of its cluster. */
import type { ClusterReport } from "@atoll/api/fleet/v1alpha1/clusterreport";
import { Namespace, Node } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { metadataOf } from "@atoll/client/resource";
import { type Clock, formatTime } from "@atoll/machinery/clock";
import { addQuantities, canonicalQuantity, parseQuantity, type Quantity } from "@atoll/machinery/quantity";
import type { Usage } from "./usage.ts";
import type { Found } from "./violations.ts";

/** Looks, and says what is there. */
export async function gatherReport(options: {
  readonly cluster: Client;
  readonly clock: Clock;
  readonly instance: string;
  readonly version: string;
  readonly found: Found;
  /** When the inventory was looked at last. */
  readonly inventoryTime: string | undefined;
  /** As it was found last. */
  readonly usage: Usage | undefined;
}): Promise<ClusterReport["spec"]> {
  const { cluster, clock, instance, version, found, inventoryTime, usage } = options;
  const [served, nodes, namespaces] = await Promise.all([
    cluster.raw({ method: "GET", path: "/version" }) as Promise<{ gitVersion?: string }>,
    cluster.list(Node),
    cluster.list(metadataOf(Namespace)),
  ]);
  const ready = nodes.items.filter(({ status }) =>
    status?.conditions?.some(({ type, status: holds }) => type === "Ready" && holds === "True"),
  );
  return {
    time: formatTime(clock.nowMs()),
    instance,
    agentVersion: version,
    version: served.gitVersion ?? "",
    nodes: { total: nodes.items.length, ready: ready.length },
    capacity: sum(nodes.items),
    namespaces: namespaces.items.length,
    ...(inventoryTime === undefined ? {} : { inventoryTime }),
    ...(usage === undefined ? {} : { usage }),
    violations: found.violations.map(({ apiVersion: _, uid: __, exceptions: ___, ...told }) => told),
    violationsTotal: found.total,
    violationsOf: { ...found.ofPolicy },
    exceptedOf: { ...found.ofException },
  };
}

/** Of all nodes, each resource. */
function sum(nodes: readonly Node[]): Record<string, string> {
  const totals = new Map<string, Quantity>();
  for (const { status } of nodes) {
    for (const [resource, text] of Object.entries(status?.capacity ?? {})) {
      const before = totals.get(resource);
      const more = parseQuantity(text);
      totals.set(resource, before === undefined ? more : addQuantities(before, more));
    }
  }
  return Object.fromEntries([...totals].map(([resource, total]) => [resource, canonicalQuantity(total)]));
}
