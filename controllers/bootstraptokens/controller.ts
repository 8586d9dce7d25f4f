/**
 * Deletes bootstrap tokens whose time is over.
 * Source: k8s.io/kubernetes/pkg/controller/bootstrap/tokencleaner.go
 */
import { Namespace, Secret } from "@atoll/client/builtin";
import { toKey } from "@atoll/client/resource";
import { parseTime } from "@atoll/machinery/clock";
import { deletionOf, watching } from "@atoll/runtime/claims";
import type { Controller } from "@atoll/runtime/controller";
import { again, defineController, settled } from "@atoll/runtime/controller";

const home = "kube-system";
const type = "bootstrap.kubernetes.io/token";
// Timers hold at most 24 days; a look a day is enough.
const longestWaitMs = 24 * 60 * 60 * 1000;

/** When a token is over, ms since the epoch; undefined for never. One that cannot be read is not ours to judge. */
function expiresAtMs({ data }: Secret): number | undefined {
  const text = Buffer.from(data?.["expiration"] ?? "", "base64").toString();
  const atMs = parseTime(text);
  return Number.isNaN(atMs) ? undefined : atMs;
}

/** Deletes tokens that are over. Works on all of them at once, so its keys are namespaces, of which it knows one. */
export const tokenCleaner: Controller = defineController({
  name: "token-cleaner-controller",
  for: Namespace,
  reads: [watching(Secret, () => [toKey("", home)], { namespace: home, fieldSelector: `type=${type}` })],
  writes: [deletionOf(Secret, "it is a bootstrap token whose time is over")],
  async reconcile(key, { cache, client, clock }) {
    if (key !== home) return settled;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const secret of cache.list(Secret)) {
      const leftMs = (expiresAtMs(secret) ?? Number.POSITIVE_INFINITY) - clock.nowMs();
      if (leftMs > 0) nextMs = Math.min(nextMs, leftMs);
      else await client.delete(secret, { resourceVersion: secret.metadata.resourceVersion });
    }
    return nextMs === Number.POSITIVE_INFINITY ? settled : again({ afterMs: Math.min(nextMs, longestWaitMs) });
  },
});
