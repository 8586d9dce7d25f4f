/**
 * Runs the Pods of a Job to their end, and counts them.
 * Source: k8s.io/kubernetes/pkg/controller/job
 */
import { Job, Pod } from "@atoll/client/builtin";
import type { Key } from "@atoll/client/resource";
import { toKey } from "@atoll/client/resource";
import { selectorOf } from "@atoll/machinery/selectors/labels";
import type { View } from "@atoll/runtime/claims";
import { controllerOf, partOf, statusOf } from "@atoll/runtime/claims";
import { candidatesFor, childrenOf, settleFamily, sortFamily } from "@atoll/runtime/children";
import type { Controller } from "@atoll/runtime/controller";
import { again, defineController, settled } from "@atoll/runtime/controller";
import { throwGathered } from "@atoll/runtime/failures";
import { act, releasePod } from "./act.ts";
import { plan } from "./plan.ts";
import { isTracked, trackingFinalizer } from "./pods.ts";

const ownName = "kubernetes.io/job-controller";
const jobNameLabel = "batch.kubernetes.io/job-name";
const byJob = "tracked by job";

/** The Job that a tracked Pod is or was of, as its name tells. */
function jobNameOf(pod: Pod): string | undefined {
  const owner = controllerOf(pod);
  if (owner !== undefined) return owner.kind === Job.kind ? owner.name : undefined;
  return pod.metadata.labels?.[jobNameLabel];
}

function trackedKey(pod: Pod): string[] {
  const name = jobNameOf(pod);
  return isTracked(pod) && name !== undefined ? [toKey(pod.metadata.namespace, name)] : [];
}

const selected = childrenOf(Pod, Job, ({ spec }) => selectorOf(spec.selector));
const pods = {
  ...selected,
  indexes: [...selected.indexes, { name: byJob, by: trackedKey }],
  *keys(pod: Pod, cache: View): Iterable<Key> {
    yield* selected.keys(pod, cache);
    // Its Job may be gone, and somebody must let it go.
    if (controllerOf(pod) === undefined) for (const key of trackedKey(pod)) yield key as Key;
  },
};

/** Keeps Jobs. */
export const jobController: Controller = defineController({
  name: "job-controller",
  for: Job,
  reads: [pods],
  writes: [
    pods,
    statusOf(Job),
    partOf(
      Pod,
      `finalizer ${trackingFinalizer}`,
      ({ verb, object }) => verb === "patch" && (object.metadata.finalizers ?? []).includes(trackingFinalizer),
    ),
  ],
  concurrency: 5,
  async reconcile(key, { cache, client, clock, events }) {
    const job = cache.get(Job, key);
    const selector = job === undefined ? undefined : selectorOf(job.spec.selector);
    if (job === undefined || selector === undefined) {
      for (const pod of orphansOf(key, cache, undefined)) await releasePod(pod, client);
      return settled;
    }
    if ((job.spec.managedBy ?? ownName) !== ownName) return settled;
    const family = sortFamily(job, selector, candidatesFor(cache, Pod, job));
    const mine = await settleFamily(family, { kind: Job, owner: job }, client);
    for (const pod of orphansOf(key, cache, job)) await releasePod(pod, client);
    const wish = plan(job, mine, clock.nowMs());
    const failures = await act(job, wish, { client, events });
    throwGathered(failures);
    return wish.afterMs === undefined ? settled : again({ afterMs: wish.afterMs });
  },
});

/** Pods that wait to be counted by a Job of this name that is no more, or that they were taken from. */
function orphansOf(key: Key, cache: View, job: Job | undefined): readonly Pod[] {
  const selector = job === undefined ? undefined : selectorOf(job.spec.selector);
  const tracked = cache.list(Pod, { index: { name: byJob, value: key } });
  const others = tracked.filter((pod) => controllerOf(pod)?.uid !== job?.metadata.uid || job === undefined);
  if (job === undefined || selector === undefined) return others;
  // A stray that the Job selects is adopted, unless the Job is going.
  const adoptable = new Set(
    job.metadata.deletionTimestamp === undefined ? sortFamily(job, selector, others).adopt : [],
  );
  return others.filter((pod) => !adoptable.has(pod));
}
