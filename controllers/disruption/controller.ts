/**
 * Keeps the status of PodDisruptionBudgets, by which evictions are judged.
 * Source: k8s.io/kubernetes/pkg/controller/disruption
 */
import {
  Deployment,
  Pod,
  PodDisruptionBudget,
  ReplicaSet,
  ReplicationController,
  StatefulSet,
} from "@atoll/client/builtin";
import { discover } from "@atoll/client/discovery";
import { isConflict, isNotFound } from "@atoll/client/errors";
import { type Key, keyOf, objectPath, toKey } from "@atoll/client/resource";
import type { OwnerReference } from "@atoll/machinery/object";
import { matchesLabels, selectorOf } from "@atoll/machinery/selectors/labels";
import type { View } from "@atoll/runtime/claims";
import { consulting, controllerOf, statusOf, watching } from "@atoll/runtime/claims";
import type { Controller, Reconcile } from "@atoll/runtime/controller";
import { again, defineController, settled } from "@atoll/runtime/controller";
import { messageOf } from "@atoll/runtime/failures";
import { failedStatus, isRelative, summarise } from "./plan.ts";

function isSelected({ spec }: PodDisruptionBudget, { metadata }: Pod): boolean {
  const selector = selectorOf(spec.selector);
  return selector !== undefined && matchesLabels(selector, metadata.labels);
}

function* budgetsOf(pod: Pod, cache: View): Iterable<Key> {
  for (const budget of cache.list(PodDisruptionBudget, { namespace: pod.metadata.namespace ?? "" })) {
    if (isSelected(budget, pod)) yield keyOf(budget);
  }
}

/** Keeps PodDisruptionBudgets. */
export const disruptionController: Controller = defineController({
  name: "disruption-controller",
  for: PodDisruptionBudget,
  reads: [
    watching(Pod, budgetsOf),
    consulting(ReplicaSet),
    consulting(Deployment),
    consulting(StatefulSet),
    consulting(ReplicationController),
  ],
  writes: [statusOf(PodDisruptionBudget)],
  async reconcile(key, tools) {
    const { cache, client, clock, events } = tools;
    const budget = cache.get(PodDisruptionBudget, key);
    if (budget === undefined) return settled;
    const { namespace = "" } = budget.metadata;
    const pods = cache.list(Pod, { namespace }).filter((pod) => isSelected(budget, pod));
    if (pods.length === 0) {
      events.record(budget, { type: "Normal", reason: "NoPods", action: "Sync", note: "No matching pods found" });
    }
    let scale: number;
    try {
      scale = isRelative(budget) ? await scaleOf(budget, pods, tools) : 0;
    } catch (error) {
      const note = `Failed to calculate the number of expected pods: ${messageOf(error)}`;
      events.record(budget, { type: "Warning", reason: "CalculateExpectedPodCountFailed", action: "Sync", note });
      await client.setStatus(budget, failedStatus(budget, messageOf(error), clock.nowMs()));
      throw error;
    }
    const { status, afterMs, undeleted } = summarise({ budget, pods, scale, nowMs: clock.nowMs() });
    try {
      await client.setStatus(budget, status);
    } catch (error) {
      // An eviction has been let through meanwhile: its write brings the budget here again.
      if (isConflict(error)) return again({ afterMs: 100 });
      throw error;
    }
    for (const pod of undeleted) {
      const note = `Pod was expected by PDB ${key} to be deleted but it wasn't`;
      events.record(pod, { type: "Warning", reason: "NotDeleted", action: "Sync", note });
    }
    return afterMs === undefined ? settled : again({ afterMs });
  },
});

/** How many Pods all those want that own these. */
async function scaleOf(budget: PodDisruptionBudget, pods: readonly Pod[], tools: Reconcile): Promise<number> {
  const owners = new Map<string, OwnerReference>();
  let unmanaged = false;
  for (const pod of pods) {
    const owner = controllerOf(pod);
    if (owner === undefined) unmanaged = true;
    else owners.set(owner.uid, owner);
  }
  if (unmanaged) {
    const note =
      "Pods selected by this PodDisruptionBudget were found to be unmanaged. As a result, the status of the PDB cannot be " +
      'calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" ' +
      "field of the PDB to an integer value.";
    tools.events.record(budget, { type: "Warning", reason: "UnmanagedPods", action: "Sync", note });
  }
  const scales = new Map<string, number>();
  for (const owner of owners.values()) {
    const { uid, replicas } = await replicasOf(owner, budget.metadata.namespace ?? "", tools);
    scales.set(uid, replicas);
  }
  return [...scales.values()].reduce((sum, each) => sum + each, 0);
}

interface Scale {
  readonly uid: string;
  readonly replicas: number;
}

/** What an owner wants: of ReplicaSets of a Deployment, the Deployment. One that is gone wants none. */
async function replicasOf(owner: OwnerReference, namespace: string, tools: Reconcile): Promise<Scale> {
  const { cache } = tools;
  const key = toKey(namespace, owner.name);
  const gone = { uid: owner.uid, replicas: 0 };
  const scaleIn = (found: { metadata: { uid?: string }; spec: { replicas?: number } } | undefined): Scale =>
    found?.metadata.uid === owner.uid ? { uid: owner.uid, replicas: found.spec.replicas ?? 1 } : gone;
  switch (`${owner.apiVersion.split("/")[0]} ${owner.kind}`) {
    case "apps ReplicaSet": {
      const set = cache.get(ReplicaSet, key);
      const above = set?.metadata.uid === owner.uid ? controllerOf(set) : undefined;
      if (above?.kind !== "Deployment") return scaleIn(set);
      const deployment = cache.get(Deployment, toKey(namespace, above.name));
      if (deployment?.metadata.uid !== above.uid) return scaleIn(set);
      return { uid: above.uid, replicas: deployment.spec.replicas ?? 1 };
    }
    case "apps StatefulSet":
      return scaleIn(cache.get(StatefulSet, key));
    case "v1 ReplicationController":
      return scaleIn(cache.get(ReplicationController, key));
    default:
      return (await servedScale(owner, key, tools)) ?? gone;
  }
}

/** What an owner of any other kind says in its scale subresource. @throws {Error} it has none */
async function servedScale(owner: OwnerReference, key: Key, { client, signal }: Reconcile): Promise<Scale | undefined> {
  const group = owner.apiVersion.includes("/") ? (owner.apiVersion.split("/")[0] ?? "") : "";
  const { resources } = await discover(client, signal);
  const resource = resources.find((each) => each.group === group && each.kind === owner.kind && each.preferred);
  if (resource === undefined) throw new Error(`found no controllers of kind ${owner.kind}`);
  const path = objectPath(resource, key, "scale");
  try {
    const scale = (await client.raw({ method: "GET", path })) as {
      metadata: { uid?: string };
      spec?: { replicas?: number };
    };
    return scale.metadata.uid === owner.uid ? { uid: owner.uid, replicas: scale.spec?.replicas ?? 0 } : undefined;
  } catch (error) {
    if (isNotFound(error)) throw new Error(`${owner.kind} ${key} does not implement the scale subresource`);
    throw error;
  }
}
