/**
 * Carries out a plan: failures are gathered, told as events, and left to the caller.
 */
import { Pod } from "@atoll/client/builtin";
import { isNamespaceTerminating } from "@atoll/client/errors";
import type { AnyResource } from "@atoll/client/resource";
import { keyOf } from "@atoll/client/resource";
import type { Recorder } from "@atoll/runtime/events";
import { messageOf } from "@atoll/runtime/failures";
import type { Writer } from "@atoll/runtime/writer";
import { allOf, slowStart } from "../pods/batch.ts";
import { podFrom } from "../pods/template.ts";
import type { Failure, Replicator, Step } from "./plan.ts";

/** What acting needs. */
export interface Means {
  /** Of the owner. */
  readonly kind: AnyResource;
  readonly client: Writer;
  readonly events: Recorder;
}

/** How it went. */
export interface Done {
  readonly failure: Failure | undefined;
  readonly errors: readonly unknown[];
}

/** Carries out a plan. */
export async function act(want: Replicator, steps: readonly Step[], means: Means): Promise<Done> {
  const [first] = steps;
  if (first === undefined) return { failure: undefined, errors: [] };
  if (first.do === "create") return create(want, first.count, means);
  const pods = steps.flatMap((step) => (step.do === "delete" ? [step.pod] : []));
  return remove(want, pods, means);
}

// Validation lets none pass, the type does.
const noTemplate = { metadata: {}, spec: { containers: [] } };

async function create(want: Replicator, count: number, { kind, client, events }: Means): Promise<Done> {
  const draft = podFrom(want.spec.template ?? noTemplate, kind, want);
  const { failures } = await slowStart(count, async () => {
    try {
      const { metadata } = await client.create(Pod, draft);
      events.record(want, {
        type: "Normal",
        reason: "SuccessfulCreate",
        action: "Create",
        note: `Created pod: ${metadata.name}`,
      });
    } catch (error) {
      const note = `Error creating: ${messageOf(error)}`;
      if (!isNamespaceTerminating(error))
        events.record(want, { type: "Warning", reason: "FailedCreate", action: "Create", note });
      throw error;
    }
  });
  // In a namespace that is going nothing can be made, and nothing need be.
  return doneWith(
    "FailedCreate",
    failures.filter((error) => !isNamespaceTerminating(error)),
  );
}

async function remove(want: Replicator, pods: readonly Pod[], { client, events }: Means): Promise<Done> {
  const { failures } = await allOf(pods.length, async (i) => {
    const pod = pods[i];
    if (pod === undefined) return;
    try {
      await client.delete(pod);
      events.record(want, {
        type: "Normal",
        reason: "SuccessfulDelete",
        action: "Delete",
        note: `Deleted pod: ${pod.metadata.name}`,
      });
    } catch (error) {
      const note = `Error deleting: ${keyOf(pod)}: ${messageOf(error)}`;
      events.record(want, { type: "Warning", reason: "FailedDelete", action: "Delete", note });
      throw error;
    }
  });
  return doneWith("FailedDelete", failures);
}

function doneWith(reason: Failure["reason"], errors: readonly unknown[]): Done {
  const [first] = errors;
  return { failure: first === undefined ? undefined : { reason, message: messageOf(first) }, errors };
}
