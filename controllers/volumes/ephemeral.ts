/**
 * Makes the claims of Pods' ephemeral volumes, which live as long as their Pod: garbage collection takes them with it.
 * Source: k8s.io/kubernetes/pkg/controller/volume/ephemeral/controller.go
 */
import { PersistentVolumeClaim, Pod } from "@atoll/client/builtin";
import { isNamespaceTerminating } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import { controllerOf, ownedBy } from "@atoll/runtime/claims";
import type { Reconcile } from "@atoll/runtime/controller";
import { defineController, settled } from "@atoll/runtime/controller";
import { messageOf, throwGathered } from "@atoll/runtime/failures";

type Volume = NonNullable<Pod["spec"]["volumes"]>[number];
const claims = ownedBy(PersistentVolumeClaim, Pod);

/** Makes claims for Pods. */
export const ephemeralVolumes = defineController({
  name: "ephemeral-volume-controller",
  for: Pod,
  reads: [claims],
  writes: [claims],
  async reconcile(key, tools) {
    const pod = tools.cache.get(Pod, key);
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return settled;
    const failures: unknown[] = [];
    for (const volume of pod.spec.volumes ?? []) {
      await provide(pod, volume, tools).catch((error: unknown) => failures.push(error));
    }
    throwGathered(failures);
    return settled;
  },
});

async function provide(pod: Pod, { name, ephemeral }: Volume, { cache, client, events }: Reconcile): Promise<void> {
  const template = ephemeral?.volumeClaimTemplate;
  if (template === undefined) return;
  const { namespace = "", uid = "" } = pod.metadata;
  const claim = `${pod.metadata.name}-${name}`;
  const found = cache.get(PersistentVolumeClaim, toKey(namespace, claim));
  if (found !== undefined && controllerOf(found)?.uid === uid) return;
  const { labels = {}, annotations = {} } = template.metadata ?? {};
  const metadata = { name: claim, namespace, labels, annotations, ownerReferences: ownedByPod(pod) };
  try {
    if (found !== undefined) throw new Error(`PVC "${namespace}/${claim}" is not the pod's`);
    await client.create(PersistentVolumeClaim, { metadata, spec: template.spec });
  } catch (error) {
    if (isNamespaceTerminating(error)) return;
    const note = `ephemeral volume ${name}: create PVC ${claim}: ${messageOf(error)}`;
    events.record(pod, { type: "Warning", reason: "FailedCreate", action: "Create", note });
    throw error;
  }
}

function ownedByPod({ metadata: { name = "", uid = "" } }: Pod) {
  return [{ apiVersion: "v1", kind: "Pod", name, uid, controller: true, blockOwnerDeletion: true }];
}
