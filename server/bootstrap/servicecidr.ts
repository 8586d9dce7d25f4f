/**
 * The default ServiceCIDR: the range from which Services get their addresses, so that people can read it.
 * Source: k8s.io/kubernetes/pkg/controlplane/controller/defaultservicecidr
 */
import { type Clock, formatTime } from "@atoll/machinery/clock";
import type { Catalogue } from "../registry/catalogue.ts";
import { isPlanted, plant } from "./plant.ts";

const name = "kubernetes";

/** Makes it, unless it is there; what is there stays as it is, as the range of Services that exist cannot change. */
export async function ensureServiceCidr(catalogue: Catalogue, clock: Clock, cidr: string): Promise<void> {
  const ranges = catalogue.resource("networking.k8s.io", "servicecidrs");
  if (ranges === undefined) return;
  await ranges.cache.current();
  if (isPlanted(ranges, "", name)) return;
  const now = formatTime(clock.nowMs());
  const ready = {
    type: "Ready",
    status: "True",
    reason: "",
    message: "Kubernetes default Service CIDR is ready",
    lastTransitionTime: now,
  };
  const object = {
    kind: "ServiceCIDR",
    apiVersion: "networking.k8s.io/v1",
    metadata: { name },
    spec: { cidrs: [cidr] },
    status: { conditions: [ready] },
  };
  await plant(ranges, object, now);
}
