/**
 * What a controller reads and writes, declared. Reads are its watches; a write outside its claims is refused before it
 * is sent; and no two controllers may claim the same, so everything in the API has one writer.
 */
import { deepEqual } from "@atoll/machinery/equal";
import type { ApiObject, ObjectMeta, OwnerReference } from "@atoll/machinery/object";
import type { Filter } from "@atoll/client/informer/cache";
import type { IndexBy } from "@atoll/client/informer/indexed";
import type { Selection } from "@atoll/client/client";
import type { AnyResource, Key, Resource } from "@atoll/client/resource";
import { groupResource, isOf, toKey } from "@atoll/client/resource";

/** What is in memory of the resources that a controller reads. Objects are frozen. */
export interface View {
  /** @throws {Error} the controller does not declare the resource */
  get<T extends ApiObject>(resource: Resource<T>, key: Key): T | undefined;
  /** In no order. @throws {Error} the controller does not declare the resource */
  list<T extends ApiObject>(resource: Resource<T>, filter?: Filter): readonly T[];
}

/** A resource to watch, and which keys of the controller's own kind a changed object concerns. */
export interface Read<T extends ApiObject = ApiObject> {
  readonly resource: Resource<T>;
  /** Which objects; absent: all. */
  readonly selection?: Selection;
  /** Lookups beside those by namespace and owner. */
  readonly indexes?: readonly { readonly name: string; readonly by: IndexBy<T> }[];
  /** Called with each object as it was and as it is. */
  keys(object: T, cache: View): Iterable<Key>;
  /** Whether a change is one to wake for; default: every one. Not asked when an object comes or goes. */
  readonly matters?: (before: T, after: T) => boolean;
}

/** A write about to be sent. */
export interface Write {
  readonly verb: "create" | "update" | "patch" | "apply" | "delete" | "deletecollection";
  readonly subresource: string;
  /** The object as it will be (create, update, apply) or as it was read (patch, delete). */
  readonly object: { readonly metadata: ObjectMeta };
  /** Of a patch. */
  readonly patch?: unknown;
}

/** A part of the API that a controller alone writes. */
export interface Claim {
  readonly resource: AnyResource | "any";
  /** Which part, in words; two controllers must not claim the same part of one resource. */
  readonly part: string;
  covers(write: Write): boolean;
}

/** The owner reference of an object's controller. */
export function controllerOf(object: { readonly metadata: ObjectMeta }): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true);
}

function patchedOwners(patch: unknown): readonly OwnerReference[] {
  const metadata = (patch as { metadata?: ObjectMeta } | undefined)?.metadata;
  return metadata?.ownerReferences ?? [];
}

/**
 * Children: objects whose controller is of the owner's kind. As a read it wakes the owner; as a claim it covers writes
 * to such children (but for their status, which is their own controller's), and adopting or releasing one by a patch of
 * its owner references.
 */
export function ownedBy<T extends ApiObject>(
  resource: Resource<T>,
  owner: AnyResource,
): Read<T> & Claim & { resource: Resource<T> } {
  const isOwner = (ref: OwnerReference | undefined) => ref?.controller === true && isOf(ref, owner);
  return {
    resource,
    part: `children of ${groupResource(owner)}`,
    *keys(object) {
      const ref = controllerOf(object);
      if (ref === undefined || !isOwner(ref)) return;
      yield toKey(owner.namespaced ? object.metadata.namespace : undefined, ref.name);
    },
    covers: ({ object, patch, subresource }) =>
      subresource !== "status" && (isOwner(controllerOf(object)) || patchedOwners(patch).some(isOwner)),
  };
}

/** A read that finds by itself which keys an object concerns. A selection spares the memory of what is not selected. */
export function watching<T extends ApiObject>(
  resource: Resource<T>,
  keys: Read<T>["keys"],
  selection: Selection = {},
): Read<T> {
  return { resource, keys, selection };
}

/** As `watching`, but a change that people did not ask for, as of a status, wakes nothing. */
export function watchingIntent<T extends ApiObject>(resource: Resource<T>, keys: Read<T>["keys"]): Read<T> {
  return { resource, keys, matters: (before, after) => !isSameIntent(before.metadata, after.metadata) };
}

function isSameIntent(before: ObjectMeta, after: ObjectMeta): boolean {
  return (
    before.generation !== undefined &&
    before.generation === after.generation &&
    before.deletionTimestamp === after.deletionTimestamp &&
    deepEqual(before.labels ?? {}, after.labels ?? {})
  );
}

/** A read that wakes nothing: what is there is looked up when some other change calls for it. */
export function consulting<T extends ApiObject>(resource: Resource<T>): Read<T> {
  return { resource, keys: () => [] };
}

/** The status subresource. */
export function statusOf(resource: AnyResource): Claim {
  return { resource, part: "status", covers: ({ subresource }) => subresource === "status" };
}

/** A subresource other than status, as `finalize`, `binding`, `eviction`. */
export function subresourceOf(resource: AnyResource, name: string): Claim {
  return { resource, part: name, covers: ({ subresource }) => subresource === name };
}

/** Objects of one name, in every namespace. */
export function named(resource: AnyResource, name: string): Claim {
  return { resource, part: `those named ${name}`, covers: ({ object }) => object.metadata.name === name };
}

/** Removal of objects, for a reason said in words. */
export function deletionOf(resource: AnyResource | "any", reason: string): Claim {
  return {
    resource,
    part: `deletion: ${reason}`,
    covers: ({ verb }) => verb === "delete" || verb === "deletecollection",
  };
}

/** Any other part, described in words. */
export function partOf(resource: AnyResource | "any", part: string, covers: (write: Write) => boolean): Claim {
  return { resource, part, covers };
}

/** Two controllers claim the same part of the API. */
export class TwoWriters extends Error {
  override readonly name = "TwoWriters";
  constructor(what: string, first: string, second: string) {
    super(`${what}: both ${first} and ${second} claim to write it`);
  }
}

/** A controller tried to write what it does not claim. */
export class UnclaimedWrite extends Error {
  override readonly name = "UnclaimedWrite";
}

function nameOf({ resource, part }: Claim): string {
  return `${resource === "any" ? "any object" : groupResource(resource)}: ${part}`;
}

/** Checks that no two controllers claim the same. @throws {TwoWriters} */
export function checkClaims(
  controllers: readonly { readonly name: string; readonly writes: readonly Claim[] }[],
): void {
  const writers = new Map<string, string>();
  for (const { name, writes } of controllers) {
    for (const claim of writes) {
      const what = nameOf(claim);
      const other = writers.get(what);
      if (other !== undefined && other !== name) throw new TwoWriters(what, other, name);
      writers.set(what, name);
    }
  }
}

/** Whether one of the claims covers a write to a resource. */
export function isClaimed(claims: readonly Claim[], resource: AnyResource, write: Write): boolean {
  return claims.some((claim) => {
    if (claim.resource !== "any" && groupResource(claim.resource) !== groupResource(resource)) return false;
    return claim.covers(write);
  });
}
