/**
 * One pass over a namespace's content: asks everything in it to go, and finds out what stays.
 */
import type { Discovery, DiscoveredResource } from "@atoll/client/discovery";
import { isNotFound, isRefusal } from "@atoll/client/errors";
import { groupResource, metadataOf } from "@atoll/client/resource";
import type { ApiObject } from "@atoll/machinery/object";
import { messageOf } from "@atoll/runtime/failures";
import type { Writer } from "@atoll/runtime/writer";
import type { Pass, Remains } from "./plan.ts";
import { deletable, sumUp } from "./plan.ts";

/** What a pass needs. */
export interface PassOptions {
  readonly client: Writer;
  readonly signal: AbortSignal;
  readonly discovery: Discovery;
  /** Since when the namespace is being deleted, ms. */
  readonly deletedMs: number;
}

/** Resources asked at once. */
const atOnce = 8;

interface Outcome {
  readonly failure?: string;
  readonly remains?: Remains;
}

/** Pods first; everything else once no pod is left. Failures are gathered, not thrown. */
export async function passOver(namespace: string, options: PassOptions): Promise<Pass> {
  const { pods, rest } = deletable(options.discovery);
  const discoveryFailures = options.discovery.failed;
  const first = await clearAll(namespace, pods, options);
  if (first.some(({ remains, failure }) => remains !== undefined || failure !== undefined))
    return toPass(first, discoveryFailures);
  return toPass(await clearAll(namespace, rest, options), discoveryFailures);
}

function toPass(outcomes: readonly Outcome[], discoveryFailures: Discovery["failed"]): Pass {
  return {
    discoveryFailures,
    failures: outcomes.flatMap(({ failure }) => (failure === undefined ? [] : [failure])),
    remains: outcomes.flatMap(({ remains }) => (remains === undefined ? [] : [remains])),
  };
}

async function clearAll(
  namespace: string,
  resources: readonly DiscoveredResource[],
  options: PassOptions,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting = [...resources];
  const worker = async () => {
    for (let resource = waiting.pop(); resource !== undefined; resource = waiting.pop()) {
      outcomes.push(await clear(namespace, resource, options));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return outcomes;
}

async function clear(namespace: string, resource: DiscoveredResource, options: PassOptions): Promise<Outcome> {
  try {
    const before = await remaining(namespace, resource, options);
    if (before.length === 0) return {};
    await remove(namespace, resource, { ...options, objects: before });
    const left = await remaining(namespace, resource, options);
    if (left.length === 0) return {};
    const remains = sumUp(resource, left, options.deletedMs);
    if (remains !== undefined) return { remains };
    return { failure: `unexpected items still remain in namespace: ${namespace} for gvr: ${spell(resource)}` };
  } catch (error) {
    options.signal.throwIfAborted();
    // The resource has gone since discovery, and its objects with it.
    if (isNotFound(error) || isRefusal(error, "MethodNotAllowed")) return {};
    return { failure: `${groupResource(resource)}: ${messageOf(error)}` };
  }
}

function spell({ group, version, plural }: DiscoveredResource): string {
  return `${group}/${version}, Resource=${plural}`;
}

/** Objects in the namespace; of pods whole, for their grace, of others the metadata. */
async function remaining(
  namespace: string,
  resource: DiscoveredResource,
  { client }: PassOptions,
): Promise<readonly ApiObject[]> {
  if (!resource.verbs.includes("list")) return [];
  const wanted = groupResource(resource) === "pods" ? resource : metadataOf(resource);
  return (await client.list(wanted, { namespace })) as readonly ApiObject[];
}

async function remove(
  namespace: string,
  resource: DiscoveredResource,
  { client, objects }: PassOptions & { readonly objects: readonly ApiObject[] },
): Promise<void> {
  if (resource.verbs.includes("deletecollection")) {
    return client.deleteCollection(resource, { namespace }, { propagation: "Background" });
  }
  for (const object of objects) {
    await client.delete(object, { resource, propagation: "Background" }).catch((error: unknown) => {
      if (!isRefusal(error, "MethodNotAllowed")) throw error;
    });
  }
}
