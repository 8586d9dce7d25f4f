/**
 * The garbage collector's dealings with the API: live looks at objects and owners, and the writes that a step asks for.
 * Nothing is deleted on the word of the graph alone.
 */
import type { Client, DeleteOptions } from "@atoll/client/client";
import type { Discovery } from "@atoll/client/discovery";
import { findKind } from "@atoll/client/discovery";
import { isConflict, isNotFound } from "@atoll/client/errors";
import type { Key, PartialObject, Resource } from "@atoll/client/resource";
import { metadataOf, toKey } from "@atoll/client/resource";
import type { ObjectMeta, OwnerReference } from "@atoll/machinery/object";
import { parseApiVersion } from "@atoll/machinery/object";
import type { Identity } from "./graph.ts";
import { foregroundFinalizer, spellIdentity } from "./graph.ts";
import type { Owners } from "./plan.ts";

/** Discovery knows no such kind: not yet, or no more. */
export class UnknownKind extends Error {
  override readonly name = "UnknownKind";
}

/** A cluster-scoped object names an owner that must be in a namespace. No retry mends that. */
export class OwnerOutOfReach extends Error {
  override readonly name = "OwnerOutOfReach";
}

const mostAbsent = 500;
const mostConflicts = 5;

/** Identities known to be absent; a uid never comes back. The oldest are forgotten. */
export class AbsentOwners {
  readonly #known = new Set<string>();

  add(identity: Identity): void {
    const spelled = spellIdentity(identity);
    this.#known.delete(spelled);
    this.#known.add(spelled);
    const [oldest] = this.#known;
    if (this.#known.size > mostAbsent && oldest !== undefined) this.#known.delete(oldest);
  }

  has(identity: Identity): boolean {
    return this.#known.has(spellIdentity(identity));
  }
}

/** What dealings need. */
export interface DealingsOptions {
  readonly client: Client;
  readonly signal: AbortSignal;
  readonly absent: AbsentOwners;
  readonly discovery: () => Discovery;
}

interface Place {
  readonly resource: Resource<PartialObject>;
  readonly key: Key;
}

/** Looks and writes, by identity. */
export class Dealings {
  readonly #options: DealingsOptions;

  constructor(options: DealingsOptions) {
    this.#options = options;
  }

  /**
   * The object as stored now; undefined when nothing of this uid is there.
   * @throws {UnknownKind | OwnerOutOfReach | StatusError | TransportFailed}
   */
  async look(identity: Identity): Promise<PartialObject | undefined> {
    const { resource, key } = this.#placeOf(identity);
    try {
      const found = await this.#options.client.get(resource, key, { signal: this.#options.signal });
      return found.metadata.uid === identity.uid ? found : undefined;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Finds out which of an object's owners are there. Throws as look() does. */
  async ownersOf(identity: Identity, references: readonly OwnerReference[]): Promise<Owners> {
    const solid: OwnerReference[] = [];
    const dangling: OwnerReference[] = [];
    const waiting: OwnerReference[] = [];
    for (const reference of references) {
      const owner = await this.#owner(identity, reference);
      if (owner === undefined) dangling.push(reference);
      else if (isWaiting(owner.metadata)) waiting.push(reference);
      else solid.push(reference);
    }
    return { solid, dangling, waiting };
  }

  /** Deletes an object unless it changed since it was looked at. One that is gone is well gone. */
  async delete(
    identity: Identity,
    seen: ObjectMeta,
    propagation: NonNullable<DeleteOptions["propagation"]>,
  ): Promise<void> {
    const { resource, key } = this.#placeOf(identity);
    const { client, signal } = this.#options;
    const options = { uid: identity.uid, resourceVersion: seen.resourceVersion, propagation, signal };
    await client.delete(resource, key, options).catch(ignoreNotFound);
  }

  /** Takes owners off an object. */
  unlink(identity: Identity, uids: readonly string[]): Promise<void> {
    return this.#change(identity, ({ ownerReferences = [] }) => {
      const left = ownerReferences.filter(({ uid }) => !uids.includes(uid));
      return left.length === ownerReferences.length ? undefined : { ownerReferences: left.length === 0 ? null : left };
    });
  }

  /** Stops an object from holding up the deletion of its owners. */
  unblock(identity: Identity): Promise<void> {
    return this.#change(identity, ({ ownerReferences = [] }) => {
      if (!ownerReferences.some((owner) => owner.blockOwnerDeletion === true)) return undefined;
      return { ownerReferences: ownerReferences.map((owner) => ({ ...owner, blockOwnerDeletion: false })) };
    });
  }

  /** Takes a finalizer off an object. */
  removeFinalizer(identity: Identity, finalizer: string): Promise<void> {
    return this.#change(identity, ({ finalizers = [] }) => {
      if (!finalizers.includes(finalizer)) return undefined;
      return { finalizers: finalizers.filter((name) => name !== finalizer) };
    });
  }

  /** Merges what `change` makes of the metadata as stored now, again when somebody else wrote in between. */
  async #change(identity: Identity, change: (metadata: ObjectMeta) => object | undefined): Promise<void> {
    const { resource, key } = this.#placeOf(identity);
    for (let attempt = 1; ; attempt++) {
      const latest = await this.look(identity);
      const changed = latest === undefined ? undefined : change(latest.metadata);
      if (latest === undefined || changed === undefined) return;
      const { uid, resourceVersion } = latest.metadata;
      const patch = { type: "merge", body: { metadata: { uid, resourceVersion, ...changed } } } as const;
      try {
        await this.#options.client.patch(resource, { key, patch }, { signal: this.#options.signal });
        return;
      } catch (error) {
        if (isNotFound(error)) return;
        if (!isConflict(error) || attempt >= mostConflicts) throw error;
      }
    }
  }

  async #owner(identity: Identity, reference: OwnerReference): Promise<PartialObject | undefined> {
    const { apiVersion, kind, name, uid } = reference;
    const { absent } = this.#options;
    const anywhere = { apiVersion, kind, name, uid, namespace: "" };
    const here = { ...anywhere, namespace: identity.namespace };
    if (absent.has(anywhere) || absent.has(here)) return undefined;
    const { resource } = this.#placeOf(here);
    const owner = await this.look(here);
    if (owner === undefined) absent.add(resource.namespaced ? here : anywhere);
    return owner;
  }

  #placeOf({ apiVersion, kind, namespace, name }: Identity): Place {
    const resource = findKind(this.#options.discovery(), { ...parseApiVersion(apiVersion), kind });
    if (resource === undefined) throw new UnknownKind(`no resource serves ${kind} of ${apiVersion}`);
    if (resource.namespaced && namespace === "") {
      throw new OwnerOutOfReach(`${kind} ${name} must be in a namespace, but the object that refers to it is in none`);
    }
    return { resource: metadataOf(resource), key: toKey(resource.namespaced ? namespace : "", name) };
  }
}

function isWaiting({ deletionTimestamp, finalizers = [] }: ObjectMeta): boolean {
  return deletionTimestamp !== undefined && finalizers.includes(foregroundFinalizer);
}

function ignoreNotFound(error: unknown): void {
  if (!isNotFound(error)) throw error;
}
