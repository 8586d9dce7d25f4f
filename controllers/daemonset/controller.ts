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
import type { Controller } from "@atoll/runtime/controller";
import { again, defineController, settled } from "@atoll/runtime/controller";
import { throwGathered } from "@atoll/runtime/failures";
import { allOf, slowStart } from "../pods/batch.ts";
import { createPod, deletePod } from "../pods/control.ts";
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
    const means = { client, events };
    const removed = await allOf(remove, (pod) => deletePod(set, pod, means));
    const created = await slowStart(create, (node) => createPod(set, daemonPod(set, node, hash), means));
    await client.setStatus(set, summarise(world, collisionCount));
    const used = new Set(mine.map(({ metadata }) => metadata.labels?.[revisionLabel]));
    const live = [revision, ...found.filter(({ metadata }) => used.has(metadata.labels?.[revisionLabel]))];
    const names = new Set(live.map(({ metadata }) => metadata.name ?? ""));
    for (const old of surplusRevisions(found, names, set.spec.revisionHistoryLimit ?? 10)) await client.delete(old);
    throwGathered([...removed.failures, ...created.failures].filter((error) => !isNamespaceTerminating(error)));
    return afterMs === undefined ? settled : again({ afterMs });
  },
});
