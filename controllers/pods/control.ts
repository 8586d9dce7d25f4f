/**
 * Makes and deletes Pods for their owner, and tells of it in the owner's events.
 * Source: k8s.io/kubernetes/pkg/controller/controller_utils.go (RealPodControl)
 */
import { Pod } from "@atoll/client/builtin";
import type { Given } from "@atoll/client/client";
import { isNamespaceTerminating } from "@atoll/client/errors";
import { keyOf } from "@atoll/client/resource";
import type { ApiObject } from "@atoll/machinery/object";
import type { Recorder } from "@atoll/runtime/events";
import { messageOf } from "@atoll/runtime/failures";
import type { Writer } from "@atoll/runtime/writer";

/** What acting needs. */
export interface Means {
  readonly client: Writer;
  readonly events: Recorder;
}

/** Makes a Pod. A namespace that is going takes none; nobody need hear of that. @throws what the client does */
export async function createPod(owner: ApiObject, draft: Given<Pod>, { client, events }: Means): Promise<void> {
  const action = "Create";
  try {
    const { metadata } = await client.create(Pod, draft);
    const note = `Created pod: ${metadata.name}`;
    events.record(owner, { type: "Normal", reason: "SuccessfulCreate", action, note });
  } catch (error) {
    const note = `Error creating: ${messageOf(error)}`;
    if (!isNamespaceTerminating(error)) events.record(owner, { type: "Warning", reason: "FailedCreate", action, note });
    throw error;
  }
}

/** Deletes a Pod. @throws what the client does */
export async function deletePod(owner: ApiObject, pod: Pod, { client, events }: Means): Promise<void> {
  const action = "Delete";
  try {
    await client.delete(pod);
    const note = `Deleted pod: ${pod.metadata.name}`;
    events.record(owner, { type: "Normal", reason: "SuccessfulDelete", action, note });
  } catch (error) {
    const note = `Error deleting: ${keyOf(pod)}: ${messageOf(error)}`;
    events.record(owner, { type: "Warning", reason: "FailedDelete", action, note });
    throw error;
  }
}
