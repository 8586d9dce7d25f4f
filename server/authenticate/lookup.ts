/** Objects of the core group that authentication asks for. */
import type { ApiObject } from "@atoll/machinery/object";
import type { Catalogue } from "../registry/catalogue.ts";

/** An object as the cache has it; it may be up to a moment old. @param namespace "" for kinds without */
export async function findCached(
  catalogue: Catalogue,
  plural: string,
  namespace: string,
  name: string,
): Promise<ApiObject | undefined> {
  const resource = catalogue.resource("", plural);
  if (resource === undefined) return undefined;
  await resource.cache.loaded();
  const entry = resource.cache.get(resource.key(namespace, name));
  return entry === undefined ? undefined : resource.cache.object(entry);
}
