/**
 * Keeps as many Pods as a ReplicaSet wants.
 * Source: k8s.io/kubernetes/pkg/controller/replicaset
 */
import { Pod, ReplicaSet } from "@atoll/client/builtin";
import type { View } from "@atoll/runtime/claims";
import { controllerOf, statusOf } from "@atoll/runtime/claims";
import { candidatesFor, childrenOf, settleFamily, sortFamily } from "@atoll/runtime/children";
import type { Controller } from "@atoll/runtime/controller";
import { again, defineController, settled } from "@atoll/runtime/controller";
import { throwGathered } from "@atoll/runtime/failures";
import { isActive, isTerminating, nextAvailableInMs } from "../pods/state.ts";
import { act } from "./act.ts";
import { plan, selectorOfReplicaSet, summarise } from "./plan.ts";

const pods = childrenOf(Pod, ReplicaSet, selectorOfReplicaSet);

/** Keeps ReplicaSets. */
export const replicaSetController: Controller = defineController({
  name: "replicaset-controller",
  for: ReplicaSet,
  reads: [pods],
  writes: [pods, statusOf(ReplicaSet)],
  concurrency: 8,
  async reconcile(key, { cache, client, clock, events }) {
    const want = cache.get(ReplicaSet, key);
    const selector = want === undefined ? undefined : selectorOfReplicaSet(want);
    if (want === undefined || selector === undefined) return settled;
    const family = sortFamily(want, selector, candidatesFor(cache, Pod, want));
    // Pods that have ended are not worth adopting.
    const useful = { ...family, adopt: family.adopt.filter(isActive) };
    const mine = await settleFamily(useful, { kind: ReplicaSet, owner: want }, client);
    const have = mine.filter(isActive);
    const nowMs = clock.nowMs();
    const related = have.length > (want.spec.replicas ?? 1) ? relatedPods(cache, want) : [];
    const done = await act(want, plan({ want, have, related, nowMs }), { client, events });
    const terminating = mine.filter(isTerminating).length;
    await client.setStatus(want, summarise(want, { have, terminating, failure: done.failure, nowMs }));
    throwGathered(done.errors);
    const afterMs = nextAvailableInMs(have, want.spec.minReadySeconds ?? 0, nowMs);
    return afterMs === undefined ? settled : again({ afterMs });
  },
});

/** Pods that count of all ReplicaSets that have the same owner as this. */
function relatedPods(cache: View, want: ReplicaSet): readonly Pod[] {
  const uid = controllerOf(want)?.uid;
  const siblings = uid === undefined ? [want] : cache.list(ReplicaSet, { owner: { metadata: { uid } } });
  return siblings.flatMap((owner) => cache.list(Pod, { owner }).filter(isActive));
}
