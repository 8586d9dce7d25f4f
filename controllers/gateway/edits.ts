/**
 * What HTTPRoutes do to requests, as lines of the proxy's language. Names of headers are tokens, and every byte of a value
 * but the plainest is an escape. Pure.
 * Source: sigs.k8s.io/gateway-api/apis/v1 (HTTPRouteFilter); HAProxy configuration manual 3.0, section 4.2 (http-request)
 */
import type { HTTPRoute } from "@atoll/api/gatewayapi/httproute";
import { quotedFormat } from "./haproxy.ts";
import { isHost, isPath, prefixOf } from "./ingress.ts";
import type { Rule } from "./rule.ts";

/** A filter as it is written. */
export type Filter = NonNullable<NonNullable<NonNullable<HTTPRoute["spec"]["rules"]>[number]["filters"]>[number]>;

/** Something in a route that is not served; the message says what. */
export class Unsupported extends Error {
  override readonly name = "Unsupported";
}

const headerName = /^[A-Za-z0-9_-]{1,256}$/;
const headerValue = /^[\x20-\x7e]*$/;
/** 302 is what the Gateway API redirects with when nothing is said. */
const usualRedirect = 302;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** @throws {Unsupported} it cannot be a header's name */
export function headerNameOf(name: string): string {
  if (headerName.test(name)) return name;
  throw new Unsupported(`header name ${JSON.stringify(name)} is not served: letters, digits, - and _ are`);
}

/** @throws {Unsupported} it has other than printable ASCII */
export function valueOf(value: string): string {
  if (headerValue.test(value)) return value;
  throw new Unsupported(`value ${JSON.stringify(value)} is not served: printable ASCII is`);
}

/**
 * Lines for the filters of a rule.
 * @param path that fitted, of which a filter may replace the prefix
 * @throws {Unsupported}
 */
export function editsOf(filters: readonly Filter[], path: Rule["path"]): readonly string[] {
  const types = filters.map(({ type }) => type);
  if (types.includes("RequestRedirect") && types.includes("URLRewrite"))
    throw new Unsupported("RequestRedirect and URLRewrite exclude each other");
  const twice = types.find((type, index) => types.indexOf(type) !== index);
  if (twice !== undefined) throw new Unsupported(`filter ${twice} twice in a rule is not served`);
  // A redirection ends it all, whatever comes before it in the list.
  const ordered = filters.toSorted((a, b) => rank(a) - rank(b));
  return ordered.flatMap((filter) => linesOf(filter, path));
}

const rank = ({ type }: Filter): number => (type === "RequestRedirect" ? 1 : 0);

function linesOf(filter: Filter, path: Rule["path"]): readonly string[] {
  const { type, requestHeaderModifier, responseHeaderModifier, requestRedirect, urlRewrite } = filter;
  if (type === "RequestHeaderModifier") return headers("http-request", requestHeaderModifier);
  if (type === "ResponseHeaderModifier") return headers("http-response", responseHeaderModifier);
  if (type === "RequestRedirect") return redirect(requestRedirect ?? {}, path);
  if (type === "URLRewrite") {
    const { hostname } = urlRewrite ?? {};
    return [
      ...(hostname === undefined ? [] : [`http-request set-header Host ${quotedFormat(hostOf(hostname))}`]),
      ...newPath(urlRewrite?.path, path),
    ];
  }
  throw new Unsupported(`filter ${type} is not served`);
}

function headers(when: string, given: Filter["requestHeaderModifier"]): readonly string[] {
  const { set = [], add = [], remove = [] } = given ?? {};
  const pair = ({ name, value }: { name: string; value: string }) =>
    `${headerNameOf(name)} ${quotedFormat(valueOf(value))}`;
  return [
    ...set.map((each) => `${when} set-header ${pair(each)}`),
    ...add.map((each) => `${when} add-header ${pair(each)}`),
    ...remove.map((each) => `${when} del-header ${headerNameOf(each)}`),
  ];
}

type PathChange = NonNullable<NonNullable<Filter["urlRewrite"]>["path"]>;

/** What is left of a prefix that was taken away may be nothing, which is no path. */
function newPath(change: PathChange | undefined, path: Rule["path"]): readonly string[] {
  if (change === undefined) return [];
  if (change.type === "ReplaceFullPath")
    return [`http-request set-path ${quotedFormat(pathOf(change.replaceFullPath))}`];
  if (path.type !== "Prefix")
    throw new Unsupported("ReplacePrefixMatch goes with matches of the type PathPrefix alone");
  const { value } = prefixOf(pathOf(change.replacePrefixMatch));
  return [
    `http-request set-var(txn.rest) path,bytes(${value === "" && path.value === "" ? 0 : path.value.length})`,
    `http-request set-path ${quotedFormat(value === "" ? "/" : value)} if { var(txn.rest) -m len 0 }`,
    `http-request set-path ${quotedFormat(value)}%[var(txn.rest)] unless { var(txn.rest) -m len 0 }`,
  ];
}

function redirect(given: NonNullable<Filter["requestRedirect"]>, path: Rule["path"]): readonly string[] {
  const { scheme, hostname, port, path: change, statusCode = usualRedirect } = given;
  if (!redirects.has(statusCode)) throw new Unsupported(`a redirection with status ${statusCode} is not served`);
  const host = hostname === undefined ? "%[req.hdr(host),field(1,:)]" : quotedFormat(hostOf(hostname));
  const usual = { http: 80, https: 443 };
  const isUsual = port === undefined || (scheme !== undefined && usual[scheme] === port);
  const start = `${scheme ?? "%[ssl_fc,iif(https,http)]"}://${host}${isUsual ? "" : `:${port}`}`;
  const line = `http-request redirect code ${statusCode} location ${start}%[path]`;
  return [...newPath(change, path), `${line}?%[query] if { query -m found }`, line];
}

function hostOf(host: string): string {
  if (host !== "" && !host.startsWith("*") && isHost(host)) return host;
  throw new Unsupported(`host ${JSON.stringify(host)} is no DNS name`);
}

function pathOf(path = "/"): string {
  const whole = path.startsWith("/") ? path : `/${path}`;
  if (isPath(whole)) return whole;
  throw new Unsupported(`path ${JSON.stringify(path)} cannot be a request's path`);
}
