/**
 * What a request asks for, as authorizers see it.
 * Source: k8s.io/apiserver/pkg/endpoints/request/requestinfo.go, …/endpoints/filters/authorization.go
 */
import { type FieldSelector, parseFieldSelector } from "@atoll/machinery/selectors/fields";
import type { RequestInfo } from "../request.ts";

/**
 * The request, with the one name that a list or a watch is about when its field selector names one: who may read one
 * object may watch it, too. A deletion of many stays one of many.
 */
export function asAuthorized(info: RequestInfo): RequestInfo {
  if (info.name !== "" || info.resource === "" || (info.verb !== "list" && info.verb !== "watch")) return info;
  const text = info.query.get("fieldSelector") ?? "";
  if (text === "") return info;
  const name = fieldTerm(fieldSelectorOf(info), "metadata.name");
  return name === undefined || !isPathSegment(name) ? info : { ...info, name };
}

/** The field selector of a request; one that cannot be read selects nothing in particular. */
export function fieldSelectorOf({ query }: RequestInfo): FieldSelector {
  try {
    return parseFieldSelector(query.get("fieldSelector") ?? "");
  } catch {
    return [];
  }
}

/** The value that a selector demands of a field. */
export function fieldTerm(selector: FieldSelector, field: string): string | undefined {
  return selector.find((term) => term.field === field && term.equal)?.value;
}

function isPathSegment(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/%]/.test(name);
}

/** A question about a resource that no request asks. */
export function resourceQuestion(given: ResourceQuestion): RequestInfo {
  const { verb, group, version, namespace = "", resource, subresource = "", name = "", query } = given;
  return {
    verb: verb as RequestInfo["verb"],
    method: "",
    path: "",
    query: query ?? new URLSearchParams(),
    group,
    version,
    namespace,
    resource,
    name,
    subresource,
    rest: "",
  };
}

/** What is asked about a resource; what is absent is "". */
export interface ResourceQuestion {
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  /** Of selectors. */
  readonly query?: URLSearchParams;
}
