/**
 * Counts what is used of quotas: once when a quota is new, and whatever goes afterwards. What comes, admission counts
 * (server/admission/quota); see plan.ts for how the two keep out of each other's way.
 * Source: k8s.io/kubernetes/pkg/controller/resourcequota
 */
import type { ResourceQuota as Quota } from "@atoll/api/builtin/core/v1.types";
import { type Amounts, only } from "@atoll/api/core/quota/amounts";
import { countedBy, countName, isCovered, type Measure, measureOf } from "@atoll/api/core/quota/measure";
import {
  CronJob,
  DaemonSet,
  Deployment,
  Job,
  PersistentVolumeClaim,
  Pod,
  ReplicaSet,
  ReplicationController,
  ResourceQuota,
  Service,
  StatefulSet,
} from "@atoll/client/builtin";
import { discover } from "@atoll/client/discovery";
import { isConflict } from "@atoll/client/errors";
import { type AnyResource, keyOf, metadataOf, type Resource } from "@atoll/client/resource";
import type { ApiObject } from "@atoll/machinery/object";
import { statusOf, watching } from "@atoll/runtime/claims";
import type { Controller, Reconcile } from "@atoll/runtime/controller";
import { again, defineController, settled } from "@atoll/runtime/controller";
import { driftMs, type Ledger, plan } from "./plan.ts";

/** Resources whose changes are heard of at once; any other is looked up from time to time if a quota counts it. */
const watched: readonly Resource<ApiObject>[] = [
  Pod,
  Service,
  PersistentVolumeClaim,
  ReplicationController,
  Deployment,
  ReplicaSet,
  StatefulSet,
  DaemonSet,
  Job,
  CronJob,
] as unknown as readonly Resource<ApiObject>[];
const lookUpEveryMs = 10_000;
const resyncMs = 300_000;

/** What is kept of a quota while the process lives. */
interface Kept {
  readonly uid: string;
  readonly spec: string;
  ledger: Ledger | undefined;
  /** What an object counts, so that it is reckoned once: objects in the cache never change. */
  readonly usage: WeakMap<object, Amounts>;
}

/** Keeps the status of quotas. */
export function resourceQuotaController(): Controller {
  const quotas = new Map<string, Kept>();
  return defineController({
    name: "resourcequota-controller",
    for: ResourceQuota,
    reads: watched.map((resource) =>
      watching(resource, ({ metadata: { namespace = "" } }, cache) =>
        cache.list(ResourceQuota, { namespace }).map(keyOf),
      ),
    ),
    writes: [statusOf(ResourceQuota)],
    async reconcile(key, tools) {
      const { cache, client, clock } = tools;
      if (cache.get(ResourceQuota, key) === undefined) {
        quotas.delete(key);
        return settled;
      }
      const quota = await client.get(ResourceQuota, key);
      const kept = keptOf(quota, quotas.get(key));
      quotas.set(key, kept);
      const { present, lookedUp } = await count(quota, kept, tools);
      const next = plan(quota, present, kept.ledger, clock.nowMs());
      try {
        if (next.status !== undefined) await client.setStatus(quota, next.status);
      } catch (error) {
        // It may have been written all the same: then nothing is credited twice, and what is missing is drift.
        if (!isConflict(error)) kept.ledger = undefined;
        throw error;
      }
      kept.ledger = next.ledger;
      if (lookedUp) return again({ afterMs: lookUpEveryMs });
      const { drift } = next.ledger;
      return again({ afterMs: drift === undefined ? resyncMs : Math.max(drift.sinceMs + driftMs - clock.nowMs(), 1) });
    },
  });
}

/** A quota that is about other things than before is counted anew. */
function keptOf({ metadata, spec }: Quota, before: Kept | undefined): Kept {
  const about = JSON.stringify([Object.keys(spec.hard ?? {}), spec.scopes, spec.scopeSelector]);
  const uid = metadata.uid ?? "";
  if (before !== undefined && before.uid === uid && before.spec === about) return before;
  return { uid, spec: about, ledger: undefined, usage: new WeakMap() };
}

/** What each object that the quota is about counts, by uid. */
async function count(
  quota: Quota,
  kept: Kept,
  tools: Reconcile,
): Promise<{ present: ReadonlyMap<string, Amounts>; lookedUp: boolean }> {
  const { cache, client, clock } = tools;
  const { namespace = "" } = quota.metadata;
  const names = Object.keys(quota.spec.hard ?? {});
  const present = new Map<string, Amounts>();
  const enter = (resource: AnyResource, objects: readonly ApiObject[]) => {
    const measure = measureOf(resource.group, resource.plural);
    const counted = names.filter((name) => measure.counts(name));
    if (counted.length === 0) return;
    for (const object of objects) {
      let usage = kept.usage.get(object);
      if (usage === undefined) {
        usage = usageOf(object, { quota, measure, counted, nowMs: clock.nowMs() });
        kept.usage.set(object, usage);
      }
      if (usage.size > 0) present.set(object.metadata.uid ?? "", usage);
    }
  };
  for (const resource of watched) enter(resource, cache.list(resource, { namespace }));
  const others = await unwatched(names, tools);
  for (const resource of others) {
    enter(resource, (await client.list(metadataOf(resource), { namespace })) as unknown as readonly ApiObject[]);
  }
  return { present, lookedUp: others.length > 0 };
}

interface Counting {
  readonly quota: Quota;
  readonly measure: Measure;
  readonly counted: readonly string[];
  readonly nowMs: number;
}

function usageOf(object: ApiObject, { quota, measure, counted, nowMs }: Counting): Amounts {
  return isCovered(quota.spec, measure, object) ? only(measure.usage(object, nowMs), counted) : new Map();
}

/** Resources that a quota counts and nobody watches for it. */
async function unwatched(names: readonly string[], { client, signal }: Reconcile): Promise<readonly AnyResource[]> {
  const known = new Set(watched.map(({ group, plural }) => countName(group, plural)));
  const wanted = new Set(
    names.flatMap((name) => {
      const counted = countedBy(name);
      const full = counted === undefined ? "" : countName(counted.group, counted.plural);
      return full === "" || known.has(full) ? [] : [full];
    }),
  );
  if (wanted.size === 0) return [];
  const { resources } = await discover(client, signal);
  return resources.filter(
    ({ group, plural, namespaced, preferred, verbs }) =>
      namespaced && preferred && verbs.includes("list") && wanted.has(countName(group, plural)),
  );
}
