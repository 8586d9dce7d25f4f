/**
 * The priority classes of the system itself.
 * Source: k8s.io/kubernetes/pkg/apis/scheduling/v1 (SystemPriorityClasses), registry/scheduling/rest
 */
import { type Clock, formatTime } from "@atoll/machinery/clock";
import type { Catalogue } from "../registry/catalogue.ts";
import { isPlanted, plant } from "./plant.ts";

const system = [
  {
    name: "system-node-critical",
    value: 2_000_001_000,
    description: "Used for system critical pods that must not be moved from their current node.",
  },
  {
    name: "system-cluster-critical",
    value: 2_000_000_000,
    description:
      "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
  },
] as const;

/** Makes those that are missing. */
export async function ensurePriorityClasses(catalogue: Catalogue, clock: Clock): Promise<void> {
  const classes = catalogue.resource("scheduling.k8s.io", "priorityclasses");
  if (classes === undefined) return;
  await classes.cache.current();
  for (const { name, value, description } of system) {
    if (isPlanted(classes, "", name)) continue;
    const object = {
      kind: "PriorityClass",
      apiVersion: "scheduling.k8s.io/v1",
      metadata: { name, generation: 1 },
      value,
      description,
      preemptionPolicy: "PreemptLowerPriority",
    };
    await plant(classes, object, formatTime(clock.nowMs()));
  }
}
