/**
 * What a client must know of a resource to speak about it, and how objects are named.
 */
import type { ApiObject } from "@atoll/machinery/object";
import { formatApiVersion } from "@atoll/machinery/object";

/** Where objects of some type are served. */
export interface AnyResource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** `metadata`: answers carry only metadata (PartialObjectMetadata). */
  readonly view?: "metadata";
}

/**
 * Where objects of type T are served. Every `Kind<T>` is one; for a kind whose schema the client need not load, and for
 * kinds found in discovery, these few facts are enough.
 */
export interface Resource<T = ApiObject> extends AnyResource {
  /** Carries T, from a Kind's Strategy; never called. */
  readonly strategy?: { setDefaults?(object: T): void };
}

/** An object of which only metadata is known. Source: k8s.io/apimachinery/pkg/apis/meta/v1 PartialObjectMetadata */
export type PartialObject = Pick<ApiObject, "apiVersion" | "kind" | "metadata">;

/** The same resource, of which only metadata is asked. */
export function metadataOf(resource: AnyResource): Resource<PartialObject> {
  const { group, version, kind, plural, namespaced } = resource;
  return { group, version, kind, plural, namespaced, view: "metadata" };
}

declare const keyBrand: unique symbol;

/** Names one object within a resource: `namespace/name`, or `name` where there are no namespaces. */
export type Key = string & { readonly [keyBrand]: true };

/** The key of a name. An empty or absent namespace means none. */
export function toKey(namespace: string | undefined, name: string): Key {
  return (namespace === undefined || namespace === "" ? name : `${namespace}/${name}`) as Key;
}

/** The key of an object that has a name. */
export function keyOf(object: { readonly metadata: { readonly namespace?: string; readonly name?: string } }): Key {
  return toKey(object.metadata.namespace, object.metadata.name ?? "");
}

/** Namespace ("" for none) and name of a key. */
export function splitKey(key: Key): { namespace: string; name: string } {
  const slash = key.indexOf("/");
  return slash < 0 ? { namespace: "", name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** The `apiVersion` of a resource's objects. */
export function apiVersionOf(resource: { readonly group: string; readonly version: string }): string {
  return formatApiVersion(resource.group, resource.version);
}

/** `pods`, `deployments.apps`: a resource without its version, as RBAC and kubectl name it. */
export function groupResource(resource: { readonly group: string; readonly plural: string }): string {
  return resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;
}

/** Whether an object is of the kind, in any version. */
export function isOf(object: { apiVersion: string; kind: string }, kind: { group: string; kind: string }): boolean {
  const slash = object.apiVersion.indexOf("/");
  const group = slash < 0 ? "" : object.apiVersion.slice(0, slash);
  return object.kind === kind.kind && group === kind.group;
}

/** The path of a resource's collection, in one namespace or (namespace "") in all. */
export function collectionPath(resource: AnyResource, namespace: string): string {
  const root = resource.group === "" ? "/api" : `/apis/${resource.group}`;
  const scope = resource.namespaced && namespace !== "" ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${root}/${resource.version}${scope}/${resource.plural}`;
}

/** The path of one object or one of its subresources. */
export function objectPath(resource: AnyResource, key: Key, subresource = ""): string {
  const { namespace, name } = splitKey(key);
  const below = subresource === "" ? "" : `/${subresource}`;
  return `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}${below}`;
}

/** The object with its resource's kind, where an answer left it out or named a view of it (PartialObjectMetadata). */
export function bearingItsKind(resource: AnyResource, object: ApiObject): ApiObject {
  if (object.kind !== undefined && object.apiVersion !== undefined && resource.view === undefined) return object;
  return { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind };
}
