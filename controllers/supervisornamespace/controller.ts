/**
 * Makes a SupervisorNamespace's Namespace, with the quota, container defaults and role bindings in it, puts right what
 * others change there, and says what is used.
 */
import { SupervisorNamespace } from "@atoll/api/supervisor/v1alpha1/supervisornamespace";
import {
  LimitRange,
  Namespace,
  PersistentVolumeClaim,
  Pod,
  ResourceQuota,
  RoleBinding,
  StorageClass,
} from "@atoll/client/builtin";
import { isOf, type Key, keyOf, type Resource, toKey } from "@atoll/client/resource";
import type { ApiObject } from "@atoll/machinery/object";
import { controllerOf, ownedBy, statusOf, type View, watching } from "@atoll/runtime/claims";
import { type Controller, defineController, type Reconcile, settled } from "@atoll/runtime/controller";
import { keepChild, keepChildren, ownerOf } from "./children.ts";
import { contentOf, isReserved, namespaceOf, readyCondition, usageOf, type Verdict } from "./plan.ts";

const contents = [ResourceQuota, LimitRange, RoleBinding] as readonly unknown[] as readonly Resource<ApiObject>[];

const ofItsName = ({ metadata }: ApiObject): Iterable<Key> => [toKey(undefined, metadata.namespace ?? "")];
const all = (_: ApiObject, cache: View): Iterable<Key> => cache.list(SupervisorNamespace).map(keyOf);

/** Keeps SupervisorNamespaces. */
export const supervisorNamespaceController: Controller = defineController({
  name: "supervisornamespace-controller",
  for: SupervisorNamespace,
  reads: [
    // Also one that is not its own: it may stand in the way, and go.
    watching(Namespace, ({ metadata }) => [toKey(undefined, metadata.name ?? "")]),
    ...contents.map((resource) => ownedBy(resource, SupervisorNamespace)),
    watching(StorageClass, all),
    watching(Pod, ofItsName),
    watching(PersistentVolumeClaim, ofItsName),
  ],
  writes: [
    statusOf(SupervisorNamespace),
    ownedBy(Namespace, SupervisorNamespace),
    ...contents.map((resource) => ownedBy(resource, SupervisorNamespace)),
  ],
  async reconcile(key, tools) {
    const wanted = tools.cache.get(SupervisorNamespace, key);
    if (wanted === undefined) return settled;
    const { problem, failure } = await furnish(wanted, tools);
    await tell(wanted, problem, tools);
    if (failure !== undefined) throw failure;
    return settled;
  },
});

interface Outcome {
  /** Why it is not as it should be. */
  readonly problem?: Verdict;
  readonly failure?: Error;
}

/** Makes the Namespace and then what is in it; what fails is told in the status before it is tried again. */
async function furnish(wanted: SupervisorNamespace, tools: Reconcile): Promise<Outcome> {
  const { name = "", deletionTimestamp } = wanted.metadata;
  if (deletionTimestamp !== undefined) return {};
  if (isReserved(name)) {
    return {
      problem: { reason: "NameReserved", message: `${name} is kept for the cluster itself; choose another name` },
    };
  }
  const found = tools.cache.get(Namespace, toKey(undefined, name));
  if (found !== undefined && controllerOf(found)?.uid !== wanted.metadata.uid) {
    const message = `there is a Namespace ${name} that does not belong to this; delete it, or choose another name`;
    return { problem: { reason: "NamespaceExists", message } };
  }
  if (found?.metadata.deletionTimestamp !== undefined) {
    const message = `the Namespace ${name} is being deleted, and made anew once it is gone`;
    return { problem: { reason: "NamespaceTerminating", message } };
  }
  try {
    await keepChild(
      Namespace as Resource,
      { owner: ownerOf(SupervisorNamespace, wanted), child: namespaceOf(wanted) },
      tools,
    );
    await fill(wanted, tools);
    return {};
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { problem: { reason: "Failed", message: error.message }, failure: error };
  }
}

async function fill(wanted: SupervisorNamespace, tools: Reconcile): Promise<void> {
  const classes = tools.cache.list(StorageClass).map(({ metadata }) => metadata.name ?? "");
  const content = contentOf(wanted, classes.sort());
  const owner = ownerOf(SupervisorNamespace, wanted);
  for (const resource of contents) {
    const children = content.filter((child) => isOf(child, resource));
    await keepChildren(resource, { owner, children, namespace: wanted.metadata.name ?? "" }, tools);
  }
}

async function tell(wanted: SupervisorNamespace, problem: Verdict | undefined, tools: Reconcile): Promise<void> {
  const { cache, client, clock } = tools;
  const { name: namespace = "", deletionTimestamp, generation } = wanted.metadata;
  const nowMs = clock.nowMs();
  const use = { pods: cache.list(Pod, { namespace }), claims: cache.list(PersistentVolumeClaim, { namespace }), nowMs };
  await client.setStatus(wanted, {
    phase: phaseOf(deletionTimestamp !== undefined, problem === undefined),
    ...usageOf(wanted.spec.limits, use),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    conditions: [readyCondition(wanted, problem, nowMs)],
  });
}

function phaseOf(ending: boolean, ready: boolean): "Pending" | "Active" | "Terminating" {
  if (ending) return "Terminating";
  return ready ? "Active" : "Pending";
}
