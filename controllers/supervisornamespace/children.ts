/** Objects that an owner makes as they are to be, puts right when others change them, and takes away when unwanted. */
import { type AnyResource, type Resource, toKey } from "@atoll/client/resource";
import { deepEqual } from "@atoll/machinery/equal";
import type { ApiObject, OwnerReference } from "@atoll/machinery/object";
import { controllerOf } from "@atoll/runtime/claims";
import type { Reconcile } from "@atoll/runtime/controller";

/** An object that an owner makes: beside its metadata, all that it is to have. */
export type Child = ApiObject & { metadata: { name: string; namespace?: string } };

/** What children say of their owner. */
export function ownerOf({ group, version, kind }: AnyResource, { metadata }: ApiObject): OwnerReference {
  const { name = "", uid = "" } = metadata;
  return { apiVersion: `${group}/${version}`, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** Keeps an owner's children of one resource: those wanted, and no others. */
export async function keepChildren(
  resource: Resource<ApiObject>,
  { owner, children, ...where }: { owner: OwnerReference; children: readonly Child[]; namespace?: string },
  tools: Reconcile,
): Promise<void> {
  for (const child of children) await keepChild(resource, { owner, child }, tools);
  const names = new Set(children.map(({ metadata }) => metadata.name));
  for (const object of tools.cache.list(resource, where)) {
    const isOurs = controllerOf(object)?.uid === owner.uid;
    if (isOurs && !names.has(object.metadata.name ?? "")) await tools.client.delete(object);
  }
}

/** Writes a child unless it is as it should be already. */
export async function keepChild(
  resource: Resource<ApiObject>,
  { owner, child }: { owner: OwnerReference; child: Child },
  { cache, client }: Reconcile,
): Promise<void> {
  const { metadata, ...content } = child;
  const found = cache.get(resource, toKey(metadata.namespace, metadata.name));
  if (found !== undefined && isAsWanted(found, child)) return;
  await client.apply(resource, { ...content, metadata: { ...metadata, ownerReferences: [owner] } });
}

function isAsWanted(found: ApiObject, { metadata, ...content }: Child): boolean {
  const labels = Object.entries(metadata.labels ?? {});
  const { apiVersion: _apiVersion, kind: _kind, ...fields } = content;
  return (
    labels.every(([key, value]) => found.metadata.labels?.[key] === value) &&
    controllerOf(found) !== undefined &&
    Object.entries(fields).every(([field, value]) => deepEqual((found as Record<string, unknown>)[field], value))
  );
}
