/**
 * Tells in EndpointSlices where the Pods of each Service are and whether they serve.
 * Source: k8s.io/kubernetes/pkg/controller/endpointslice
 */
import { EndpointSlice, Node, Pod, Service } from "@atoll/client/builtin";
import type { Key } from "@atoll/client/resource";
import { keyOf, toKey } from "@atoll/client/resource";
import { isNamespaceTerminating } from "@atoll/client/errors";
import type { View } from "@atoll/runtime/claims";
import { consulting, partOf, watching } from "@atoll/runtime/claims";
import type { Controller, Reconcile } from "@atoll/runtime/controller";
import { defineController, settled } from "@atoll/runtime/controller";
import { messageOf, throwGathered } from "@atoll/runtime/failures";
import { desiredEndpoints, isSelecting, selects } from "./endpoints.ts";
import type { Step } from "./plan.ts";
import { manager, managerLabel, plan, serviceLabel } from "./plan.ts";

/** The Services that select a Pod. */
export function* servicesOf(pod: Pod, cache: View): Iterable<Key> {
  for (const service of cache.list(Service, { namespace: pod.metadata.namespace ?? "" })) {
    if (isSelecting(service) && selects(service, pod)) yield keyOf(service);
  }
}

function* serviceOf({ metadata }: EndpointSlice): Iterable<Key> {
  const name = metadata.labels?.[serviceLabel];
  if (name !== undefined) yield toKey(metadata.namespace, name);
}

const slices = { ...watching(EndpointSlice, serviceOf, { labelSelector: `${managerLabel}=${manager}` }) };

/** Keeps EndpointSlices. */
export const endpointSliceController: Controller = defineController({
  name: "endpointslice-controller",
  for: Service,
  reads: [watching(Pod, servicesOf), slices, consulting(Node)],
  writes: [
    partOf(
      EndpointSlice,
      `those managed by ${manager}`,
      ({ object }) => object.metadata.labels?.[managerLabel] === manager,
    ),
  ],
  concurrency: 5,
  async reconcile(key, { cache, client, events }) {
    const service = cache.get(Service, key);
    if (service === undefined || !isSelecting(service) || service.metadata.deletionTimestamp !== undefined)
      return settled;
    const { namespace = "" } = service.metadata;
    const pods = cache.list(Pod, { namespace }).filter((pod) => selects(service, pod));
    const desired = desiredEndpoints(service, pods, (name) => cache.get(Node, toKey(undefined, name)));
    const have = cache
      .list(EndpointSlice, { namespace })
      .filter(({ metadata }) => metadata.labels?.[serviceLabel] === service.metadata.name);
    const failures: unknown[] = [];
    for (const step of plan(service, desired, have))
      await take(step, client).catch((error: unknown) => failures.push(error));
    const [pod] = desired.nodeless;
    if (pod !== undefined) failures.push(new Error(`node ${pod.spec.nodeName} of pod ${keyOf(pod)} is not known`));
    const serious = failures.filter((error) => !isNamespaceTerminating(error));
    if (serious.length === 0) return settled;
    const note = `Error updating Endpoint Slices for Service ${key}: ${serious.map(messageOf).join("; ")}`;
    events.record(service, { type: "Warning", reason: "FailedToUpdateEndpointSlices", action: "Update", note });
    throwGathered(serious);
    return settled;
  },
});

/** Does one write of a plan. */
export async function take(step: Step, client: Reconcile["client"]): Promise<void> {
  if (step.do === "create") await client.create(EndpointSlice, step.slice);
  else if (step.do === "update") await client.update(step.slice);
  else await client.delete(step.slice);
}
