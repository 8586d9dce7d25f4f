/** Makes one object of the cluster as it is wanted, or removes it. */
import type { Client } from "@atoll/client/client";
import { isNotFound, isRefusal } from "@atoll/client/errors";
import { type Key, type Resource, toKey } from "@atoll/client/resource";
import { deepEqual } from "@atoll/machinery/equal";
import type { ApiObject } from "@atoll/machinery/object";
import { idOf, isWithin, type Item, lastOther, type Ref, refOf } from "./plan.ts";
import type { Resources } from "./resources.ts";

/** The agent's name as a writer of fields. */
export const fieldManager = "atoll-fleet-agent";
/** Marks what Mission Control made; nothing else is ever removed. */
export const managedLabel = "fleet.atoll.dev/managed";

/** How it went with one object. */
export interface Outcome {
  readonly item: Item;
  readonly state: "Applied" | "Pending" | "Failed" | "Unsupported";
  /** Empty when there is nothing to say. */
  readonly reason: string;
}

/** The cluster. */
export interface Cluster {
  readonly client: Client;
  readonly resources: Resources;
  /** What is followed of it. */
  readonly seen: Seen;
  /** What this run of the agent applied last, by idOf(). */
  readonly applied: Map<string, Applied>;
}

/** An object that was applied. */
interface Applied {
  readonly manifest: ApiObject;
  /** What had become of it since it was wanted so, for people; empty: nothing. */
  readonly drift: string;
}

/** The cluster's objects as they were told last. What is told is late at times, and never lacks what is asked of it. */
export interface Seen {
  /** undefined: not told of. */
  get(resource: Resource, key: Key): ApiObject | undefined;
}

/** Groups that every Kubernetes has had for long, by the version that brought their v1. */
const since: Readonly<Record<string, string>> = {
  ValidatingAdmissionPolicy: "1.30",
  ValidatingAdmissionPolicyBinding: "1.30",
  MutatingAdmissionPolicy: "1.36",
  MutatingAdmissionPolicyBinding: "1.36",
};

/** Applies by server-side apply; says who had changed it last, then and later. A failure is an outcome, never a throw. */
export async function applyItem(item: Item, { client, resources, seen, applied }: Cluster): Promise<Outcome> {
  try {
    const resource = await resources.of(item.manifest);
    if (resource === undefined) return missing(item);
    const { namespace, name = "" } = item.manifest.metadata;
    const told = seen.get(resource, toKey(namespace, name));
    const isThere = told !== undefined && isWithin(item.manifest, told);
    const known = applied.get(idOf(refOf(item.manifest)))?.drift ?? "";
    const reason = isThere ? known : await make(item.manifest, resource, { client, applied });
    return { item, state: "Applied", reason };
  } catch (error) {
    const waits = isRefusal(error, "NotFound", "ServiceUnavailable", "Timeout", "TooManyRequests", "ServerTimeout");
    return {
      item,
      state: waits ? "Pending" : "Failed",
      reason: error instanceof Error ? error.message : String(error),
    };
  }
}

/** @returns what had become of it meanwhile */
async function make(
  manifest: ApiObject,
  resource: Resource,
  { client, applied }: Pick<Cluster, "client" | "applied">,
): Promise<string> {
  const ref = refOf(manifest);
  const before = applied.get(idOf(ref));
  // What the hub wants otherwise than before nobody here has changed. Else it is read anew: it may be so by now, and who
  // changed it is not told.
  const isWantedAnew = before !== undefined && !deepEqual(before.manifest, manifest);
  const live = isWantedAnew ? undefined : await find(client, resource, ref);
  const isAsWanted = live !== undefined && isWithin(manifest, live);
  if (!isAsWanted) await client.apply(resource, { object: manifest, force: true }, { fieldManager });
  const now = isAsWanted || isWantedAnew ? "" : driftOf(live, before !== undefined);
  const drift = now === "" && before !== undefined && !isWantedAnew ? before.drift : now;
  applied.set(idOf(ref), { manifest, drift });
  return drift;
}

/** @param live undefined: it is not there @param wasThere it was applied before */
function driftOf(live: ApiObject | undefined, wasThere: boolean): string {
  if (live === undefined) return wasThere ? "was deleted, made again" : "";
  const other = lastOther(live, fieldManager);
  return other === undefined ? "" : `changed by ${other.manager} at ${other.time}, put back`;
}

function missing(item: Item): Outcome {
  const { kind, apiVersion } = item.manifest;
  const version = since[kind];
  if (version !== undefined) {
    return { item, state: "Unsupported", reason: `${kind} needs Kubernetes ${version} or newer` };
  }
  return { item, state: "Pending", reason: `the cluster does not serve ${kind} of ${apiVersion} yet` };
}

/**
 * Removes an object that is not wanted any more, if it is still ours.
 * @returns whether it is gone
 */
export async function removeObject(ref: Ref, { client, resources, applied }: Cluster): Promise<boolean> {
  applied.delete(idOf(ref));
  const resource = await resources.of(ref);
  if (resource === undefined) return true;
  const live = await find(client, resource, ref);
  if (live === undefined || live.metadata.labels?.[managedLabel] !== "true") return true;
  try {
    await client.delete(resource, toKey(ref.namespace, ref.name), { uid: live.metadata.uid });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return live.metadata.finalizers === undefined;
}

async function find(
  client: Client,
  resource: Resource,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<ApiObject | undefined> {
  try {
    return await client.get(resource, toKey(namespace, name));
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
