/** The storage policy that is there from the first start, so that a claim that names none is bound. */
import { disks } from "@atoll/api/volumes/disks";
import { StorageClass } from "@atoll/client/builtin";
import type { Client } from "@atoll/client/client";
import { isAlreadyExists } from "@atoll/client/errors";

/** Source: https://kubernetes.io/docs/concepts/storage/storage-classes/#default-storageclass */
const isDefault = "storageclass.kubernetes.io/is-default-class";

/**
 * Makes the default StorageClass `disk` unless some StorageClass is there already: what an admin made, renamed or stripped
 * of being the default is kept.
 */
export async function createDefaultStoragePolicy(client: Client): Promise<void> {
  if ((await client.list(StorageClass)).items.length > 0) return;
  const making = client.create(StorageClass, {
    metadata: { name: "disk", annotations: { [isDefault]: "true" } },
    provisioner: disks.provisioner,
    reclaimPolicy: "Delete",
    volumeBindingMode: "WaitForFirstConsumer",
  });
  await making.catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
  });
}
