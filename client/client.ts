/**
 * The typed client: the verbs of the API over any Resource, which every Kind is.
 *
 *   const pod = await client.get(Pod, toKey("default", "web"));
 *   await client.delete(Pod, keyOf(pod), { uid: pod.metadata.uid });
 *
 * Everything refused is thrown as StatusError, everything unanswered as TransportFailed. Objects given are not kept,
 * objects returned are the caller's.
 */
import type { Draft } from "@atoll/api/draft";
import { deepEqual } from "@atoll/machinery/equal";
import type { ApiObject, ObjectMeta } from "@atoll/machinery/object";
import type { Call, ConnectionOptions } from "./connection.ts";
import { Connection } from "./connection.ts";
import { isStatus } from "./errors.ts";
import type { AnyResource, Key, Resource } from "./resource.ts";
import { apiVersionOf, bearingItsKind, collectionPath, keyOf, objectPath } from "./resource.ts";
import type { WatchBatch, WatchOptions } from "./watch.ts";
import { readEvents, watchQuery } from "./watch.ts";

/** Which objects of a collection. Selectors in string form; "" or absent selects all. */
export interface Selection {
  /** "" or absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** A list, or one page of it. */
export interface ListOptions extends Selection {
  /** Objects in a page. Absent: the whole list in one answer. */
  readonly limit?: number;
  readonly continue?: string;
  /** "0": whatever the server has at hand. Absent: current. */
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: "Exact" | "NotOlderThan";
  readonly signal?: AbortSignal | undefined;
}

/** Objects of one moment. */
export interface List<T> {
  readonly items: readonly T[];
  /** That moment; a watch may start here. */
  readonly resourceVersion: string;
  /** Where the next page starts; "" after the last. */
  readonly continue: string;
}

/** How a write is to be done. */
export interface WriteOptions {
  /** Judge and answer, but store nothing. */
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
  readonly fieldValidation?: "Ignore" | "Warn" | "Strict";
  readonly signal?: AbortSignal | undefined;
}

/** What is to be deleted how. A failed precondition is a Conflict. */
export interface DeleteOptions {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly propagation?: "Background" | "Foreground" | "Orphan";
  readonly graceSeconds?: number;
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A change of an object, in one of the forms that the API knows. */
export type Patch =
  | { readonly type: "json"; readonly body: readonly { op: string; path: string; value?: unknown; from?: string }[] }
  | { readonly type: "merge"; readonly body: unknown }
  | { readonly type: "strategic"; readonly body: unknown };

const patchTypes: Readonly<Record<Patch["type"], string>> = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
};

/** An object to be written: what the server fills in may be left out, and so may kind and apiVersion. */
export type Given<T extends ApiObject> = T | (Draft<Omit<T, "metadata">> & { readonly metadata: ObjectMeta });

const metadataAccept = {
  one: "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
  list: "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
};

function acceptOf(resource: AnyResource, shape: "one" | "list"): Record<string, string> | undefined {
  return resource.view === "metadata" ? { accept: metadataAccept[shape] } : undefined;
}

function writeQuery(options: WriteOptions): Call["query"] {
  return {
    dryRun: options.dryRun === true ? "All" : undefined,
    fieldManager: options.fieldManager,
    fieldValidation: options.fieldValidation,
  };
}

function deleteBody(options: DeleteOptions): unknown {
  const { uid, resourceVersion } = options;
  const preconditions = { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
  return {
    kind: "DeleteOptions",
    apiVersion: "v1",
    ...(Object.keys(preconditions).length > 0 && { preconditions }),
    ...(options.propagation && { propagationPolicy: options.propagation }),
    ...(options.graceSeconds !== undefined && { gracePeriodSeconds: options.graceSeconds }),
    ...(options.dryRun && { dryRun: ["All"] }),
  };
}

/** The verbs of one API server. */
export class Client {
  readonly connection: Connection;

  constructor(options: ConnectionOptions | Connection) {
    this.connection = options instanceof Connection ? options : new Connection(options);
  }

  /** The object as stored now. */
  async get<T>(resource: Resource<T>, key: Key, options: { signal?: AbortSignal | undefined } = {}): Promise<T> {
    const headers = acceptOf(resource, "one");
    const answer = await this.connection.json({ method: "GET", path: objectPath(resource, key), headers, ...options });
    return bearingItsKind(resource, answer as ApiObject) as T;
  }

  /** One answer: the whole list, or with `limit` a page. */
  async list<T>(resource: Resource<T>, options: ListOptions = {}): Promise<List<T>> {
    const { namespace = "", signal, ...query } = options;
    const path = collectionPath(resource, namespace);
    const headers = acceptOf(resource, "list");
    return this.#listOf(
      resource,
      await this.connection.json({ method: "GET", path, query: { ...query }, headers, signal }),
    );
  }

  /** The whole list, page by page, as of one moment. */
  async *pages<T>(resource: Resource<T>, options: ListOptions = {}): AsyncGenerator<List<T>> {
    const { resourceVersion: _, resourceVersionMatch: __, ...rest } = options;
    let page = await this.list(resource, { limit: 500, ...options });
    yield page;
    while (page.continue !== "") {
      page = await this.list(resource, { limit: 500, ...rest, continue: page.continue });
      yield page;
    }
  }

  /** Makes an object; with generateName the answer has the name. */
  create<T extends ApiObject>(resource: Resource<T>, object: Given<T>, options: WriteOptions = {}): Promise<T> {
    const path = collectionPath(resource, object.metadata.namespace ?? "");
    return this.#write(resource, { method: "POST", path, body: this.#typed(resource, object) }, options);
  }

  /** Replaces an object. With metadata.resourceVersion only if nobody wrote since. */
  update<T extends ApiObject>(resource: Resource<T>, object: Given<T>, options: WriteOptions = {}): Promise<T> {
    return this.replace(resource, { object }, options);
  }

  /** Replaces an object through one of its subresources, as `status`, `finalize`, `approval`. */
  replace<T extends ApiObject>(
    resource: Resource<T>,
    { object, subresource = "" }: { object: Given<T>; subresource?: string },
    options: WriteOptions = {},
  ): Promise<T> {
    const path = objectPath(resource, keyOf(object), subresource);
    return this.#write(resource, { method: "PUT", path, body: this.#typed(resource, object) }, options);
  }

  /** Changes an object, or one of its subresources. */
  patch<T extends ApiObject>(
    resource: Resource<T>,
    { key, patch, subresource = "" }: { key: Key; patch: Patch; subresource?: string },
    options: WriteOptions = {},
  ): Promise<T> {
    const headers = { "content-type": patchTypes[patch.type], ...acceptOf(resource, "one") };
    const path = objectPath(resource, key, subresource);
    return this.#write(resource, { method: "PATCH", path, body: patch.body, headers }, options);
  }

  /** Server-side apply: the object is what `fieldManager` wants of it. `force` takes fields from other managers. */
  apply<T extends ApiObject>(
    resource: Resource<T>,
    { object, subresource = "", force = false }: { object: Given<T>; subresource?: string; force?: boolean },
    options: WriteOptions & { readonly fieldManager: string },
  ): Promise<T> {
    const path = objectPath(resource, keyOf(object), subresource);
    const headers = { "content-type": "application/apply-patch+yaml", ...acceptOf(resource, "one") };
    const query = { ...writeQuery(options), force: force ? true : undefined };
    const body = this.#typed(resource, object);
    return this.connection.json({ method: "PATCH", path, body, headers, query, signal: options.signal }) as Promise<T>;
  }

  /**
   * Sets the status of an object as read. Nothing is written when it is that already.
   * @returns the object as it is then
   */
  async setStatus<T extends ApiObject>(
    resource: Resource<T>,
    { object, status }: { object: T; status: T["status"] },
    options: WriteOptions = {},
  ): Promise<T> {
    if (deepEqual(object["status"], status)) return object;
    return this.replace(resource, { object: { ...object, status }, subresource: "status" }, options);
  }

  /**
   * Deletes an object.
   * @returns the object when it stays for a while (finalizers, grace) or the server shows what went; else undefined
   */
  async delete<T>(resource: Resource<T>, key: Key, options: DeleteOptions = {}): Promise<T | undefined> {
    const call = { method: "DELETE", path: objectPath(resource, key), body: deleteBody(options) } as const;
    const headers = acceptOf(resource, "one");
    const answer = await this.connection.json({ ...call, headers, signal: options.signal });
    return isStatus(answer) ? undefined : (answer as T);
  }

  /** Deletes all that is selected; what has finalizers or grace stays for a while. */
  async deleteCollection(resource: AnyResource, selection: Selection, options: DeleteOptions = {}): Promise<void> {
    const { namespace = "", ...query } = selection;
    const path = collectionPath(resource, namespace);
    await this.connection.json({ method: "DELETE", path, query, body: deleteBody(options), signal: options.signal });
  }

  /**
   * The changes of a collection after a revision, in batches as they arrive. Ends when the server ends it.
   * @throws {StatusError} Expired when history no longer reaches the revision: list again
   */
  async *watch<T>(resource: Resource<T>, options: WatchOptions = {}): AsyncGenerator<WatchBatch<T>> {
    const { namespace = "", signal } = options;
    const path = collectionPath(resource, namespace);
    const headers = acceptOf(resource, "one");
    const call = { method: "GET", path, query: watchQuery(options), headers, signal } as const;
    const response = await this.connection.stream(call);
    yield* readEvents(resource, response.body);
  }

  /** Creates through a subresource: `pods/binding`, `pods/eviction`, `serviceaccounts/token`. */
  createSubresource(
    resource: AnyResource,
    { key, subresource, body }: { key: Key; subresource: string; body: unknown },
    options: WriteOptions = {},
  ): Promise<unknown> {
    const path = objectPath(resource, key, subresource);
    return this.connection.json({ method: "POST", path, body, query: writeQuery(options), signal: options.signal });
  }

  /** Any request, its answer decoded from JSON. */
  raw(call: Call): Promise<unknown> {
    return this.connection.json(call);
  }

  #write<T extends ApiObject>(resource: Resource<T>, call: Call, options: WriteOptions): Promise<T> {
    const headers = call.headers ?? acceptOf(resource, "one");
    const query = writeQuery(options);
    return this.connection.json({ ...call, headers, query, signal: options.signal }) as Promise<T>;
  }

  #typed(resource: AnyResource, object: object): unknown {
    return { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind };
  }

  /** Items of a list come without apiVersion and kind, or with those of their view; objects here always bear their own. */
  #listOf<T>(resource: Resource<T>, answer: unknown): List<T> {
    const body = answer as { items?: ApiObject[] | null; metadata?: { resourceVersion?: string; continue?: string } };
    const items = (body.items ?? []).map((item) => bearingItsKind(resource, item));
    const { resourceVersion = "", continue: next = "" } = body.metadata ?? {};
    return { items: items as T[], resourceVersion, continue: next };
  }
}
