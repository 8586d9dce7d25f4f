/**
 * The namespaces that are always there.
 * Source: k8s.io/kubernetes/pkg/controlplane/controller/systemnamespaces
 */
import { randomUUID } from "node:crypto";
import { type Clock, formatTime } from "@atoll/machinery/clock";
import { StatusError } from "@atoll/machinery/status";
import type { Catalogue } from "../registry/catalogue.ts";

const system = ["default", "kube-system", "kube-public", "kube-node-lease"] as const;

/** Makes those that are missing. */
export async function ensureNamespaces(catalogue: Catalogue, clock: Clock): Promise<void> {
  const namespaces = catalogue.resource("", "namespaces");
  if (namespaces === undefined) return;
  await namespaces.cache.current();
  const missing = system.filter((name) => namespaces.cache.get(namespaces.key("", name)) === undefined);
  await Promise.all(
    missing.map(async (name) => {
      try {
        await namespaces.create({
          kind: "Namespace",
          apiVersion: "v1",
          metadata: {
            name,
            uid: randomUUID(),
            creationTimestamp: formatTime(clock.nowMs()),
            labels: { "kubernetes.io/metadata.name": name },
          },
          spec: { finalizers: ["kubernetes"] },
          status: { phase: "Active" },
        });
      } catch (error) {
        // Another server of the cluster was quicker.
        if (!(error instanceof StatusError && error.reason === "AlreadyExists")) throw error;
      }
    }),
  );
}
