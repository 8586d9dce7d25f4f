/**
 * Keeps as many Pods as a ReplicaSet wants, or a ReplicationController, its forerunner.
 * Source: k8s.io/kubernetes/pkg/controller/replicaset, pkg/controller/replication
 */
import { Pod, ReplicaSet, ReplicationController } from "@atoll/client/builtin";
import type { Resource } from "@atoll/client/resource";
import type { LabelSelector } from "@atoll/machinery/selectors/labels";
import type { View } from "@atoll/runtime/claims";
import { controllerOf, statusOf } from "@atoll/runtime/claims";
import { candidatesFor, childrenOf, settleFamily, sortFamily } from "@atoll/runtime/children";
import type { Controller } from "@atoll/runtime/controller";
import { again, defineController, settled } from "@atoll/runtime/controller";
import { throwGathered } from "@atoll/runtime/failures";
import { isActive, isTerminating, nextAvailableInMs } from "../pods/state.ts";
import { act } from "./act.ts";
import type { Counted, Replicator } from "./plan.ts";
import { plan, selectorOfController, selectorOfReplicaSet, summarise, summariseReplicas } from "./plan.ts";

/** In what the kinds differ that keep a number of Pods. */
interface Replicating<T extends Replicator> {
  readonly name: string;
  readonly kind: Resource<T>;
  selectorOf(owner: T): LabelSelector | undefined;
  summarise(owner: T, counted: Counted): T["status"];
}

/** Keeps ReplicaSets. */
export const replicaSetController = keeping({
  name: "replicaset-controller",
  kind: ReplicaSet,
  selectorOf: selectorOfReplicaSet,
  summarise,
});

/** Keeps ReplicationControllers. */
export const replicationController = keeping({
  name: "replication-controller",
  kind: ReplicationController,
  selectorOf: selectorOfController,
  summarise: summariseReplicas,
});

function keeping<T extends Replicator>({ name, kind, selectorOf, summarise: tell }: Replicating<T>): Controller {
  const pods = childrenOf(Pod, kind, selectorOf);
  return defineController({
    name,
    for: kind,
    reads: [pods],
    writes: [pods, statusOf(kind)],
    concurrency: 8,
    async reconcile(key, { cache, client, clock, events }) {
      const want = cache.get(kind, key);
      const selector = want === undefined ? undefined : selectorOf(want);
      if (want === undefined || selector === undefined) return settled;
      const family = sortFamily(want, selector, candidatesFor(cache, Pod, want));
      // Pods that have ended are not worth adopting.
      const useful = { ...family, adopt: family.adopt.filter(isActive) };
      const mine = await settleFamily(useful, { kind, owner: want }, client);
      const have = mine.filter(isActive);
      const nowMs = clock.nowMs();
      const related = have.length > (want.spec.replicas ?? 1) ? relatedPods(cache, kind, want) : [];
      const done = await act(want, plan({ want, have, related, nowMs }), { kind, client, events });
      const terminating = mine.filter(isTerminating).length;
      await client.setStatus(want, tell(want, { have, terminating, failure: done.failure, nowMs }));
      throwGathered(done.errors);
      const afterMs = nextAvailableInMs(have, want.spec.minReadySeconds ?? 0, nowMs);
      return afterMs === undefined ? settled : again({ afterMs });
    },
  });
}

/** Pods that count of all owners that have the same owner as this. */
function relatedPods<T extends Replicator>(cache: View, kind: Resource<T>, want: T): readonly Pod[] {
  const uid = controllerOf(want)?.uid;
  const siblings = uid === undefined ? [want] : cache.list(kind, { owner: { metadata: { uid } } });
  return siblings.flatMap((owner) => cache.list(Pod, { owner }).filter(isActive));
}
