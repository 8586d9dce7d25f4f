/**
 * Carries out a plan: failures are gathered, told as events, and left to the caller.
 */
import type { Pod } from "@atoll/client/builtin";
import { isNamespaceTerminating } from "@atoll/client/errors";
import type { AnyResource } from "@atoll/client/resource";
import { messageOf } from "@atoll/runtime/failures";
import { allOf, slowStart } from "../pods/batch.ts";
import { createPod, deletePod, type Means as PodMeans } from "../pods/control.ts";
import { podFrom } from "../pods/template.ts";
import type { Failure, Replicator, Step } from "./plan.ts";

/** What acting needs. */
export interface Means extends PodMeans {
  /** Of the owner. */
  readonly kind: AnyResource;
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

async function create(want: Replicator, count: number, means: Means): Promise<Done> {
  const draft = podFrom(want.spec.template ?? noTemplate, means.kind, want);
  const { failures } = await slowStart(
    Array.from({ length: count }, () => draft),
    (pod) => createPod(want, pod, means),
  );
  // In a namespace that is going nothing can be made, and nothing need be.
  return doneWith(
    "FailedCreate",
    failures.filter((error) => !isNamespaceTerminating(error)),
  );
}

async function remove(want: Replicator, pods: readonly Pod[], means: Means): Promise<Done> {
  const { failures } = await allOf(pods, (pod) => deletePod(want, pod, means));
  return doneWith("FailedDelete", failures);
}

function doneWith(reason: Failure["reason"], errors: readonly unknown[]): Done {
  const [first] = errors;
  return { failure: first === undefined ? undefined : { reason, message: messageOf(first) }, errors };
}
