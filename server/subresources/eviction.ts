/**
 * POST pods/NAME/eviction: a delete that PodDisruptionBudgets may put off.
 * Source: k8s.io/kubernetes/pkg/registry/core/pod/storage/eviction.go
 */
import { builtinSchema } from "@atoll/api/schemas";
import type { ApiObject } from "@atoll/machinery/object";
import { matchesLabels, type LabelSelectorObject, selectorOf } from "@atoll/machinery/selectors/labels";
import { formatTime } from "@atoll/machinery/clock";
import { StatusError } from "@atoll/machinery/status";
import type { Call } from "../call.ts";
import type { Resource } from "../registry/resource.ts";
import { clone } from "../registry/versions.ts";
import { jsonReply, type Reply } from "../reply.ts";
import { decodeObject, parseBody, protobufSchema, reportOdd } from "../verbs/body.ts";
import { admissionRequest } from "../verbs/create.ts";
import { removeObject } from "../verbs/delete.ts";
import { deleteOptions, writeOptions } from "../verbs/options.ts";
import { storedResource } from "../verbs/stored.ts";

interface Pod extends ApiObject {
  status: { phase?: string; conditions?: { type: string; status: string }[] };
}

interface Budget extends ApiObject {
  spec: { selector?: LabelSelectorObject; unhealthyPodEvictionPolicy?: string };
  status: {
    disruptionsAllowed: number;
    currentHealthy: number;
    desiredHealthy: number;
    expectedPods: number;
    observedGeneration?: number;
    disruptedPods?: Record<string, string>;
  };
}

/** @throws {StatusError} TooManyRequests while a budget does not allow it */
export async function evict(call: Call): Promise<Reply> {
  const options = writeOptions(call.info.query, "CreateOptions");
  const kind = {
    ...call.served.kind,
    group: "policy",
    kind: "Eviction",
    schema: builtinSchema("policy/v1", "Eviction"),
  };
  const given = decodeObject(
    kind,
    await parseBody(await call.body(), call.request.headers["content-type"], protobufSchema(kind)),
  );
  reportOdd(given.odd, options.fieldValidation, call.warnings);
  const eviction = given.object;
  if (eviction.metadata.name && eviction.metadata.name !== call.info.name) {
    throw new StatusError("BadRequest", "name in URL does not match name in Eviction object");
  }
  const wish = deleteOptions(new URLSearchParams(), eviction["deleteOptions"] as Record<string, unknown> | undefined);
  const dryRun = options.dryRun || wish.dryRun;
  const request = admissionRequest(call, "CREATE", { object: eviction, old: undefined, options });
  await call.services.admission.mutate(request);
  await call.services.admission.validate(request);
  const resource = storedResource(call);
  const pod = resource.cache.object(await resource.get(call.info.namespace, call.info.name)) as Pod;
  if (!ignoresBudgets(pod)) await takeFromBudget(call, pod, dryRun);
  await removeObject(call, call.info, { ...wish, dryRun }, { admitted: true });
  return jsonReply(201, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 });
}

/** A pod that is over, not started or on its way out disrupts nothing. */
function ignoresBudgets({ status, metadata }: Pod): boolean {
  const finished = ["Succeeded", "Failed", "Pending"].includes(status.phase ?? "");
  return finished || metadata.deletionTimestamp !== undefined;
}

async function takeFromBudget(call: Call, pod: Pod, dryRun: boolean): Promise<void> {
  const budgets = call.services.catalogue.resource("policy", "poddisruptionbudgets");
  if (budgets === undefined) return;
  const matching = await budgetsOf(budgets, pod);
  if (matching.length > 1) {
    throw new StatusError(
      "InternalError",
      "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    );
  }
  const [budget] = matching;
  if (budget === undefined) return;
  const ready = pod.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;
  await budgets.update({ namespace: pod.metadata.namespace ?? "", name: budget.metadata.name ?? "" }, ({ object }) => {
    const next = clone(object) as Budget;
    if (!ready && unhealthyMayGo(next)) return "unchanged";
    spend(next, pod, formatTime(call.services.clock.nowMs()));
    return dryRun ? "unchanged" : { object: next };
  });
}

async function budgetsOf(budgets: Resource, pod: Pod): Promise<Budget[]> {
  await budgets.cache.current();
  return budgets.cache
    .range(budgets.prefix(pod.metadata.namespace ?? ""))
    .map((entry) => budgets.cache.object(entry) as Budget)
    .filter(({ spec }) => {
      const selector = selectorOf(spec.selector);
      return selector !== undefined && matchesLabels(selector, pod.metadata.labels);
    });
}

/** Source: kubernetes.io/docs/tasks/run-application/configure-pdb (Unhealthy Pod Eviction Policy) */
function unhealthyMayGo({ spec, status }: Budget): boolean {
  if (spec.unhealthyPodEvictionPolicy === "AlwaysAllow") return true;
  return status.currentHealthy >= status.desiredHealthy && status.desiredHealthy > 0;
}

// More names than this waiting to be seen gone means the budget's controller is behind.
const maxDisruptedPods = 2000;

function spend(budget: Budget, pod: Pod, now: string): void {
  const { status, metadata } = budget;
  const name = metadata.name ?? "";
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) {
    throw refusal(name, `The disruption budget ${name} is still being processed by the server.`, 10);
  }
  if (status.disruptionsAllowed < 0) throw new StatusError("Forbidden", "pdb disruptions allowed is negative");
  if (Object.keys(status.disruptedPods ?? {}).length > maxDisruptedPods) {
    throw new StatusError(
      "Forbidden",
      "DisruptedPods map too big - too many evictions not confirmed by PDB controller",
    );
  }
  if (status.disruptionsAllowed === 0) {
    const { desiredHealthy, currentHealthy } = status;
    throw refusal(
      name,
      `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`,
      0,
    );
  }
  status.disruptionsAllowed--;
  status.disruptedPods = { ...status.disruptedPods, [pod.metadata.name ?? ""]: now };
}

function refusal(budget: string, message: string, retryAfterSeconds: number): StatusError {
  return new StatusError("TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.", {
    details: {
      causes: [{ reason: "DisruptionBudget", message }],
      ...(retryAfterSeconds === 0 ? {} : { retryAfterSeconds }),
      name: budget,
    },
  });
}
