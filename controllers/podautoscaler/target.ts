/** What an autoscaler scales: anything with a scale subresource. */
import type { HorizontalPodAutoscaler } from "@atoll/client/builtin";
import { discover } from "@atoll/client/discovery";
import { type AnyResource, objectPath, toKey } from "@atoll/client/resource";
import type { Reconcile } from "@atoll/runtime/controller";

/** A Scale of autoscaling/v1. */
export interface Scale {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string; readonly resourceVersion?: string };
  readonly spec?: { readonly replicas?: number };
  readonly status?: { readonly replicas?: number; readonly selector?: string };
}

/** A target, and where it is served. */
export interface Target {
  readonly resource: AnyResource;
  readonly scale: Scale;
}

const apps = { group: "apps", version: "v1", namespaced: true } as const;
const known: readonly AnyResource[] = [
  { ...apps, kind: "Deployment", plural: "deployments" },
  { ...apps, kind: "ReplicaSet", plural: "replicasets" },
  { ...apps, kind: "StatefulSet", plural: "statefulsets" },
  { group: "", version: "v1", namespaced: true, kind: "ReplicationController", plural: "replicationcontrollers" },
];

/** Reads the target's scale. @throws {Error} it has none, or cannot be read now */
export async function targetOf(hpa: HorizontalPodAutoscaler, { client, signal }: Reconcile): Promise<Target> {
  const { kind, name, apiVersion = "v1" } = hpa.spec.scaleTargetRef;
  const group = apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
  const isIt = (each: AnyResource) => each.group === group && each.kind === kind;
  const resource =
    known.find(isIt) ?? (await discover(client, signal)).resources.find((each) => isIt(each) && each.preferred);
  if (resource === undefined) throw new Error(`no matches for kind "${kind}" in group "${group}"`);
  const path = objectPath(resource, toKey(hpa.metadata.namespace, name), "scale");
  return { resource, scale: (await client.raw({ method: "GET", path })) as Scale };
}
