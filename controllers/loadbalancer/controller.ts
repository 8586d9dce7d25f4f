/**
 * Tells LoadBalancer Services where they are reached, and which host answers there. All are reckoned at once, because
 * they share addresses and ports; changes that come close together are one pass, and what does not differ is not written.
 * Source: k8s.io/cloud-provider/controllers/service (whose part this is elsewhere)
 */
import { announcedCondition } from "@atoll/api/supervisor/annotations";
import { EndpointSlice, Node, Service } from "@atoll/client/builtin";
import { isConflict, isNotFound } from "@atoll/client/errors";
import { type Key, keyOf, toKey } from "@atoll/client/resource";
import { type Clock, formatTime } from "@atoll/machinery/clock";
import { deepEqual } from "@atoll/machinery/equal";
import { statusOf, type View, watching } from "@atoll/runtime/claims";
import { again, type Controller, defineController, type Reconcile, settled } from "@atoll/runtime/controller";
import { isBalanced, type Outcome, plan, toldOf } from "./plan.ts";
import type { Pool } from "./pool.ts";

const serviceLabel = "kubernetes.io/service-name";
const togetherMs = 50;
const retryMs = 500;

const isConcerned = (service: Service): boolean => isBalanced(service) || toldOf(service) !== undefined;

/** Not the name of an object: the one thing that there is to do, once however many changed. */
const everything = toKey(undefined, "*");
const all = (isOf: boolean): readonly Key[] => (isOf ? [everything] : []);

const isLocal = (service: Service | undefined): boolean => service?.spec.externalTrafficPolicy === "Local";
const ownerOf = ({ metadata }: EndpointSlice): Key => toKey(metadata.namespace, metadata.labels?.[serviceLabel] ?? "");

/** @param pool without one hosts lend their own addresses */
export function loadBalancerController(pool: Pool | undefined): Controller {
  return defineController({
    name: "service-lb-controller",
    for: Service,
    concurrency: 1,
    reads: [
      watching(Service, (service) => all(isConcerned(service))),
      {
        ...watching(Node, (_, cache) => all(cache.list(Service).some(isConcerned))),
        matters: (before, after) => !deepEqual(factsOf(before), factsOf(after)),
      },
      watching(EndpointSlice, (slice, cache) => all(isLocal(cache.get(Service, ownerOf(slice))))),
    ],
    writes: [statusOf(Service)],
    async reconcile(key, tools) {
      if (key !== everything) return settled;
      const { cache, clock, signal } = tools;
      await clock.sleep(togetherMs, signal);
      const services = cache.list(Service);
      const outcomes = plan({
        pool,
        services,
        nodes: cache.list(Node),
        endpointNodes: (of) => nodesOf(of, cache),
      });
      let isStale = false;
      for (const each of services.filter(isConcerned)) {
        isStale = !(await tell(each, outcomes.get(keyOf(each)), tools)) || isStale;
      }
      return isStale ? again({ afterMs: retryMs }) : settled;
    },
  });
}

const factsOf = ({ metadata, status }: Node) => [
  metadata.labels,
  metadata.annotations,
  metadata.deletionTimestamp,
  status?.addresses,
  status?.conditions?.find(({ type }) => type === "Ready")?.status,
];

function nodesOf(service: Service, cache: View): ReadonlySet<string> {
  const { namespace = "", name = "" } = service.metadata;
  const serving = cache
    .list(EndpointSlice, { namespace })
    .filter(({ metadata }) => metadata.labels?.[serviceLabel] === name)
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false);
  return new Set(serving.flatMap(({ nodeName }) => nodeName ?? []));
}

/** @returns whether what was known of it was true */
async function tell(service: Service, outcome: Outcome | undefined, tools: Reconcile): Promise<boolean> {
  const { client, clock, events } = tools;
  const wanted = statusWith(service, outcome, clock);
  if (sameTold(service.status, wanted)) return true;
  try {
    await client.setStatus(service, wanted);
  } catch (error) {
    if (isConflict(error) || isNotFound(error)) return false;
    throw error;
  }
  const told = outcome === undefined ? undefined : wordsOf(outcome);
  if (told !== undefined) events.record(service, { ...told, action: "Announce" });
  return true;
}

function wordsOf(outcome: Outcome): { type: "Normal" | "Warning"; reason: string; note: string } {
  if (!("ingress" in outcome)) return { type: "Warning", reason: outcome.reason, note: outcome.message };
  const { ingress, node, moved } = outcome;
  const where = `reached at ${ingress.ip}, to which host ${node} answers`;
  if (moved.length === 0) return { type: "Normal", reason: "Announced", note: where };
  return { type: "Warning", reason: "PortTaken", note: `${where}: ${moved.join("; ")}` };
}

function statusWith(service: Service, outcome: Outcome | undefined, clock: Clock): NonNullable<Service["status"]> {
  const others = (service.status?.conditions ?? []).filter(({ type }) => type !== announcedCondition);
  if (outcome === undefined) return { ...service.status, loadBalancer: {}, conditions: others };
  const isReached = "ingress" in outcome;
  const now = isReached
    ? { status: "True", reason: "Announced", message: outcome.node }
    : { status: "False", reason: outcome.reason, message: outcome.message };
  const before = toldOf(service);
  const lastTransitionTime = before?.status === now.status ? before.lastTransitionTime : formatTime(clock.nowMs());
  return {
    ...service.status,
    loadBalancer: isReached ? { ingress: [outcome.ingress] } : {},
    conditions: [...others, { type: announcedCondition, ...now, lastTransitionTime }],
  };
}

function sameTold(one: Service["status"], other: Service["status"]): boolean {
  const facts = (status: Service["status"]) => {
    const told = status?.conditions?.find(({ type }) => type === announcedCondition);
    const [ingress] = status?.loadBalancer?.ingress ?? [];
    const ports = ingress?.ports?.map(({ port, protocol }) => `${port}/${protocol}`);
    return [told?.status, told?.reason, told?.message, ingress?.ip, ingress?.ipMode, ports];
  };
  return deepEqual(facts(one), facts(other));
}
