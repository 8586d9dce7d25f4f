/**
 * Whether a Pod that has a disk on a shared datastore may keep it. A host that waits for the disk tells which Pod has it;
 * only the API knows whether that Pod is over although its own host cannot say so. The word is final, and ends a machine:
 * it is given by what is stored now, not by a cache. Source: docs/rfd/0038-shared-datastores.md
 */
import { disks } from "@atoll/api/volumes/disks";
import { Node, type PersistentVolume, Pod } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { parseTime } from "@atoll/machinery/clock";
import { again, type Reconcile, type Result, settled } from "@atoll/runtime/controller";

const unreachable: ReadonlySet<string> = new Set([
  "node.kubernetes.io/unreachable",
  "node.kubernetes.io/out-of-service",
]);
const lookAgainMs = 2_000;

/** The Pod that has a volume's disk, as a node tells that waits for it. */
export function holderAsTold(node: Node, volume: string): string | undefined {
  const entries = disks.list(node.metadata.annotations?.[disks.waiting]);
  return entries.find((entry) => entry.startsWith(`${volume}=`))?.slice(volume.length + 1);
}

/** Notes on a volume that somebody waits for that the Pod which has it is over, once it is. */
export async function judgeHolder(volume: PersistentVolume, { cache, client, clock }: Reconcile): Promise<Result> {
  const { name = "", annotations = {}, resourceVersion } = volume.metadata;
  const nodes = [...cache.list(Node)];
  const told = nodes.map((node) => holderAsTold(node, name)).filter((uid) => uid !== undefined);
  const holders = new Set(told.filter((uid) => uid !== annotations[disks.over]));
  const namespace = volume.spec.claimRef?.namespace;
  if (holders.size === 0 || namespace === undefined) return settled;
  const pods = await client.list(Pod, { namespace });
  for (const uid of holders) {
    const pod = pods.find(({ metadata }) => metadata.uid === uid);
    if (pod !== undefined && !isLost(pod, cache.get(Node, toKey(undefined, pod.spec.nodeName ?? "")), clock.nowMs()))
      continue;
    const body = { metadata: { resourceVersion, annotations: { [disks.over]: uid } } };
    await client.patch(volume, { type: "merge", body });
    return settled;
  }
  return again({ afterMs: lookAgainMs });
}

/** It is to be gone by now, and its node cannot say whether it is. */
function isLost({ metadata }: Pod, node: Node | undefined, nowMs: number): boolean {
  if (metadata.deletionTimestamp === undefined || parseTime(metadata.deletionTimestamp) > nowMs) return false;
  return node === undefined || (node.spec?.taints ?? []).some(({ key }) => unreachable.has(key));
}
