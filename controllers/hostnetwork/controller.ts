/**
 * Keeps a HostNetwork for each Node: what its host has to know of the others, and nothing that it has not. All are reckoned
 * at once from what is in memory; changes that come close together are one pass, and what does not differ is not written.
 */
import { opensFor } from "@atoll/api/supervisor/gateway";
import { HostNetwork } from "@atoll/api/supervisor/v1alpha1/hostnetwork";
import { EndpointSlice, Namespace, NetworkPolicy, Node, Pod, Service } from "@atoll/client/builtin";
import { type Key, toKey } from "@atoll/client/resource";
import { deepEqual } from "@atoll/machinery/equal";
import type { ApiObject } from "@atoll/machinery/object";
import { partOf, type Read, watching } from "@atoll/runtime/claims";
import { again, type Controller, defineController, type Reconcile, settled } from "@atoll/runtime/controller";
import { type Knowledge, knowledge, networkNumber } from "./plan.ts";

/** Not the name of an object: the one thing that there is to do. */
const everything = toKey(undefined, "*");
const togetherMs = 100;
const writesAtOnce = 8;

const all = (): readonly Key[] => [everything];

/** As it is when nothing has changed that is looked at. */
function unless<T extends ApiObject>(read: Read<T>, facts: (object: T) => unknown): Read<T> {
  return { ...read, matters: (before, after) => !deepEqual(facts(before), facts(after)) };
}

/** @param range of all pods, as 10.244.0.0/16 */
export function hostNetworkController(range: string): Controller {
  return defineController({
    name: "hostnetwork-controller",
    for: HostNetwork,
    reads: [
      watching(HostNetwork, all),
      unless(watching(Node, all), ({ spec, status }) => [spec, status?.addresses]),
      unless(watching(Pod, all), ({ metadata, spec, status }) => [
        metadata.labels,
        spec.nodeName,
        status.podIP,
        status.phase,
      ]),
      unless(watching(Namespace, all), ({ metadata }) => metadata.labels),
      unless(watching(Service, all), opensFor),
      unless(watching(EndpointSlice, all), ({ metadata, endpoints }) => [metadata.labels, endpoints]),
      watching(NetworkPolicy, all),
    ],
    writes: [partOf(HostNetwork, "all of it", () => true)],
    async reconcile(key, tools) {
      if (key !== everything) return settled;
      const { cache, clock, signal } = tools;
      await clock.sleep(togetherMs, signal);
      const cluster = cache.get(Namespace, toKey(undefined, "kube-system"));
      if (cluster === undefined) return again({ afterMs: 1_000 });
      const wanted = knowledge({
        range,
        network: networkNumber(cluster.metadata.uid ?? ""),
        nodes: cache.list(Node),
        pods: cache.list(Pod),
        namespaces: cache.list(Namespace),
        services: cache.list(Service),
        slices: cache.list(EndpointSlice),
        policies: cache.list(NetworkPolicy),
      });
      await settle(wanted, tools);
      return settled;
    },
  });
}

/** Writes what differs. One that fails keeps none of the others from being written. */
async function settle(wanted: ReadonlyMap<string, Knowledge>, tools: Reconcile): Promise<void> {
  const { cache, client } = tools;
  const steps: (() => Promise<unknown>)[] = cache
    .list(HostNetwork)
    .filter(({ metadata: { name = "" } }) => !wanted.has(name))
    .map((gone) => async () => await client.delete(gone));
  for (const [name, spec] of wanted) {
    const known = cache.get(HostNetwork, toKey(undefined, name));
    if (known === undefined) steps.push(async () => await client.create(HostNetwork, { metadata: { name }, spec }));
    else if (!deepEqual(known.spec, spec)) steps.push(async () => await client.update({ ...known, spec }));
  }
  const failures: unknown[] = [];
  const work = async () => {
    for (let step = steps.shift(); step !== undefined; step = steps.shift()) {
      await step().catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: writesAtOnce }, work));
  if (failures.length > 0) throw failures[0];
}
