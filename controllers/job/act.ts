/**
 * Carries out a Job's plan. The status comes first: what is let go after it has been counted in it.
 */
import type { Job } from "@atoll/client/builtin";
import { Pod } from "@atoll/client/builtin";
import { isNamespaceTerminating, isNotFound } from "@atoll/client/errors";
import type { Recorder } from "@atoll/runtime/events";
import { messageOf } from "@atoll/runtime/failures";
import type { Writer } from "@atoll/runtime/writer";
import { allOf, slowStart } from "../pods/batch.ts";
import type { Plan } from "./plan.ts";
import type { Place } from "./pods.ts";
import { jobPod, trackingFinalizer } from "./pods.ts";

/** What acting needs. */
export interface Means {
  readonly client: Writer;
  readonly events: Recorder;
}

/**
 * Carries out a plan.
 * @returns what failed, the status excepted
 * @throws {StatusError | TransportFailed} the status could not be stored, and nothing else was done
 */
export async function act(job: Job, plan: Plan, means: Means): Promise<readonly unknown[]> {
  const stored = await means.client.setStatus(job, plan.status);
  for (const happening of plan.tell) means.events.record(job, happening);
  const { release, remove, create } = plan;
  const released = await allOf(release.length, (i) => releasePod(release[i], means.client));
  const removed = await allOf(remove.length, (i) => removePod(stored, remove[i], means));
  const created = await slowStart(create.length, (i) => createPod(stored, create[i], means));
  const failures = [...released.failures, ...removed.failures, ...created.failures];
  return failures.filter((error) => !isNamespaceTerminating(error));
}

/** Takes the finalizer off a Pod that is done with. */
export async function releasePod(pod: Pod | undefined, client: Writer): Promise<void> {
  if (pod === undefined) return;
  const { uid, resourceVersion, finalizers = [] } = pod.metadata;
  const left = finalizers.filter((name) => name !== trackingFinalizer);
  try {
    await client.patch(pod, { type: "merge", body: { metadata: { uid, resourceVersion, finalizers: left } } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

async function removePod(job: Job, pod: Pod | undefined, { client, events }: Means): Promise<void> {
  if (pod === undefined) return;
  await client.delete(pod);
  const note = `Deleted pod: ${pod.metadata.name}`;
  events.record(job, { type: "Normal", reason: "SuccessfulDelete", action: "Delete", note });
}

async function createPod(job: Job, place: Place | undefined, { client, events }: Means): Promise<void> {
  if (place === undefined) return;
  try {
    const { metadata } = await client.create(Pod, jobPod(job, place));
    const note = `Created pod: ${metadata.name}`;
    events.record(job, { type: "Normal", reason: "SuccessfulCreate", action: "Create", note });
  } catch (error) {
    const note = `Error creating: ${messageOf(error)}`;
    if (!isNamespaceTerminating(error))
      events.record(job, { type: "Warning", reason: "FailedCreate", action: "Create", note });
    throw error;
  }
}
