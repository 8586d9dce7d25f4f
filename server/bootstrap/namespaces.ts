/**
 * The namespaces that are always there.
 * Source: k8s.io/kubernetes/pkg/controlplane/controller/systemnamespaces
 */
import { type Clock, formatTime } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import type { Catalogue } from "../registry/catalogue.ts";
import { isPlanted, plant } from "./plant.ts";

const system = ["default", "kube-system", "kube-public", "kube-node-lease"] as const;

/** Makes those that are missing. */
export async function ensureNamespaces(catalogue: Catalogue, clock: Clock): Promise<void> {
  const namespaces = catalogue.resource("", "namespaces");
  if (namespaces === undefined) return;
  await namespaces.cache.current();
  const missing = system.filter((name) => !isPlanted(namespaces, "", name));
  const now = formatTime(clock.nowMs());
  await Promise.all(missing.map((name) => plant(namespaces, namespace(name), now)));
}

function namespace(name: string): ApiObject {
  return {
    kind: "Namespace",
    apiVersion: "v1",
    metadata: { name, labels: { "kubernetes.io/metadata.name": name } },
    spec: { finalizers: ["kubernetes"] },
    status: { phase: "Active" },
  };
}
