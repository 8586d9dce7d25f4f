/**
 * Ingresses as rules. What fits none of a host's paths is for the default backends of Ingresses with that host. Pure.
 * Source: k8s.io/api/networking/v1 (IngressRule, HTTPIngressPath); kubernetes.io/docs/concepts/services-networking/ingress
 */
import { gatewayController } from "@atoll/api/supervisor/gateway";
import type { Ingress, IngressClass, Service } from "@atoll/client/builtin";
import { dns1123SubdomainErrors, wildcardSubdomainErrors } from "@atoll/machinery/names";
import { everyPath } from "./rule.ts";
import type { Action, Asked, Hosts, Rule, Source, Target } from "./rule.ts";

const oldClassAnnotation = "kubernetes.io/ingress.class";
/** What a path on the wire may hold. Source: RFC 3986, section 3.3 (pchar) */
const pathPattern = /^\/[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*$/;
const longestPath = 1024;

/** Finds a Service by namespace and name. */
export type FindService = (namespace: string, name: string) => Service | undefined;

/** Whether it is the gateway's to serve. */
export function isServed({ metadata, spec }: Ingress, classes: readonly IngressClass[]): boolean {
  const name = spec.ingressClassName ?? metadata.annotations?.[oldClassAnnotation];
  const isOurs = classes.some((each) => each.metadata.name === name && each.spec?.controller === gatewayController);
  return isOurs && metadata.deletionTimestamp === undefined;
}

/** Who asks. */
export const sourceOf = ({ metadata }: Ingress): Source => ({
  kind: "Ingress",
  namespace: metadata.namespace ?? "",
  name: metadata.name ?? "",
  since: metadata.creationTimestamp ?? "",
});

type Backend = NonNullable<Ingress["spec"]["defaultBackend"]>;

/** @param hosts asked for the hosts that this names */
export function asksOf(ingress: Ingress, find: FindService, hosts: Hosts): Asked {
  const source = sourceOf(ingress);
  const { namespace } = source;
  const { spec } = ingress;
  const refused: string[] = [];
  const actionOf = (backend: Backend): Action => {
    const target = targetOf(namespace, backend, find);
    if (typeof target !== "string") return { targets: [target], edits: [] };
    refused.push(target);
    return { targets: [], edits: [] };
  };
  const own = new Set<string>();
  const rules = (spec.rules ?? []).flatMap((rule) => {
    const { host = "" } = rule;
    const problem = isHost(host) ? hosts.take([host], namespace) : `host ${JSON.stringify(host)} is no DNS name`;
    if (problem !== undefined) {
      refused.push(problem);
      return [];
    }
    own.add(host);
    return rulesOf(rule, actionOf, refused);
  });
  const { defaultBackend } = spec;
  if (defaultBackend === undefined) return { source, rules, defaults: [], refused };
  const problem = hosts.take([""], namespace);
  if (problem === undefined) own.add("");
  else if (rules.length === 0) refused.push(problem);
  const action = actionOf(defaultBackend);
  return { source, rules, defaults: [...own].map((host) => ({ host, path: everyPath, action })), refused };
}

type IngressRule = NonNullable<Ingress["spec"]["rules"]>[number];

/** Without paths everything of the host is the default backend's. */
function rulesOf(
  { host = "", http }: IngressRule,
  actionOf: (of: Backend) => Action,
  refused: string[],
): readonly Rule[] {
  return (http?.paths ?? []).flatMap(({ path = "/", pathType, backend }) => {
    if (isPath(path)) return [{ host, path: pathOf(path, pathType), action: actionOf(backend) }];
    refused.push(`path ${JSON.stringify(path)} cannot be a request's path: expressions are not served`);
    return [];
  });
}

/** Whether it may stand in a configuration: a DNS name, or one with `*.` before it; "" is every host. */
export const isHost = (host: string): boolean =>
  host === "" || (host.startsWith("*.") ? wildcardSubdomainErrors(host) : dns1123SubdomainErrors(host)).length === 0;

/** Whether a request can ask for it. */
export const isPath = (path: string): boolean => path === "" || (path.length <= longestPath && pathPattern.test(path));

/** Paths of no type of upstream's are prefixes here. */
function pathOf(path: string, pathType: string | null): Rule["path"] {
  return pathType === "Exact" ? { type: "Exact", value: path === "" ? "/" : path } : prefixOf(path);
}

/** A prefix by elements: the slash at its end does not count. */
export const prefixOf = (path: string): Rule["path"] => ({ type: "Prefix", value: path.replace(/\/$/, "") });

/** @returns why there is none, as text */
function targetOf(namespace: string, { service, resource }: Backend, find: FindService): Target | string {
  if (service === undefined) return `backend ${resource?.kind ?? ""} ${resource?.name ?? ""} is no Service`;
  const { name = "", number = 0 } = service.port ?? {};
  return serviceTarget({ namespace, name: service.name, port: name === "" ? number : name, weight: 1 }, find);
}

/** A Service's port as a target. @returns why it cannot be one, as text */
export function serviceTarget(
  wanted: {
    readonly namespace: string;
    readonly name: string;
    readonly port: number | string;
    readonly weight: number;
  },
  find: FindService,
): Target | string {
  const { namespace, name, port: wish, weight } = wanted;
  const { spec } = find(namespace, name) ?? {};
  if (spec === undefined) return `there is no Service ${name}`;
  const address = spec.clusterIP ?? "";
  if (address === "" || address === "None" || spec.type === "ExternalName")
    return `Service ${name} has no address of its own: headless ones and names of others are not served`;
  const found = spec.ports?.find((port) => (typeof wish === "number" ? port.port === wish : port.name === wish));
  if (found === undefined || (found.protocol ?? "TCP") !== "TCP") return `Service ${name} has no TCP port ${wish}`;
  return { namespace, name, port: found.port, address, weight };
}
