/**
 * Tells in Endpoints where the Pods of each Service are.
 * Source: k8s.io/kubernetes/pkg/controller/endpoint
 */
import { Endpoints, Node, Pod, Service } from "@atoll/client/builtin";
import { isNamespaceTerminating } from "@atoll/client/errors";
import { keyOf, toKey } from "@atoll/client/resource";
import { deepEqual } from "@atoll/machinery/equal";
import { consulting, partOf, watching } from "@atoll/runtime/claims";
import type { Controller, Reconcile } from "@atoll/runtime/controller";
import { defineController, settled } from "@atoll/runtime/controller";
import { servicesOf } from "../endpointslice/controller.ts";
import { desiredEndpoints, isSelecting, selects } from "../endpointslice/endpoints.ts";
import { capacityAnnotation, labelsOf, managedLabel, manager, subsetsOf } from "./subsets.ts";

/** Keeps Endpoints. */
export const endpointsController: Controller = defineController({
  name: "endpoint-controller",
  for: Service,
  reads: [watching(Pod, servicesOf), watching(Endpoints, (object) => [keyOf(object)]), consulting(Node)],
  writes: [partOf(Endpoints, "those named as a Service", () => true)],
  concurrency: 5,
  async reconcile(key, { cache, client }) {
    const service = cache.get(Service, key);
    const have = cache.get(Endpoints, key);
    if (service === undefined) {
      // They go with their Service; others' Endpoints may be of no Service.
      if (have?.metadata.labels?.[managedLabel] === manager) await client.delete(have);
      return settled;
    }
    if (!isSelecting(service) || service.metadata.deletionTimestamp !== undefined) return settled;
    const { namespace = "" } = service.metadata;
    const pods = cache.list(Pod, { namespace }).filter((pod) => selects(service, pod));
    const desired = desiredEndpoints(service, pods, (name) => cache.get(Node, toKey(undefined, name)));
    await write(service, { have, wanted: wantedOf(service, have, subsetsOf(service, desired)) }, client);
    return settled;
  },
});

function wantedOf({ metadata, ...service }: Service, have: Endpoints | undefined, told: ReturnType<typeof subsetsOf>) {
  const { [capacityAnnotation]: _, ...annotations } = have?.metadata.annotations ?? {};
  const all = { ...annotations, ...(told.truncated && { [capacityAnnotation]: "truncated" }) };
  const { name = "", namespace = "" } = metadata;
  return {
    metadata: {
      ...(have?.metadata ?? { name, namespace }),
      labels: labelsOf({ metadata, ...service }),
      ...(Object.keys(all).length > 0 && { annotations: all }),
    },
    subsets: [...told.subsets],
  };
}

async function write(
  { metadata }: Service,
  { have, wanted }: { have: Endpoints | undefined; wanted: ReturnType<typeof wantedOf> },
  client: Reconcile["client"],
): Promise<void> {
  try {
    if (have === undefined) await client.create(Endpoints, wanted);
    else if (!isSame(have, wanted)) await client.update({ ...have, ...wanted });
  } catch (error) {
    if (metadata.deletionTimestamp === undefined && !isNamespaceTerminating(error)) throw error;
  }
}

function isSame(have: Endpoints, { metadata, subsets }: ReturnType<typeof wantedOf>): boolean {
  return deepEqual(have.metadata, metadata) && deepEqual(have.subsets ?? [], subsets);
}
