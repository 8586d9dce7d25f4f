/**
 * Carries out a StatefulSet's plan. Failures are gathered.
 */
import type { StatefulSet } from "@atoll/client/builtin";
import { PersistentVolumeClaim, Pod } from "@atoll/client/builtin";
import type { Given } from "@atoll/client/client";
import { isAlreadyExists, isNamespaceTerminating } from "@atoll/client/errors";
import type { Happening, Recorder } from "@atoll/runtime/events";
import { messageOf } from "@atoll/runtime/failures";
import type { Writer } from "@atoll/runtime/writer";
import type { Step } from "./plan.ts";
import { initialOwners } from "./retention.ts";

/** What acting needs. */
export interface Means {
  readonly client: Writer;
  readonly events: Recorder;
}

/** Carries out steps. @returns what failed */
export async function act(set: StatefulSet, steps: readonly Step[], means: Means): Promise<readonly unknown[]> {
  const failures: unknown[] = [];
  for (const step of steps) await take(set, step, means).catch((error: unknown) => failures.push(error));
  return failures;
}

async function take(set: StatefulSet, step: Step, means: Means): Promise<void> {
  switch (step.do) {
    case "create":
      for (const claim of step.claims) await createClaim(set, claim, means);
      return told(set, { verb: "Create", what: `Pod ${step.pod.metadata.name}` }, means, () =>
        createOnce(() => means.client.create(Pod, step.pod)),
      );
    case "claim":
      for (const claim of step.claims) await createClaim(set, claim, means);
      return;
    case "delete":
      return told(set, { verb: "Delete", what: `Pod ${step.pod.metadata.name}` }, means, () =>
        means.client.delete(step.pod),
      );
    case "relabel":
      return void (await means.client.update(step.pod));
    case "reown":
      return void (await means.client.update(step.claim));
  }
}

function createClaim(set: StatefulSet, claim: Given<PersistentVolumeClaim>, means: Means): Promise<void> {
  const ownerReferences = [...initialOwners(set)];
  const metadata = { ...claim.metadata, ...(ownerReferences.length > 0 && { ownerReferences }) };
  const draft = { ...claim, metadata } as Given<PersistentVolumeClaim>;
  const about = { verb: "Create", what: `Claim ${metadata.name}` } as const;
  return told(set, about, means, () => createOnce(() => means.client.create(PersistentVolumeClaim, draft)));
}

/** Names are fixed: what is there already is what was wanted, or the next look will tell otherwise. */
async function createOnce(create: () => Promise<unknown>): Promise<void> {
  try {
    await create();
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

async function told(
  set: StatefulSet,
  { verb, what }: { verb: "Create" | "Delete"; what: string },
  { events }: Means,
  deed: () => Promise<void>,
): Promise<void> {
  const tell = (type: Happening["type"], reason: string, end: string) => {
    const note = `${verb.toLowerCase()} ${what} in StatefulSet ${set.metadata.name} ${end}`;
    events.record(set, { type, reason, action: verb, note });
  };
  try {
    await deed();
    tell("Normal", `Successful${verb}`, "successful");
  } catch (error) {
    if (!isNamespaceTerminating(error)) tell("Warning", `Failed${verb}`, `failed error: ${messageOf(error)}`);
    throw error;
  }
}
