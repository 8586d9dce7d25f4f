/**
 * Says of each Datastore how much room there is and which hosts have it. Each host tells on its Node what it sees; one that
 * is not ready tells nothing that counts. Source: docs/rfd/0038-shared-datastores.md
 */
import type { Condition } from "@atoll/api/own/kind";
import { Datastore } from "@atoll/api/supervisor/v1alpha1/datastore";
import { disks, type SeenDatastore, seenOn } from "@atoll/api/volumes/disks";
import { Node } from "@atoll/client/builtin";
import { keyOf } from "@atoll/client/resource";
import { formatTime } from "@atoll/machinery/clock";
import { deepEqual } from "@atoll/machinery/equal";
import { formatQuantity, quantityOf } from "@atoll/machinery/quantity";
import { statusOf, watching } from "@atoll/runtime/claims";
import { type Controller, defineController, settled } from "@atoll/runtime/controller";

const factsOf = (node: Node) => [node.metadata.annotations?.[disks.seen], isReady(node)];

/** Keeps the status of Datastores. */
export const datastoreController: Controller = defineController({
  name: "datastore-controller",
  for: Datastore,
  reads: [
    {
      ...watching(Node, (_, cache) => cache.list(Datastore).map(keyOf)),
      matters: (before, after) => !deepEqual(factsOf(before), factsOf(after)),
    },
  ],
  writes: [statusOf(Datastore)],
  async reconcile(key, { cache, client, clock }) {
    const datastore = cache.get(Datastore, key);
    if (datastore === undefined) return settled;
    const { name = "" } = datastore.metadata;
    const nodes = cache.list(Node).filter(isReady);
    const sights = nodes.flatMap((node) => {
      const sight = seenOn(node, name);
      return sight === undefined ? [] : [{ host: node.metadata.name ?? "", ...sight }];
    });
    const hosts = sights.map(({ host }) => host).sort();
    const others = nodes.map(({ metadata }) => metadata.name ?? "").filter((host) => !hosts.includes(host));
    await client.setStatus(datastore, {
      ...roomOf(sights),
      hosts,
      seenBy: `${hosts.length}/${nodes.length}`,
      conditions: [accessible(datastore, { hosts, others: others.sort() }, clock.nowMs())],
    });
    return settled;
  },
});

/** As the host has it that sees least: all look at the same, but not in the same moment. */
function roomOf(sights: readonly SeenDatastore[]): { capacity?: string; free?: string } {
  const [first, ...more] = sights.toSorted((a, b) => a.freeBytes - b.freeBytes);
  if (first === undefined) return {};
  const capacityBytes = more.reduce((least, each) => Math.min(least, each.capacityBytes), first.capacityBytes);
  return { capacity: binary(capacityBytes), free: binary(first.freeBytes) };
}

const binary = (bytes: number): string => formatQuantity(quantityOf(bytes, "BinarySI"));

function accessible(
  { metadata, status, spec }: Datastore,
  { hosts, others }: { hosts: readonly string[]; others: readonly string[] },
  nowMs: number,
): Condition {
  const path = spec.sharedDirectory?.path ?? "its path";
  const lacking = `not mounted at ${path}, or without an answer, on ${others.join(", ")}`;
  const message = others.length === 0 ? "no host is ready" : lacking;
  const some = { reason: hosts.length > 0 ? "SomeHosts" : "NoHost", message };
  const all = { reason: "AllHosts", message: "every host that is ready has it" };
  const holds = hosts.length > 0 ? "True" : "False";
  const before = status?.conditions?.find(({ type }) => type === "Accessible");
  return {
    type: "Accessible",
    status: holds,
    ...(hosts.length > 0 && others.length === 0 ? all : some),
    lastTransitionTime: before?.status === holds ? before.lastTransitionTime : formatTime(nowMs),
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
  };
}

const isReady = ({ status }: Node): boolean =>
  (status?.conditions ?? []).some(({ type, status: holds }) => type === "Ready" && holds === "True");
