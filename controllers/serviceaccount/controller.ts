/**
 * Sees to it that each namespace has a ServiceAccount `default`, which pods run as unless they name another.
 * Source: k8s.io/kubernetes/pkg/controller/serviceaccount/serviceaccounts_controller.go
 */
import { Namespace, ServiceAccount } from "@atoll/client/builtin";
import { isAlreadyExists, isNamespaceTerminating, isNotFound } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import { named, watching } from "@atoll/runtime/claims";
import type { Controller } from "@atoll/runtime/controller";
import { defineController, settled } from "@atoll/runtime/controller";

const name = "default";

/** Keeps the `default` ServiceAccounts. */
export const serviceAccountController: Controller = defineController({
  name: "serviceaccount-controller",
  for: Namespace,
  reads: [
    watching(ServiceAccount, ({ metadata }) => [toKey(undefined, metadata.namespace ?? "")], {
      fieldSelector: `metadata.name=${name}`,
    }),
  ],
  writes: [named(ServiceAccount, name)],
  async reconcile(key, { cache, client }) {
    const namespace = cache.get(Namespace, key);
    if (namespace === undefined || namespace.metadata.deletionTimestamp !== undefined) return settled;
    if (cache.get(ServiceAccount, toKey(key, name)) !== undefined) return settled;
    try {
      await client.create(ServiceAccount, { metadata: { name, namespace: key } });
    } catch (error) {
      const pointless = isAlreadyExists(error) || isNamespaceTerminating(error) || isNotFound(error);
      if (!pointless) throw error;
    }
    return settled;
  },
});
