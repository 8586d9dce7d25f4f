/**
 * Sees to it that each namespace has a ConfigMap `kube-root-ca.crt` with the authority that vouches for the API server,
 * which pods find beside their token.
 * Source: k8s.io/kubernetes/pkg/controller/certificates/rootcacertpublisher
 */
import { ConfigMap, Namespace } from "@atoll/client/builtin";
import { isAlreadyExists, isNamespaceTerminating, isNotFound } from "@atoll/client/errors";
import { toKey } from "@atoll/client/resource";
import { named, watching } from "@atoll/runtime/claims";
import type { Controller, Reconcile } from "@atoll/runtime/controller";
import { defineController, settled } from "@atoll/runtime/controller";

const name = "kube-root-ca.crt";
const annotations = {
  "kubernetes.io/description":
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.",
};

/** Keeps the `kube-root-ca.crt` ConfigMaps. @param ca PEM */
export function rootCaController(ca: string): Controller {
  const data = { "ca.crt": ca };
  return defineController({
    name: "root-ca-certificate-publisher-controller",
    for: Namespace,
    reads: [
      watching(ConfigMap, ({ metadata }) => [toKey(undefined, metadata.namespace ?? "")], {
        fieldSelector: `metadata.name=${name}`,
      }),
    ],
    writes: [named(ConfigMap, name)],
    async reconcile(key, { cache, client }) {
      const namespace = cache.get(Namespace, key);
      if (namespace === undefined || namespace.metadata.deletionTimestamp !== undefined) return settled;
      const found = cache.get(ConfigMap, toKey(key, name));
      if (found === undefined) await create(client, { metadata: { name, namespace: key, annotations }, data });
      else if (!isWanted(found, ca)) {
        const kept = { ...found.metadata, annotations: { ...found.metadata.annotations, ...annotations } };
        await client.update({ ...found, metadata: kept, data });
      }
      return settled;
    },
  });
}

function isWanted({ data, metadata }: ConfigMap, ca: string): boolean {
  const keys = Object.keys(data ?? {});
  if (keys.length !== 1 || data?.["ca.crt"] !== ca) return false;
  return Object.entries(annotations).every(([key, value]) => metadata.annotations?.[key] === value);
}

async function create(
  client: Reconcile["client"],
  draft: Parameters<typeof client.create<ConfigMap>>[1],
): Promise<void> {
  try {
    await client.create(ConfigMap, draft);
  } catch (error) {
    const pointless = isAlreadyExists(error) || isNamespaceTerminating(error) || isNotFound(error);
    if (!pointless) throw error;
  }
}
