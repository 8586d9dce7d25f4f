/** Says of each PolicyException whether it holds. */
import { PolicyException } from "@atoll/api/fleet/v1alpha1/policyexception";
import { keyOf } from "@atoll/client/resource";
import { parseTime } from "@atoll/machinery/clock";
import { statusOf as statusClaim, watching } from "@atoll/runtime/claims";
import { again, type Controller, defineController, settled } from "@atoll/runtime/controller";
import { policyKinds, sourceOf } from "../compile/compile.ts";
import { statusOf } from "./plan.ts";

/** Keeps the status of PolicyExceptions. */
export const exceptionController: Controller = defineController({
  name: "fleet-exception",
  for: PolicyException,
  reads: policyKinds.map((kind) =>
    watching(kind, (policy, cache) => {
      const { namespace = "" } = policy.metadata;
      const concerned = cache
        .list(PolicyException, { namespace })
        .filter(({ spec }) => spec.policy === sourceOf(policy));
      return concerned.map(keyOf);
    }),
  ),
  writes: [statusClaim(PolicyException)],
  async reconcile(key, { cache, client, clock }) {
    const exception = cache.get(PolicyException, key);
    if (exception === undefined || exception.metadata.deletionTimestamp !== undefined) return settled;
    const { namespace = "" } = exception.metadata;
    const exists = policyKinds
      .flatMap((kind) => cache.list(kind, { namespace, alive: true }))
      .some((policy) => sourceOf(policy) === exception.spec.policy);
    const nowMs = clock.nowMs();
    await client.setStatus(exception, statusOf(exception, exists, nowMs));
    const leftMs = parseTime(exception.spec.expires) - nowMs;
    return leftMs > 0 ? again({ afterMs: leftMs + 1_000 }) : settled;
  },
});
