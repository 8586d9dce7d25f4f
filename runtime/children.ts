/**
 * Children that an owner selects by labels: which are its own, which strays to adopt, which to let go because their
 * labels no longer match.
 * Source: k8s.io/kubernetes/pkg/controller/controller_ref_manager.go
 */
import { isNotFound } from "@atoll/client/errors";
import type { AnyResource, Resource } from "@atoll/client/resource";
import { apiVersionOf, keyOf } from "@atoll/client/resource";
import type { ApiObject, ObjectMeta, OwnerReference } from "@atoll/machinery/object";
import type { LabelSelector } from "@atoll/machinery/selectors/labels";
import { matchesLabels } from "@atoll/machinery/selectors/labels";
import type { Claim, Read, View } from "./claims.ts";
import { controllerOf, ownedBy } from "./claims.ts";
import type { Writer } from "./writer.ts";

const strays = "strays";

/** The owner reference of a child to its controller. */
export function controllerReference(kind: AnyResource, { name = "", uid = "" }: ObjectMeta): OwnerReference {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/**
 * Children of a kind that selects them. As a read it wakes the controller of a child, and for a child without one
 * every parent of its namespace that selects it. As a claim it is that of ownedBy().
 * @param selectorOf undefined when the parent selects nothing
 */
export function childrenOf<C extends ApiObject, P extends ApiObject>(
  child: Resource<C>,
  parent: Resource<P>,
  selectorOf: (parent: P) => LabelSelector | undefined,
): Required<Pick<Read<C>, "indexes">> & Read<C> & Claim & { resource: Resource<C> } {
  const owned = ownedBy(child, parent);
  return {
    ...owned,
    indexes: [
      { name: strays, by: (object) => (controllerOf(object) === undefined ? [object.metadata.namespace ?? ""] : []) },
    ],
    *keys(object, cache) {
      if (controllerOf(object) !== undefined) return yield* owned.keys(object, cache);
      for (const candidate of cache.list(parent, { namespace: object.metadata.namespace ?? "" })) {
        const selector = selectorOf(candidate);
        if (selector !== undefined && matchesLabels(selector, object.metadata.labels)) yield keyOf(candidate);
      }
    },
  };
}

/** Objects sorted by what they are to an owner. */
export interface Family<C> {
  readonly mine: readonly C[];
  readonly adopt: readonly C[];
  readonly release: readonly C[];
}

/** The children of an owner, and the strays of its namespace, as the cache has them. */
export function candidatesFor<C extends ApiObject>(cache: View, child: Resource<C>, owner: ApiObject): readonly C[] {
  const { uid, namespace = "" } = owner.metadata;
  const own = cache.list(child, { owner }).filter((object) => controllerOf(object)?.uid === uid);
  return [...own, ...cache.list(child, { index: { name: strays, value: namespace } })];
}

/** Sorts candidates. An owner that is being deleted adopts and releases nothing. */
export function sortFamily<C extends ApiObject>(
  owner: ApiObject,
  selector: LabelSelector,
  candidates: readonly C[],
): Family<C> {
  const mine: C[] = [];
  const adopt: C[] = [];
  const release: C[] = [];
  const going = owner.metadata.deletionTimestamp !== undefined;
  for (const candidate of candidates) {
    const { labels, deletionTimestamp } = candidate.metadata;
    const fits = matchesLabels(selector, labels);
    if (controllerOf(candidate)?.uid === owner.metadata.uid) {
      if (fits) mine.push(candidate);
      else if (!going) release.push(candidate);
    } else if (fits && !going && deletionTimestamp === undefined) adopt.push(candidate);
  }
  return { mine, adopt, release };
}

/**
 * Adopts and releases as sorted.
 * @returns the owner's children, those adopted included
 * @throws {StatusError | TransportFailed}
 */
export async function settleFamily<C extends ApiObject, P extends ApiObject>(
  { mine, adopt, release }: Family<C>,
  { kind, owner }: { kind: Resource<P>; owner: P },
  client: Writer,
): Promise<readonly C[]> {
  for (const child of release) await releaseChild(child, owner, client);
  if (adopt.length === 0) return mine;
  await checkMayAdopt(kind, owner, client);
  const adopted: C[] = [];
  for (const child of adopt) {
    const ownerReferences = [...(child.metadata.ownerReferences ?? []), controllerReference(kind, owner.metadata)];
    adopted.push(await client.patch(child, ownersPatch(child, ownerReferences)));
  }
  return [...mine, ...adopted];
}

/** The owner in the cache may be gone already; what it adopted then would be collected as garbage. */
async function checkMayAdopt<P extends ApiObject>(kind: Resource<P>, owner: P, client: Writer): Promise<void> {
  const now = await client.get(kind, keyOf(owner));
  if (now.metadata.uid !== owner.metadata.uid) throw new Error(`${kind.kind} ${keyOf(owner)} is another by now`);
  if (now.metadata.deletionTimestamp !== undefined) throw new Error(`${kind.kind} ${keyOf(owner)} is being deleted`);
}

async function releaseChild(child: ApiObject, owner: ApiObject, client: Writer): Promise<void> {
  const left = (child.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner.metadata.uid);
  try {
    await client.patch(child, ownersPatch(child, left.length === 0 ? null : left));
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

function ownersPatch({ metadata }: ApiObject, ownerReferences: readonly OwnerReference[] | null) {
  const { uid, resourceVersion } = metadata;
  return { type: "merge", body: { metadata: { uid, resourceVersion, ownerReferences } } } as const;
}
