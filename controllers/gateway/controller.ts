/**
 * Keeps the gateway: a proxy for Ingresses of class `atoll`, which is there as long as somebody asks for it. Everything is
 * reckoned at once, since hosts are shared out between all; changes that come close together are one pass, and what does not
 * differ is not written.
 * Source: docs/rfd/0037-ingress.md
 */
import {
  gatewayClass,
  gatewayController as controllerName,
  gatewayName,
  gatewayNamespace,
  routedBy,
  routedCondition,
} from "@atoll/api/supervisor/gateway";
import { Gateway, GatewayClass } from "@atoll/api/gatewayapi/gateway";
import { HTTPRoute } from "@atoll/api/gatewayapi/httproute";
import { ReferenceGrant } from "@atoll/api/gatewayapi/referencegrant";
import { Deployment, Ingress, IngressClass, Namespace, Secret, Service } from "@atoll/client/builtin";
import { isConflict, isNotFound } from "@atoll/client/errors";
import { type Key, type Resource, toKey } from "@atoll/client/resource";
import { type Clock, formatTime } from "@atoll/machinery/clock";
import { deepEqual } from "@atoll/machinery/equal";
import type { ApiObject } from "@atoll/machinery/object";
import { named, partOf, statusOf, type View, watching, watchingIntent } from "@atoll/runtime/claims";
import { again, type Controller, defineController, type Reconcile, settled } from "@atoll/runtime/controller";
import { deployment, holds, secretOf, service, tlsType } from "./deployed.ts";
import { type Plan, plan } from "./plan.ts";
import { acceptedClass, gatewayStatus, routeStatus } from "./saying.ts";

/** Not the name of an object: the one thing that there is to do. */
const everything = toKey(undefined, "*");
const togetherMs = 100;
const retryMs = 500;
const mostNamed = 3;
const own = toKey(gatewayNamespace, gatewayName);
const defaultAnnotation = "ingressclass.kubernetes.io/is-default-class";

const all = (): readonly Key[] => [everything];

/** Keeps the gateway. */
export function gatewayController(): Controller {
  /** What was told of a source last, so that it is told once. */
  const told = new Map<string, string>();
  return defineController({
    name: "gateway-controller",
    for: Ingress,
    concurrency: 1,
    reads: [
      watchingIntent(Ingress, all),
      watching(IngressClass, all),
      watching(GatewayClass, all),
      watchingIntent(Gateway, all),
      watchingIntent(HTTPRoute, all),
      watching(ReferenceGrant, all),
      {
        ...watching(Service, all),
        matters: (before, after) => !deepEqual(factsOf(before), factsOf(after)),
      },
      watching(Secret, all, { fieldSelector: `type=${tlsType}` }),
      { ...watchingIntent(Deployment, ({ metadata }) => (metadata.name === gatewayName ? all() : [])) },
      // There is one from the start, which begins it all.
      {
        ...watching(Namespace, all),
        matters: (before: Namespace, after: Namespace) => !deepEqual(before.metadata.labels, after.metadata.labels),
      },
    ],
    writes: [
      statusOf(Ingress),
      statusOf(GatewayClass),
      statusOf(Gateway),
      statusOf(HTTPRoute),
      named(IngressClass, gatewayClass),
      named(GatewayClass, gatewayClass),
      named(Namespace, gatewayNamespace),
      named(Secret, gatewayName),
      named(Deployment, gatewayName),
      named(Service, gatewayName),
      partOf(Service, `status: condition ${routedCondition}`, ({ subresource }) => subresource === "status"),
    ],
    async reconcile(key, tools) {
      if (key !== everything) return settled;
      const { cache, clock, signal } = tools;
      await clock.sleep(togetherMs, signal);
      await ensureClasses(tools);
      const wanted = planOf(cache);
      // Ways are opened before they are taken.
      let isCurrent = await markServices(wanted, tools);
      await (wanted.files === undefined ? remove(tools) : furnish(wanted.files, tools));
      for (const tell of [tellIngresses, tellGateways, tellRoutes])
        isCurrent = (await tell(wanted, tools)) && isCurrent;
      tellRefused(wanted, tools, told);
      return isCurrent ? settled : again({ afterMs: retryMs });
    },
  });
}

const planOf = (cache: View): Plan =>
  plan({
    ingresses: cache.list(Ingress),
    classes: cache.list(IngressClass),
    gatewayClasses: cache.list(GatewayClass),
    gateways: cache.list(Gateway),
    routes: cache.list(HTTPRoute).filter(({ metadata }) => metadata.deletionTimestamp === undefined),
    grants: cache.list(ReferenceGrant),
    namespace: (name) => cache.get(Namespace, toKey(undefined, name)),
    service: (namespace, name) => cache.get(Service, toKey(namespace, name)),
    secret: (namespace, name) => cache.get(Secret, toKey(namespace, name)),
  });

const factsOf = ({ metadata, spec, status }: Service) => [
  spec,
  metadata.deletionTimestamp,
  routedBy({ metadata, ...(status === undefined ? {} : { status }) } as Service),
  metadata.name === gatewayName ? status?.loadBalancer : undefined,
];

/** It is the default unless there is one already; what people make of it later is theirs. */
async function ensureClasses({ cache, client }: Reconcile): Promise<void> {
  if (cache.get(GatewayClass, toKey(undefined, gatewayClass)) === undefined)
    await client.create(GatewayClass, { metadata: { name: gatewayClass }, spec: { controllerName } });
  if (cache.get(IngressClass, toKey(undefined, gatewayClass)) !== undefined) return;
  const isTaken = cache.list(IngressClass).some(({ metadata }) => metadata.annotations?.[defaultAnnotation] === "true");
  const annotations = isTaken ? {} : { [defaultAnnotation]: "true" };
  await client.create(IngressClass, {
    metadata: { name: gatewayClass, annotations },
    spec: { controller: controllerName },
  });
}

async function furnish(files: Readonly<Record<string, string>>, { cache, client }: Reconcile): Promise<void> {
  if (cache.get(Namespace, toKey(undefined, gatewayNamespace)) === undefined)
    await client.apply(Namespace, { metadata: { name: gatewayNamespace } });
  const secret = secretOf(files);
  if (!deepEqual(cache.get(Secret, own)?.data, secret.data)) await client.apply(Secret, secret as unknown as Secret);
  for (const [resource, wanted] of [
    [Service, service],
    [Deployment, deployment],
  ] as readonly (readonly [Resource<ApiObject>, ApiObject])[]) {
    if (!holds(cache.get(resource, own), wanted)) await client.apply(resource, wanted);
  }
}

async function remove({ cache, client }: Reconcile): Promise<void> {
  for (const resource of [Service, Deployment, Secret] as readonly Resource<ApiObject>[]) {
    const found = cache.get(resource, own);
    if (found !== undefined && found.metadata.deletionTimestamp === undefined) await client.delete(found);
  }
}

/** @returns whether what was known was true */
async function markServices({ routes }: Plan, tools: Reconcile): Promise<boolean> {
  let isCurrent = true;
  for (const each of tools.cache.list(Service)) {
    const { namespace = "", name = "" } = each.metadata;
    const wanted = wordsOf(routes.get(`${namespace}/${name}`) ?? []);
    if (routedBy(each as Parameters<typeof routedBy>[0]) === wanted) continue;
    isCurrent =
      (await attempt(tools, () => tools.client.setStatus(each, withRoute(each, wanted, tools.clock)))) && isCurrent;
  }
  return isCurrent;
}

function wordsOf(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const more = names.length > mostNamed ? ` and ${names.length - mostNamed} more` : "";
  return `${names.slice(0, mostNamed).join(", ")}${more}`;
}

function withRoute({ status }: Service, message: string | undefined, clock: Clock): NonNullable<Service["status"]> {
  const others = (status?.conditions ?? []).filter(({ type }) => type !== routedCondition);
  const before = status?.conditions?.find(({ type }) => type === routedCondition);
  const lastTransitionTime = before?.lastTransitionTime ?? formatTime(clock.nowMs());
  const condition = {
    type: routedCondition,
    status: "True",
    reason: "Routed",
    message: message ?? "",
    lastTransitionTime,
  };
  return { ...status, conditions: message === undefined ? others : [...others, condition] };
}

/** Each is told where the gateway is. @returns whether what was known was true */
async function tellIngresses({ ingresses }: Plan, tools: Reconcile): Promise<boolean> {
  const { cache, client } = tools;
  const at = cache.get(Service, own)?.status?.loadBalancer?.ingress ?? [];
  const ingress = at.map(({ ip, hostname, ports }) => ({
    ...(ip === undefined ? {} : { ip }),
    ...(hostname === undefined ? {} : { hostname }),
    ...(ports === undefined ? {} : { ports }),
  }));
  let isCurrent = true;
  for (const each of ingresses) {
    if (deepEqual(each.status?.loadBalancer?.ingress ?? [], ingress)) continue;
    isCurrent =
      (await attempt(tools, () => client.setStatus(each, { loadBalancer: { ingress } } as Ingress["status"]))) &&
      isCurrent;
  }
  return isCurrent;
}

/** @returns whether what was known was true */
async function tellGateways({ gateways, routed }: Plan, tools: Reconcile): Promise<boolean> {
  const { cache, client, clock } = tools;
  const now = formatTime(clock.nowMs());
  let isCurrent = true;
  for (const each of cache.list(GatewayClass)) {
    const status = acceptedClass(each, now);
    if (status === undefined || deepEqual(each.status, status)) continue;
    isCurrent = (await attempt(tools, () => client.setStatus(each, status))) && isCurrent;
  }
  const at = cache.get(Service, own)?.status?.loadBalancer?.ingress ?? [];
  const addresses = at.flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
  for (const judged of gateways) {
    const status = gatewayStatus(judged, { routed, addresses, now });
    if (deepEqual(judged.gateway.status, status)) continue;
    isCurrent = (await attempt(tools, () => client.setStatus(judged.gateway, status))) && isCurrent;
  }
  return isCurrent;
}

/** @returns whether what was known was true */
async function tellRoutes({ routed }: Plan, tools: Reconcile): Promise<boolean> {
  const { client, clock } = tools;
  let isCurrent = true;
  for (const { route, joined } of routed) {
    const status = routeStatus(route, joined, formatTime(clock.nowMs()));
    if (deepEqual(route.status ?? { parents: [] }, status)) continue;
    isCurrent = (await attempt(tools, () => client.setStatus(route, status))) && isCurrent;
  }
  return isCurrent;
}

/** One that fails keeps none of the others from being told. @returns false when it is to be looked at again */
async function attempt({ log, signal }: Reconcile, write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    signal.throwIfAborted();
    // These only say that somebody else was quicker.
    if (!isConflict(error) && !isNotFound(error)) log.warn("a status could not be written", { error });
    return false;
  }
}

function tellRefused({ refused }: Plan, { cache, events }: Reconcile, told: Map<string, string>): void {
  for (const { source, messages } of refused) {
    const { kind, namespace, name } = source;
    const [id, words] = [`${kind} ${namespace}/${name}`, messages.join("; ")];
    if ((told.get(id) ?? "") === words) continue;
    told.set(id, words);
    const about = cache.get(Ingress, toKey(namespace, name));
    if (about !== undefined && words !== "")
      events.record(about, { type: "Warning", reason: "NotServed", note: words, action: "Translate" });
  }
  const known = new Set(refused.map(({ source: { kind, namespace, name } }) => `${kind} ${namespace}/${name}`));
  for (const id of told.keys()) if (!known.has(id)) told.delete(id);
}
