/**
 * Keeps one Pod of a DaemonSet on each node that fits.
 * Source: k8s.io/kubernetes/pkg/controller/daemon
 */
import { ControllerRevision, DaemonSet, Node, Pod } from "@atoll/client/builtin";
import { isNamespaceTerminating } from "@atoll/client/errors";
import { keyOf } from "@atoll/client/resource";
import { selectorOf } from "@atoll/machinery/selectors/labels";
import { statusOf, watching } from "@atoll/runtime/claims";
import { candidatesFor, childrenOf, settleFamily, sortFamily } from "@atoll/runtime/children";
import type { Controller, Reconcile } from "@atoll/runtime/controller";
import { again, defineController, settled } from "@atoll/runtime/controller";
import { messageOf, throwGathered } from "@atoll/runtime/failures";
import { allOf, slowStart } from "../pods/batch.ts";
import { ensureRevision, revisionLabel, surplusRevisions } from "../revisions/revision.ts";
import { plan, summarise } from "./plan.ts";
import { daemonPod } from "./pod.ts";

const selected = ({ spec }: DaemonSet) => selectorOf(spec.selector);
const pods = childrenOf(Pod, DaemonSet, selected);
const revisions = childrenOf(ControllerRevision, DaemonSet, selected);

/** Keeps DaemonSets. */
export const daemonSetController: Controller = defineController({
  name: "daemonset-controller",
  for: DaemonSet,
  reads: [pods, revisions, watching(Node, (_, cache) => cache.list(DaemonSet).map(keyOf))],
  writes: [pods, revisions, statusOf(DaemonSet)],
  async reconcile(key, { cache, client, clock, events }) {
    const set = cache.get(DaemonSet, key);
    const selector = set === undefined ? undefined : selected(set);
    if (set === undefined || selector === undefined || selector.length === 0) return settled;
    const family = { kind: DaemonSet, owner: set };
    const mine = await settleFamily(sortFamily(set, selector, candidatesFor(cache, Pod, set)), family, client);
    const found = await settleFamily(
      sortFamily(set, selector, candidatesFor(cache, ControllerRevision, set)),
      family,
      client,
    );
    const labels = set.spec.template.metadata?.labels ?? {};
    const wish = {
      kind: DaemonSet,
      owner: set,
      template: set.spec.template,
      labels,
      collisionCount: set.status?.collisionCount ?? 0,
    };
    const { revision, collisionCount } = await ensureRevision(wish, found, client);
    const hash = revision.metadata.labels?.[revisionLabel] ?? "";
    const world = { set, nodes: cache.list(Node), pods: mine, hash, nowMs: clock.nowMs() };
    const { create, remove, afterMs } = plan(world);
    const removed = await allOf(remove.length, (i) => removePod(set, remove[i], { client, events }));
    const created = await slowStart(create.length, (i) =>
      createPod(set, { node: create[i] ?? "", hash }, { client, events }),
    );
    await client.setStatus(set, summarise(world, collisionCount));
    const used = new Set(mine.map(({ metadata }) => metadata.labels?.[revisionLabel]));
    const live = [revision, ...found.filter(({ metadata }) => used.has(metadata.labels?.[revisionLabel]))];
    const names = new Set(live.map(({ metadata }) => metadata.name ?? ""));
    for (const old of surplusRevisions(found, names, set.spec.revisionHistoryLimit ?? 10)) await client.delete(old);
    throwGathered([...removed.failures, ...created.failures].filter((error) => !isNamespaceTerminating(error)));
    return afterMs === undefined ? settled : again({ afterMs });
  },
});

type Means = Pick<Reconcile, "client" | "events">;

async function createPod(
  set: DaemonSet,
  { node, hash }: { node: string; hash: string },
  { client, events }: Means,
): Promise<void> {
  try {
    const { metadata } = await client.create(Pod, daemonPod(set, node, hash));
    events.record(set, {
      type: "Normal",
      reason: "SuccessfulCreate",
      action: "Create",
      note: `Created pod: ${metadata.name}`,
    });
  } catch (error) {
    const note = `Error creating: ${messageOf(error)}`;
    if (!isNamespaceTerminating(error))
      events.record(set, { type: "Warning", reason: "FailedCreate", action: "Create", note });
    throw error;
  }
}

async function removePod(set: DaemonSet, pod: Pod | undefined, { client, events }: Means): Promise<void> {
  if (pod === undefined) return;
  await client.delete(pod);
  events.record(set, {
    type: "Normal",
    reason: "SuccessfulDelete",
    action: "Delete",
    note: `Deleted pod: ${pod.metadata.name}`,
  });
}
