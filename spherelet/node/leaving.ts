/**
 * A host empties itself before it leaves: its Node takes no more Pods, and those it has are evicted as `kubectl drain` does,
 * under the same rules about what may be lost. A node may evict its own Pods and nobody else's.
 * Source: k8s.io/kubectl/pkg/drain (filters.go, drain.go)
 */
import { leftAnnotation } from "@atoll/api/supervisor/annotations";
import { Node, Pod } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isConflict, isNotFound, isRefusal } from "@atoll/client/errors";
import { keyOf, toKey } from "@atoll/client/resource";
import type { Clock } from "@atoll/machinery/clock";

/** What may be lost. */
export interface Losses {
  /** Pods that nobody makes anew. */
  readonly force: boolean;
  readonly deleteEmptyDirData: boolean;
}

/** Who leaves. */
export interface LeavingOptions extends Losses {
  readonly client: Client;
  readonly clock: Clock;
  readonly node: string;
  /** Whether the host's spherelet runs, and ends the Pods' machines; if not, none runs any more. */
  readonly isUp: boolean;
  readonly timeoutMs: number;
  /** What happens, for people: once for each Pod that a budget keeps. */
  say(line: string): void;
}

/** The host cannot leave now: the message says why, and what to do. */
export class LeavingRefused extends Error {
  override readonly name = "LeavingRefused";
}

const mirror = "kubernetes.io/config.mirror";
const retryMs = 5_000;
const lookEveryMs = 200;

const ownerOf = ({ metadata }: Pod) => metadata.ownerReferences?.find(({ controller }) => controller === true);
const isFinished = ({ status }: Pod): boolean => status?.phase === "Succeeded" || status?.phase === "Failed";
const isOfHost = (pod: Pod): boolean =>
  ownerOf(pod)?.kind === "DaemonSet" || pod.metadata.annotations?.[mirror] !== undefined;

/**
 * The Pods that are to be evicted: all but the host's own, a DaemonSet's and mirrors.
 * @throws {LeavingRefused} something would be lost that nobody said may be
 */
export function podsToEvict(pods: readonly Pod[], { force, deleteEmptyDirData }: Losses): readonly Pod[] {
  const going = pods.filter((pod) => !isOfHost(pod));
  const alive = going.filter((pod) => !isFinished(pod) && pod.metadata.deletionTimestamp === undefined);
  const names = (some: readonly Pod[]) => some.map(keyOf).join(", ");
  const alone = force ? [] : alive.filter((pod) => ownerOf(pod) === undefined);
  const withData = deleteEmptyDirData
    ? []
    : alive.filter(({ spec }) => spec.volumes?.some(({ emptyDir }) => emptyDir !== undefined));
  const why = [
    ...(alone.length === 0 ? [] : [`Pods that nobody makes anew (--force loses them): ${names(alone)}`]),
    ...(withData.length === 0 ? [] : [`Pods with local storage (--delete-emptydir-data loses it): ${names(withData)}`]),
  ];
  if (why.length > 0) throw new LeavingRefused(`this host has ${why.join("; and ")}`);
  return going;
}

/**
 * Empties the host. When it is refused or takes too long the Node stays cordoned, as kubectl leaves it.
 * @throws {LeavingRefused}
 */
export async function emptyHost(options: LeavingOptions): Promise<void> {
  const { client, clock, node, timeoutMs } = options;
  podsToEvict(await podsOf(options), options);
  await client.patch(Node, {
    key: toKey(undefined, node),
    patch: { type: "merge", body: { spec: { unschedulable: true } } },
  });
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  // Those that were bound before it was cordoned are seen now.
  const going = podsToEvict(await podsOf(options), options);
  await Promise.all(going.map(async (pod) => await evict(pod, options, deadlineMs)));
  const uids = new Set(going.map(({ metadata }) => metadata.uid));
  // One that is gone a node may not ask for: it has to do with it no more.
  const left = async () => (await podsOf(options)).filter(({ metadata }) => uids.has(metadata.uid));
  for (let some = await left(); some.length > 0; some = await left()) {
    if (clock.monotonicMs() > deadlineMs) throw tooLong(some);
    await clock.sleep(lookEveryMs);
  }
}

/** Deletes what is bound still: the host's own, of which no machine runs any more. */
export async function clearHost(options: Pick<LeavingOptions, "client" | "node">): Promise<void> {
  for (const pod of await podsOf(options)) await end(pod, options);
}

/**
 * Says that the host has left, so that its Node goes. Nothing may run here any more.
 * @returns whether it has gone within `patienceMs`
 */
export async function sayLeft(
  { client, clock, node }: Pick<LeavingOptions, "client" | "clock" | "node">,
  patienceMs: number,
): Promise<boolean> {
  const key = toKey(undefined, node);
  const found = await client.get(Node, key).catch(nothing);
  if (found === undefined) return true;
  const { uid = "" } = found.metadata;
  await client
    .patch(Node, { key, patch: { type: "merge", body: { metadata: { annotations: { [leftAnnotation]: uid } } } } })
    .catch(nothing);
  const endMs = clock.monotonicMs() + patienceMs;
  while ((await client.get(Node, key).catch(nothing))?.metadata.uid === uid) {
    if (clock.monotonicMs() > endMs) return false;
    await clock.sleep(lookEveryMs);
  }
  return true;
}

const podsOf = async ({ client, node }: Pick<LeavingOptions, "client" | "node">): Promise<readonly Pod[]> =>
  (await client.list(Pod, { fieldSelector: `spec.nodeName=${node}` })).items;

async function evict(pod: Pod, options: LeavingOptions, deadlineMs: number): Promise<void> {
  const { client, clock, isUp } = options;
  const { name = "", namespace = "", uid } = pod.metadata;
  const body = {
    apiVersion: "policy/v1",
    kind: "Eviction",
    metadata: { name, namespace },
    deleteOptions: { preconditions: { uid } },
  };
  for (let asked = 0; ; asked++) {
    try {
      await client.createSubresource(Pod, { key: keyOf(pod), subresource: "eviction", body });
      break;
    } catch (error) {
      if (isNotFound(error) || isConflict(error)) return;
      if (!isRefusal(error, "TooManyRequests")) throw error;
      if (asked === 0) options.say(`${keyOf(pod)} waits: ${error instanceof Error ? error.message : ""}`);
    }
    if (clock.monotonicMs() > deadlineMs) throw tooLong([pod]);
    await clock.sleep(retryMs);
  }
  if (!isUp) await end(pod, options);
}

const tooLong = (pods: readonly Pod[]): LeavingRefused =>
  new LeavingRefused(`not gone in time (--timeout): ${pods.map(keyOf).join(", ")}; the node stays cordoned`);

async function end(pod: Pod, { client }: Pick<LeavingOptions, "client">): Promise<void> {
  await client.delete(Pod, keyOf(pod), { uid: pod.metadata.uid, graceSeconds: 0 }).catch((error: unknown) => {
    if (!isConflict(error)) nothing(error);
  });
}

/** It is gone, or another of the name is there. */
function nothing(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}
