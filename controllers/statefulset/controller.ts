/**
 * Keeps the Pods of a StatefulSet, each with its own name and volumes, in order.
 * Source: k8s.io/kubernetes/pkg/controller/statefulset
 */
import { ControllerRevision, PersistentVolumeClaim, Pod, StatefulSet } from "@atoll/client/builtin";
import { isNamespaceTerminating } from "@atoll/client/errors";
import type { Key } from "@atoll/client/resource";
import { toKey } from "@atoll/client/resource";
import type { LabelSelector } from "@atoll/machinery/selectors/labels";
import { selectorOf } from "@atoll/machinery/selectors/labels";
import type { View } from "@atoll/runtime/claims";
import { partOf, statusOf, watching } from "@atoll/runtime/claims";
import { candidatesFor, childrenOf, settleFamily, sortFamily } from "@atoll/runtime/children";
import type { Controller, Reconcile } from "@atoll/runtime/controller";
import { again, defineController, settled } from "@atoll/runtime/controller";
import { throwGathered } from "@atoll/runtime/failures";
import { ensureRevision, surplusRevisions, templateOf } from "../revisions/revision.ts";
import { act } from "./act.ts";
import { ordinalOf, versionOf } from "./identity.ts";
import { plan } from "./plan.ts";
import { summarise } from "./status.ts";

const selected = ({ spec }: StatefulSet) => selectorOf(spec.selector);
const pods = childrenOf(Pod, StatefulSet, selected);
const revisions = childrenOf(ControllerRevision, StatefulSet, selected);

/** The set of a claim, as its name `TEMPLATE-SET-ORDINAL` tells. */
function* setOf(claim: PersistentVolumeClaim, cache: View): Iterable<Key> {
  const { name = "", namespace } = claim.metadata;
  const parts = name.split("-");
  if (!/^\d+$/.test(parts.at(-1) ?? "")) return;
  for (let i = 1; i < parts.length - 1; i++) {
    const key = toKey(namespace, parts.slice(i, -1).join("-"));
    const set = cache.get(StatefulSet, key);
    if (set?.spec.volumeClaimTemplates?.some(({ metadata }) => metadata.name === parts.slice(0, i).join("-")))
      yield key;
  }
}

/** Keeps StatefulSets. */
export const statefulSetController: Controller = defineController({
  name: "statefulset-controller",
  for: StatefulSet,
  reads: [pods, revisions, watching(PersistentVolumeClaim, setOf)],
  writes: [
    pods,
    revisions,
    statusOf(StatefulSet),
    partOf(
      PersistentVolumeClaim,
      "those of volumeClaimTemplates",
      ({ verb, subresource }) => verb !== "delete" && subresource === "",
    ),
  ],
  concurrency: 5,
  async reconcile(key, { cache, client, clock, events }) {
    const set = cache.get(StatefulSet, key);
    const selector = set === undefined ? undefined : selected(set);
    if (set === undefined || selector === undefined) return settled;
    const mine = await ownPods(set, selector, { cache, client });
    const found = await settleFamily(
      sortFamily(set, selector, candidatesFor(cache, ControllerRevision, set)),
      { kind: StatefulSet, owner: set },
      client,
    );
    const wish = {
      kind: StatefulSet,
      owner: set,
      template: set.spec.template,
      labels: set.spec.template.metadata?.labels ?? {},
      collisionCount: set.status?.collisionCount ?? 0,
    };
    const { revision: update, collisionCount } = await ensureRevision(wish, found, client);
    const current = found.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? update;
    const asVersion = (revision: ControllerRevision) => ({
      name: revision.metadata.name ?? "",
      template: templateOf(revision),
    });
    const nowMs = clock.nowMs();
    const claim = (name: Key) => cache.get(PersistentVolumeClaim, name);
    const { steps, afterMs } = plan({
      set,
      pods: mine,
      claim,
      current: asVersion(current),
      update: asVersion(update),
      nowMs,
    });
    const failures = await act(set, steps, { client, events });
    const names = { current: current.metadata.name ?? "", update: update.metadata.name ?? "" };
    await client.setStatus(set, summarise({ set, pods: mine, ...names, collisionCount, nowMs }));
    const live = new Set([names.current, names.update, ...mine.map((pod) => versionOf(pod) ?? "")]);
    for (const old of surplusRevisions(found, live, set.spec.revisionHistoryLimit ?? 10)) await client.delete(old);
    throwGathered(failures.filter((error) => !isNamespaceTerminating(error)));
    return afterMs === undefined ? settled : again({ afterMs });
  },
});

/** The set's Pods; strays are adopted only if their name is one of the set's. */
async function ownPods(
  set: StatefulSet,
  selector: LabelSelector,
  { cache, client }: Pick<Reconcile, "cache" | "client">,
): Promise<readonly Pod[]> {
  const family = sortFamily(set, selector, candidatesFor(cache, Pod, set));
  const adopt = family.adopt.filter((pod) => ordinalOf(set, pod) !== undefined);
  return settleFamily({ ...family, adopt }, { kind: StatefulSet, owner: set }, client);
}
