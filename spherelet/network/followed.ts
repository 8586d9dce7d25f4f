/** What a node follows for its network: Services and where they lead, policies, its own Pods, what it is told of others. */
import { HostNetwork as Others } from "@atoll/api/supervisor/v1alpha1/hostnetwork";
import { EndpointSlice, Namespace, NetworkPolicy, Node, Pod, Service } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { Informer } from "@atoll/client/informer/informer";
import { toKey } from "@atoll/client/resource";
import { type Clock, endsWithin } from "@atoll/machinery/clock";
import type { Log } from "@atoll/runtime/log";
import { trimPod } from "./policies.ts";
import { addressesOf, endpointsOf, sliceOwnerLabel } from "./services.ts";

const settleMs = 3_000;
const othersMs = 300;

/** How it is followed. */
export interface FollowOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Name of the Node. */
  readonly node: string;
}

/** What a node follows for its network. */
export interface Followed {
  readonly pods: Informer<Pod>;
  readonly policies: Informer<NetworkPolicy>;
  readonly services: Informer<Service>;
  readonly slices: Informer<EndpointSlice>;
  readonly namespaces: Informer<Namespace>;
  /** This one. */
  readonly nodes: Informer<Node>;
  /** What this node is told of others: at most one. */
  readonly others: Informer<Others>;
}

/** What this node is told of others; undefined when nobody tells anything. */
export const othersOf = ({ others }: Followed, node: string): Others["spec"] | undefined =>
  others.get(toKey(undefined, node))?.spec;

/** Begins to follow. stop() of each ends it. */
export function follow({ client, clock, random, log, node }: FollowOptions): Followed {
  const following = { client, clock, random, onError: (error: unknown) => log.warn("a watch failed", { error }) };
  const services = new Informer<Service>({ ...following, resource: Service });
  services.addIndex("address", addressesOf);
  const slices = new Informer<EndpointSlice>({ ...following, resource: EndpointSlice });
  slices.addIndex("service", ({ metadata: { namespace = "", labels = {} } }) => {
    const name = labels[sliceOwnerLabel];
    return name === undefined ? [] : [`${namespace}/${name}`];
  });
  slices.addIndex("address", (slice) => [...new Set(endpointsOf(slice).flatMap(({ addresses }) => addresses))]);
  const namespaces = new Informer<Namespace>({ ...following, resource: Namespace });
  // A node sees its own pods alone; of others it is told what it has to know.
  const selection = { fieldSelector: `spec.nodeName=${node}` };
  const pods = new Informer<Pod>({ ...following, resource: Pod, selection, trim: trimPod });
  const policies = new Informer<NetworkPolicy>({ ...following, resource: NetworkPolicy });
  const own = { fieldSelector: `metadata.name=${node}` };
  const others = new Informer<Others>({
    ...following,
    resource: Others,
    selection: own,
    onError: (error) => log.debug("what is told of other hosts cannot be followed", { error }),
  });
  const nodes = new Informer<Node>({ ...following, resource: Node, selection: own });
  const followed = { services, slices, namespaces, nodes, pods, policies, others };
  for (const informer of Object.values(followed)) void informer.start();
  return followed;
}

/**
 * Waits until Services are known, so that the rules of an earlier spherelet are replaced by the same: but not for an API
 * that is away.
 */
export async function settled(followed: Followed, clock: Clock): Promise<void> {
  // A cluster that is just being made has not got the kind yet: nobody else is there.
  const { others, ...needed } = followed;
  const told = endsWithin(clock, othersMs, others.whenSynced());
  const all = Promise.all([told, ...Object.values(needed).map((each) => each.whenSynced())]);
  await endsWithin(clock, settleMs, all);
}
