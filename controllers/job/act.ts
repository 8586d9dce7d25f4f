/**
 * Carries out a Job's plan. The status comes first: what is let go after it has been counted in it.
 */
import type { Job, Pod } from "@atoll/client/builtin";
import { isNamespaceTerminating, isNotFound } from "@atoll/client/errors";
import type { Writer } from "@atoll/runtime/writer";
import { allOf, slowStart } from "../pods/batch.ts";
import { createPod, deletePod, type Means } from "../pods/control.ts";
import type { Plan } from "./plan.ts";
import { jobPod, trackingFinalizer } from "./pods.ts";

/**
 * Carries out a plan.
 * @returns what failed, the status excepted
 * @throws {StatusError | TransportFailed} the status could not be stored, and nothing else was done
 */
export async function act(job: Job, plan: Plan, means: Means): Promise<readonly unknown[]> {
  const stored = await means.client.setStatus(job, plan.status);
  for (const happening of plan.tell) means.events.record(job, happening);
  const { release, remove, create } = plan;
  const released = await allOf(release, (pod) => releasePod(pod, means.client));
  const removed = await allOf(remove, (pod) => deletePod(stored, pod, means));
  const created = await slowStart(create, (place) => createPod(stored, jobPod(stored, place), means));
  const failures = [...released.failures, ...removed.failures, ...created.failures];
  return failures.filter((error) => !isNamespaceTerminating(error));
}

/** Takes the finalizer off a Pod that is done with. */
export async function releasePod(pod: Pod, client: Writer): Promise<void> {
  const { uid, resourceVersion, finalizers = [] } = pod.metadata;
  const left = finalizers.filter((name) => name !== trackingFinalizer);
  try {
    await client.patch(pod, { type: "merge", body: { metadata: { uid, resourceVersion, finalizers: left } } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
