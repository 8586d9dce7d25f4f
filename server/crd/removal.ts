/**
 * The end of a definition: its instances are deleted first, each by its finalizers, and it goes when they are gone.
 * Source: k8s.io/apiextensions-apiserver/pkg/controller/finalizer/crd_finalizer.go
 */
import { cleanupFinalizer } from "@atoll/api/apiextensions/customresourcedefinition";
import { type CustomResourceDefinition, hasCondition } from "@atoll/api/apiextensions/definition";
import { type Clock, formatTime } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import { StatusError } from "@atoll/machinery/status";
import type { Entry } from "@atoll/storage/store";
import type { Catalogue } from "../registry/catalogue.ts";
import type { Change, Resource } from "../registry/resource.ts";
import { clone } from "../registry/versions.ts";
import { type Decided, withCondition } from "./status.ts";

/** How long to wait for instances before it is said that they stay, and how often to look. */
const waitMs = 60_000;
const lookMs = 100;
// Deletions under way at once.
const lanes = 16;

export interface RemovalOptions {
  readonly catalogue: Catalogue;
  readonly definitions: Resource;
  readonly clock: Clock;
  /** Aborted when the server stops. */
  readonly signal: AbortSignal;
}

/** Whether a definition waits for its instances to be removed. */
export function isRemovalDue({ metadata }: CustomResourceDefinition): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(cleanupFinalizer);
}

/**
 * Removes the instances of a definition and then the definition.
 * @throws {Error} when instances stay, the status says why; try again later
 */
export async function removeDefinition(name: string, options: RemovalOptions): Promise<void> {
  const { definitions, clock } = options;
  const crd = await changed(name, options, (object) =>
    conditioned(
      object,
      terminating("True", "InstanceDeletionInProgress", "CustomResource deletion is in progress"),
      clock,
    ),
  );
  if (crd === undefined) return;
  const outcome = await removeInstances(crd, options);
  if (outcome.status === "True") {
    await changed(name, options, (object) => conditioned(object, outcome, clock));
    throw new Error(outcome.message);
  }
  await definitions.update({ namespace: "", name }, ({ object }) => {
    const current = object as unknown as CustomResourceDefinition;
    if (!isRemovalDue(current)) return "unchanged";
    const left = (current.metadata.finalizers ?? []).filter((finalizer) => finalizer !== cleanupFinalizer);
    if (left.length === 0) return { remove: true };
    const made = conditioned(clone(current), outcome, clock);
    made.metadata.finalizers = left;
    return { object: made as unknown as ApiObject };
  });
}

function terminating(status: "True" | "False", reason: string, message: string): Decided {
  return { type: "Terminating", status, reason, message };
}

function conditioned(crd: CustomResourceDefinition, decided: Decided, clock: Clock): CustomResourceDefinition {
  crd.status.conditions = [...withCondition(crd.status.conditions ?? [], decided, formatTime(clock.nowMs()))];
  return crd;
}

/** The definition after a change; undefined when it is gone or not to be removed. */
async function changed(
  name: string,
  { definitions }: RemovalOptions,
  change: (crd: CustomResourceDefinition) => CustomResourceDefinition,
): Promise<CustomResourceDefinition | undefined> {
  try {
    const { entry } = await definitions.update({ namespace: "", name }, ({ object }) => {
      const current = object as unknown as CustomResourceDefinition;
      return isRemovalDue(current) ? { object: change(clone(current)) as unknown as ApiObject } : "unchanged";
    });
    const crd = definitions.cache.object(entry) as unknown as CustomResourceDefinition;
    return isRemovalDue(crd) ? crd : undefined;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof StatusError && error.reason === "NotFound";
}

/** Status True means that it is not over. */
async function removeInstances(crd: CustomResourceDefinition, options: RemovalOptions): Promise<Decided> {
  const instances = options.catalogue.resource(crd.spec.group, crd.status.acceptedNames.plural);
  if (!hasCondition(crd.status, "Established") || instances === undefined) {
    return terminating("False", "NeverEstablished", "resource was never established");
  }
  try {
    await deleteAll(instances, options);
  } catch (error) {
    const message = `could not issue all deletes: ${error instanceof Error ? error.message : String(error)}`;
    return terminating("True", "InstanceDeletionFailed", message);
  }
  if (await areGone(instances, options)) {
    return terminating("False", "InstanceDeletionCompleted", "removed all instances");
  }
  const message = "could not confirm zero CustomResources remaining: timed out waiting for the condition";
  return terminating("True", "InstanceDeletionCheck", message);
}

async function deleteAll(instances: Resource, { clock }: RemovalOptions): Promise<void> {
  await instances.cache.current();
  const todo = instances.cache.range(instances.prefix("")).values();
  await Promise.all(Array.from({ length: lanes }, () => deleteEach(instances, todo, clock)));
}

async function deleteEach(instances: Resource, todo: IterableIterator<Entry>, clock: Clock): Promise<void> {
  for (const { key } of todo) {
    try {
      await instances.update(instances.place(key), ({ object }) => deletion(object, clock));
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
}

function deletion(object: ApiObject, clock: Clock): Change {
  if ((object.metadata.finalizers ?? []).length === 0) return { remove: true };
  if (object.metadata.deletionTimestamp !== undefined) return "unchanged";
  const marked = clone(object);
  marked.metadata.deletionTimestamp = formatTime(clock.nowMs());
  marked.metadata.deletionGracePeriodSeconds = 0;
  if (marked.metadata.generation !== undefined) marked.metadata.generation++;
  return { object: marked };
}

async function areGone(instances: Resource, { clock, signal }: RemovalOptions): Promise<boolean> {
  const endMs = clock.monotonicMs() + waitMs;
  for (;;) {
    await instances.cache.current();
    if (instances.cache.size === 0) return true;
    if (clock.monotonicMs() >= endMs) return false;
    await clock.sleep(lookMs, signal);
  }
}
