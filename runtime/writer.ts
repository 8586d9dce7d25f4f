/**
 * The client that a reconcile gets: reads as it likes, writes what its controller claims, and remembers what it wrote
 * until the cache shows it.
 */
import type { Client, DeleteOptions, Given, Patch, Selection } from "@atoll/client/client";
import type { Call } from "@atoll/client/connection";
import { isNotFound, isRefusal } from "@atoll/client/errors";
import type { Informer } from "@atoll/client/informer/informer";
import type { AnyResource, Key, Resource } from "@atoll/client/resource";
import { groupResource, isOf, keyOf } from "@atoll/client/resource";
import { TransportFailed } from "@atoll/client/transport";
import type { ApiObject, ObjectMeta } from "@atoll/machinery/object";
import type { Claim, Write } from "./claims.ts";
import { controllerOf, isClaimed, UnclaimedWrite } from "./claims.ts";
import type { OwnWrites } from "./ownwrites.ts";

/** What a writer needs. */
export interface WriterOptions {
  readonly client: Client;
  /** Name of the controller: the field manager of its applies. */
  readonly controller: string;
  readonly claims: readonly Claim[];
  /** Resources that objects may be of, beside those of the claims. */
  readonly resources: readonly AnyResource[];
  readonly ownWrites: OwnWrites;
  /** The informer of a resource, if the controller reads it. */
  readonly informerOf: (resource: AnyResource) => Informer | undefined;
  readonly random: () => number;
  /** The key that is reconciled. */
  readonly key: Key;
  readonly signal: AbortSignal;
}

// Without vowels and look-alikes, so that no words come up. Source: k8s.io/apimachinery/pkg/util/rand
const letters = "bcdfghjklmnpqrstvwxz2456789";
const suffixLength = 5;
const longestBase = 63 - suffixLength;

/** A name from a generateName, made here so that a create whose answer is lost can be looked up. */
function generateName(base: string, random: () => number): string {
  const suffix = Array.from({ length: suffixLength }, () => letters[Math.floor(random() * letters.length)]).join("");
  return base.slice(0, longestBase) + suffix;
}

/** Reads, and writes within the claims of one controller, for one key. All writes throw StatusError or TransportFailed. */
export class Writer {
  readonly #options: WriterOptions;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /** The object as stored now, not as the cache has it. */
  get<T>(resource: Resource<T>, key: Key): Promise<T> {
    return this.#options.client.get(resource, key, { signal: this.#options.signal });
  }

  /** Objects as stored now, whole. */
  async list<T>(resource: Resource<T>, selection: Selection = {}): Promise<readonly T[]> {
    const found: T[] = [];
    const { client, signal } = this.#options;
    for await (const page of client.pages(resource, { ...selection, signal })) found.push(...page.items);
    return found;
  }

  /** Any request that only reads, as for discovery. @throws {UnclaimedWrite} it is none */
  raw(call: Call): Promise<unknown> {
    if (call.method !== "GET") throw new UnclaimedWrite(`${this.#options.controller}: a raw request may only read`);
    return this.#options.client.raw({ ...call, signal: this.#options.signal });
  }

  /** Makes an object. With generateName the name is chosen here. */
  async create<T extends ApiObject>(resource: Resource<T>, draft: Given<T>): Promise<T> {
    const { client, ownWrites, key, random, signal } = this.#options;
    const metadata = nameFor(draft.metadata, random);
    const object = Object.assign({}, draft, { metadata }) as Given<T>;
    this.#check(resource, { verb: "create", subresource: "", object });
    try {
      return this.#wrote(resource, await client.create(resource, object, { signal }));
    } catch (error) {
      if (!(error instanceof TransportFailed) || !error.uncertain) throw error;
      const made = await this.#findMade(resource, object).catch(() => "unknown" as const);
      if (made === undefined) throw error;
      if (made !== "unknown") return this.#wrote(resource, made);
      ownWrites.doubted(key, { resource: resource as Resource, key: keyOf(object) });
      throw error;
    }
  }

  /** Replaces an object that was read, if nobody wrote it since. */
  async update<T extends ApiObject>(object: T): Promise<T> {
    const resource = this.#resourceOf<T>(object);
    this.#check(resource, { verb: "update", subresource: "", object });
    return this.#wrote(resource, await this.#options.client.update(resource, object, this.#options));
  }

  /** Replaces an object that was read through one of its subresources. */
  async replace<T extends ApiObject>(object: T, subresource: string): Promise<T> {
    const resource = this.#resourceOf<T>(object);
    this.#check(resource, { verb: "update", subresource, object });
    return this.#wrote(resource, await this.#options.client.replace(resource, { object, subresource }, this.#options));
  }

  /** Sets the status of an object that was read, if nobody wrote it since. No write if equal. */
  async setStatus<T extends ApiObject>(object: T, status: T["status"]): Promise<T> {
    const resource = this.#resourceOf<T>(object);
    this.#check(resource, { verb: "update", subresource: "status", object });
    return this.#wrote(resource, await this.#options.client.setStatus(resource, { object, status }, this.#options));
  }

  /** Changes an object that was read. */
  async patch<T extends ApiObject>(object: T, patch: Patch, subresource = ""): Promise<T> {
    const resource = this.#resourceOf<T>(object);
    this.#check(resource, { verb: "patch", subresource, object, patch: patch.body });
    const change = { key: keyOf(object), patch, subresource };
    return this.#wrote(resource, await this.#options.client.patch(resource, change, this.#options));
  }

  /** Sets how many replicas an object of any kind is to have, through its Scale as read; refused if that has changed. */
  async scale(resource: AnyResource, scale: { readonly metadata: ObjectMeta }, replicas: number): Promise<void> {
    const { resourceVersion } = scale.metadata;
    const patch = { type: "merge", body: { metadata: { resourceVersion }, spec: { replicas } } } as const;
    this.#check(resource, { verb: "patch", subresource: "scale", object: scale, patch: patch.body });
    await this.#options.client.patch(resource, { key: keyOf(scale), patch, subresource: "scale" }, this.#options);
  }

  /** Server-side apply in the controller's name; takes fields from other managers. */
  async apply<T extends ApiObject>(resource: Resource<T>, object: Given<T>): Promise<T> {
    this.#check(resource, { verb: "apply", subresource: "", object });
    const { client, controller, signal } = this.#options;
    const options = { fieldManager: `atoll-${controller}`, signal };
    return this.#wrote(resource, await client.apply(resource, { object, force: true }, options));
  }

  /**
   * Deletes an object that was read, and never a later one of its name. One that is gone is well gone.
   * @param options `resource` is needed only for kinds that are not declared
   */
  async delete(object: ApiObject, options: DeleteOptions & { readonly resource?: Resource } = {}): Promise<void> {
    const { resource = this.#resourceOf(object), ...how } = options;
    this.#check(resource, { verb: "delete", subresource: "", object });
    const { client, ownWrites, key, signal } = this.#options;
    const { uid } = object.metadata;
    try {
      await client.delete(resource, keyOf(object), { ...how, uid, signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    const informer = this.#options.informerOf(resource);
    if (informer !== undefined) ownWrites.deleted(key, informer, { object: keyOf(object), uid });
  }

  /** Deletes all that is selected. */
  async deleteCollection(resource: AnyResource, selection: Selection, options: DeleteOptions = {}): Promise<void> {
    const { namespace = "" } = selection;
    this.#check(resource, { verb: "deletecollection", subresource: "", object: { metadata: { namespace } } });
    const { client, signal } = this.#options;
    await client.deleteCollection(resource, selection, { ...options, signal });
  }

  /** Creates through a subresource of an object that was read: `binding`, `eviction`, `token`. */
  createSubresource(object: ApiObject, subresource: string, body: unknown): Promise<unknown> {
    const resource = this.#resourceOf(object);
    this.#check(resource, { verb: "create", subresource, object });
    return this.#options.client.createSubresource(resource, { key: keyOf(object), subresource, body }, this.#options);
  }

  #wrote<T extends ApiObject>(resource: Resource<T>, answer: T): T {
    const informer = this.#options.informerOf(resource);
    const { resourceVersion } = answer.metadata;
    if (informer !== undefined && resourceVersion !== undefined) {
      this.#options.ownWrites.written(this.#options.key, informer, resourceVersion);
    }
    return answer;
  }

  /** What a create without an answer made; undefined if nothing. */
  async #findMade<T extends ApiObject>(resource: Resource<T>, object: Given<T>): Promise<T | undefined> {
    try {
      const found = await this.#options.client.get(resource, keyOf(object), { signal: this.#options.signal });
      return controllerOf(found)?.uid === controllerOf(object)?.uid ? found : undefined;
    } catch (error) {
      // What cannot be read, as a review, is not stored.
      if (isNotFound(error) || isRefusal(error, "MethodNotAllowed")) return undefined;
      throw error;
    }
  }

  #resourceOf<T extends ApiObject>(object: T): Resource<T> {
    const claimed = this.#options.claims.flatMap(({ resource }) => (resource === "any" ? [] : [resource]));
    const found = [...claimed, ...this.#options.resources].find((resource) => isOf(object, resource));
    if (found === undefined)
      throw new UnclaimedWrite(`${this.#options.controller} claims nothing of kind ${object.kind}`);
    return found as Resource<T>;
  }

  #check(resource: AnyResource, write: Write): void {
    if (isClaimed(this.#options.claims, resource, write)) return;
    const what = `${groupResource(resource)}${write.subresource === "" ? "" : `/${write.subresource}`}`;
    throw new UnclaimedWrite(
      `${this.#options.controller} does not claim to ${write.verb} ${what} ${keyOf(write.object)}`,
    );
  }
}

function nameFor(metadata: ObjectMeta, random: () => number): ObjectMeta {
  if (metadata.name !== undefined || metadata.generateName === undefined) return metadata;
  return { ...metadata, name: generateName(metadata.generateName, random) };
}
