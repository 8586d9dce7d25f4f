/** What the gateway is to serve, reckoned from everything at once. Pure. */
import type { Gateway, GatewayClass } from "@atoll/api/gatewayapi/gateway";
import type { HTTPRoute } from "@atoll/api/gatewayapi/httproute";
import type { ReferenceGrant } from "@atoll/api/gatewayapi/referencegrant";
import type { Ingress, IngressClass, Namespace, Secret, Service } from "@atoll/client/builtin";
import { Certificates } from "./certificates.ts";
import { configuration } from "./haproxy.ts";
import { asksOf, isServed, sourceOf } from "./ingress.ts";
import { gatewaySource, isServedGateway, type Judged, judgeGateway, type Said } from "./listeners.ts";
import { type RoutePlan, routePlan, routeSource } from "./routes.ts";
import { type Asked, byAge, Hosts, inOrder, type Source } from "./rule.ts";

/** Everything that decides. */
export interface Given {
  readonly ingresses: readonly Ingress[];
  readonly classes: readonly IngressClass[];
  readonly gatewayClasses?: readonly GatewayClass[];
  readonly gateways?: readonly Gateway[];
  readonly routes?: readonly HTTPRoute[];
  readonly grants?: readonly ReferenceGrant[];
  service(namespace: string, name: string): Service | undefined;
  secret(namespace: string, name: string): Secret | undefined;
  namespace?(name: string): Namespace | undefined;
}

/** What is to be. */
export interface Plan {
  /** The proxy's, by name; undefined when nobody asks for it. */
  readonly files: Readonly<Record<string, string>> | undefined;
  /** Ingresses that are served. */
  readonly ingresses: readonly Ingress[];
  readonly gateways: readonly Judged[];
  readonly routed: readonly RoutePlan[];
  /** What leads to a Service, by `namespace/name`. */
  readonly routes: ReadonlyMap<string, readonly string[]>;
  /** What of a source is not served. */
  readonly refused: readonly { readonly source: Source; readonly messages: readonly string[] }[];
}

/** The whole plan. */
export function plan(given: Given): Plan {
  const ingresses = given.ingresses
    .filter((each) => isServed(each, given.classes))
    .toSorted((a, b) => byAge(sourceOf(a), sourceOf(b)));
  const { certificates, gateways, untrusted } = trust(given, ingresses);
  const hosts = new Hosts();
  const circumstances = {
    gateways,
    grants: given.grants ?? [],
    hosts,
    service: given.service,
    namespace: (name: string) => given.namespace?.(name),
  };
  const routed: RoutePlan[] = [];
  const follow = (route: HTTPRoute): Asked => {
    const found = routePlan(route, circumstances);
    routed.push(found);
    return found;
  };
  const asked = inTurn([
    ...ingresses.map((each) => ({ source: sourceOf(each), work: () => asksOf(each, given.service, hosts) })),
    ...(given.routes ?? []).map((each) => ({ source: routeSource(each), work: () => follow(each) })),
  ]);
  const isWanted = ingresses.length > 0 || gateways.length > 0;
  const { files, served } = fill(asked, certificates);
  const left = new Set(asked.slice(served.length));
  return {
    files: isWanted ? files : undefined,
    ingresses,
    gateways,
    routed: routed.map((each) => (left.has(each) ? turnedAway(each) : each)),
    routes: routesOf(served),
    refused: asked.map((each) => ({
      source: each.source,
      messages: left.has(each) ? [full] : [...new Set([...each.refused, ...(untrusted.get(idOf(each.source)) ?? [])])],
    })),
  };
}

/** What a Secret may hold, and a little less. Source: k8s.io/api/core/v1 (MaxSecretSize) */
const mostBytes = 1_000_000;
const full = "the gateway is full: older ones have taken all the room that there is for rules";
/** What is left of the sources each time that they are too many. */
const kept = 0.9;

/** As many of the sources as there is room for, the oldest first: nobody loses what is served to a newcomer. */
function fill(asked: readonly Asked[], certificates: Certificates) {
  for (let served = asked; ; served = served.slice(0, Math.floor(served.length * kept))) {
    const files = configuration(inOrder(served), certificates.served());
    const bytes = Object.values(files).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    if (bytes <= mostBytes || served.length === 0) return { files, served };
  }
}

function turnedAway(route: RoutePlan): RoutePlan {
  const said: Said = { type: "Accepted", status: "False", reason: "GatewayFull", message: full };
  return {
    ...route,
    joined: route.joined.map((each) => ({ ...each, listeners: [], said: [said, ...each.said.slice(1)] })),
  };
}

/** Certificates of all: of two who have one for a host the older's is shown. */
function trust(given: Given, ingresses: readonly Ingress[]) {
  const certificates = new Certificates(given.secret);
  const untrusted = new Map<string, readonly string[]>();
  const served = (given.gateways ?? []).filter((each) => isServedGateway(each, given.gatewayClasses ?? []));
  const gateways = inTurn([
    ...ingresses.map((each) => ({
      source: sourceOf(each),
      work: () => {
        untrusted.set(idOf(sourceOf(each)), askCertificates(each, certificates));
        return undefined;
      },
    })),
    ...served.map((each) => ({
      source: gatewaySource(each),
      work: () => judgeGateway(each, certificates, given.grants ?? []),
    })),
  ]).filter((each) => each !== undefined);
  return { certificates, gateways, untrusted };
}

/** Does it for the oldest first. */
function inTurn<T>(works: readonly { readonly source: Source; work(): T }[]): readonly T[] {
  return works.toSorted((a, b) => byAge(a.source, b.source)).map(({ work }) => work());
}

const idOf = ({ kind, namespace, name }: Source): string => `${kind} ${namespace}/${name}`;

/** @returns why some cannot be had */
function askCertificates({ metadata, spec }: Ingress, certificates: Certificates): readonly string[] {
  return (spec.tls ?? []).flatMap(({ hosts = [], secretName: secret = "" }) => {
    if (secret === "") return [];
    return certificates.ask({ namespace: metadata.namespace ?? "", secret, hosts }) ?? [];
  });
}

function routesOf(asked: readonly Asked[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>();
  for (const { source, rules, defaults } of asked) {
    for (const { namespace, name } of [...rules, ...defaults].flatMap(({ action }) => action.targets)) {
      const key = `${namespace}/${name}`;
      found.set(key, (found.get(key) ?? new Set()).add(idOf(source)));
    }
  }
  return new Map([...found].map(([key, names]) => [key, [...names].sort()]));
}
