/**
 * HTTPRoutes as rules, at each Gateway that they join, and what is said of them there. A route in which something is not served is
 * refused whole: half of it might let in what the other half would have kept out. Pure.
 * Source: sigs.k8s.io/gateway-api/apis/v1 (httproute_types.go, shared_types.go: conditions and reasons)
 */
import { gatewayApi } from "@atoll/api/gatewayapi/group";
import type { HTTPRoute } from "@atoll/api/gatewayapi/httproute";
import type { ReferenceGrant } from "@atoll/api/gatewayapi/referencegrant";
import type { Namespace } from "@atoll/client/builtin";
import { editsOf, headerNameOf, Unsupported, valueOf } from "./edits.ts";
import { type FindService, isHost, isPath, prefixOf, serviceTarget } from "./ingress.ts";
import { isGranted, type Judged, type Listener, type Said } from "./listeners.ts";
import type { Action, Asked, Hosts, Pair, Rule, Source, Target } from "./rule.ts";

/** What is said of a route at one Gateway. */
export interface Joined {
  readonly parentRef: ParentRef;
  readonly said: readonly Said[];
  /** Listeners that it joined. */
  readonly gateway: Judged;
  readonly listeners: readonly Listener[];
}

/** A route with its rules and what is said of it. */
export interface RoutePlan extends Asked {
  readonly route: HTTPRoute;
  readonly joined: readonly Joined[];
}

/** What routes are judged by. */
export interface Circumstances {
  readonly gateways: readonly Judged[];
  readonly grants: readonly ReferenceGrant[];
  readonly hosts: Hosts;
  service: FindService;
  namespace(name: string): Namespace | undefined;
}

type ParentRef = NonNullable<HTTPRoute["spec"]["parentRefs"]>[number];
type RouteRule = NonNullable<HTTPRoute["spec"]["rules"]>[number];
type Match = NonNullable<RouteRule["matches"]>[number];

/** Where the rule before holds: a host, and how a request must have come. */
interface Place {
  readonly host: string;
  readonly scheme: Listener["scheme"];
}

/** Who asks. */
export const routeSource = ({ metadata }: HTTPRoute): Source => ({
  kind: "HTTPRoute",
  namespace: metadata.namespace ?? "",
  name: metadata.name ?? "",
  since: metadata.creationTimestamp ?? "",
});

/** Judges a route and makes its rules. */
export function routePlan(route: HTTPRoute, given: Circumstances): RoutePlan {
  const source = routeSource(route);
  const resolved = resolvedOf(route, given);
  const [written, problem] = attempt(() => rulesOf(route, given));
  const places = new Map<string, Place>();
  const joined = (route.spec.parentRefs ?? []).flatMap((parentRef): readonly Joined[] => {
    const gateway = gatewayOf(parentRef, route, given);
    if (gateway === undefined) return [];
    // One that is refused takes no host.
    const fitting =
      problem === undefined ? fit(route, parentRef, { gateway, given }) : refusing("UnsupportedValue", problem);
    const { refused, listeners } = fitting;
    const accepted: Said = refused ?? { type: "Accepted", status: "True", reason: "Accepted", message: "it is served" };
    for (const place of fitting.places) places.set(`${place.scheme} ${place.host}`, place);
    return [{ parentRef, said: [accepted, resolved], gateway, listeners }];
  });
  const rules = [...places.values()].flatMap(({ host, scheme }) =>
    written.map((rule): Rule => ({ ...rule, host, scheme, ...(host.startsWith("*.") ? { isDeep: true } : {}) })),
  );
  return { source, rules, defaults: [], refused: [], route, joined };
}

function attempt(make: () => readonly Rule[]): readonly [readonly Rule[], string | undefined] {
  try {
    return [make(), undefined];
  } catch (error) {
    if (error instanceof Unsupported) return [[], error.message];
    throw error;
  }
}

const refusing = (reason: string, message: string): Fitting => ({
  listeners: [],
  places: [],
  refused: { type: "Accepted", status: "False", reason, message },
});

function gatewayOf(ref: ParentRef, { metadata }: HTTPRoute, { gateways }: Circumstances): Judged | undefined {
  const { group = gatewayApi, kind = "Gateway", namespace = metadata.namespace, name } = ref;
  if (group !== gatewayApi || kind !== "Gateway") return undefined;
  return gateways.find(({ gateway }) => gateway.metadata.namespace === namespace && gateway.metadata.name === name);
}

interface Fitting {
  readonly refused?: Said;
  readonly listeners: readonly Listener[];
  readonly places: readonly Place[];
}

/** Which listeners a route joins by one of its references, and for which hosts. */
function fit(
  route: HTTPRoute,
  { sectionName, port }: ParentRef,
  { gateway, given }: { readonly gateway: Judged; readonly given: Circumstances },
): Fitting {
  const { namespace = "" } = route.metadata;
  const named = gateway.listeners.filter(
    (each) => (sectionName ?? each.name) === each.name && (port ?? each.port) === each.port,
  );
  if (named.length === 0) return refusing("NoMatchingParent", "the Gateway has no such listener");
  const home = given.namespace(namespace);
  const open = named.filter((each) => each.routesAllowed && home !== undefined && each.admits(home));
  if (open.length === 0)
    return refusing("NotAllowedByListeners", `no listener there admits HTTPRoutes of ${namespace}`);
  const hostnames = (route.spec.hostnames ?? []).map((each) => each.toLowerCase());
  const bad = hostnames.find((each) => each === "" || !isHost(each));
  if (bad !== undefined) return refusing("UnsupportedValue", `host ${JSON.stringify(bad)} is no DNS name`);
  const pairs = open.map((listener) => ({ listener, hosts: intersection(listener.hostname, hostnames) }));
  const fitting = pairs.filter(({ hosts }) => hosts.length > 0);
  if (fitting.length === 0) return refusing("NoMatchingListenerHostname", "no listener there has any of its hostnames");
  const taken = given.hosts.take([...new Set(fitting.flatMap(({ hosts }) => hosts))], namespace);
  if (taken !== undefined) return refusing("HostnameTaken", taken);
  return {
    listeners: fitting.map(({ listener }) => listener),
    places: fitting.flatMap(({ listener, hosts }) =>
      listener.isAccepted ? hosts.map((host) => ({ host, scheme: listener.scheme })) : [],
    ),
  };
}

/** Hosts that both speak of. A wildcard stands for any number of labels. */
export function intersection(listener: string, hostnames: readonly string[]): readonly string[] {
  if (hostnames.length === 0) return [listener];
  if (listener === "") return hostnames;
  const within = (host: string, wild: string) => wild.startsWith("*.") && host.endsWith(wild.slice(1)) && host !== wild;
  return hostnames.flatMap((host) => {
    if (host === listener || within(host, listener)) return [host];
    return within(listener, host) ? [listener] : [];
  });
}

/** Rules for any host. @throws {Unsupported} */
function rulesOf(route: HTTPRoute, given: Circumstances): readonly Rule[] {
  return (route.spec.rules ?? [{}]).flatMap((rule) => {
    const strange = Object.keys(rule).find((field) => !["name", "matches", "filters", "backendRefs"].includes(field));
    if (strange !== undefined) throw new Unsupported(`rules[].${strange} is not served`);
    const matches = (rule.matches ?? []).length === 0 ? [{}] : (rule.matches ?? []);
    return matches.map((match): Rule => {
      const path = pathOf(match);
      const { headers = [], queryParams = [], method } = match;
      return {
        host: "",
        path,
        ...(method === undefined ? {} : { method }),
        headers: headers.map((each) => pairOf("header", each)),
        query: queryParams.map((each) => pairOf("parameter", each)),
        action: actionOf(rule, path, { route, given }),
      };
    });
  });
}

function pathOf({ path: { type = "PathPrefix", value = "/" } = {} }: Match): Rule["path"] {
  if (type === "RegularExpression") throw new Unsupported("paths as regular expressions are not served");
  if (!value.startsWith("/") || !isPath(value))
    throw new Unsupported(`path ${JSON.stringify(value)} cannot be a request's path`);
  return type === "Exact" ? { type, value } : prefixOf(value);
}

function pairOf(
  what: string,
  { type = "Exact", name, value }: { readonly type?: string; readonly name: string; readonly value: string },
): Pair {
  if (type !== "Exact") throw new Unsupported(`${what}s as regular expressions are not served`);
  return { name: headerNameOf(name), value: valueOf(value) };
}

/** Source: HTTPRouteRule.backendRefs: what cannot be resolved is answered 500, in its share of the requests */
function actionOf(
  { filters = [], backendRefs = [] }: RouteRule,
  path: Rule["path"],
  { route, given }: { readonly route: HTTPRoute; readonly given: Circumstances },
): Action {
  const edits = editsOf(filters, path);
  const isRedirected = filters.some(({ type }) => type === "RequestRedirect");
  const found = backendRefs.map((ref) => ({ target: targetOf(ref, route, given), weight: ref.weight ?? 1 }));
  const targets = found.flatMap(({ target }) => ("reason" in target ? [] : [target]));
  const total = found.reduce((sum, { weight }) => sum + weight, 0);
  const lost = found.reduce((sum, { target, weight }) => sum + ("reason" in target ? weight : 0), 0);
  const failing = "http-request return status 500";
  if (isRedirected) return { targets: [], edits };
  if (total === 0 || lost === total) return { targets: [], edits: [failing] };
  const share = lost === 0 ? [] : [`${failing} if { rand(${total}) -m int lt ${lost} }`];
  return { targets, edits: [...share, ...edits] };
}

interface Unresolved {
  readonly reason: string;
  readonly message: string;
}

type BackendRef = NonNullable<RouteRule["backendRefs"]>[number];

function targetOf(ref: BackendRef, { metadata }: HTTPRoute, { grants, service }: Circumstances): Target | Unresolved {
  const own = metadata.namespace ?? "";
  const { group = "", kind = "Service", name, namespace = own, port = 0, weight = 1, filters = [] } = ref;
  if (filters.length > 0) throw new Unsupported("filters of a backendRef are not served");
  if (group !== "" || kind !== "Service") return { reason: "InvalidKind", message: `${kind} ${name} is no Service` };
  const reference = { from: { kind: "HTTPRoute", namespace: own }, to: { kind, namespace, name } };
  if (!isGranted(reference, grants)) {
    const message = `no ReferenceGrant in ${namespace} lets HTTPRoutes of ${own} name Service ${name}`;
    return { reason: "RefNotPermitted", message };
  }
  const target = serviceTarget({ namespace, name, port, weight }, service);
  return typeof target === "string" ? { reason: "BackendNotFound", message: target } : target;
}

function resolvedOf(route: HTTPRoute, given: Circumstances): Said {
  for (const ref of (route.spec.rules ?? []).flatMap(({ backendRefs = [] }) => backendRefs)) {
    const target = targetOf({ ...ref, filters: [] }, route, given);
    if ("reason" in target) return { type: "ResolvedRefs", status: "False", ...target };
  }
  return { type: "ResolvedRefs", status: "True", reason: "ResolvedRefs", message: "all that it names is there" };
}
