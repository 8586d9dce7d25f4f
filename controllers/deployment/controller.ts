/**
 * Brings the Pods of a Deployment from one template to the next, through ReplicaSets.
 * Source: k8s.io/kubernetes/pkg/controller/deployment
 */
import { Deployment, Pod, ReplicaSet } from "@atoll/client/builtin";
import type { Key } from "@atoll/client/resource";
import { keyOf, toKey } from "@atoll/client/resource";
import { selectorOf } from "@atoll/machinery/selectors/labels";
import type { View } from "@atoll/runtime/claims";
import { controllerOf, partOf, statusOf, watching } from "@atoll/runtime/claims";
import { candidatesFor, childrenOf, settleFamily, sortFamily } from "@atoll/runtime/children";
import type { Controller } from "@atoll/runtime/controller";
import { again, defineController, settled } from "@atoll/runtime/controller";
import { throwGathered } from "@atoll/runtime/failures";
import { isFinished } from "../pods/state.ts";
import { act } from "./act.ts";
import { plan } from "./plan.ts";
import { revisionAnnotation, sortOut } from "./revision.ts";
import { isRolling } from "./sizes.ts";
import { stuckInMs, summarise } from "./status.ts";

const replicaSets = childrenOf(ReplicaSet, Deployment, ({ spec }) => selectorOf(spec.selector));

/** The Deployment of a Pod, if it recreates its Pods and so must know when the last has gone. */
function* recreating(pod: Pod, cache: View): Iterable<Key> {
  const set = controllerOf(pod);
  const parent = set === undefined ? undefined : cache.get(ReplicaSet, toKey(pod.metadata.namespace, set.name));
  const owner = parent === undefined ? undefined : controllerOf(parent);
  const deployment = owner === undefined ? undefined : cache.get(Deployment, toKey(pod.metadata.namespace, owner.name));
  if (deployment !== undefined && !isRolling(deployment)) yield keyOf(deployment);
}

/** Keeps Deployments. */
export const deploymentController: Controller = defineController({
  name: "deployment-controller",
  for: Deployment,
  reads: [replicaSets, watching(Pod, recreating)],
  writes: [
    replicaSets,
    statusOf(Deployment),
    partOf(
      Deployment,
      `annotation ${revisionAnnotation}`,
      ({ verb, subresource }) => verb === "patch" && subresource === "",
    ),
  ],
  concurrency: 8,
  async reconcile(key, { cache, client, clock, events }) {
    const deployment = cache.get(Deployment, key);
    const selector = deployment === undefined ? undefined : selectorOf(deployment.spec.selector);
    if (deployment === undefined || selector === undefined) return settled;
    if (selector.length === 0) {
      const note = "This deployment is selecting all pods. A non-empty selector is required.";
      events.record(deployment, { type: "Warning", reason: "SelectingAll", action: "Select", note });
      return settled;
    }
    const family = sortFamily(deployment, selector, candidatesFor(cache, ReplicaSet, deployment));
    const mine = await settleFamily(family, { kind: Deployment, owner: deployment }, client);
    const oldPodsRun = !isRolling(deployment) && sortOut(deployment, mine).old.some((each) => hasPods(cache, each));
    const steps = plan({ deployment, replicaSets: mine, oldPodsRun });
    const { outcome, errors, deployment: latest } = await act(deployment, steps, { client, events });
    const nowMs = clock.nowMs();
    const status = summarise({ deployment, replicaSets: mine, outcome, nowMs });
    await client.setStatus(latest, status);
    throwGathered(errors);
    const afterMs = stuckInMs(deployment, status, nowMs);
    return afterMs === undefined ? settled : again({ afterMs });
  },
});

function hasPods(cache: View, owner: ReplicaSet): boolean {
  return cache.list(Pod, { owner }).some((pod) => !isFinished(pod));
}
