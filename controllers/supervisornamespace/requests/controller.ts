/**
 * Gives those who ask by a SupervisorNamespaceRequest their SupervisorNamespace, once: the administrator may change it
 * afterwards, and it goes with the request.
 */
import { SupervisorNamespace } from "@atoll/api/supervisor/v1alpha1/supervisornamespace";
import { SupervisorNamespaceRequest } from "@atoll/api/supervisor/v1alpha1/supervisornamespacerequest";
import { SupervisorNamespaceTemplate } from "@atoll/api/supervisor/v1alpha1/supervisornamespacetemplate";
import { ClusterRole, ClusterRoleBinding } from "@atoll/client/builtin";
import { isNotFound } from "@atoll/client/errors";
import { type Key, keyOf, type Resource, toKey } from "@atoll/client/resource";
import { formatTime } from "@atoll/machinery/clock";
import type { ApiObject } from "@atoll/machinery/object";
import { controllerOf, ownedBy, statusOf, type View, watching } from "@atoll/runtime/claims";
import { type Controller, defineController, type Reconcile, settled } from "@atoll/runtime/controller";
import { keepChild, ownerOf } from "../children.ts";
import type { Verdict } from "../plan.ts";
import { accessTo, namespaceFor, refusalOf } from "./plan.ts";

const granted: Verdict = { reason: "Granted", message: "the SupervisorNamespace of this name is there" };

type Phase = NonNullable<SupervisorNamespaceRequest["status"]>["phase"];

const ofTemplate = ({ metadata }: ApiObject, cache: View): Iterable<Key> =>
  cache
    .list(SupervisorNamespaceRequest)
    .filter(({ spec }) => spec.template === metadata.name)
    .map(keyOf);
/** Others of the same person wait for room. */
const ofPerson = (request: SupervisorNamespaceRequest, cache: View): Iterable<Key> =>
  cache
    .list(SupervisorNamespaceRequest)
    .filter(({ spec }) => spec.requester === request.spec.requester)
    .map(keyOf);

/** Grants SupervisorNamespaceRequests. */
export const namespaceRequestController: Controller = defineController({
  name: "supervisornamespacerequest-controller",
  for: SupervisorNamespaceRequest,
  reads: [
    watching(SupervisorNamespaceRequest, ofPerson),
    watching(SupervisorNamespaceTemplate, ofTemplate),
    // Also one that is not its own: it may stand in the way, and go.
    watching(SupervisorNamespace, ({ metadata }) => [toKey(undefined, metadata.name ?? "")]),
    ownedBy(ClusterRole, SupervisorNamespaceRequest),
    ownedBy(ClusterRoleBinding, SupervisorNamespaceRequest),
  ],
  writes: [
    statusOf(SupervisorNamespaceRequest),
    ownedBy(SupervisorNamespace, SupervisorNamespaceRequest),
    ownedBy(ClusterRole, SupervisorNamespaceRequest),
    ownedBy(ClusterRoleBinding, SupervisorNamespaceRequest),
  ],
  // One at a time: two requests of one person count each other.
  concurrency: 1,
  async reconcile(key, tools) {
    const request = tools.cache.get(SupervisorNamespaceRequest, key);
    if (request === undefined || request.metadata.deletionTimestamp !== undefined) return settled;
    const owner = ownerOf(SupervisorNamespaceRequest, request);
    const { role, binding } = accessTo(request);
    await keepChild(ClusterRole as Resource<ApiObject>, { owner, child: role }, tools);
    await keepChild(ClusterRoleBinding as Resource<ApiObject>, { owner, child: binding }, tools);
    await answer(request, tools);
    return settled;
  },
});

async function answer(request: SupervisorNamespaceRequest, tools: Reconcile): Promise<void> {
  const { cache, client } = tools;
  const key = keyOf(request);
  const namespace = cache.get(SupervisorNamespace, key) ?? (await namespaceNow(key, tools));
  if (namespace !== undefined && controllerOf(namespace)?.uid === request.metadata.uid) {
    return await tell(request, { phase: "Granted", verdict: granted }, tools);
  }
  if (request.status?.phase === "Granted" || request.status?.phase === "Ended") {
    const message = "the SupervisorNamespace was deleted; delete this request, too, and make another";
    return await tell(request, { phase: "Ended", verdict: { reason: "NamespaceDeleted", message } }, tools);
  }
  const template = cache.get(SupervisorNamespaceTemplate, toKey(undefined, request.spec.template));
  const requests = cache.list(SupervisorNamespaceRequest);
  const refusal = refusalOf(request, { template, namespace, requests });
  if (refusal !== undefined) return await tell(request, { phase: "Pending", verdict: refusal }, tools);
  if (template === undefined) return;
  const { metadata, spec } = namespaceFor(request, template);
  const ownerReferences = [ownerOf(SupervisorNamespaceRequest, request)];
  await client.create(SupervisorNamespace, { metadata: { ...metadata, ownerReferences }, spec });
  await tell(request, { phase: "Granted", verdict: granted }, tools);
}

/** A cache that lags must not tell anybody that theirs was deleted. */
async function namespaceNow(key: Key, { client }: Reconcile): Promise<SupervisorNamespace | undefined> {
  try {
    return await client.get(SupervisorNamespace, key);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function tell(
  request: SupervisorNamespaceRequest,
  { phase, verdict }: { phase: Phase; verdict: Verdict },
  { client, clock }: Reconcile,
): Promise<void> {
  const status = phase === "Granted" ? "True" : "False";
  const before = request.status?.conditions?.find(({ type }) => type === "Granted");
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : formatTime(clock.nowMs());
  await client.setStatus(request, { phase, conditions: [{ type: "Granted", status, ...verdict, lastTransitionTime }] });
}
