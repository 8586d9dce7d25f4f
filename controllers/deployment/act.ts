/**
 * Carries out a plan. Failures are gathered; that of making a ReplicaSet is also told in the status.
 */
import type { Deployment } from "@atoll/client/builtin";
import { ReplicaSet } from "@atoll/client/builtin";
import type { Given } from "@atoll/client/client";
import { isAlreadyExists, isNamespaceTerminating } from "@atoll/client/errors";
import { keyOf } from "@atoll/client/resource";
import { controllerOf } from "@atoll/runtime/claims";
import type { Recorder } from "@atoll/runtime/events";
import { messageOf } from "@atoll/runtime/failures";
import type { Writer } from "@atoll/runtime/writer";
import { sameTemplate } from "../pods/template.ts";
import { revisionAnnotation } from "./revision.ts";
import type { Step } from "./plan.ts";
import type { Outcome } from "./status.ts";

/** What acting needs. */
export interface Means {
  readonly client: Writer;
  readonly events: Recorder;
}

/** How it went. */
export interface Done {
  /** As it is now. */
  readonly deployment: Deployment;
  readonly outcome: Outcome;
  readonly errors: readonly unknown[];
}

/** Carries out the steps of a plan. */
export async function act(deployment: Deployment, steps: readonly Step[], means: Means): Promise<Done> {
  const errors: unknown[] = [];
  let outcome: Outcome = {};
  let latest = deployment;
  for (const step of steps) {
    try {
      if (step.do === "make") outcome = await make(deployment, step.replicaSet, means);
      else latest = (await take(deployment, step, means)) ?? latest;
    } catch (error) {
      errors.push(error);
      if (step.do === "make") outcome = failed(deployment, step.replicaSet, { error, events: means.events });
    }
  }
  return { deployment: latest, outcome, errors };
}

/** @returns the Deployment, when the step changed it */
async function take(
  deployment: Deployment,
  step: Exclude<Step, { do: "make" }>,
  { client, events }: Means,
): Promise<Deployment | undefined> {
  if (step.do === "mark") {
    const body = { metadata: { annotations: { [revisionAnnotation]: step.revision } } };
    return client.patch(deployment, { type: "merge", body });
  }
  if (step.do === "forget") await client.delete(step.replicaSet);
  else {
    await client.update(step.replicaSet);
    const { note } = step;
    if (note !== undefined)
      events.record(deployment, { type: "Normal", reason: "ScalingReplicaSet", action: "Scale", note });
  }
  return undefined;
}

async function make(deployment: Deployment, draft: Given<ReplicaSet>, { client, events }: Means): Promise<Outcome> {
  const name = draft.metadata.name ?? "";
  try {
    await client.create(ReplicaSet, draft);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    // Ours after all, and the cache was behind; or another that took the name.
    const found = await client.get(ReplicaSet, keyOf(draft));
    const ours = controllerOf(found)?.uid === deployment.metadata.uid;
    if (ours && sameTemplate(found.spec.template, deployment.spec.template)) return {};
    return { collided: true };
  }
  const replicas = draft.spec?.replicas ?? 0;
  const note = `Scaled up replica set ${name} from 0 to ${replicas}`;
  if (replicas > 0) events.record(deployment, { type: "Normal", reason: "ScalingReplicaSet", action: "Scale", note });
  return { made: name };
}

function failed(
  deployment: Deployment,
  draft: Given<ReplicaSet>,
  { error, events }: { error: unknown; events: Recorder },
): Outcome {
  if (isNamespaceTerminating(error)) return {};
  const note = `Failed to create new replica set "${draft.metadata.name}": ${messageOf(error)}`;
  events.record(deployment, { type: "Warning", reason: "ReplicaSetCreateError", action: "Create", note });
  return { makeFailed: note };
}
