/**
 * A list of resources as older clients know it, in the form of aggregated discovery.
 * Source: k8s.io/apiserver/pkg/endpoints/discovery/aggregated (ConvertAPIResourceListToAPIResourceDiscovery)
 */

interface Entry {
  readonly name: string;
  readonly singularName?: string;
  readonly namespaced?: boolean;
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly verbs?: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

/** @param list entries of an APIResourceList, unchecked */
export function aggregatedResources(
  list: readonly unknown[],
  of: { readonly group: string; readonly version: string },
): readonly object[] {
  const entries = list.filter(isEntry);
  return entries.filter(({ name }) => !name.includes("/")).map((entry) => resourceOf(entry, entries, of));
}

function isEntry(value: unknown): value is Entry {
  const { name, verbs = [] } = (value ?? {}) as { name?: unknown; verbs?: unknown };
  return typeof name === "string" && name !== "" && Array.isArray(verbs);
}

function resourceOf(entry: Entry, all: readonly Entry[], of: { group: string; version: string }): object {
  const { name, shortNames = [], categories = [] } = entry;
  const below = all.filter((each) => each.name.startsWith(`${name}/`));
  const subresources = below.map((each) => ({
    subresource: each.name.slice(name.length + 1),
    responseKind: kindOf(each, of),
    verbs: each.verbs ?? [],
  }));
  return {
    resource: name,
    responseKind: kindOf(entry, of),
    scope: entry.namespaced === true ? "Namespaced" : "Cluster",
    singularResource: entry.singularName ?? "",
    verbs: entry.verbs ?? [],
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    ...(subresources.length === 0 ? {} : { subresources }),
  };
}

function kindOf({ group, version, kind = "" }: Entry, of: { group: string; version: string }): object {
  return { group: group ?? of.group, version: version ?? of.version, kind };
}
