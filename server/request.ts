/**
 * What a request asks for, read from its method and path alone.
 * Source: k8s.io/apiserver/pkg/endpoints/request/requestinfo.go
 */
import { StatusError } from "@atoll/machinery/status";

/** The verbs that authorization, audit and metrics speak of. */
export type RequestVerb =
  | "create"
  | "get"
  | "list"
  | "watch"
  | "update"
  | "patch"
  | "delete"
  | "deletecollection"
  | "connect"
  | "head"
  | "post"
  | "put"
  | "options";

/** A parsed request line. For a path outside the resource API, `resource` is "" and `verb` the lower-case method. */
export interface RequestInfo {
  readonly verb: RequestVerb;
  readonly method: string;
  /** Decoded path without query. */
  readonly path: string;
  /** Not to be changed: requests may share it. */
  readonly query: URLSearchParams;
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  readonly resource: string;
  readonly name: string;
  readonly subresource: string;
  /** What follows the subresource (proxy paths), with its leading slash, still encoded; "" when nothing does. */
  readonly rest: string;
}

const verbOf: Readonly<Record<string, RequestVerb>> = {
  POST: "create",
  GET: "get",
  HEAD: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/** Most requests ask for nothing more than their path says. */
const noQuery: URLSearchParams = new URLSearchParams();

// Words that follow a namespace and belong to the Namespace object itself.
const namespaceSubresources: ReadonlySet<string> = new Set(["status", "finalize"]);

/**
 * @param target the request line's target, as `/api/v1/pods?limit=5`
 * @throws {StatusError} BadRequest when the path has a bad escape or hides a path segment
 */
export function parseRequest(method: string, target: string): RequestInfo {
  const mark = target.indexOf("?");
  const rawPath = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? noQuery : new URLSearchParams(target.slice(mark + 1));
  const path = decode(rawPath);
  const parts = path.split("/").slice(1);
  const core = parts[0] === "api" && parts.length >= 3 && parts[2] !== "";
  const named = parts[0] === "apis" && parts.length >= 4 && parts[3] !== "";
  if (!core && !named) return pathRequest(method, path, query);
  const [group = "", version = "", ...below] = core ? ["", ...parts.slice(1)] : parts.slice(1);
  return resourceRequest(method, { query, path, group, version }, below);
}

function pathRequest(method: string, path: string, query: URLSearchParams): RequestInfo {
  return {
    verb: method.toLowerCase() as RequestVerb,
    method,
    path,
    query,
    group: "",
    version: "",
    namespace: "",
    resource: "",
    name: "",
    subresource: "",
    rest: "",
  };
}

interface Prefix {
  readonly query: URLSearchParams;
  readonly path: string;
  readonly group: string;
  readonly version: string;
}

function resourceRequest(method: string, prefix: Prefix, below: string[]): RequestInfo {
  // `watch/` before a collection or an object is the old way to ask for a watch.
  const watched = below[0] === "watch" && method === "GET";
  const given = watched ? below.slice(1) : below;
  const segments = given.at(-1) === "" ? given.slice(0, -1) : given;
  const { namespace, own } = splitNamespace(segments);
  const [resource = "", name = "", subresource = "", ...rest] = own;
  const collection = name === "";
  const verb = watched ? "watch" : resourceVerb(method, collection, prefix.query);
  return {
    verb,
    method,
    path: prefix.path,
    query: prefix.query,
    group: prefix.group,
    version: prefix.version,
    namespace,
    resource,
    name: segment(name),
    subresource,
    rest: rest.length > 0 || (subresource !== "" && below.at(-1) === "") ? `/${rest.join("/")}` : "",
  };
}

/** `/namespaces/NS/pods/P` → NS and pods/P; `/namespaces/NS` and its own subresources stay whole. */
function splitNamespace(segments: string[]): { namespace: string; own: string[] } {
  const [first, namespace = "", third] = segments;
  if (first !== "namespaces" || namespace === "") return { namespace: "", own: segments };
  if (third === undefined || namespaceSubresources.has(third)) {
    return { namespace: segment(namespace), own: segments };
  }
  return { namespace: segment(namespace), own: segments.slice(2) };
}

function resourceVerb(method: string, collection: boolean, query: URLSearchParams): RequestVerb {
  const verb = verbOf[method] ?? (method.toLowerCase() as RequestVerb);
  if (verb === "get" && collection) return isTrue(query.get("watch")) ? "watch" : "list";
  return verb === "delete" && collection ? "deletecollection" : verb;
}

/** Boolean query parameters as Kubernetes reads them: present and not "false" or "0". */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== "false" && value !== "0";
}

function decode(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new StatusError("BadRequest", `invalid escape in the request path: ${text}`, { cause });
  }
}

/** A name in a path, decoded once: what is left must not be a path, nor an escape that somebody else may undo. */
function segment(name: string): string {
  if (name === "." || name === ".." || name.includes("/") || name.includes("%")) {
    throw new StatusError("BadRequest", `invalid name in the request path: ${JSON.stringify(name)}`);
  }
  return name;
}
