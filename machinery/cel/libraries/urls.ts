/**
 * URLs and regular expressions.
 * Source: k8s.io/apiserver/pkg/cel/library/urls.go, regex.go
 */
import { ArrayList, EntryMap } from "../containers.ts";
import { fixedCost, matchCost, traversalCost } from "../cost.ts";
import { global, method } from "../define.ts";
import { type GoUrl, hostnameOf, parseUrl, portOf, queryOf, UrlError } from "../go-url.ts";
import type { CallContext, Library, Overload } from "../library.ts";
import { Boxed, unbox } from "../opaque.ts";
import { boolType, intType, listOf, mapOf, opaqueType, stringType } from "../types.ts";
import { CelError, type Value } from "../values.ts";

const text = stringType;
const urlType = opaqueType("kubernetes.URL");

function read(given: Value | undefined): GoUrl | UrlError {
  try {
    return parseUrl(given as string);
  } catch (fault) {
    if (fault instanceof UrlError) return fault;
    throw fault;
  }
}

function toUrl([given]: readonly Value[]): Value {
  const url = read(given);
  if (url instanceof UrlError) return new CelError(`URL parse error during conversion from string: ${url.message}`);
  return new Boxed(urlType, url, { key: JSON.stringify(url) });
}

/** A part of a URL. */
const part = (id: string, get: (url: GoUrl) => string): Overload =>
  method(id, { of: [urlType], to: text, cost: fixedCost(1) }, ([url]) => get(unbox<GoUrl>(url)));

function query([url]: readonly Value[]): Value {
  const map = new EntryMap();
  for (const [name, values] of queryOf(unbox<GoUrl>(url))) map.insert(name, new ArrayList(values));
  return map;
}

/** URLs. */
export const urls: Library = {
  name: "kubernetes.urls",
  functions: {
    url: [global("string_to_url", { of: [text], to: urlType, cost: traversalCost(0, { sized: true }) }, toUrl)],
    isURL: [global("is_url_string", { of: [text], to: boolType }, ([given]) => !(read(given) instanceof UrlError))],
    getScheme: [part("url_get_scheme", (url) => url.scheme)],
    getHost: [part("url_get_host", (url) => url.host)],
    getHostname: [part("url_get_hostname", hostnameOf)],
    getPort: [part("url_get_port", portOf)],
    getEscapedPath: [part("url_get_escaped_path", (url) => url.escapedPath)],
    getQuery: [method("url_get_query", { of: [urlType], to: mapOf(text, listOf(text)), cost: fixedCost(1) }, query)],
  },
};

function find([given, pattern]: readonly Value[], context: CallContext): Value {
  const matcher = context.matcher(pattern as string);
  if (matcher instanceof Error) return new CelError(`Illegal regex: ${matcher.message}`);
  return matcher.find(given as string) ?? "";
}

function findAll([given, pattern, limit = -1n]: readonly Value[], context: CallContext): Value {
  const matcher = context.matcher(pattern as string);
  if (matcher instanceof Error) return new CelError(`Illegal regex: ${matcher.message}`);
  const most = limit as bigint;
  return new ArrayList(matcher.findAll(given as string, most < 0n ? Number.POSITIVE_INFINITY : Number(most)));
}

const findCost = matchCost(0, 1, true);

/** Regular expressions. */
export const regex: Library = {
  name: "kubernetes.regex",
  functions: {
    find: [method("string_find_string", { of: [text, text], to: text, cost: findCost }, find)],
    findAll: [
      method("string_find_all_string", { of: [text, text], to: listOf(text), cost: findCost }, findAll),
      method("string_find_all_string_int", { of: [text, text, intType], to: listOf(text), cost: findCost }, findAll),
    ],
  },
};
