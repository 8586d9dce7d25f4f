/**
 * Deletes a namespace's content when the namespace is being deleted, tells in its conditions what holds it up, and takes
 * the finalizer off once nothing is left.
 * Source: k8s.io/kubernetes/pkg/controller/namespace; KEP-5080 (pods first)
 */
import { Namespace } from "@atoll/client/builtin";
import { discover } from "@atoll/client/discovery";
import { isNotFound } from "@atoll/client/errors";
import { parseTime } from "@atoll/machinery/clock";
import { deletionOf, statusOf, subresourceOf } from "@atoll/runtime/claims";
import type { Controller, Reconcile, Result } from "@atoll/runtime/controller";
import { again, defineController, settled } from "@atoll/runtime/controller";
import { passOver } from "./act.ts";
import { conditionsAfter, next, ourFinalizer } from "./plan.ts";

/** The namespace deleter. */
export const namespaceController: Controller = defineController({
  name: "namespace-controller",
  for: Namespace,
  writes: [
    statusOf(Namespace),
    subresourceOf(Namespace, "finalize"),
    deletionOf("any", "its namespace is being deleted"),
  ],
  concurrency: 10,
  async reconcile(key, { cache, client, clock, signal }) {
    const namespace = cache.get(Namespace, key);
    if (namespace?.metadata.deletionTimestamp === undefined) return settled;
    if (!(namespace.spec.finalizers ?? []).includes(ourFinalizer)) return settled;
    const discovery = await discover(client, signal);
    const deletedMs = clock.nowMs() - parseTime(namespace.metadata.deletionTimestamp);
    const pass = await passOver(namespace.metadata.name ?? "", { client, signal, discovery, deletedMs });
    const then = next(namespace, pass, clock.nowMs());
    const conditions = conditionsAfter(pass, namespace.status.conditions ?? [], clock.nowMs());
    const told = await client.setStatus(namespace, { ...namespace.status, phase: "Terminating", conditions });
    if (then.do === "retry") throw new Error(then.why);
    if (then.do === "wait") return again(then);
    return finalize(told, client);
  },
});

async function finalize(namespace: Namespace, client: Reconcile["client"]): Promise<Result> {
  const finalizers = (namespace.spec.finalizers ?? []).filter((name) => name !== ourFinalizer);
  try {
    await client.replace({ ...namespace, spec: { ...namespace.spec, finalizers } }, "finalize");
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return settled;
}
